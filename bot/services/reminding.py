"""Reminders: due people get one digest each. They begin, pause and end by the owner's own act, or by a status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.cadence import after_quiet, is_quiet
from bot.domain.digest import OpenProcess, digest
from bot.domain.notices import Notice, Regressed, Reminder
from bot.errors import BadInput, NotYours
from bot.services import holds
from bot.services.agenda import Agenda
from bot.services.blocking import Blocking
from bot.services.health import Pulse
from bot.services.naming import Names, names_of
from bot.services.supervising import Loop, seconds_until
from bot.services.ticketing import Ticketing
from bot.store import outbox, people, registrations, tickets
from bot.store.database import Database
from bot.store.outbox import Message
from bot.store.people import Person
from bot.store.registrations import Registration

log = structlog.get_logger()

AFTER_A_FAULT = timedelta(hours=6)
LONGEST_SNOOZE = timedelta(days=90)
_BATCH = 25  # of one transaction: others wait for it to write
_POLL = 5.0
_NOT_YOURS = "That button belongs to somebody else's message."


class Reminding(Loop):
    """Owes reminders, and answers the buttons on them. It is also delivery's advisor: what is owed may be overtaken."""

    def __init__(self, database: Database, agenda: Agenda, ticketing: Ticketing, clock: Clock) -> None:
        super().__init__(Pulse("reminding", timedelta(seconds=60), clock), self._round)
        self._database = database
        self._agenda = agenda
        self._ticketing = ticketing
        self._clock = clock
        self.blocking = Blocking(database, agenda, clock)

    async def _round(self) -> float:
        await self.owe_due()
        await self._ticketing.end_expired()
        async with self._database.read() as connection:
            due = await people.next_due(connection)
        return max(1.0, seconds_until(due, self._clock, at_most=_POLL))

    async def owe_due(self) -> int:
        """Owe a reminder to everybody whose is due now; give how many. Each batch is one transaction."""
        owed = 0
        while not self.stopping:
            now = self._clock()
            async with self._database.write() as connection:
                if await holds.held_until(connection, holds.CHECKS, now):
                    return owed
                due = await people.due(connection, now, _BATCH)
                owed += await self._owe(connection, due, now)
            if len(due) < _BATCH:
                break
        return owed

    async def _owe(self, connection: AsyncConnection, due: Sequence[Person], now: datetime) -> int:
        user_ids = [person.user_id for person in due]
        followed = await registrations.of_people(connection, user_ids)
        on_its_way = await outbox.waiting_reminder(connection, user_ids)
        owed = 0
        names = await names_of(connection, [each for listed in followed.values() for each in listed])
        for person in due:
            opened = [each for each in followed[person.user_id] if each.open]
            if person.user_id in on_its_way:
                later = after_quiet(now + timedelta(hours=1), self._agenda.rule)
                await people.change(connection, person.user_id, next_reminder_at=later)
                continue
            try:
                async with connection.begin_nested():
                    if opened and person.stopped_at is None and person.unreachable_code is None:
                        await self._owe_one(connection, person, opened, names, now)
                        owed += 1
                    await self._agenda.plan(connection, [person.user_id], now)
            except Exception:
                log.exception("a reminder could not be owed")  # it must not keep the others waiting
                await people.change(connection, person.user_id, next_reminder_at=now + AFTER_A_FAULT)
        return owed

    async def _owe_one(
        self, connection: AsyncConnection, person: Person, opened: Sequence[Registration], names: Names, now: datetime
    ) -> None:
        number = person.reminders_sent + 1
        ticket = await self._ticketing.mint_in(connection, person.user_id, opened, now)
        notice = digest(
            [open_process(each, names) for each in opened],
            safe_word=person.safe_word,
            number=number,
            now=now,
            ticket=ticket,
        )
        await outbox.owe(connection, notice, now=now, user_id=person.user_id)
        await people.change(connection, person.user_id, reminders_sent=number, last_reminder_at=now, snoozed_until=None)

    async def snooze(self, user_id: int, delivery_id: int, until: datetime) -> datetime | None:
        """Pause this person's reminders until then, 90 days at most; give when the next comes, if one does.

        Raises NotYours where the delivery was to somebody else, BadInput where the moment has passed.
        """
        now = self._clock()
        if until <= now:
            raise BadInput("That moment has passed; choose a later one.")
        async with self._database.write() as connection:
            await self._own_delivery(connection, user_id, delivery_id)
            await people.change(connection, user_id, snoozed_until=min(until, now + LONGEST_SNOOZE))
            await outbox.withdraw(connection, user_id, ["reminder"], now=now)
            await self._agenda.plan(connection, [user_id], now)
            person = await people.find(connection, user_id)
        return None if person is None else person.next_reminder_at

    async def stop(self, user_id: int, delivery_id: int | None = None) -> None:
        """End this person's reminders, and every link that they were sent. Their processes stay registered.

        Raises NotYours where the delivery was to somebody else.
        """
        now = self._clock()
        async with self._database.write() as connection:
            if delivery_id is not None:
                await self._own_delivery(connection, user_id, delivery_id)
            await people.change(connection, user_id, stopped_at=now, snoozed_until=None)
            await tickets.end_for(connection, user_id)
            await outbox.withdraw(connection, user_id, ["reminder", "regressed", "unreadable"], now=now)
            await self._agenda.plan(connection, [user_id], now)

    async def resume(self, user_id: int) -> datetime | None:
        """Begin again, by the person's own act, also where their DMs were closed; give when the next reminder comes."""
        now = self._clock()
        async with self._database.write() as connection:
            await people.change(
                connection, user_id, stopped_at=None, snoozed_until=None, unreachable_code=None, reminders_sent=0
            )
            await self._agenda.plan(connection, [user_id], now)
            person = await people.find(connection, user_id)
        return None if person is None else person.next_reminder_at

    async def _own_delivery(self, connection: AsyncConnection, user_id: int, delivery_id: int) -> None:
        message = await outbox.find(connection, delivery_id)
        if message is None or message.user_id != user_id:
            raise NotYours(_NOT_YOURS)

    async def revise(self, connection: AsyncConnection, message: Message, now: datetime) -> Notice | datetime | None:
        """Look at a message that was owed a while ago: patched processes leave a reminder, quiet hours hold it."""
        notice = message.notice
        if message.user_id is None or not isinstance(notice, Reminder | Regressed):
            return notice
        followed = await registrations.of_person(connection, message.user_id)
        opened = [each for each in followed if each.open]
        person = await people.find(connection, message.user_id)
        if person is None or person.stopped_at is not None:
            return None
        if isinstance(notice, Regressed):
            return notice if any(each.process == notice.process.process for each in opened) else None
        if not opened:
            return None
        held = await holds.held_until(connection, holds.CHECKS, now)
        if held is not None or is_quiet(now, self._agenda.rule):
            return after_quiet(held or now, self._agenda.rule)
        names = await names_of(connection, followed)
        return digest(
            [open_process(each, names) for each in opened],
            safe_word=notice.safe_word,
            number=notice.number,
            now=now,
            ticket=notice.ticket,
        )

    async def sent(self, connection: AsyncConnection, message: Message, now: datetime) -> None:
        """Count the day from when the reminder went, not from when it was owed."""
        if message.user_id is not None and isinstance(message.notice, Reminder):
            await people.change(connection, message.user_id, last_reminder_at=now)
            await self._agenda.plan(connection, [message.user_id], now)


def open_process(registration: Registration, names: Names) -> OpenProcess:
    """Give a registration as a digest names it."""
    return OpenProcess(
        process=registration.process,
        label=names.label(registration),
        name=names.name(registration.process),
        since=registration.status.since,
        registered_at=registration.created_at,
        deadline=registration.deadline,
        community=registration.guild_name,
    )
