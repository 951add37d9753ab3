"""Reading what somebody registers: each process with nothing remembered, and never stored over what came after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.ao.reader import Reader, Reading, Urgency
from bot.clock import Clock
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.services.checking import Say
from bot.services.following import Progress
from bot.store import processes
from bot.store.database import Database
from bot.store.processes import Process, Target

_AT_ONCE = 8  # of one person's checks, so that one file of ids leaves room for everybody else


@dataclass(frozen=True, slots=True)
class Read:
    """A reading for one set of keys, and when it began: it may wait minutes for the others before it is stored."""

    began: datetime
    reading: Reading

    def is_outdated(self, known: Process | None, target: Target) -> bool:
        """Tell whether it contradicts what a look that was written since then found: nothing is concluded from it.

        One that agrees, or proves nothing, does no harm: where a crowd registers one process, most are such.
        """
        if known is None or known.checked_at is None or known.checked_at <= self.began:
            return False
        newest = target.status.candidate or target.status.verdict
        (judgement,) = self.reading.judgements
        return Verdict.UNKNOWN not in (judgement.verdict, newest) and judgement.verdict is not newest


class Anew:
    """Reads all that one command registers."""

    def __init__(self, database: Database, reader: Reader, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock

    async def read(
        self,
        wanted: Sequence[ProcessId],
        required: tuple[StateKey, ...],
        progress: Progress | None = None,
        say: Say | None = None,
    ) -> dict[ProcessId, Read]:
        """Read each, and once more what is outdated when all were read, so that its card is true.

        `progress` hears how many are read, and `say` what the first of them waits for.
        """
        latest = self._reader.line.latest()  # for all together: an interaction can be answered for 15 minutes only
        found = await self._read_each(wanted, required, latest, progress, say)
        outdated = await self._outdated(found, required)
        return {**found, **await self._read_each(outdated, required, latest)}

    async def _outdated(self, found: dict[ProcessId, Read], required: tuple[StateKey, ...]) -> list[ProcessId]:
        async with self._database.read() as connection:
            known = await processes.find_many(connection, list(found))
            judged = await processes.targets_of(connection, list(known))
        targets = [target for listed in judged.values() for target in listed if target.required == required]
        return [each.process for each in targets if found[each.process].is_outdated(known[each.process], each)]

    async def _read_each(
        self,
        wanted: Sequence[ProcessId],
        required: tuple[StateKey, ...],
        latest: float,
        progress: Progress | None = None,
        say: Say | None = None,
    ) -> dict[ProcessId, Read]:
        """Read with nothing remembered: the time it takes tells nobody whether others follow it."""
        slots = asyncio.Semaphore(_AT_ONCE)
        found: dict[ProcessId, Read] = {}

        async def read(process: ProcessId) -> None:
            told = say if process == wanted[0] else None
            async with slots, self._reader.line.turn(told, latest=latest):
                began = self._clock()
                reading = await self._reader.read(process, (required,), urgency=Urgency.REGISTERED, progress=told)
                found[process] = Read(began, reading)
            if progress is not None:
                await progress(len(found), len(wanted))

        async with asyncio.TaskGroup() as group:
            for process in wanted:
                group.create_task(read(process))
        return found
