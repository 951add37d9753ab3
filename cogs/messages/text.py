"""Text from strangers (names, labels, keys, titles, what a server said) made safe to show, and small words around it.

Inside code style Discord reads no markdown, link, mention or timestamp. So such text is cleaned, cut, stripped of
the one character that ends code style, and put between backticks. Code is never put inside bold or italics: Discord
ends those at the first `**`, also at one in the code, and reads the rest as markdown.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from discord.utils import format_dt

from bot.domain.process_id import shorten
from cogs.messages.language import _, ngettext

# Categories that show nothing or steer the text around them: control, format (bidi, zero-width, tags), surrogates,
# private use, unassigned, line and paragraph separators.
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Invisible although their category does not say so: joiners, fillers, blanks, variation selectors.
_INVISIBLE = frozenset(
    chain(
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        range(0x180B, 0x1810),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
)
_MARKS_IN_A_ROW = 2  # more of them on one letter climb over the lines around it
_BACKTICKS = dict.fromkeys(map(ord, "`\u02cb\uff40\u1fef"), "'")  # NFC turns U+1FEF into a backtick


def clean(text: str, limit: int) -> str:
    """Give `text` on one line without anything invisible, at most `limit` characters, cut with `…`. May be empty."""
    visible: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text[: limit * 8]):
        if character.isspace():
            character = " "
        category = unicodedata.category(character)
        if category in _INVISIBLE_CATEGORIES or ord(character) in _INVISIBLE:
            continue
        marks = marks + 1 if category.startswith("M") else 0
        if marks <= _MARKS_IN_A_ROW:
            visible.append(character)
    line = " ".join(unicodedata.normalize("NFC", "".join(visible)).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def code(text: str, limit: int = 60) -> str:
    """Give strangers' text in code style that it cannot break out of: two backticks, at most `limit` between."""
    inside = clean(text, limit).translate(_BACKTICKS) or _("(nothing)")
    return f"`{inside}`"


def codes(texts: Iterable[str], *, limit: int = 40, at_most: int = 5) -> str:
    """Give several in code style, joined as a sentence does; beyond `at_most` they are counted."""
    return joined([code(text, limit) for text in texts], at_most=at_most)


def joined(shown: Sequence[str], more: int = 0, *, at_most: int = 5) -> str:
    """Join what is fit to be shown as a sentence does; what is beyond `at_most`, and `more`, is counted."""
    first, rest = ", ".join(shown[:at_most]), len(shown[at_most:]) + more
    if rest:
        return ngettext("{first} and {number:,} more", "{first} and {number:,} more", rest, first=first)
    if len(shown) < 2:
        return first
    return _("{first} and {last}", first=", ".join(shown[:-1]), last=shown[-1])


def named(process: str, label: str | None = None, name: str | None = None) -> str:
    """Give a process as people know it: their own label first, else its name, then the short id."""
    known = clean((label or name or "").translate(_BACKTICKS), 40)
    short = code(shorten(process))
    return f"{code(known)} · {short}" if known else short


def plain(process: str, label: str | None = None, name: str | None = None) -> str:
    """Give the same for places without markdown (options of a select, suggestions): at most 60 characters."""
    known = clean(label or name or "", 40)
    return f"{known} · {shorten(process)}" if known else shorten(process)


def ago(moment: datetime) -> str:
    """Give `2 hours ago`, as each reader's Discord says it."""
    return format_dt(moment, "R")


def at(moment: datetime) -> str:
    """Give day and time, as each reader's Discord writes them."""
    return format_dt(moment, "f")


def date(moment: datetime) -> str:
    """Give the day, as each reader's Discord writes it."""
    return format_dt(moment, "D")


def processes(number: int) -> str:
    """Give `1 process`, `3 processes`."""
    return ngettext("{number:,} process", "{number:,} processes", number)
