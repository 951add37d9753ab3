"""When a person is reminded next: a pure function of what is open, what was sent, their wishes, the operator's bounds.

A process with a date is reminded so many days before it, then so many days after it; one without by gaps that grow.
Both end. One reminder names everything, so of all that would be due the earliest counts, and what comes too soon after
another falls together with the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from bot.domain.hours import Hours

ONCE_A_DAY = timedelta(hours=24)
_ROUND_UP = timedelta(hours=2)
"""By so much a reminder may come before its moment, or leave its hour: or each that went late would cost a day."""
_HELD_UP = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CadenceRule:
    """The operator's bounds (`settings.reminders`)."""

    before_days: tuple[int, ...]
    after_days: tuple[int, ...]
    gap_days: tuple[int, ...]
    at_least_apart: timedelta
    at_most_apart: timedelta
    at_most: int

    def gap(self, number: int) -> timedelta:
        """Give the time from the last reminder, the `number`th, to the next where no date is near."""
        days = timedelta(days=self.gap_days[min(number, len(self.gap_days) - 1)])
        return min(max(days, self.at_least_apart), self.at_most_apart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One thing to do: since when, and by when its community asks for it."""

    since: datetime
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a person's reminders depend on.

    `opened` has at least one entry, `last` is the newest reminder, `sent` how many there were since they last began,
    `apart` how far apart the person wants them at least. `silent_until` is the person's own: *Tonight*, a
    date, a pause. `promised` is a reminder that was planned before what is open changed.
    """

    hours: Hours
    opened: tuple[Open, ...]
    last: datetime | None = None
    sent: int = 0
    apart: timedelta = ONCE_A_DAY
    silent_until: datetime | None = None
    promised: datetime | None = None


def next_reminder(standing: Standing, rule: CadenceRule, now: datetime) -> datetime | None:
    """Give when the next reminder is due (never in the past, never in quiet hours), or None: no more will come.

    * At the end of a silence that the person chose, at the moment that they chose.
    * Otherwise at their hour, never within a day of the last one or of what opened the first process.
    * Where nothing is left to be reminded of, but one was promised (what it was for is done): that one, the last.
    """
    hours = standing.hours
    if standing.silent_until is not None and _is_ahead(standing.silent_until, standing.last):
        return hours.after_quiet(max(standing.silent_until, now))
    point = None if _is_over(standing, rule) else _next_point(standing, rule)
    if point is None:
        promised = standing.promised
        return hours.after_quiet(promised) if promised is not None and promised > now else None
    due = _keep_apart(hours.next_slot(point - _ROUND_UP), standing, rule)
    if due < now:
        due = now if now - due <= _HELD_UP and not hours.is_quiet(now) else hours.next_slot(now)
    return due


def _is_ahead(silent_until: datetime, last: datetime | None) -> bool:
    return last is None or silent_until > last


def _keep_apart(slot: datetime, standing: Standing, rule: CadenceRule) -> datetime:
    """Put off what comes too soon; by minutes where that is enough, or else to the next day's slot."""
    if standing.last is not None:
        earliest = standing.last + max(ONCE_A_DAY, rule.at_least_apart, standing.apart)
    else:
        earliest = _begin(standing) + ONCE_A_DAY
    if slot >= earliest:
        return slot
    if earliest - slot <= _ROUND_UP and not standing.hours.is_quiet(earliest):
        return earliest
    return standing.hours.next_slot(earliest)


def _begin(standing: Standing) -> datetime:
    return min(each.since for each in standing.opened)


def _since(standing: Standing) -> datetime:
    """Give the last reminder, or what opened the first process where that was later."""
    return max(_begin(standing), standing.last or _begin(standing))


def _is_over(standing: Standing, rule: CadenceRule) -> bool:
    """Tell whether there were as many as the operator allows, counted from when the newest date passed.

    What was opened after it begins anew, too: as there is one a day at most, the days tell how many it had.
    """
    since, newest = _since(standing), max(each.since for each in standing.opened)
    newest = max([newest, *(each.deadline for each in standing.opened if each.deadline is not None)])
    return min(standing.sent, (since - newest) // ONCE_A_DAY + 1) >= rule.at_most


def _next_point(standing: Standing, rule: CadenceRule) -> datetime | None:
    """Give the first moment after the last reminder that the cadence names, before hours and distances are kept."""
    since = _since(standing)
    dated = min((point for each in standing.opened for point in _points(each, rule) if point > since), default=None)
    calm = [_calm(each, standing, rule) for each in standing.opened]
    undated = min((point for point in calm if point is not None), default=None)
    if dated is None or undated is None:
        return dated or undated
    falls_together = dated - undated < rule.gap(0) / 2
    return dated if falls_together else undated


def _points(each: Open, rule: CadenceRule) -> list[datetime]:
    """Give the moments that a date names. Who came after it is reminded as if it were just over."""
    if each.deadline is None:
        return []
    before = [each.deadline - timedelta(days=days) for days in rule.before_days]
    after = [max(each.deadline, each.since) + timedelta(days=days) for days in rule.after_days]
    return [point for point in (*before, *after) if point > each.since]


def _calm(each: Open, standing: Standing, rule: CadenceRule) -> datetime | None:
    """Give when the growing gaps name this one next: while it has no date and they aren't over, or its date is far.

    So does one whose date is long over, once, for who wants to be reminded again.
    """
    since = max(_since(standing), each.since)
    number = min(standing.sent, _passed(since - each.since, rule))
    if each.deadline is None:
        return since + rule.gap(number) if number < len(rule.gap_days) else None
    points = _points(each, rule)
    if each.deadline - timedelta(days=max(rule.before_days, default=0)) > since:
        before = sum(since < point <= each.deadline for point in points)
        return since + rule.gap(number) if standing.sent + before < rule.at_most else None
    over = standing.sent == 0 and all(point <= since for point in points)
    return since + rule.gap(0) if over else None


def _passed(open_for: timedelta, rule: CadenceRule) -> int:
    """Give how many of the gaps have passed: reminders of what has a date besides do not use up those of what has none.

    Half a day is allowed for the hour of the day.
    """
    ends = accumulate(rule.gap(number) for number in range(len(rule.gap_days)))
    return sum(end <= open_for + ONCE_A_DAY / 2 for end in ends)
