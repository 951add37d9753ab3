"""Process ids: 43 base64url characters that stand for 32 bytes (ao-facts.md, section 1)."""

from __future__ import annotations

import re
from typing import NewType

from bot.errors import MalformedProcessId

ProcessId = NewType("ProcessId", str)

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
_LAST = frozenset("AEIMQUYcgkosw048")  # 43 characters carry 258 bits: the last one's low two bits must be zero


def parse_process_id(text: str) -> ProcessId:
    """Give the process id that `text` is, surrounding white space aside. Raises MalformedProcessId."""
    candidate = text.strip()
    if len(candidate) != 43:
        raise MalformedProcessId(
            f"That is not a process id: an id has exactly 43 letters, digits, - and _; this has {len(candidate)}."
        )
    if not _SHAPE.fullmatch(candidate):
        raise MalformedProcessId("That is not a process id: it has a character that is none of A-Z, a-z, 0-9, - and _.")
    if candidate[-1] not in _LAST:
        raise MalformedProcessId("That is not a process id: its last character is one that no real id ends with.")
    return ProcessId(candidate)


def shorten(process: str) -> str:
    """Give an id as people see it in messages: `7xK2…f9Qa`."""
    return f"{process[:4]}…{process[-4:]}"
