"""After a signature: one bounded task for each process, which reads it until it turns, and what it has seen so far.

What a page says is not believed by itself: nothing costly begins before the network shows the message.
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
"""Processes watched at once."""

REMEMBERED = 1000
"""Finished watches whose outcome is kept."""

REST = 20.0
"""Seconds before a process that was just watched is watched again: each watch costs nodes a `now`."""

AN_HOUR = 12
"""Watches of one process in an hour: whoever holds a link cannot have its nodes asked without end."""

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
class Watch:
    """One process being read. `latest` is what the newest finished reading concluded, confirmed or not."""

    task: asyncio.Task[None] | None = None
    ended: float = 0.0
    latest: Verdict | None = None
    begun: deque[float] = field(default_factory=lambda: deque[float](maxlen=AN_HOUR))

    @property
    def running(self) -> bool:
        """Whether it is being read now."""
        return self.task is not None


class Watches:
    """All watches. A task is kept here, so that it is neither lost nor doubled, and cancelled at the end."""

    def __init__(self, reading: ReadsAfterSignature, believing: Believes) -> None:
        self._reading = reading
        self._believing = believing
        self._watches: OrderedDict[ProcessId, Watch] = OrderedDict()

    def begin(self, process: ProcessId, message: str) -> bool:
        """Start to read `process` once the network shows `message`, unless it is being read, or was often or just now.

        False: too many are being read now.
        """
        watch = self._watches.get(process) or Watch()
        now = time.monotonic()
        often = len(watch.begun) == AN_HOUR and now - watch.begun[0] < 3600
        if watch.running or often or (watch.ended and now - watch.ended < REST):
            return True
        if sum(other.running for other in self._watches.values()) >= AT_MOST:
            return False
        self._watches[process] = watch
        self._watches.move_to_end(process)
        watch.begun.append(now)
        watch.latest = None
        watch.task = asyncio.create_task(self._read(process, message, watch))
        self._forget()
        return True

    def of(self, process: ProcessId) -> Watch:
        """Give what is known of `process`; an empty watch where it never was read."""
        return self._watches.get(process) or Watch()

    async def stop(self) -> None:
        """Cancel what still runs. Nothing is owed: the sweep reads the same processes."""
        tasks = [watch.task for watch in self._watches.values() if watch.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, process: ProcessId, message: str, watch: Watch) -> None:
        try:
            if not await self._believing.believes(process, message):
                return
            card = await self._reading.signed(process)
            if card is not None:
                watch.latest = card.latest.verdict if card.latest is not None else card.status
        except Exception:
            # The page only polls, so that nobody would see it; the sweep still owes this process its check.
            _log.exception("web.watch_failed", process=process)
        finally:
            watch.task = None
            watch.ended = time.monotonic()

    def _forget(self) -> None:
        while len(self._watches) > REMEMBERED + AT_MOST:
            oldest, watch = next(iter(self._watches.items()))
            if watch.running:
                return
            del self._watches[oldest]
