"""Discord's ids: 42 bits of milliseconds since 2015, then a counter (docs: reference.mdx, "Snowflakes")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.clock import Clock

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Snowflakes:
    """Gives ids by the injected clock: always growing, also when the clock stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Give an id that was not given before."""
        self._last = max(self._last + 1, (self._clock() - EPOCH) // MILLISECOND << 22)
        return self._last


def created_at(snowflake: int) -> datetime:
    """Tell when an id was given, to the millisecond."""
    return EPOCH + (snowflake >> 22) * MILLISECOND
