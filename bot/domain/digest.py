"""One reminder for everything that one person has open: a pure function of their registrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.notices import ProcessLine, Reminder

NAMED_AT_MOST = 10
"""Lines in one message; the rest are counted. Discord takes 4,000 characters (discord-facts.md, section 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProcess:
    """One registration of a process that is confirmed not patched.

    `since` is when it was confirmed, `registered_at` when this person added it; `deadline` and `community` are those of
    the migration, where it is of one, and of the place where it was registered.
    """

    process: str
    label: str | None
    since: datetime | None
    registered_at: datetime
    name: str | None = None
    deadline: datetime | None = None
    community: str | None = None


def digest(
    opened: Sequence[OpenProcess],
    *,
    safe_word: str,
    number: int,
    now: datetime,
    last: bool = False,
    ticket: str | None = None,
) -> Reminder:
    """Give the reminder; `opened` has at least one entry. Each process is named once, the most pressing first.

    The date is the nearest that is still to come, or else the newest that has passed. What has that date comes first; a
    community is named where it is the only one that asks for it.
    """
    deadlines = sorted(each.deadline for each in opened if each.deadline is not None)
    deadline = next((each for each in deadlines if each > now), deadlines[-1] if deadlines else None)
    pressing = [each for each in opened if each.deadline == deadline]
    others = [each for each in opened if each.deadline != deadline]
    ordered = sorted(pressing, key=lambda each: each.registered_at) + sorted(
        others, key=lambda each: (each.deadline is None, each.deadline or each.registered_at)
    )
    distinct = {each.process: each for each in reversed(ordered)}
    lines = [line_of(each) for each in ordered if distinct[each.process] is each]
    communities = {each.community for each in pressing}
    return Reminder(
        safe_word=safe_word,
        processes=tuple(lines[:NAMED_AT_MOST]),
        more=max(0, len(lines) - NAMED_AT_MOST),
        community=communities.pop() if len(communities) == 1 else None,
        deadline=deadline,
        due=0 if deadline is None else len({each.process for each in pressing}),
        number=number,
        since=min(line.since for line in lines if line.since is not None),
        last=last,
        ticket=ticket,
    )


def line_of(each: OpenProcess) -> ProcessLine:
    """Name one process. Since when is never older than the registration: others may have followed it before."""
    since = max(each.registered_at, each.since or each.registered_at)
    return ProcessLine(process=each.process, label=each.label, name=each.name, since=since)
