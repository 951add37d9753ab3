"""What became of an attempt to send, written in one transaction with everything that follows from it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.notices import Mention, Notice, Reminder, Sent
from bot.domain.unreachable import CLOSED_DMS
from bot.errors import NewConversationsBlocked, RecipientUnreachable, SendError, SendLater
from bot.services import holds
from bot.services.alarms import Alarms
from bot.services.pacing import Refusals
from bot.store import arrived, outbox, people, sending
from bot.store.database import Database, again_after_deadlock
from bot.store.outbox import Message, State

log = structlog.get_logger()

GIVE_UP_AFTER = 60  # attempts: with the pauses below about two days
ANTI_SPAM = 20026
_LONGEST_PAUSE = timedelta(hours=1)


class Advisor(Protocol):
    """Looks at a message just before its first attempt, and hears that it was sent; in the same transaction."""

    async def revise(self, connection: AsyncConnection, message: Message, now: datetime) -> Notice | datetime | None:
        """Give what to send, or when to try instead, or None: it is no longer wanted."""
        ...

    async def sent(self, connection: AsyncConnection, message: Message, now: datetime) -> None:
        """Hear that it was sent."""
        ...

    async def refused(self, connection: AsyncConnection, message: Message, code: int | None) -> None:
        """Hear that Discord will never take it. `code` is Discord's."""
        ...


class Settling:
    """Writes outcomes; only where the lease is still ours."""

    def __init__(self, database: Database, clock: Clock, *, advisor: Advisor, alarms: Alarms) -> None:
        self.on_trial = (
            True  # some hold may stand that a success ends; delivery, which looks at each claim, knows better
        )
        self._database = database
        self._clock = clock
        self._advisor = advisor
        self._alarms = alarms

    @again_after_deadlock
    async def succeeded(self, message: Message, sent: Sent) -> None:
        """Write that it arrived, and where the conversation is."""
        now = self._clock()
        async with self._database.write() as connection:
            ours = await sending.settle(
                connection,
                message,
                state=State.SENT.value,
                done_at=now,
                attempts=0,  # those of an edit are counted from here
                sent_channel_id=sent.channel_id,
                sent_message_id=sent.message_id,
                **outbox.ticketless(message.notice),
            )
            known = message.dm_channel_id == sent.channel_id and message.unreachable_code is None
            if message.user_id is not None and not known:
                await people.change(connection, message.user_id, dm_channel_id=sent.channel_id, unreachable_code=None)
            if self.on_trial:
                await self._end_trials(connection, message, now)
            if ours and isinstance(message.notice, Reminder | Mention):
                await arrived.replace_older(connection, message, now)
            if ours:
                await self._advisor.sent(connection, message, now)

    async def _end_trials(self, connection: AsyncConnection, message: Message, now: datetime) -> None:
        await holds.release(connection, holds.SENDS, now)
        if message.opens_a_conversation:
            await holds.release(connection, holds.NEW_CONVERSATIONS, now)

    @again_after_deadlock
    async def failed(self, message: Message, error: SendError) -> None:
        """Write why it did not arrive, and what follows: never again, later, or nobody new for a while."""
        log.warning(
            "message not sent", delivery=message.id, kind=message.kind, error=type(error).__name__, code=error.code
        )
        now = self._clock()
        async with self._database.write() as connection:
            match error:
                case RecipientUnreachable():
                    await self.refuse(connection, message, now, error.code, str(error))
                    await self._unreachable(connection, message, error, now)
                case NewConversationsBlocked():
                    await self._hold_new(connection, message, error, now)
                case SendLater():
                    await self._later(connection, message, error, now)
                case _:
                    await self.refuse(connection, message, now, error.code, str(error))
                    await self._advisor.refused(connection, message, error.code)
                    place = f" into <#{message.channel_id}>" if message.user_id is None else ""
                    sentence = f"Discord refused a {message.kind}{place} for good: {error}"
                    await self._alarms.ring_in(connection, f"refused:{message.kind}", sentence, now)

    async def _unreachable(
        self, connection: AsyncConnection, message: Message, error: SendError, now: datetime
    ) -> None:
        """Only an act of the person makes them reachable again; until then nothing is planned for them.

        Unless they agreed to be mentioned: that comes instead of a reminder, at once.
        """
        if message.user_id is None:
            return
        await people.change(connection, message.user_id, unreachable_code=error.code or CLOSED_DMS)
        person = await people.find(connection, message.user_id)
        if person is None or person.mention_guild_id is None:
            await people.change(connection, message.user_id, next_reminder_at=None)
        elif message.kind == "reminder":
            await people.change(connection, message.user_id, next_reminder_at=now)

    async def _hold_new(self, connection: AsyncConnection, message: Message, error: SendError, now: datetime) -> None:
        flagged = error.code == ANTI_SPAM
        first, longest = (
            (timedelta(hours=12), timedelta(days=2)) if flagged else (timedelta(minutes=10), timedelta(hours=6))
        )
        until = await holds.hold(connection, holds.NEW_CONVERSATIONS, now=now, first=first, longest=longest)
        await sending.settle(connection, message, next_try_at=until, code=error.code, reason=str(error)[:200])
        sentence = (
            f"Discord lets me open no new DM (code {error.code}). Conversations that are open go on; "
            f"I try again at <t:{int(until.timestamp())}:f>."
        )
        if flagged:
            sentence += " Its anti-spam system has flagged this bot: appeal in the developer portal."
        await self._alarms.ring_in(connection, "new-conversations", sentence, now)

    async def _later(self, connection: AsyncConnection, message: Message, error: SendLater, now: datetime) -> None:
        if message.attempts >= GIVE_UP_AFTER and not error.everywhere:
            await self.refuse(connection, message, now, error.code, "gave up")
            await self._alarms.ring_in(connection, "gave-up", f"I gave up sending a {message.kind}: {error}", now)
            return
        pause = max(timedelta(seconds=error.retry_after), _pause(message.attempts))
        if error.everywhere:
            until = await holds.hold(connection, holds.SENDS, now=now, first=pause, longest=max(pause, _LONGEST_PAUSE))
            await self._alarms.ring_in(
                connection,
                "sends",
                f"Discord takes no message for now: {error} I go on at <t:{int(until.timestamp())}:f>.",
                now,
            )
        await sending.settle(connection, message, next_try_at=now + pause, code=error.code, reason=str(error)[:200])

    async def hold_for_refusals(self, connection: AsyncConnection, now: datetime) -> None:
        """Stop sending before Discord bans this address: too many answers counted against it."""
        pause = Refusals.WITHIN
        until = await holds.hold(connection, holds.SENDS, now=now, first=pause, longest=_LONGEST_PAUSE)
        await self._alarms.ring_in(
            connection,
            "refusals",
            f"Discord refused {Refusals.AT_MOST} requests within ten minutes, and bans an address at 10,000. I send "
            f"nothing before <t:{int(until.timestamp())}:f>; the log says what was refused.",
            now,
        )

    async def set_aside(self, delivery_id: int) -> None:
        """Put off a message that cannot be prepared because of a fault of ours; the others must not wait for it."""
        now = self._clock()
        async with self._database.write() as connection:
            await sending.set_aside(connection, delivery_id, now + _LONGEST_PAUSE, "a fault of ours")
            await self._alarms.ring_in(
                connection, "prepare", f"Message {delivery_id} cannot be prepared because of a fault; see the log.", now
            )

    async def refuse(
        self, connection: AsyncConnection, message: Message, now: datetime, code: int | None, reason: str
    ) -> None:
        """Write that it will never be sent."""
        await sending.settle(
            connection,
            message,
            state=State.REFUSED.value,
            done_at=now,
            uncertain_since=None,
            code=code,
            reason=reason[:200],
            **outbox.ticketless(message.notice),
        )


def _pause(attempts: int) -> timedelta:
    """Give 2, 4, 8 … seconds up to an hour, with a quarter of jitter."""
    seconds = min(2.0 ** min(attempts, 12), _LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))
