"""In which language Patchbell speaks, and the catalogue behind it.

English is the source: a sentence stands in the code as `_("… {name} …", name=…)`, and is looked up in the catalogue
of the language that the current task speaks. What a catalogue lacks, or has broken placeholders in, is said in English.
Catalogues are gettext's: `cogs/locales/<language>/LC_MESSAGES/patchbell.mo` (`python -m scripts.catalogue` makes them).

The language belongs to the task: each interaction runs in a task of its own and begins with `speak`; whatever renders
for somebody else (a DM) does so within `speaking`.
"""

from __future__ import annotations

import gettext as gnu
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from discord import Locale, app_commands

log = structlog.get_logger()

DOMAIN = "patchbell"
CATALOGUES = Path(__file__).parents[1] / "locales"

_ENGLISH = gnu.NullTranslations()
_spoken: ContextVar[gnu.NullTranslations] = ContextVar("language", default=_ENGLISH)


def speak(locale: Locale | str | None) -> None:
    """Speak this language (a Discord locale: `de`, `pt-BR`) for the rest of the current task."""
    _spoken.set(catalogue_of(_code(locale)))


@contextmanager
def speaking(locale: Locale | str | None) -> Generator[None]:
    """Speak this language within."""
    token = _spoken.set(catalogue_of(_code(locale)))
    try:
        yield
    finally:
        _spoken.reset(token)


def _code(locale: Locale | str | None) -> str:
    return "en" if locale is None else str(locale)


@lru_cache(maxsize=64)
def catalogue_of(locale: str) -> gnu.NullTranslations:
    """Give the catalogue of a Discord locale, else of its language alone, else English as it is in the code."""
    if not locale.replace("-", "").isalnum():  # it becomes a part of a path
        return _ENGLISH
    names = dict.fromkeys((locale.replace("-", "_"), locale.partition("-")[0]))
    return gnu.translation(DOMAIN, CATALOGUES, list(names), fallback=True)


def _(message: str, /, **values: object) -> str:
    """Give `message` in the language that is spoken, with `values` in the places of their names."""
    return _filled(_spoken.get().gettext(message), message, values)


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """Give the form that the language has for `number`, which is also the placeholder `{number}`."""
    english = one if number == 1 else many
    return _filled(_spoken.get().ngettext(one, many, number), english, {"number": number, **values})


def _filled(translated: str, english: str, values: dict[str, Any]) -> str:
    if not values:
        return translated
    try:
        return translated.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError) as error:  # a translator's slip costs nobody an answer
        if translated is english:
            raise
        log.warning("translation is broken", message=english, error=repr(error))
        return english.format(**values)


class CommandTranslator(app_commands.Translator):
    """Gives Discord the names and descriptions of commands and options in each language that has a catalogue."""

    async def translate(
        self, string: app_commands.locale_str, locale: Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Give the string in that language; None where there is no translation of it."""
        translated = catalogue_of(locale.value).gettext(string.message)
        return None if translated == string.message else translated
