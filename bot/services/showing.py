"""The verdict of any process, for anybody: read when asked for, kept a while, and bounded in all."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.bucket import Bucket
from bot.domain.card import StatusCard
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.errors import Busy
from bot.services.checking import Checking, parse_keys

AT_ONCE = 4
"""Looks for strangers under way: the sweep needs the nodes too."""
PER_MINUTE = 30
"""Looks for strangers in the long run; what is kept costs none."""
KEPT = {Verdict.PATCHED: 600.0, Verdict.NOT_PATCHED: 60.0, Verdict.NOT_FOUND: 300.0, Verdict.UNKNOWN: 30.0}
"""Seconds that each answer is given again."""
_REMEMBERED = 2000
_PAUSES = (0, 1, 2, 3, 4, 6)

_Asked = tuple[ProcessId, tuple[StateKey, ...]]


@dataclass(slots=True)
class _Kept:
    card: StatusCard
    until: float


class Showing:
    """Reads for whoever asks. Nothing is stored, and nothing tells whether anybody follows the process."""

    def __init__(self, checking: Checking, *, step: timedelta, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._checking = checking
        self._step = step.total_seconds()
        self._monotonic = monotonic
        self._kept: OrderedDict[_Asked, _Kept] = OrderedDict()
        self._under_way: dict[_Asked, asyncio.Task[StatusCard]] = {}
        self._budget = Bucket(rate=PER_MINUTE / 60, burst=PER_MINUTE, timer=monotonic)

    async def verdict(self, process: ProcessId, keys: Sequence[str] = ()) -> StatusCard:
        """Give what the newest look came to, at most some minutes old; any exposed key will do where none is named.

        Raises MalformedKey, and Busy where too many others are being read.
        """
        asked = (process, parse_keys(keys))
        known = self._kept.get(asked)
        if known is not None and self._monotonic() < known.until:
            return known.card
        task = self._under_way.get(asked)
        if task is None:
            if len(self._under_way) >= AT_ONCE or self._budget.wait() > 0:
                raise Busy("Many processes are being read just now. Ask again in a minute.")
            self._budget.take()
            task = self._under_way[asked] = asyncio.create_task(self._look(asked))
            task.add_done_callback(lambda _: self._under_way.pop(asked))
        return await asyncio.shield(task)

    async def signed(self, process: ProcessId) -> StatusCard | None:
        """Read after a signature that was believed: as what it is to those who follow it, else until it is patched."""
        if (card := await self._checking.signed(process)) is not None:
            return card
        for pause in _PAUSES:
            await asyncio.sleep(pause * self._step)
            card = await self._look((process, ()))
            if card.latest is not None and card.latest.verdict is Verdict.PATCHED:
                break
        return card

    async def stop(self) -> None:
        """Cancel what still runs."""
        for task in (tasks := list(self._under_way.values())):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, asked: _Asked) -> StatusCard:
        process, keys = asked
        card = await self._checking.look(0, process, keys)
        verdict = card.latest.verdict if card.latest is not None else Verdict.UNKNOWN
        self._kept[asked] = _Kept(card, self._monotonic() + KEPT[verdict])
        self._kept.move_to_end(asked)
        while len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return card
