"""Gather every sentence that people read into `cogs/locales/patchbell.pot`, and bring each language up to date.

`python -m scripts.catalogue` (or `make catalogue`) writes the template, merges it into the `patchbell.po` of each
language, and compiles that. A new language is a folder `cogs/locales/<language>/LC_MESSAGES` with a copy of the
template, named `patchbell.po`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot import errors

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "cogs" / "locales"
TEMPLATE = LOCALES / "patchbell.pot"
_FOLDERS = ("cogs", "bot/ao", "bot/domain", "bot/services")
_HEADER = "# What Patchbell says. `make catalogue` makes this file; docs of the format: gettext."
_UNSAID = (  # what changes at every run, and what nobody has filled in
    *(b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By'),
    *(b'"Report-Msgid-Bugs-To: EMAIL', b'"Last-Translator: FULL', b'"Language-Team: LANGUAGE'),
)
_COGS_OWN_ERRORS = ("UnknownControl", "Forgotten")


def keywords() -> dict[str, Any]:
    """Give the calls whose first argument is a sentence: gettext's, Discord's for commands, our errors for people."""
    shown = (errors.BadInput, errors.NotYours)
    ours = [each.__name__ for each in vars(errors).values() if isinstance(each, type) and issubclass(each, shown)]
    return DEFAULT_KEYWORDS | dict.fromkeys(["locale_str", "Sentence", *ours, *_COGS_OWN_ERRORS])


def gather() -> Catalog:
    """Give the catalogue of all sentences in the sources; where a sentence stands is told by file."""
    catalog = Catalog(project="Patchbell", version="1", header_comment=_HEADER, fuzzy=False)
    for path in _sources():
        for _, message, comments, context in extract_from_file(
            "python", path, keywords=keywords(), comment_tags=("Translators:",)
        ):
            catalog.add(message, locations=[(str(path.relative_to(ROOT)), 0)], auto_comments=comments, context=context)
    return catalog


def _sources() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def render(catalog: Catalog) -> bytes:
    """Give a catalogue as a file, without dates: it changes only when a sentence does."""
    file = io.BytesIO()
    write_po(file, catalog, width=120, include_lineno=False)
    return b"".join(line for line in file.getvalue().splitlines(keepends=True) if not line.startswith(_UNSAID))


def main() -> None:
    """Write all of it."""
    template = gather()
    TEMPLATE.write_bytes(render(template))
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/patchbell.po")):
        catalog = read_po(io.BytesIO(path.read_bytes()), locale=path.parts[-3])
        catalog.update(template)
        path.write_bytes(render(catalog))
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        path.with_suffix(".mo").write_bytes(compiled.getvalue())
    print(f"{len(template)} sentences in {TEMPLATE.name}")


if __name__ == "__main__":
    main()
