"""Tickets: the random values in deep links. Looked up by their hash, so that nothing stored or logged opens a page."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

LIFETIME = timedelta(days=30)
SHORTEST = timedelta(days=1)
"""A link in a DM that was sent on the last day still works on the next."""

_BYTES = 16
_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")


def new_ticket() -> str:
    """Give a new raw ticket: 128 random bits as 22 base64url characters."""
    return secrets.token_urlsafe(_BYTES)


def hash_ticket(raw: str) -> str | None:
    """Give what is stored of a ticket, in hexadecimal, or None where `raw` cannot be one (cut, altered, too long)."""
    if not _SHAPE.fullmatch(raw):
        return None
    return hashlib.sha256(raw.encode("ascii")).hexdigest()


def expiry(now: datetime, deadlines: Iterable[datetime | None]) -> datetime:
    """Give when a ticket ends: after 30 days, or with the last of its migrations if that is sooner.

    `deadlines` has one entry for each registration, None for one of no migration or of one without a date. A migration
    that is over no longer shortens anything: its owners may still sign.
    """
    longest = now + LIFETIME
    ends = [longest if deadline is None or deadline <= now else deadline for deadline in deadlines]
    return min(longest, max([*ends, now + SHORTEST])) if ends else longest


def half_hide(name: str) -> str:
    """Give a name as the page shows it, known again by its owner only: `marianne` → `mar•••`."""
    name = " ".join(name.split())
    kept = min(3, len(name) // 2)
    return f"{name[:kept]}•••" if name else ""
