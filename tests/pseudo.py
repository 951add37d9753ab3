"""A language that nobody speaks: the catalogue's own sentences accented, bracketed, and a third longer.

Whatever of ours is still plain ASCII in it never went through the catalogue; whatever does not fit in it would not fit
in German either.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from cogs.messages import language
from scripts.catalogue import TEMPLATE

LONGER = 0.35
_KEPT = re.compile(r"(\{[^}]*\}|`[^`]*`|<[^>]*>|[*#]+|\n)")  # placeholders, code, mentions, markdown
_ACCENTED = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļṁñöþǫŕšţûṽŵẋýž",
)
_BRACKETS = "⟦⟧"

_OURS = re.compile(r"`[^`]*`|<[^>]*>|\S{4}…\S{4}")  # code, mentions and timestamps, shortened ids
_PLAIN = re.compile(r"[A-Za-z]{2,}")


def pseudo(sentence: str) -> str:
    """Give a sentence in the language that nobody speaks."""
    parts = [part if _KEPT.fullmatch(part) else part.translate(_ACCENTED) for part in _KEPT.split(sentence)]
    letters = sum(len(part) for part in parts if not _KEPT.fullmatch(part))
    return _BRACKETS[0] + "".join(parts) + "~" * max(0, round(letters * LONGER) - 2) + _BRACKETS[1]


def template() -> Catalog:
    """Give every sentence that is in the catalogue."""
    return read_po(io.BytesIO(TEMPLATE.read_bytes()))


def forms(catalog: Catalog) -> Iterator[str]:
    """Yield every English form of every sentence."""
    for message in catalog:
        if message.id:
            yield from (message.id if isinstance(message.id, tuple) else (message.id,))


def write(folder: Path, locale: str) -> None:
    """Write the language's compiled catalogue as if it were that of `locale`."""
    catalog = Catalog(locale=locale)
    for message in template():
        if not message.id:
            continue
        said = tuple(map(pseudo, message.id)) if isinstance(message.id, tuple) else pseudo(message.id)
        catalog.add(message.id, said)
    path = folder / locale / "LC_MESSAGES" / "patchbell.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)


def unsaid(text: str, *allowed: str) -> list[str]:
    """Give the words of a text that no catalogue has touched; code, ids and timestamps are nobody's language."""
    for each in allowed:
        text = text.replace(each, "")
    return _PLAIN.findall(_OURS.sub("", text))


@pytest.fixture
def pseudo_german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Have the language that nobody speaks as German; gives its locale."""
    write(tmp_path, "de")
    monkeypatch.setattr(language, "CATALOGUES", tmp_path)
    language.catalogue_of.cache_clear()
    yield "de"
    language.catalogue_of.cache_clear()
