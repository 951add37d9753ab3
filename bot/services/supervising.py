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

OnFailure = Callable[[str, Exception], Awaitable[None]]


async def supervise(
    pulse: Pulse, once: Callable[[], Awaitable[float]], *, wake: asyncio.Event, stop: asyncio.Event
) -> None:
    """Run rounds until `stop` is set. A round gives how many seconds may pass before the next; `wake` cuts them short.

    An exception is logged and the round tried again after 1, 2, 4 … 60 seconds: whatever a round had claimed comes back
    by its lease. Cancellation goes through.
    """
    pulse.beat()
    pause = _FIRST_PAUSE
    while not stop.is_set():
        wake.clear()
        try:
            wait = await once()
        except Exception:
            pulse.failures += 1
            log.exception("loop failed", loop=pulse.name, failures=pulse.failures, again_in=pause)
            wait, pause = pause, min(pause * 2, _LONGEST_PAUSE)
            await sleep_until_set(stop, wait)  # not cut short by wake: a failing loop must not spin
            continue
        pulse.beat()
        pause = _FIRST_PAUSE
        if wait > 0:
            await sleep_until_set(wake, wait)


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
