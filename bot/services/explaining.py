"""What came of the message that an owner signed, added to the cards of what is not patched."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

import structlog

from bot.ao.arrivals import Arrivals
from bot.domain.card import Arrival, StatusCard
from bot.domain.observation import Verdict

log = structlog.get_logger()

AT_MOST = 5
"""Cards of one answer that are explained; a longer answer is a list, which shows none of it."""
PATIENCE = 3.0
"""Seconds that an answer waits for it. Where that was not enough nobody is asked for `_KEPT` seconds."""
_KEPT = 60.0
_REMEMBERED = 1000

_Key = tuple[object, ...]


class Explaining:
    """Asks a gateway and the compute unit, once a minute for a process."""

    def __init__(self, arrivals: Arrivals, *, patience: float = PATIENCE) -> None:
        self._arrivals = arrivals
        self._patience = patience
        self._kept: OrderedDict[_Key, tuple[float, Arrival | None]] = OrderedDict()
        self._resting_until = 0.0

    async def explain(self, cards: Sequence[StatusCard]) -> list[StatusCard]:
        """Give the cards, those that are not patched with their `arrival` where it can be had soon. Never raises.

        In a crowd that registers, looks need what may be asked of gateways more than this does.
        """
        open_ones = [card for card in cards if card.status is not Verdict.PATCHED][:AT_MOST]
        if len(cards) > AT_MOST or not open_ones or self._arrivals.busy or monotonic() < self._resting_until:
            return list(cards)
        try:
            async with asyncio.timeout(self._patience):
                found = await asyncio.gather(*(self._arrival(card) for card in open_ones))
        except TimeoutError:
            self._resting_until = monotonic() + _KEPT
            log.info("nobody said in time what came of messages", cards=len(open_ones))
            return list(cards)
        except Exception:
            log.exception("messages could not be explained")  # the answer without it is owed still
            return list(cards)
        explained = dict(zip(map(id, open_ones), found, strict=True))
        return [replace(card, arrival=explained.get(id(card))) for card in cards]

    async def _arrival(self, card: StatusCard) -> Arrival | None:
        """Give its owner's newest message. A stranger's would say nothing: the process does not listen to them."""
        if card.latest is None or card.metadata is None:
            return None
        key = (card.process, card.action, card.metadata.owner, card.latest.verdict, card.latest.reason)
        until, known = self._kept.get(key, (0.0, None))
        if monotonic() < until:
            return known
        arrival = await self._arrivals.newest(card.process, card.latest, sender=card.metadata.owner, action=card.action)
        self._kept[key] = (monotonic() + _KEPT, arrival)
        while len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return arrival
