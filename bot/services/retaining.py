"""Retention: once a day, what its time is over for is forgotten."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.services.health import Pulse
from bot.services.privacy import Privacy
from bot.services.supervising import Loop

log = structlog.get_logger()

_DAILY = timedelta(days=1)


class Retaining(Loop):
    """The loop of `Privacy.forget_older`."""

    def __init__(self, privacy: Privacy, clock: Clock) -> None:
        super().__init__(Pulse("retention", _DAILY, clock), self._round)
        self._privacy = privacy
        self._clock = clock

    async def _round(self) -> float:
        forgotten = await self._privacy.forget_older(self._clock())
        if forgotten:
            log.info("what is over was forgotten", people=forgotten)
        return _DAILY.total_seconds()
