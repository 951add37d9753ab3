"""Registering: what a person pastes becomes processes that are checked, shown and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ao.gateway import Gateways
from bot.ao.reader import Reader
from bot.clock import Clock
from bot.domain.card import Role, Seen, StatusCard
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import PastedIds, ProcessId, parse_process_id, read_process_ids
from bot.domain.safe_words import new_safe_word
from bot.domain.status import TargetStatus
from bot.domain.ticket import half_hide
from bot.errors import (
    BadInput,
    MalformedProcessId,
    NothingToRegister,
    TooManyRegistrations,
)
from bot.services.agenda import Agenda
from bot.services.anew import Anew, Read
from bot.services.checking import Say, parse_keys
from bot.services.explaining import Explaining
from bot.services.following import Following, Progress
from bot.services.recording import Recording
from bot.services.seeing import seen_in
from bot.services.ticketing import Ticketing
from bot.services.turning import Turn
from bot.settings import Settings
from bot.store import guilds, migrations, people, processes, registrations
from bot.store.database import Database, again_after_deadlock
from bot.store.migrations import Migration
from bot.store.processes import Target
from bot.store.registrations import Registration

LABEL_AT_MOST = 60
_STORED_AT_ONCE = 4  # people; a crowd that waits for the database's one writer keeps everybody else from it


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """What a person gave. `text` holds ids in any form; `display_name` is stored half hidden, for the signing page."""

    user_id: int
    text: str
    role: Role
    label: str | None = None
    keys: tuple[str, ...] = ()
    locale: str = "en"
    guild_id: int | None = None
    guild_name: str | None = None
    migration_id: int | None = None
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOutcome:
    """What came of it. `already` were followed before, and checked anew; `first_dm` is the delivery to wait for."""

    cards: tuple[StatusCard, ...]
    malformed: tuple[str, ...]
    already: tuple[ProcessId, ...]
    safe_word: str
    first_dm: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A request, read: which processes, judged by which keys, in which migration."""

    request: RegisterRequest
    pasted: PastedIds
    required: tuple[StateKey, ...]
    label: str | None
    migration: Migration | None


class Registering(Following):
    """Registers, and answers people about what is theirs."""

    def __init__(
        self,
        database: Database,
        reader: Reader,
        gateways: Gateways,
        settings: Settings,
        clock: Clock,
        *,
        recording: Recording,
        ticketing: Ticketing,
        agenda: Agenda,
        explaining: Explaining,
    ) -> None:
        super().__init__(database, gateways, settings, clock, ticketing=ticketing, agenda=agenda, explaining=explaining)
        self._anew = Anew(database, reader, clock)
        self._recording = recording
        self._storing = asyncio.Semaphore(_STORED_AT_ONCE)

    async def register(
        self, request: RegisterRequest, progress: Progress | None = None, say: Say | None = None
    ) -> RegisterOutcome:
        """Check every process anew, store the registrations, and owe the first DM; all or nothing.

        `progress` hears how many are checked, and `say` what the first of them waits for.

        Raises NothingToRegister, MalformedProcessId, MalformedKey or TooManyRegistrations, each with one sentence.
        """
        order = await self._read(request)
        readings = await self._anew.read(order.pasted.valid, order.required, progress, say)
        async with self._storing:
            return await self._store(order, readings)

    async def _read(self, request: RegisterRequest) -> _Order:
        pasted = read_process_ids(request.text)
        if not pasted.valid:
            if pasted.malformed:
                raise _why_malformed(pasted.malformed[0])
            raise NothingToRegister("I found no process id in that. An id has 43 letters, digits, - and _.")
        async with self._database.read() as connection:
            await self._refuse_too_many(connection, request.user_id, pasted.valid)
            migration = await self._migration(connection, request.migration_id)
        required = parse_keys(request.keys) or (migration.required if migration is not None else ())
        label = " ".join((request.label or "").split())[:LABEL_AT_MOST] or None
        return _Order(request=request, pasted=pasted, required=required, label=label, migration=migration)

    async def _migration(self, connection: AsyncConnection, migration_id: int | None) -> Migration | None:
        if migration_id is None:
            return None
        migration = await migrations.find(connection, migration_id)
        if migration is None or migration.posted_at is None:
            raise BadInput("That migration is over or was never posted. /register works without it.")
        return migration

    async def _refuse_too_many(
        self, connection: AsyncConnection, user_id: int, wanted: Sequence[ProcessId]
    ) -> list[Registration]:
        """Give what the person follows already; raise where the new ones would be too many."""
        mine = await registrations.of_person(connection, user_id)
        followed = {each.process for each in mine}
        new = [process for process in wanted if process not in followed]
        limit = self._limits.max_per_person
        if new and len(followed) + len(new) > limit:
            raise TooManyRegistrations(
                "That would make {sum} processes; one person can follow {limit}. "
                "You follow {followed} and these are {new} new ones. Nothing was saved.",
                sum=len(followed) + len(new),
                limit=limit,
                followed=len(followed),
                new=len(new),
            )
        return mine

    @again_after_deadlock
    async def _store(self, order: _Order, readings: Mapping[ProcessId, Read]) -> RegisterOutcome:
        now = self._clock()
        request = order.request
        async with self._database.write() as connection:
            for process in sorted(order.pasted.valid):  # before people, as a look does: two such never cross
                await processes.remember(connection, process, now=now)
                await processes.lock(connection, process)
            person = await people.remember(
                connection,
                request.user_id,
                safe_word=new_safe_word(),
                locale=request.locale,
                name_hint=half_hide(request.display_name),
                now=now,
            )
            mine = await self._refuse_too_many(connection, request.user_id, order.pasted.valid)
            turns: list[Turn] = []
            for process in order.pasted.valid:  # now as pasted, which is the order that people see ever after
                turns += await self._store_one(connection, order, readings[process], mine, now)
            await self._begin_again(connection, order, mine)
            changed = await self._recording.tell(connection, turns, now)
            await self._agenda.plan(connection, changed | {request.user_id}, now)
            followed = await registrations.of_person(connection, request.user_id)
            new = _as_pasted(order, followed)
            reachable = person.dm_channel_id is not None and person.unreachable_code is None
            first_dm = None if reachable else await self.owe_first_dm(connection, person, new, now)
            asked = [each for process in order.pasted.valid for each in followed if each.process == process]
            cards = await self.make_cards(connection, request.user_id, asked, now)
        followed_before = {each.process for each in mine}
        return RegisterOutcome(
            cards=tuple(await self._explaining.explain(cards)),
            malformed=order.pasted.malformed,
            already=tuple(process for process in order.pasted.valid if process in followed_before),
            safe_word=person.safe_word,
            first_dm=first_dm,
        )

    async def _begin_again(self, connection: AsyncConnection, order: _Order, mine: Sequence[Registration]) -> None:
        """Registering is an act: reminders that were stopped or blocked begin again, and who left a server is back."""
        request = order.request
        await people.change(
            connection, request.user_id, stopped_at=None, stop_reason=None, unreachable_code=None, reminders_sent=0
        )
        if request.role is Role.MINE:
            same = [each.id for each in mine if each.process in order.pasted.valid]
            await registrations.change(connection, same, blocked=None)
        if request.guild_id is not None:
            await guilds.forget_stranger(connection, request.guild_id, request.user_id)

    async def _store_one(
        self, connection: AsyncConnection, order: _Order, read: Read, mine: Sequence[Registration], now: datetime
    ) -> list[Turn]:
        """Write one process's reading and registration; give what turned, to be told to whoever followed before.

        An outdated one turns nothing: this person alone is shown it, and the next look is due at once.
        """
        reading = read.reading
        target = await processes.remember_target(connection, reading.process, order.required, TargetStatus())
        turns: list[Turn] = []
        if read.is_outdated(await processes.find(connection, reading.process), target):
            await processes.look_sooner(connection, {reading.process: now}, now)
        else:
            turns = await self._recording.write(connection, reading, [target], now)
        (seen,) = seen_in(reading, [order.required], now)
        written = (await processes.targets_of(connection, [reading.process]))[reading.process]
        target = next(each for each in written if each.id == target.id)
        migration_id = order.migration.id if order.migration is not None else None
        same = next(
            (each for each in mine if (each.process, each.migration_id) == (reading.process, migration_id)), None
        )
        await self._write_registration(connection, order, target, same, seen)
        if same is not None and same.target_id != target.id:
            await processes.forget_unfollowed(connection, reading.process)
        return turns

    async def _write_registration(
        self,
        connection: AsyncConnection,
        order: _Order,
        target: Target,
        same: Registration | None,
        seen: Seen,
    ) -> None:
        request, migration = order.request, order.migration
        if same is not None and same.target_id == target.id:
            label = order.label or same.label
            (known,) = await registrations.by_ids(connection, [same.id])
            await registrations.change(connection, [same.id], role=request.role, label=label, told=_told(known.verdict))
            await self._recording.show(connection, known, seen)
            return
        own = await self._recording.begin(connection, target, seen)
        values = {
            "target_id": target.id,
            "role": request.role,
            "created_at": seen.at,
            "told": _told(target.verdict if own is None else own.verdict),
            "own": own,
            "seen": seen,
        }
        if same is not None:  # judged by other keys from now on, of which it knows nothing yet
            label = order.label or same.label
            await registrations.change(connection, [same.id], label=label, caught_up_at=None, **values)
            return
        await registrations.add(
            connection,
            user_id=request.user_id,
            process=target.process,
            migration_id=migration.id if migration is not None else None,
            label=order.label,
            guild_id=migration.guild_id if migration is not None else request.guild_id,
            guild_name=migration.guild_name if migration is not None else request.guild_name,
            **values,
        )


def _told(verdict: Verdict) -> Verdict | None:
    """Give what the card tells, so that no message need."""
    return verdict if verdict is Verdict.PATCHED else None


def _as_pasted(order: _Order, followed: Sequence[Registration]) -> list[Registration]:
    """Give what this request registered, as it was pasted; not the same processes in other migrations."""
    place = {process: index for index, process in enumerate(order.pasted.valid)}
    migration_id = order.migration.id if order.migration is not None else None
    asked = [each for each in followed if each.process in place and each.migration_id == migration_id]
    return sorted(asked, key=lambda each: place[each.process])


def _why_malformed(text: str) -> MalformedProcessId:
    try:
        parse_process_id(text)
    except MalformedProcessId as error:
        return error
    return MalformedProcessId("That is not a process id.")
