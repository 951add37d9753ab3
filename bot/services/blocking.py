"""*I can't*: an owner says why nothing can be done about a process, and is not reminded of it any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.card import Blocked, Role
from bot.domain.notices import FirstDm, Patched, ProcessLine, Regressed, Reminder, Unreadable
from bot.domain.process_id import ProcessId
from bot.errors import NotYours
from bot.services.agenda import Agenda
from bot.services.naming import names_of
from bot.services.wishing import own_delivery
from bot.store import people, registrations
from bot.store.database import Database
from bot.store.registrations import Registration


class Blocking:
    """Blocks what a reminder named, and takes it back. What is blocked is counted in `/progress`, and still checked."""

    def __init__(self, database: Database, agenda: Agenda, clock: Clock) -> None:
        self._database = database
        self._agenda = agenda
        self._clock = clock

    async def in_question(self, user_id: int, delivery_id: int, *, private: bool = False) -> list[ProcessLine]:
        """Give what a reminder named that is still open to this person.

        `private`: it is in their DMs. Raises NotYours.
        """
        async with self._database.read() as connection:
            return await _lines(connection, await self._named(connection, user_id, delivery_id, private=private))

    async def open_one(self, user_id: int, process: ProcessId) -> list[ProcessLine]:
        """Give one process if it is open to this person, as a list of one or none."""
        async with self._database.read() as connection:
            followed = await registrations.of_person(connection, user_id, process)
            return await _lines(connection, [each for each in followed if each.open])

    async def cannot(
        self, user_id: int, delivery_id: int, reason: Blocked, *, private: bool = False
    ) -> list[ProcessLine]:
        """Give what a message named and is still open. If that is one, its reminders end; of several, ask which.

        `private`: it is in their DMs. Raises NotYours.
        """
        async with self._database.write() as connection:
            named = await self._named(connection, user_id, delivery_id, private=private)
            lines = await _lines(connection, named)
            if len(lines) == 1:
                await self._block(connection, user_id, named, reason)
        return lines

    async def block_some(self, user_id: int, processes: Collection[str], reason: Blocked) -> list[ProcessLine]:
        """End the reminders of those of these processes that are open to this person; give which they were."""
        async with self._database.write() as connection:
            followed = await registrations.of_person(connection, user_id)
            some = [each for each in followed if each.open and each.process in processes]
            lines = await _lines(connection, some)
            await self._block(connection, user_id, some, reason)
        return lines

    async def block(self, user_id: int, process: ProcessId, reason: Blocked | None) -> None:
        """Note why its owner cannot act; None takes it back, and begins reminders again. Raises NotYours."""
        async with self._database.write() as connection:
            followed = await registrations.of_person(connection, user_id, process)
            mine = [each for each in followed if each.role is Role.MINE]
            if not mine:
                raise NotYours("You don't follow that process as its owner.")
            if reason is None:
                await people.begin_again(connection, user_id)
            await self._block(connection, user_id, mine, reason)

    async def _block(
        self, connection: AsyncConnection, user_id: int, listed: Sequence[Registration], reason: Blocked | None
    ) -> None:
        if listed:
            await registrations.change(connection, [each.id for each in listed], blocked=reason)
            await self._agenda.plan(connection, [user_id], self._clock())

    async def _named(
        self, connection: AsyncConnection, user_id: int, delivery_id: int, *, private: bool
    ) -> list[Registration]:
        """Give the open registrations of what the message names; of everything, where it only counts the rest."""
        message = await own_delivery(connection, user_id, delivery_id, private=private)
        notice = None if message is None else message.notice
        match notice:
            case Reminder() | FirstDm():
                named, more = {line.process for line in notice.processes}, notice.more
            case Regressed() | Unreadable() | Patched():
                others = () if isinstance(notice, Unreadable) else notice.others
                named, more = {line.process for line in (notice.process, *others)}, 0
            case _:
                named, more = set[str](), 1
        opened = [each for each in await registrations.of_person(connection, user_id) if each.open]
        return opened if more else [each for each in opened if each.process in named]


async def _lines(connection: AsyncConnection, listed: Sequence[Registration]) -> list[ProcessLine]:
    names = await names_of(connection, listed)
    return [names.line(each) for each in {each.process: each for each in listed}.values()]
