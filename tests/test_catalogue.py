"""The catalogue has every sentence that people read, and nothing in it threatens or shouts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import BadInput, MalformedKey, PatchbellError
from cogs.errors import said
from cogs.messages import language
from cogs.messages.language import _, ngettext, speaking
from scripts import catalogue
from scripts.catalogue import TEMPLATE, gather, keywords, render
from tests import pseudo

ROOT = Path(__file__).parents[1]
FORBIDDEN = ("urgent", "last chance", "verify your wallet", "suspended", "!")  # messages.md
SPOKEN = {*keywords()} - {"dgettext", "dngettext", "N_", "gettext", "ugettext", "ungettext", "pgettext", "npgettext"}
NOT_FOR_PEOPLE = {  # of exceptions: what the outbox and the log are told
    *("SendLater", "MessageRefused", "NewConversationsBlocked", "RecipientUnreachable"),
    *("LookupError", "ValueError", "compile"),
}
SENTENCE = re.compile(r"[A-Za-z']{2,}[,.:]? [a-z]{2,}")
HANDED_ON = {"cogs/errors.py", "cogs/answering.py", "cogs/messages/language.py"}  # they look up what others wrote


def test_the_template_is_what_the_sources_say() -> None:
    assert render(gather()) == TEMPLATE.read_bytes(), "sentences have changed: make catalogue"


def test_no_sentence_threatens_or_shouts() -> None:
    found = list(pseudo.forms(pseudo.template()))
    assert len(found) > 300
    for sentence in found:
        for word in FORBIDDEN:
            assert word not in sentence.lower(), sentence


def trees() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("cogs", "bot/ao", "bot/domain", "bot/services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def test_what_is_looked_up_is_in_the_catalogue() -> None:
    """Babel reads no f-string, no variable, and nothing inside an f-string: such a sentence would stay English."""
    known = set(pseudo.forms(pseudo.template()))
    wrong: list[str] = []
    looked_up = 0
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or name_of(node) not in SPOKEN or path in HANDED_ON:
                continue
            given = node.args[: 2 if name_of(node) == "ngettext" else 1]
            looked_up += 1
            if given and isinstance(given[0], ast.Call) and name_of(given[0]) in SPOKEN:
                continue  # BadInput(ngettext(…)): said already
            wrong += [
                f"{path}:{node.lineno}"
                for each in given
                if not (isinstance(each, ast.Constant) and each.value in known)
            ]
    assert looked_up > 300
    assert wrong == []


def test_no_sentence_is_left_out_of_the_catalogue() -> None:
    wrong = [
        f"{path}:{node.lineno}: {node.value}"
        for path, tree in trees()
        if path.startswith("cogs/")
        for node in left_out(tree)
    ]
    assert wrong == []


def left_out(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield strings that read like sentences, docstrings and what is written to the log aside."""
    if isinstance(node, ast.Call) and (name_of(node) in SPOKEN | NOT_FOR_PEOPLE or is_log(node)):
        return
    if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") == "StrEnum" for base in node.bases):
        return
    body = getattr(node, "body", None)
    for child in ast.iter_child_nodes(node):
        documents = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if isinstance(body, list) and documents:
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and SENTENCE.search(child.value):
            yield child
        yield from left_out(child)


def is_log(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") in ("log", "_log")


@pytest.mark.usefixtures("pseudo_german")
@pytest.mark.parametrize("locale", ["de", "de-AT"])
def test_a_language_is_spoken_within_and_english_after_it(locale: str) -> None:
    with speaking(locale):
        assert _("**Details**") == "⟦**Ðéţåîļš**⟧"
        assert ngettext("{number:,} process", "{number:,} processes", 1) == "⟦1 þŕöçéšš~⟧"
        assert ngettext("{number:,} process", "{number:,} processes", 1200) == "⟦1,200 þŕöçéššéš~~⟧"
        with speaking("en-GB"):
            assert _("**Details**") == "**Details**"
        assert _("Not in any catalogue, {name}.", name="x") == "Not in any catalogue, x."
    assert _("**Details**") == "**Details**"


@pytest.mark.parametrize("locale", ["zz", "../../etc", "", "x" * 500, None])
def test_what_is_no_language_is_english(locale: str | None) -> None:
    with speaking(locale):
        assert _("**Details**") == "**Details**"


def test_a_broken_translation_is_said_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudo, "pseudo", lambda sentence: sentence.replace("{", "{un"))
    pseudo.write(tmp_path, "de")
    monkeypatch.setattr(language, "CATALOGUES", tmp_path)
    language.catalogue_of.cache_clear()
    with speaking("de"):
        assert ngettext("{number:,} process", "{number:,} processes", 2) == "2 processes"
    language.catalogue_of.cache_clear()


@pytest.mark.usefixtures("pseudo_german")
def test_errors_are_said_in_the_language_and_what_they_quote_is_code() -> None:
    inner = MalformedKey("{name} is a reserved name and cannot be part of a key.", name="**status**")
    outer = BadInput("{problem} Choose one from the suggestions, or paste a whole id.", problem=inner)
    assert str(outer).startswith("**status** is a reserved name")
    with speaking("de"):
        sentence = said(outer)
    assert sentence.startswith("⟦⟦`**status**` îš å ŕéšéŕṽéð")
    assert pseudo.unsaid(sentence) == []
    assert said(PatchbellError("Braces {are} plain where nothing is filled in.")).startswith("Braces {are}")


def test_a_translator_s_copy_is_brought_up_to_date_and_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the README says: copy the template, translate, `make catalogue`; what changed since is merged."""
    monkeypatch.setattr(catalogue, "LOCALES", tmp_path)
    monkeypatch.setattr(catalogue, "TEMPLATE", tmp_path / "patchbell.pot")
    catalogue.main()
    copy = tmp_path / "pt_BR" / "LC_MESSAGES" / "patchbell.po"
    copy.parent.mkdir(parents=True)
    text = (tmp_path / "patchbell.pot").read_text()
    translated = text.replace('msgid "**Details**"\nmsgstr ""', 'msgid "**Details**"\nmsgstr "**Detalhes**"')
    assert translated != text
    gone = '\nmsgid "A sentence of an older version."\nmsgstr "Uma frase."\n'
    copy.write_text(translated + gone)
    catalogue.main()
    assert '#~ msgid "A sentence of an older version."' in copy.read_text()
    monkeypatch.setattr(language, "CATALOGUES", tmp_path)
    language.catalogue_of.cache_clear()
    with speaking("pt-BR"):
        assert _("**Details**") == "**Detalhes**"
        assert _("**I keep nothing of you.**") == "**I keep nothing of you.**"
        assert ngettext("{number:,} process", "{number:,} processes", 2) == "2 processes"
    language.catalogue_of.cache_clear()
    assert "sentences in patchbell.pot" in capsys.readouterr().out
