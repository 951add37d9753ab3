"""The hours at which a person may be written to: their own zone, quiet hours and hour of the day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.errors import BadInput

_EVENING = 20
_HOUR = 3600  # seconds
_SOON = timedelta(hours=1)
"""So much later tonight is, for who asks for it in the evening; half of it where their quiet hours are near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One person's hours of the day, all in `zone`. `quiet_from` equal to `quiet_until`: none is quiet.

    They are written to at `hour`, or within the hours nearest to it that `spread` takes; when exactly follows from
    `user_id` alone, so that ten thousand people who registered together are not due together. With a `spread` of a day
    they share all the hours that are not quiet.
    """

    user_id: int
    zone: tzinfo = UTC
    hour: int
    spread: timedelta = timedelta(hours=1)
    quiet_from: int
    quiet_until: int

    def is_quiet(self, moment: datetime) -> bool:
        """Tell whether this person is not to be written to at that moment."""
        return self.is_quiet_at(moment.astimezone(self.zone).hour)

    def after_quiet(self, moment: datetime) -> datetime:
        """Give the moment itself, or their own second of the hour after the quiet hours that it falls into."""
        if not self.is_quiet(moment):
            return moment
        day = moment.astimezone(self.zone).date()
        ends = (self._at(day + timedelta(days=more), self.quiet_until) for more in range(3))
        end = next(
            each for each in ends if each > moment and not self.is_quiet(each)
        )  # that hour may not be, in spring
        within = timedelta(seconds=self._share(_HOUR))
        return end + within if not self.is_quiet(end + within) else end

    def next_slot(self, moment: datetime) -> datetime:
        """Give the first of their own daily moments that is not before `moment`."""
        day = moment.astimezone(self.zone).date()
        slots = (self.slot_on(day + timedelta(days=more)) for more in range(-1, 4))
        return next(each for each in slots if each >= moment)

    def slot_on(self, day: date) -> datetime:
        """Give their own moment of a day of their calendar, outside their quiet hours."""
        window = self._window()
        second = self._share(max(1, min(int(self.spread.total_seconds()), len(window) * _HOUR)))
        return self.after_quiet(self._at(day, window[second // _HOUR]) + timedelta(seconds=second % _HOUR))

    def usual(self) -> tuple[int, int]:
        """Give from which hour of the day to which they are written to; who chose a quiet hour, when those end."""
        window = self._window()
        first, last = window[0], window[-1]
        if self.is_quiet_at(first):
            first = last = self.quiet_until
        return first, (last + 1) % 24

    def tonight(self, now: datetime) -> datetime:
        """Give the evening of this day, or in the evening a while later, or the next where they are to be left alone.

        The evening is at eight in their zone, or before their quiet hours where those begin earlier.
        """
        today = now.astimezone(self.zone).date()
        soon = (now + _SOON, now + _SOON / 2)
        for evening in (self._evening(today), *(each for each in soon if not self.is_quiet(each))):
            if evening - now >= _SOON / 2:
                return evening
        return self._evening(today + timedelta(days=1))

    def _evening(self, day: date) -> datetime:
        awake = [hour for hour in range(24) if not self.is_quiet_at(hour)]
        hour = max((hour for hour in awake if hour <= _EVENING), default=awake[0])
        return self.after_quiet(self._at(day, hour) + timedelta(seconds=self._share(_HOUR)))

    def _window(self) -> list[int]:
        """Give the hours of the day among which their moment lies: theirs and the nearest that are not quiet."""
        number = -(-int(self.spread.total_seconds()) // _HOUR)
        if number <= 1:
            return [self.hour]
        awake = [hour for hour in range(24) if not self.is_quiet_at(hour)] or [self.hour]
        nearest = sorted(awake, key=lambda hour: (abs(hour - self.hour), -hour))
        return sorted(nearest[:number])

    def is_quiet_at(self, hour: int) -> bool:
        """Tell whether that hour of their day is quiet."""
        start, end = self.quiet_from, self.quiet_until
        return start <= hour < end if start <= end else hour >= start or hour < end

    def _at(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), self.zone).astimezone(UTC)

    def _share(self, of: int) -> int:
        digest = hashlib.sha256(str(self.user_id).encode()).digest()
        return int.from_bytes(digest[:8]) % of


def read_zone(text: str) -> str:
    """Give the IANA name of a time zone that somebody typed in any case. Raises BadInput."""
    wanted = text.strip().replace(" ", "_").casefold()
    name = _zones().get(wanted)
    if name is None:
        raise BadInput("I don't know that time zone. Choose one from the suggestions, such as Europe/Berlin.")
    return name


def zone_of(name: str | None) -> tzinfo:
    """Give the zone of a stored name; UTC for none, and for one that this machine's data has lost."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def suggest_zones(typed: str, nearby: tuple[str, ...] = (), limit: int = 25) -> list[str]:
    """Give zones whose name holds what was typed; with nothing typed `nearby` come first."""
    sought = typed.strip().replace(" ", "_").casefold()
    if not sought:
        return [*dict.fromkeys([*nearby, *_COMMON])][:limit]
    found = [name for folded, name in _zones().items() if sought in folded]
    return sorted(found, key=lambda name: (sought not in name.rsplit("/", 1)[-1].casefold(), name))[:limit]


_OTHER_PREFIXES = ("Etc/", "SystemV/", "posix/", "right/")


@cache
def _zones() -> Mapping[str, str]:
    names = sorted(available_timezones())
    known = (name for name in names if ("/" in name or name == "UTC") and not name.startswith(_OTHER_PREFIXES))
    return {name.casefold(): name for name in known}


_COMMON = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Africa/Lagos",
    "Asia/Kolkata",
    "Asia/Jakarta",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
)
