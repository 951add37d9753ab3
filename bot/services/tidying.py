"""Tidying: edits messages that have more to say since they went, and deletes reminders that a newer one replaced.

It is a loop of its own, one after the other. A deletion waits until delivery has nothing to send: none ever keeps a
message waiting. What it owes is in the outbox; done twice, by a crash in between, is as good as once.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.notices import Sender, Sent
from bot.errors import SendError, SendLater
from bot.services import holds
from bot.services.delivering import Delivering, envelope_of
from bot.services.health import Pulse
from bot.services.supervising import Loop
from bot.store import arrived, outbox
from bot.store.database import Database
from bot.store.outbox import Message, State

log = structlog.get_logger()

GIVE_UP_AFTER = 10  # attempts: an old message that stays does little harm
_POLL = 5.0  # seconds, in which what turns patched one after the other becomes one edit
_PATIENCE = 0.2
_PAUSE = timedelta(minutes=5)


class Tidying(Loop):
    """The only one that edits and deletes. `sender` is set once, before `run`; requests count in delivery's budget."""

    def __init__(self, database: Database, clock: Clock, delivering: Delivering) -> None:
        super().__init__(Pulse("tidying", timedelta(seconds=60), clock), self._round)
        self.sender: Sender | None = None
        self._database = database
        self._clock = clock
        self._delivering = delivering

    async def _round(self) -> float:
        await self.tidy_due()
        return _POLL if self._delivering.idle else _PATIENCE

    async def tidy_due(self) -> int:
        """Edit what is due, and delete while nothing waits to be sent; give how many were tried."""
        tried = 0
        while not self.stopping and (message := await self._next()) is not None:
            self.pulse.beat()
            await self._delivering.budget.turn()
            await self._tidy(message)
            tried += 1
        return tried

    async def _next(self) -> Message | None:
        now = self._clock()
        if self.sender is not None and not self.sender.ready:
            return None
        async with self._database.read() as connection:
            if holds.SENDS in await holds.all_held(connection, now):
                return None
            to_edit = await arrived.next_to_edit(connection, now)
            if to_edit is not None or not self._delivering.idle:
                return to_edit
            return await arrived.next_to_delete(connection, now)

    async def _tidy(self, message: Message) -> None:
        """Edit or delete one; a fault of ours with it puts it off as well, so that it does not keep the others."""
        done, later = False, None
        try:
            await self._ask(message)
            done = True
        except SendLater as error:
            later = max(_PAUSE, timedelta(seconds=error.retry_after))
        except SendError as error:  # for good: the person blocked us, the channel is closed to us
            log.info("a sent message stays as it is", delivery=message.id, code=error.code)
        except Exception:
            log.exception("a sent message cannot be tidied", delivery=message.id)
            later = _PAUSE
        async with self._database.write() as connection:
            if later is not None and message.attempts < GIVE_UP_AFTER:
                await arrived.put_off(connection, message, self._clock() + later)
            elif message.state == State.REPLACED:
                await arrived.deleted(connection, message)
            else:
                await self._edited(connection, message, done=done)

    async def _edited(self, connection: AsyncConnection, message: Message, *, done: bool) -> None:
        """Write it; what could not be said by an edit is said in a message of its own, all of it."""
        known = await arrived.edited(connection, message)
        if known and not done:
            await outbox.owe(connection, message.notice, now=self._clock(), user_id=message.user_id)

    async def _ask(self, message: Message) -> None:
        if self.sender is None or message.sent_channel_id is None or message.sent_message_id is None:
            return
        sent = Sent(channel_id=message.sent_channel_id, message_id=message.sent_message_id)
        if message.state == State.REPLACED:
            await self.sender.delete(sent)
        else:
            await self.sender.edit(sent, envelope_of(message))
