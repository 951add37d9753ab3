"""Delivery: takes what is owed out of the outbox and has it sent, once each.

Before the first byte goes it is written down that from then on Discord may have the message. What was interrupted after
that is sent again under the same nonce, which Discord drops while it remembers it; past `NONCE_REMEMBERED`, and after a
restart, the conversation is looked through for it first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.bucket import Bucket
from bot.clock import Clock
from bot.domain.notices import Envelope, Sender, Sent
from bot.errors import ConfigurationError, SendError, SendLater
from bot.services import holds
from bot.services.alarms import Alarms
from bot.services.health import Pulse
from bot.services.nonces import NONCE_REMEMBERED, Nonces
from bot.services.outcomes import Outcome, Outcomes
from bot.services.pacing import Refusals
from bot.services.settling import Advisor, Settling
from bot.services.supervising import Loop, seconds_until
from bot.settings import ReminderSettings
from bot.store import outbox, sending
from bot.store.database import Database, again_after_deadlock, is_deadlock
from bot.store.outbox import Message, State

log = structlog.get_logger()

IN_FLIGHT = 20
MOST_A_SECOND = 45  # requests, a burst included: of Discord's 50 some are left for what commands ask for
SEND_TIMEOUT = 60.0  # seconds, and shorter than a lease
_POLL = 2.0
_A_MOMENT = timedelta(seconds=1)


class _HeldAfterAll(Exception):
    """A hold was committed between our look and our claim."""


class Delivering(Loop):
    """The outbox's only reader. `sender` is set once, before `run`."""

    def __init__(
        self, database: Database, settings: ReminderSettings, clock: Clock, *, advisor: Advisor, alarms: Alarms
    ) -> None:
        super().__init__(Pulse("delivering", timedelta(seconds=SEND_TIMEOUT * 2), clock), self._round)
        self.sender: Sender | None = None
        self._database = database
        self._clock = clock
        self._advisor = advisor
        self._alarms = alarms
        self._settling = Settling(database, clock, advisor=advisor, alarms=alarms)
        rate = settings.messages_per_second
        self.budget = Bucket(rate=rate, burst=min(rate, MOST_A_SECOND - rate))
        self.refusals = Refusals(clock)
        self.idle = True  # nothing waits that could be sent now: what can wait may use the budget
        self._opening = Bucket(rate=settings.new_dms_per_minute / 60, burst=settings.new_dms_per_minute)
        self._nonces = Nonces()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._outcomes = Outcomes(database, clock, self._opening)

    async def _round(self) -> float:
        attempted = await self.deliver_due()
        async with self._database.read() as connection:
            due = await outbox.next_due(connection)
        wait = seconds_until(due, self._clock, at_most=_POLL)
        return wait if wait or attempted else _POLL  # due, yet held: no use in asking at once again

    async def deliver_due(self) -> int:
        """Deliver all that is due now, also what waits for another to the same person; give how many attempts."""
        total = 0
        while attempted := await self._deliver_what_is_free():
            total += attempted
        return total

    async def _deliver_what_is_free(self) -> int:
        attempted = 0
        async with asyncio.TaskGroup() as group:
            while not self.stopping and (message := await self._take_one()) is not None:
                attempted += 1
                self.pulse.beat()
                if message.opens_a_conversation:
                    await self._opening.turn()  # at once: it was seen to be there
                group.create_task(self._deliver(message)).add_done_callback(lambda _: self._slots.release())
        return attempted

    async def _take_one(self) -> Message | None:
        """Claim a message, and with it a slot and a token; where none is claimed, or that fails, give both back."""
        message = None
        await self._slots.acquire()
        try:
            await self.budget.turn()
            message = None if self.stopping else await self._claim()
            self.idle = message is None
        finally:
            if message is None:
                self.budget.give_back()
                self._slots.release()
        return message

    async def outcome(self, delivery_id: int, timeout: float) -> Outcome:  # noqa: ASYNC109 -- an answer, not an error, when time is up
        """Wait up to `timeout` seconds for a message to be sent or refused; not at all where its turn comes later.

        Raises LookupError for an unknown id.
        """
        self.wake()
        return await self._outcomes.wait_for(delivery_id, timeout, stopping=lambda: self.stopping)

    async def _claim(self) -> Message | None:
        """Lease the next message that is still wanted; None where nothing is due, or all is held."""
        while True:
            now, delivery_id, message = self._clock(), None, None
            try:
                async with self._database.write() as connection:
                    delivery_id = await self._lease(connection, now)
                    if delivery_id is None:
                        return None
                    message = await self._begin(connection, delivery_id, now)
            except _HeldAfterAll:
                continue  # nothing was written; the next look sees what is held
            except Exception as error:
                if is_deadlock(error):  # with news that joins it: nothing was written here either
                    continue
                if delivery_id is None:
                    raise
                log.exception("message cannot be prepared", delivery=delivery_id)
                await self._settling.set_aside(delivery_id)
                continue
            if message is not None:
                return message
            await self._outcomes.announce()

    async def _lease(self, connection: AsyncConnection, now: datetime) -> int | None:
        if self.sender is not None and not self.sender.ready:
            return None
        if self.refusals.spent:
            await self._settling.hold_for_refusals(connection, now)
        standing = await holds.standing(connection)
        self._settling.on_trial = bool(standing)
        held = holds.still_on(standing, now)
        if holds.SENDS in held:
            return None
        may_open = holds.NEW_CONVERSATIONS not in held and self._opening.wait() == 0
        return await sending.claim(connection, now, new_conversations=may_open)

    async def _begin(self, connection: AsyncConnection, delivery_id: int, now: datetime) -> Message | None:
        """Look once more whether it is wanted, and write down that Discord may have it from now on."""
        message = await outbox.find(connection, delivery_id)
        if message is None:
            return None
        if self._database.dialect != "sqlite" and await self._is_held(connection, message, now):
            raise _HeldAfterAll
        wanted = await self._wanted(connection, message, now)
        return None if wanted is None else await self._begin_attempt(connection, wanted, now)

    async def _begin_attempt(self, connection: AsyncConnection, message: Message, now: datetime) -> Message:
        if message.uncertain_since is None:
            self._nonces.note(message.id)
        return await sending.begin_attempt(connection, message, now)

    async def _is_held(self, connection: AsyncConnection, message: Message, now: datetime) -> bool:
        """See a hold that was committed since `_lease` looked: on PostgreSQL nothing else keeps one away meanwhile."""
        held = await holds.all_held(connection, now)
        return holds.SENDS in held or (holds.NEW_CONVERSATIONS in held and message.opens_a_conversation)

    async def _wanted(self, connection: AsyncConnection, message: Message, now: datetime) -> Message | None:
        """Give the message as it is to be sent now, or settle it otherwise; what may have been sent stays as it was."""
        if message.uncertain_since is not None:
            return await self._wanted_still(connection, message, message.uncertain_since, now)
        if message.unreachable_code is not None:
            await self._settling.refuse(connection, message, now, message.unreachable_code, "person is unreachable")
            return None
        revised = await self._advisor.revise(connection, message, now)
        if revised is None:
            await sending.settle(
                connection, message, state=State.WITHDRAWN.value, done_at=now, **outbox.ticketless(message.notice)
            )
            return None
        if isinstance(revised, datetime):
            await sending.settle(connection, message, next_try_at=revised, attempts=message.attempts - 1)
            return None
        return message if revised == message.notice else await sending.rewrite(connection, message, revised)

    async def _wanted_still(
        self, connection: AsyncConnection, message: Message, since: datetime, now: datetime
    ) -> Message | None:
        """Give what may have been sent, to go again or be looked for.

        Where it is wanted no more it must not go again, not even under its nonce: it waits until it can only be looked
        for. What was on its way has arrived by then, too.
        """
        looked_for = since + NONCE_REMEMBERED + _A_MOMENT
        if now >= looked_for or await self._advisor.revise(connection, message, now) is not None:
            return message
        await sending.settle(connection, message, next_try_at=looked_for)
        return None

    async def _deliver(self, message: Message) -> None:
        """Send one message and write what became of it. Whatever happens here, what was owed stays owed."""
        current: Message | None = message
        since = message.uncertain_since
        if since is not None and not self._drops_another(message.id, since):
            current = await self._unless_sent(message)
        if current is not None:
            await self._attempt(current, self._post)
        await self._outcomes.announce()

    def _drops_another(self, delivery_id: int, since: datetime) -> bool:
        """Tell whether Discord surely drops another one of the same nonce; by both clocks, for either may be wrong."""
        return self._clock() - since <= NONCE_REMEMBERED and self._nonces.remembered(delivery_id)

    async def _unless_sent(self, message: Message) -> Message | None:
        """Look for it where it would be. Give it as it is to be sent now; None where it was sent or nobody can tell."""
        if not await self._attempt(message, self._look):
            return None
        return await self._begin_anew(message)

    @again_after_deadlock
    async def _begin_anew(self, message: Message) -> Message | None:
        now = self._clock()
        async with self._database.write() as connection:
            wanted = await self._wanted(connection, await sending.is_certain(connection, message), now)
            return None if wanted is None else await self._begin_attempt(connection, wanted, now)

    async def _attempt(self, message: Message, ask: Callable[[Sender, Envelope], Awaitable[Sent | None]]) -> bool:
        """Ask Discord, and write what became of the message; True where there is nothing to write: it is not there."""
        try:
            if self.sender is None:
                raise ConfigurationError("Delivery has no sender.")
            async with asyncio.timeout(SEND_TIMEOUT):
                sent = await ask(self.sender, envelope_of(message))
        except SendError as error:
            await self._settling.failed(message, error)
        except TimeoutError:
            await self._settling.failed(message, SendLater("No answer from Discord in time.", retry_after=0))
        except Exception:
            log.exception("sender failed", delivery=message.id, kind=message.kind)
            await self._settling.failed(message, SendLater("The sender failed.", retry_after=60))
            await self._alarms.ring("sender", "A message could not be sent because of a fault of ours; see the log.")
        else:
            if sent is None:
                return True
            await self._settling.succeeded(message, sent)
        return False

    async def _post(self, sender: Sender, envelope: Envelope) -> Sent:
        if envelope.channel_id is None:
            await self.budget.turn()  # the request that opens the conversation
        return await sender.send(envelope)

    async def _look(self, sender: Sender, envelope: Envelope) -> Sent | None:
        await self.budget.turn()
        found = await sender.already_sent(envelope)
        if found is not None:
            log.info("message was sent before", delivery=envelope.delivery_id)
        return found


def envelope_of(message: Message) -> Envelope:
    """Give the message as the sender takes it."""
    return Envelope(
        delivery_id=message.id,
        nonce=message.nonce,
        notice=message.notice,
        user_id=message.user_id,
        channel_id=message.channel_id if message.user_id is None else message.dm_channel_id,
        locale=message.locale or "en",
        tried_since=message.uncertain_since,
    )
