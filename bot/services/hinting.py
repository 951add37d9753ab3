"""Hints: gateways know of a hundred processes at once which were sent a message, and those are looked at sooner.

A process that nobody writes to does not change. Where gateways fail nothing is lost: the direct round of
`bot.services.checking` looks at everything by its pace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.ao.gateway import Gateways
from bot.ao.graphql import PAGE
from bot.clock import Clock
from bot.domain.process_id import ProcessId
from bot.errors import PeerError
from bot.services import holds
from bot.services.health import Pulse
from bot.services.supervising import Loop
from bot.settings import CheckSettings
from bot.store import processes
from bot.store.database import Database
from bot.store.processes import Waiting

log = structlog.get_logger()

AT_MOST = 5 * PAGE
"""Processes that one round asks about."""
_EARLIEST = 4
"""A hint counts after a quarter of the wait: a busy process is at most looked at four times as often as a quiet one."""


class Hinting(Loop):
    """Asks gateways, round after round, about those processes that are not patched and not due soon."""

    def __init__(
        self,
        database: Database,
        gateways: Gateways,
        settings: CheckSettings,
        clock: Clock,
        *,
        found: Callable[[], None],
    ) -> None:
        """`found` is called when a look was moved forward."""
        self.every = settings.hint_interval
        self._usual = settings.unpatched_interval
        super().__init__(Pulse("hinting", self.every, clock), self._round)
        self._database = database
        self._gateways = gateways
        self._clock = clock
        self._found = found
        self._after = ""  # where the round before ended; a new start begins anew

    async def run(self) -> None:
        """Ask until `stop_running`; not at all where `checks.hint_interval` is zero."""
        if self.every:
            await super().run()

    async def _round(self) -> float:
        await self.hint_once()
        return self.every.total_seconds()

    async def hint_once(self) -> int:
        """Ask about the next few hundred; give how many will be looked at sooner. Never raises a PeerError."""
        now = self._clock()
        async with self._database.read() as connection:
            if await holds.held_until(connection, holds.CHECKS, now):
                return 0
            waiting = await processes.waiting_unpatched(
                connection, due_after=now + self.every, now=now, after=self._after, limit=AT_MOST
            )
        self._after = waiting[-1].process if len(waiting) == AT_MOST else ""
        received = await self._received([each for each in waiting if self._is_ripe(each, now)])
        if received:
            step = self.every / len(received)  # spread until the next round, so that nodes see no burst
            moments = {process: now + step * place for place, process in enumerate(received)}
            async with self._database.write() as connection:
                await processes.look_sooner(connection, moments, now)
            self._found()
        log.info("asked gateways for hints", asked=len(waiting), received=len(received))
        return len(received)

    async def _received(self, waiting: Sequence[Waiting]) -> list[ProcessId]:
        received: list[ProcessId] = []
        for start in range(0, len(waiting), PAGE):
            batch = waiting[start : start + PAGE]
            try:
                received += await self._gateways.received_since({each.process: each.checked_at for each in batch})
            except PeerError as error:
                log.info("no gateway gave a hint", reason=error.reason)
                break
            self.pulse.beat()
        return received

    def _is_ripe(self, waiting: Waiting, now: datetime) -> bool:
        """Tell whether the last look is long enough ago; the next may be near, since somebody expects it by another."""
        wait = max(self._usual, waiting.next_look_at - waiting.checked_at)
        return now - waiting.checked_at >= wait / _EARLIEST
