"""Loops that never end by an accident: logged, backed off, and gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.clock import Clock
from bot.services.health import Pulse

log = structlog.get_logger()

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class Loop:
    """Rounds that follow one another until `stop_running`. A round gives how many seconds may pass before the next."""

    def __init__(self, pulse: Pulse, once: Callable[[], Awaitable[float]]) -> None:
        self.pulse = pulse
        self._once = once
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be something to do; the next round, whose time would come by itself, begins now."""
        self._wake.set()

    def stop_running(self) -> None:
        """Take no more work; `run` ends after the round that it is in."""
        self._stop.set()
        self._wake.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop_running` was called: a long round ends early then."""
        return self._stop.is_set()

    async def run(self) -> None:
        """Run rounds until `stop_running`.

        An exception is logged and the round tried again after 1, 2, 4 … 60 seconds: whatever it had claimed comes back
        by its lease. Cancellation goes through.
        """
        self.pulse.beat()
        pause = _FIRST_PAUSE
        while not self.stopping:
            self._wake.clear()
            try:
                wait = await self._once()
            except Exception:
                self.pulse.failures += 1
                log.exception("loop failed", loop=self.pulse.name, failures=self.pulse.failures, again_in=pause)
                wait, pause = pause, min(pause * 2, _LONGEST_PAUSE)
                await sleep_until_set(self._stop, wait)  # not cut short by wake: a failing loop must not spin
                continue
            self.pulse.beat()
            pause = _FIRST_PAUSE
            if wait > 0:
                await sleep_until_set(self._wake, wait)


async def sleep_until_set(event: asyncio.Event, seconds: float) -> None:
    """Sleep, at most until the event is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def seconds_until(moment: datetime | None, clock: Clock, *, at_most: float) -> float:
    """Give how long a loop may sleep before `moment`, at most `at_most`: clocks are set, rows are added."""
    if moment is None:
        return at_most
    return min(at_most, max(0.0, (moment - clock()).total_seconds()))
