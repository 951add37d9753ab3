"""What the holder of a link may do beside signing: say that they can't, and put the reminders off until the evening.

A link can leak, so nothing here can do more harm than to keep a reminder away, and `/status` takes all of it back.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.card import Blocked, Role
from bot.domain.process_id import ProcessId
from bot.errors import BadInput
from bot.services.agenda import Agenda
from bot.services.ticketing import Ticketing
from bot.store import outbox, people, registrations
from bot.store.database import Database

LONGEST = timedelta(hours=36)
"""*Tonight* is never farther off than that, whatever clock the browser has."""


class TicketActs:
    """Acts of whoever holds a ticket, on that ticket's person and processes alone."""

    def __init__(self, database: Database, ticketing: Ticketing, agenda: Agenda, clock: Clock) -> None:
        self._database = database
        self._ticketing = ticketing
        self._agenda = agenda
        self._clock = clock

    async def cannot(self, raw: str, listed: Collection[ProcessId], reason: Blocked | None) -> None:
        """Note why their owner cannot act, and remind them no more; None takes back that the network refused.

        None takes nothing else back: what a person said stands until they say otherwise in Discord. All or nothing:
        raises TicketEnded, and NotYours for a process that is not on the ticket.
        """
        async with self._database.write() as connection:
            ticket = await self._ticketing.found(connection, raw)
            await self._ticketing.check_on_it(connection, ticket, listed)
            followed = await registrations.of_person(connection, ticket.user_id)
            mine = [each for each in followed if each.role is Role.MINE and each.process in listed]
            if reason is None:
                mine = [each for each in mine if each.blocked == Blocked.REFUSED]
            if mine:
                await registrations.change(connection, [each.id for each in mine], blocked=reason)
                await self._agenda.plan(connection, [ticket.user_id], self._clock())

    async def put_off(self, raw: str, until: datetime) -> datetime | None:
        """Pause the reminders of the ticket's person until then; give when the next comes, if one does.

        Raises TicketEnded, and BadInput for a moment that is past or farther off than 36 hours.
        """
        now = self._clock()
        if not now < until <= now + LONGEST:
            raise BadInput("That is not this evening. Is the clock of this device right?")
        async with self._database.write() as connection:
            ticket = await self._ticketing.found(connection, raw)
            await people.change(connection, ticket.user_id, snoozed_until=until)
            await outbox.withdraw(connection, ticket.user_id, outbox.REMINDS, now=now)
            await self._agenda.plan(connection, [ticket.user_id], now)
            person = await people.find(connection, ticket.user_id)
        return None if person is None else person.next_reminder_at
