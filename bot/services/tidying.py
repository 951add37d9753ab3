"""Tidying: deletes the reminders that a newer one replaced, so that a conversation shows one at a time.

It is a loop of its own, one deletion after the other, while delivery has nothing to send: none ever keeps a message
waiting. What it owes is in the outbox; deleted twice, by a crash in between, is as good as once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.domain.notices import Sender, Sent
from bot.errors import SendError, SendLater
from bot.services import holds
from bot.services.delivering import Delivering
from bot.services.health import Pulse
from bot.services.supervising import Loop
from bot.store import replaced
from bot.store.database import Database
from bot.store.outbox import Message

log = structlog.get_logger()

GIVE_UP_AFTER = 10  # attempts: an old message that stays does little harm
_POLL = 5.0
_PATIENCE = 0.2
_PAUSE = timedelta(minutes=5)


class Tidying(Loop):
    """The only one that deletes. `sender` is set once, before `run`; requests count within delivery's budget."""

    def __init__(self, database: Database, clock: Clock, delivering: Delivering) -> None:
        super().__init__(Pulse("tidying", timedelta(seconds=60), clock), self._round)
        self.sender: Sender | None = None
        self._database = database
        self._clock = clock
        self._delivering = delivering

    async def _round(self) -> float:
        await self.delete_due()
        return _POLL

    async def delete_due(self) -> int:
        """Delete what is due; give how many were tried."""
        tried = 0
        while await self._is_time() and (message := await self._next()) is not None:
            await self._delivering.budget.take()
            await self._delete(message)
            tried += 1
        return tried

    async def _is_time(self) -> bool:
        """Wait until nothing waits that could be sent; False at a stop."""
        while not self.stopping:
            self.pulse.beat()
            if self._delivering.idle:
                return True
            await asyncio.sleep(_PATIENCE)
        return False

    async def _next(self) -> Message | None:
        now = self._clock()
        if self.sender is not None and not self.sender.ready:
            return None
        async with self._database.read() as connection:
            if holds.SENDS in await holds.all_held(connection, now):
                return None
            return await replaced.next_to_delete(connection, now)

    async def _delete(self, message: Message) -> None:
        """Delete one; a fault of ours with it puts it off as well, so that it does not keep the others."""
        later = None
        try:
            await self._ask(message)
        except SendLater as error:
            later = max(_PAUSE, timedelta(seconds=error.retry_after))
        except SendError as error:  # for good: the person blocked us, the channel is closed to us
            log.info("an old reminder stays", delivery=message.id, code=error.code)
        except Exception:
            log.exception("an old reminder cannot be deleted", delivery=message.id)
            later = _PAUSE
        async with self._database.write() as connection:
            if later is not None and message.attempts < GIVE_UP_AFTER:
                await replaced.put_off(connection, message, self._clock() + later)
            else:
                await replaced.settle(connection, message)

    async def _ask(self, message: Message) -> None:
        if self.sender is None or message.sent_channel_id is None or message.sent_message_id is None:
            return
        await self.sender.delete(Sent(channel_id=message.sent_channel_id, message_id=message.sent_message_id))
