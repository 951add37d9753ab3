"""Whether to believe "I signed": only the network's own word for it starts the costly looks.

A page is a stranger. What it names must be shown by the scheduler or a gateway: sent to this process, made after one
of our templates, and signed by the owner that the gateway names; or by another wallet, where the compute unit says
that the process answered it with its state (owners change, and gateways go on naming the first).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import structlog

from bot.ao.arrivals import Arrivals
from bot.ao.gateway import Gateways
from bot.ao.scheduler import Scheduler, SentMessage
from bot.domain.card import Outcome
from bot.domain.process_id import ProcessId
from bot.errors import PeerError

log = structlog.get_logger()

INSTALL_ACTION = "Eval"
_PAUSES = (0, 0.2, 0.4, 0.8, 1.6, 2, 3, 4)
"""Between questions, in `checks.after_signature`: about a minute as it comes."""


class Believing:
    """Looks for a message until the network shows it, or a minute is over."""

    def __init__(
        self,
        scheduler: Scheduler,
        arrivals: Arrivals,
        gateways: Gateways,
        *,
        actions: Iterable[str],
        step: timedelta,
    ) -> None:
        self._scheduler = scheduler
        self._arrivals = arrivals
        self._gateways = gateways
        self._actions = (*dict.fromkeys(actions), INSTALL_ACTION)
        self._step = step.total_seconds()

    async def believes(self, process: ProcessId, message: str) -> bool:
        """Tell whether the network shows that this message was signed for this process. Never a PeerError."""
        for pause in _PAUSES:
            await asyncio.sleep(pause * self._step)
            sent = await self._scheduler.find(process, message)
            if sent is None:
                continue
            if not sent.follows(process, self._actions):
                log.warning("a page named a message that is none of ours", process=process, message=message)
                return False
            if await self._may_act(process, sent):
                return True
        log.info("nobody shows a message that a page named", process=process, message=message)
        return False

    async def _may_act(self, process: ProcessId, sent: SentMessage) -> bool:
        try:
            known = await self._gateways.describe(process)
        except PeerError as error:
            log.info("no gateway could name the owner", process=process, reason=error.reason)
            known = None
        if known is not None and known.owner == sent.sender:
            return True
        return await self._arrivals.outcome(process, sent.message) is Outcome.PATCHED
