"""Process ids: 43 base64url characters that stand for 32 bytes (ao-facts.md, section 1)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NewType

from bot.errors import MalformedProcessId

ProcessId = NewType("ProcessId", str)

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
_LAST = frozenset("AEIMQUYcgkosw048")  # 43 characters carry 258 bits: the last one's low two bits must be zero

# Letters and digits of every script, and invisible characters: an id with one foreign character in it stays one run.
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_RUN = re.compile(rf"[\w{_INVISIBLE}-]+")
_HIDDEN = re.compile(rf"[{_INVISIBLE}]")
_ID_CHARACTER = re.compile(r"[A-Za-z0-9_-]")
_ATTEMPT = 20
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class PastedIds:
    """What a pasted text held: distinct ids in their order, and runs that look like an attempted id but are none.

    A malformed run is cut to 60 characters, and invisible characters in it are shown as U+FFFD.
    """

    valid: tuple[ProcessId, ...]
    malformed: tuple[str, ...]


def parse_process_id(text: str) -> ProcessId:
    """Give the process id that `text` is, surrounding white space aside. Raises MalformedProcessId."""
    candidate = text.strip()
    if len(candidate) != 43:
        raise MalformedProcessId(
            "That is not a process id: an id has exactly 43 letters, digits, - and _; this has {length}.",
            length=len(candidate),
        )
    if not _SHAPE.fullmatch(candidate):
        raise MalformedProcessId("That is not a process id: it has a character that is none of A-Z, a-z, 0-9, - and _.")
    if candidate[-1] not in _LAST:
        raise MalformedProcessId("That is not a process id: its last character is one that no real id ends with.")
    return ProcessId(candidate)


def shorten(process: str) -> str:
    """Give an id as people see it in messages: `7xK2…f9Qa`."""
    return f"{process[:4]}…{process[-4:]}"


def read_process_ids(text: str) -> PastedIds:
    """Find every process id in a text, whatever surrounds it: URLs, quotes, brackets, commas, any white space.

    Linear in the text's length. Words and short runs are passed over; a run with at least 20 id characters that is no
    id is reported, look-alike characters of other scripts counted as what they imitate.
    """
    valid: dict[ProcessId, None] = {}
    malformed: dict[str, None] = {}
    for found in _RUN.finditer(text):
        run = found.group()
        if len(run) == 43 and _SHAPE.fullmatch(run) and run[-1] in _LAST:
            valid[ProcessId(run)] = None
        elif _is_attempt(run):
            malformed[_HIDDEN.sub("\ufffd", run[:_SHOWN])] = None
    return PastedIds(valid=tuple(valid), malformed=tuple(malformed))


def _is_attempt(run: str) -> bool:
    if len(run) < _ATTEMPT:
        return False
    return len(_ID_CHARACTER.findall(unicodedata.normalize("NFKC", run[:1000]))) >= _ATTEMPT
