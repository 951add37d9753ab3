"""After a signature: a bounded task, which reads the process until it turns, and what has been seen of it so far.

What a page says is not believed by itself: nothing costly begins, nothing counts and nothing is kept of it before the
network shows the message. Until then it holds one place, of which those without a ticket have their own: made-up
messages keep out nobody whose link says who they are.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bot.domain.card import StatusCard
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId

AT_MOST = 64
"""Messages of ticket holders watched at once, and as many of those who have no ticket."""

REMEMBERED = 1000
"""Processes that were read whose outcome is kept."""

REST = 20.0
"""Seconds before a process that was just watched is watched again: each watch costs nodes a `now`."""

AN_HOUR = 12
"""Reads of one process in an hour: whoever signs again and again cannot have its nodes asked without end."""

_log = structlog.get_logger()


class Believes(Protocol):
    """What is needed of `bot.services.believing`."""

    async def believes(self, process: ProcessId, message: str) -> bool:
        """Tell whether the network shows that this message was signed for this process; about a minute at most."""
        ...


class ReadsAfterSignature(Protocol):
    """What is needed of `bot.services.showing`."""

    async def signed(self, process: ProcessId) -> StatusCard | None:
        """Read the process through `now`, repeatedly for about a minute, until it turns."""
        ...


@dataclass(slots=True)
class _Seen:
    """What came of reading one process. `latest` is what the newest read concluded, confirmed or not."""

    being_read: bool = False
    ended: float = 0.0
    latest: Verdict | None = None
    begun: deque[float] = field(default_factory=lambda: deque[float](maxlen=AN_HOUR))

    @property
    def enough(self) -> bool:
        """Whether it is being read, was just now, or so often that it must wait."""
        now = time.monotonic()
        often = len(self.begun) == AN_HOUR and now - self.begun[0] < 3600
        return self.being_read or often or (self.ended > 0 and now - self.ended < REST)


@dataclass(frozen=True, slots=True)
class _Running:
    task: asyncio.Task[None]
    ticketed: bool


class Watches:
    """All watches. A task is kept here, so that it is neither lost nor doubled, and cancelled at the end."""

    def __init__(self, reading: ReadsAfterSignature, believing: Believes) -> None:
        self._reading = reading
        self._believing = believing
        self._running: dict[tuple[ProcessId, str], _Running] = {}
        self._seen: OrderedDict[ProcessId, _Seen] = OrderedDict()

    def begin(self, process: ProcessId, message: str, *, ticketed: bool) -> bool:
        """Start to read `process` once the network shows `message`, unless it is being read, or was often or just now.

        False: too many are watched now, of those with a ticket or of those without.
        """
        seen = self._seen.get(process)
        if (process, message) in self._running or (seen is not None and seen.enough):
            return True
        if sum(other.ticketed == ticketed for other in self._running.values()) >= AT_MOST:
            return False
        task = asyncio.create_task(self._watch(process, message))
        self._running[process, message] = _Running(task, ticketed)
        return True

    def checking(self, process: ProcessId) -> bool:
        """Tell whether a message to `process` is looked for, or it is being read."""
        return any(watched == process for watched, _ in self._running)

    def latest(self, process: ProcessId) -> Verdict | None:
        """Give what the newest read after a signature concluded, or None where there was none."""
        seen = self._seen.get(process)
        return None if seen is None else seen.latest

    async def stop(self) -> None:
        """Cancel what still runs. Nothing is owed: the sweep reads the same processes."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, process: ProcessId, message: str) -> None:
        try:
            if await self._believing.believes(process, message):
                await self._read(process)
        except Exception:
            # The page only polls, so that nobody would see it; the sweep still owes this process its check.
            _log.exception("web.watch_failed", process=process)
        finally:
            del self._running[process, message]

    async def _read(self, process: ProcessId) -> None:
        seen = self._seen.setdefault(process, _Seen())
        if seen.enough:  # by another message to it, believed meanwhile
            return
        self._seen.move_to_end(process)
        self._forget()
        seen.begun.append(time.monotonic())
        seen.being_read, seen.latest = True, None
        try:
            card = await self._reading.signed(process)
            if card is not None:
                seen.latest = card.latest.verdict if card.latest is not None else card.status
        finally:
            seen.being_read, seen.ended = False, time.monotonic()

    def _forget(self) -> None:
        while len(self._seen) > REMEMBERED + 2 * AT_MOST:
            oldest, seen = next(iter(self._seen.items()))
            if seen.being_read:
                return
            del self._seen[oldest]
