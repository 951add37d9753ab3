"""A sentence that somebody may be shown in another language."""

from __future__ import annotations

from collections.abc import Mapping


class Sentence(str):
    """Reads as English, and keeps what it is made of: `cogs/` says it in the language of whoever reads it.

    `template` has the names of `values` in braces.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Sentence:
        """Make it of a template that stands in the source as it is here, so that it gets into the catalogue."""
        made = super().__new__(cls, template.format(**values))
        made.template = template
        made.values = values
        return made
