"""What people may ask of what is kept of them: to see it, to have it erased, and to be named or not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic_core import to_jsonable_python

from bot.clock import Clock
from bot.domain.process_id import ProcessId
from bot.errors import NotYours
from bot.services.agenda import Agenda
from bot.store import migrations, people, privacy
from bot.store.database import Database, again_after_deadlock

log = structlog.get_logger()

LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is kept of one person, in numbers; `known` is false where nothing but numbers of zero is."""

    known: bool
    processes: int
    messages: int
    links: int
    announcements: int
    may_be_named: bool
    keeps: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProcess:
    """A process that is confirmed not patched, and those behind it who allowed moderators to see their name."""

    process: ProcessId
    people: tuple[int, ...]


class Privacy:
    """Exports and erases what is held on one person; `keeps` is how long something is kept after its time."""

    def __init__(self, database: Database, agenda: Agenda, clock: Clock, keeps: timedelta) -> None:
        self._database = database
        self._agenda = agenda
        self._clock = clock
        self._keeps = keeps

    async def holding(self, user_id: int) -> Holding:
        """Give how much is kept of a person."""
        async with self._database.read() as connection:
            held = await privacy.held(connection, user_id)
        person = held["people"][0] if held["people"] else None
        return Holding(
            known=any(held.values()),
            processes=len({row["process"] for row in held["registrations"]}),
            messages=len(held["outbox"]),
            links=len(held["tickets"]),
            announcements=len(held["migrations"]),
            may_be_named=bool(person and person["may_be_named"]),
            keeps=self._keeps,
        )

    async def export(self, user_id: int) -> bytes:
        """Give everything that is held on a person as JSON, table by table.

        The link of a message that is still owed is left out: whoever has the file could use it.
        """
        async with self._database.read() as connection:
            held = await privacy.held(connection, user_id)
        told = {"user_id": user_id, "exported_at": self._clock(), "tables": held}
        plain = to_jsonable_python(told)
        for row in plain["tables"]["outbox"]:
            row["notice"].pop("ticket", None)
        return json.dumps(plain, indent=2, ensure_ascii=False).encode()

    @again_after_deadlock
    async def erase(self, user_id: int) -> None:
        """Erase everything held on a person, for good: nothing is sent to them any more, and their links end."""
        async with self._database.write() as connection:
            await people.find(connection, user_id, lock=True)
            await privacy.erase(connection, user_id)
        log.info("a person was erased")

    async def let_be_named(self, user_id: int, may: bool) -> None:
        """Let moderators see who this person is, or not. Raises NotYours where nothing is kept of them."""
        async with self._database.write() as connection:
            if await people.find(connection, user_id, lock=True) is None:
                raise NotYours("You follow no process yet. /register with its id adds one.")
            await people.change(connection, user_id, may_be_named=may)

    async def open_processes(self, guild_id: int, migration_id: int) -> list[OpenProcess]:
        """Give what is still open of a server's migration, a few at most, with who allowed to be named.

        Raises NotYours where the migration is another server's.
        """
        async with self._database.read() as connection:
            migration = await migrations.find(connection, migration_id)
            if migration is None or migration.guild_id != guild_id or migration.posted_at is None:
                raise NotYours("That migration is not one of this server's.")
            found = await privacy.open_processes(connection, migration_id, LISTED)
        return [OpenProcess(process=process, people=named) for process, named in found]

    async def forget_older(self, now: datetime) -> int:
        """Forget what its time is over for, in batches; give how many people had something of theirs forgotten."""
        before, forgotten = now - self._keeps, 0
        while touched := await self._forget_some(before, now):
            forgotten += touched
        while await self._forget_messages(before):
            pass  # in batches, so that others can write between them
        async with self._database.write() as connection:
            await privacy.end_allowances(connection, (now - timedelta(days=2)).date().isoformat())
        return forgotten

    async def _forget_messages(self, before: datetime) -> int:
        async with self._database.write() as connection:
            return await privacy.end_messages(connection, before)

    async def _forget_some(self, before: datetime, now: datetime) -> int:
        async with self._database.write() as connection:
            touched = {
                *await privacy.end_migrations(connection, before),
                *await privacy.end_undated(connection, before),
            }
            gone = {
                *await privacy.follow_nothing(connection, sorted(touched)),
                *await privacy.left_over(connection, before),
            }
            for user_id in sorted(gone):
                await privacy.erase(connection, user_id)
            await self._agenda.plan(connection, sorted(touched - gone), now)
        return len(touched | gone)
