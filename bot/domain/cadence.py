"""When a person is reminded next: a pure function of what is open, what was sent, and the operator's bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

ONCE_A_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class CadenceRule:
    """The bounds (`settings.reminders`). Quiet hours are hours of the day in UTC; equal ones: none is quiet."""

    interval: timedelta
    deadline_days: tuple[int, ...]
    at_most: int
    quiet_from: int
    quiet_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a person's reminders depend on.

    `opened_at` is when the oldest of what is open became theirs to do, `last` the newest reminder, `sent` how many
    there were, `deadlines` those of their open migrations.
    """

    user_id: int
    opened_at: datetime
    last: datetime | None = None
    sent: int = 0
    deadlines: tuple[datetime, ...] = ()
    snoozed_until: datetime | None = None


def next_reminder(standing: Standing, rule: CadenceRule, now: datetime) -> datetime | None:
    """Give when the next reminder is due (never in the past, never in quiet hours), or None: no more will come.

    * Every `interval` since the last, and `deadline_days` before each deadline, whichever comes first; but those that
      are still to come before the nearest deadline are kept in reserve out of `at_most`.
    * Never within 24 hours of the last one, or of the act that opened the first process.
    * After a snooze: at its end.
    """
    left = rule.at_most - standing.sent
    if left <= 0:
        return None
    since = max(standing.opened_at, standing.last or standing.opened_at)
    points = _deadline_points(standing.deadlines, rule.deadline_days, since)
    due = since + rule.interval
    if points and (points[0] < due or len(points) >= left):
        due = points[0] + _spread(standing.user_id)
    due = max(due, since + ONCE_A_DAY)
    if standing.snoozed_until is not None and standing.snoozed_until > now:
        due = max(standing.snoozed_until, since + ONCE_A_DAY)
    due = max(due, now)
    settled = after_quiet(due, rule)
    return settled if settled == due else settled + _spread(standing.user_id)


def is_quiet(moment: datetime, rule: CadenceRule) -> bool:
    """Tell whether nobody is to be written to at this hour."""
    start, end, hour = rule.quiet_from, rule.quiet_until, moment.hour
    return start <= hour < end if start <= end else hour >= start or hour < end


def after_quiet(moment: datetime, rule: CadenceRule) -> datetime:
    """Give the moment itself, or the end of the quiet hours that it falls into."""
    if not is_quiet(moment, rule):
        return moment
    end = datetime.combine(moment.date(), time(rule.quiet_until), moment.tzinfo)
    return end if end > moment else end + timedelta(days=1)


def _deadline_points(deadlines: Sequence[datetime], days: Sequence[int], since: datetime) -> list[datetime]:
    """Give the moments so many days before each deadline that are still to come.

    One that comes within a day of the last message is put off until that day is over, but not beyond its deadline.
    """
    coming = [
        (max(deadline - timedelta(days=day), since + ONCE_A_DAY), deadline)
        for deadline in deadlines
        for day in days
        if deadline - timedelta(days=day) > since
    ]
    return sorted({point for point, deadline in coming if point <= deadline})


def _spread(user_id: int) -> timedelta:
    """Give everybody their own second of an hour: neither a deadline nor a morning makes ten thousand due at once."""
    digest = hashlib.sha256(str(user_id).encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:4]) % 3600)
