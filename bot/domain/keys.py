"""State keys: the names, under `cache/` or at a process's root, that apps read (ao-facts.md, section 2)."""

from __future__ import annotations

import re
from typing import NewType

from bot.errors import MalformedKey

StateKey = NewType("StateKey", str)
"""One to four lower-cased segments joined by `/`, such as `balances`, `token-info`, `cache/acl/<address>`."""

CACHE = "cache"
MOST_SEGMENTS = 4
LONGEST_SEGMENT = 64

RESERVED = frozenset(
    """_g ao owner handlers inbox device scheduler status now compute state info test schedule slot push snapshot
    init keys set set-path remove get id path method process commit committed commitments verify results at-slot
    serialize unavailable ao-types ao-result""".split()
)
"""Names that devices answer themselves, that would overwrite a process's own globals, or that decide HTTP's status."""

_SEGMENT = re.compile(rf"[a-z0-9_-][a-z0-9._-]{{0,{LONGEST_SEGMENT - 1}}}")


def parse_key(text: str) -> StateKey:
    """Give the key that `text` is, lower-cased, surrounding white space and slashes aside. Raises MalformedKey."""
    key = text.strip().strip("/").lower()
    if not key:
        raise MalformedKey("That key is empty: a key looks like balances or cache/balances.")
    segments = key.split("/")
    if len(segments) > MOST_SEGMENTS:
        raise MalformedKey(
            "A key has at most {most} parts joined by /; this one has {parts}.", most=MOST_SEGMENTS, parts=len(segments)
        )
    for segment in segments:
        _check(segment)
    return StateKey(key)


def _check(segment: str) -> None:
    if not segment:
        raise MalformedKey("A key cannot have an empty part between two slashes.")
    if len(segment) > LONGEST_SEGMENT:
        raise MalformedKey("A part of a key has at most {most} characters.", most=LONGEST_SEGMENT)
    if not _SEGMENT.fullmatch(segment):
        raise MalformedKey("A key has only the letters a-z, digits, -, _ and . in it, and no part begins with a dot.")
    if segment in RESERVED:
        raise MalformedKey("{name} is a reserved name and cannot be part of a key.", name=segment)


def candidate_paths(key: StateKey) -> tuple[str, ...]:
    """Give the paths after `compute/` that expose this key: under `cache`, and at the root where `patch@1.0` merges.

    A key that already begins with `cache/`, or is `cache` itself, is only itself.
    """
    if key == CACHE or key.startswith(f"{CACHE}/"):
        return (key,)
    return (f"{CACHE}/{key}", key)
