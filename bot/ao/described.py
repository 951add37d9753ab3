"""What gateways said of processes: asked for together, and kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.ao.budget import Timer
from bot.ao.graphql import PAGE
from bot.domain.card import Metadata
from bot.domain.process_id import ProcessId
from bot.errors import BrokenAnswer, PeerError

_log = structlog.get_logger()

_GATHERING = 0.01  # seconds that a single question waits for others to go out with
_UNDER_WAY = 4  # queries; what is asked while so many are goes together into the next, and the budget lasts for a crowd


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What gateways say of many ids. `absent`: every gateway was reached, none has it; `unsaid`: it cannot be told."""

    found: dict[ProcessId, Metadata]
    absent: frozenset[ProcessId]
    unsaid: frozenset[ProcessId]


class Together:
    """Puts single questions that come at the same moment into one query of up to a hundred ids."""

    def __init__(
        self, describe: Callable[[Sequence[ProcessId]], Awaitable[tuple[Described, PeerError | None]]]
    ) -> None:
        self._describe = describe
        self._waiting: dict[ProcessId, asyncio.Future[Metadata | None]] = {}
        self._batches: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_UNDER_WAY)

    async def ask(self, process: ProcessId) -> Metadata | None:
        """Ask for one; see Gateways.describe."""
        if process not in self._waiting:
            if not self._waiting:
                batch = asyncio.create_task(self._send_soon())
                self._batches.add(batch)
                batch.add_done_callback(self._batches.discard)
            self._waiting[process] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._waiting[process])

    async def _send_soon(self) -> None:
        await asyncio.sleep(_GATHERING)
        async with self._slots:
            waiting, self._waiting = self._waiting, {}
            await self._send_all(waiting)

    async def _send_all(self, waiting: dict[ProcessId, asyncio.Future[Metadata | None]]) -> None:
        try:
            for start in range(0, len(waiting), PAGE):
                await self._send(dict(list(waiting.items())[start : start + PAGE]))
        except Exception as error:
            _log.exception("describing failed")
            for future in waiting.values():
                if not future.done():  # none is left waiting for ever, whatever happened
                    future.set_exception(error)

    async def _send(self, waiting: dict[ProcessId, asyncio.Future[Metadata | None]]) -> None:
        described, failure = await self._describe(list(waiting))
        for process, future in waiting.items():
            if process in described.unsaid:
                future.set_exception(failure or unconfigured())
                future.exception()  # nobody may be left who waits for it
            else:
                future.set_result(described.found.get(process))


class Cache:
    """What gateways said, bounded and with an end: a spawn never changes, but its block may still be missing."""

    SIZE = 10_000
    MINED = timedelta(hours=12).total_seconds()
    UNMINED = timedelta(minutes=5).total_seconds()
    ABSENT = timedelta(minutes=1).total_seconds()

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._kept: OrderedDict[ProcessId, tuple[float, Metadata | None]] = OrderedDict()

    def get(self, process: ProcessId) -> tuple[Metadata | None, bool]:
        """Give what is kept, and whether anything is."""
        until, metadata = self._kept.get(process, (0.0, None))
        if until <= self._timer():
            self._kept.pop(process, None)
            return None, False
        self._kept.move_to_end(process)
        return metadata, True

    def put(self, process: ProcessId, metadata: Metadata | None) -> None:
        """Keep it; over the size, what was used least lately goes."""
        keep = self.ABSENT if metadata is None else self.MINED if metadata.spawned_at is not None else self.UNMINED
        self._kept[process] = (self._timer() + keep, metadata)
        self._kept.move_to_end(process)
        while len(self._kept) > self.SIZE:
            self._kept.popitem(last=False)


def unconfigured() -> BrokenAnswer:
    """Give the error for a question that there is nobody to ask."""
    return BrokenAnswer("No gateway is configured.", reason="unconfigured")
