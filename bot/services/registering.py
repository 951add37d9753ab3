"""Registering: what a person pastes becomes processes that are checked, shown and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ao.gateway import Gateways
from bot.ao.reader import Reader, Reading, Urgency
from bot.clock import Clock
from bot.domain.card import Metadata, Role, StatusCard
from bot.domain.digest import NAMED_AT_MOST
from bot.domain.keys import StateKey
from bot.domain.notices import FirstDm, ProcessLine
from bot.domain.observation import Verdict
from bot.domain.process_id import PastedIds, ProcessId, parse_process_id, read_process_ids, shorten
from bot.domain.safe_words import new_safe_word
from bot.domain.status import TargetStatus
from bot.domain.ticket import half_hide
from bot.errors import (
    BadInput,
    MalformedAddress,
    MalformedProcessId,
    NothingToRegister,
    NotYours,
    TooManyRegistrations,
)
from bot.services.agenda import Agenda
from bot.services.cards import make_card, wants_link
from bot.services.checking import Checking, parse_keys
from bot.services.ticketing import Ticketing
from bot.settings import Settings
from bot.store import migrations, outbox, people, processes, registrations
from bot.store.database import Database
from bot.store.migrations import Migration
from bot.store.people import Person
from bot.store.processes import Target
from bot.store.registrations import Registration

Progress = Callable[[int, int], Awaitable[None]]
"""Is told how many are done, of how many."""

LABEL_AT_MOST = 60
_AT_ONCE = 8  # of one person's checks, so that one file of ids leaves room for everybody else
_SUGGESTIONS = 25
_SUGGESTION_AT_MOST = 100  # Discord's, for the name of a choice


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


class Registering:
    """Registers, ends registrations, and shows people their own."""

    def __init__(
        self,
        database: Database,
        reader: Reader,
        gateways: Gateways,
        settings: Settings,
        clock: Clock,
        *,
        checking: Checking,
        ticketing: Ticketing,
        agenda: Agenda,
    ) -> None:
        self._database = database
        self._reader = reader
        self._gateways = gateways
        self._limits = settings.registrations
        self._clock = clock
        self._checking = checking
        self._ticketing = ticketing
        self._agenda = agenda

    async def register(self, request: RegisterRequest, progress: Progress | None = None) -> RegisterOutcome:
        """Check every process anew, store the registrations, and owe the first DM; all or nothing.

        Raises NothingToRegister, MalformedProcessId, MalformedKey or TooManyRegistrations, each with one sentence.
        """
        order = await self._read(request)
        readings = await self._check_anew(order, progress)
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
                f"That would make {len(followed) + len(new)} processes; one person can follow {limit}. "
                f"You follow {len(followed)} and these are {len(new)} new ones. Nothing was saved."
            )
        return mine

    async def _check_anew(self, order: _Order, progress: Progress | None) -> dict[ProcessId, Reading]:
        """Read each process with nothing remembered: the time it takes tells nobody whether others follow it."""
        slots = asyncio.Semaphore(_AT_ONCE)
        readings: dict[ProcessId, Reading] = {}

        async def check(process: ProcessId) -> None:
            async with slots:
                readings[process] = await self._reader.read(process, (order.required,), urgency=Urgency.REGISTERED)
            if progress is not None:
                await progress(len(readings), len(order.pasted.valid))

        async with asyncio.TaskGroup() as group:
            for process in order.pasted.valid:
                group.create_task(check(process))
        return readings

    async def _store(self, order: _Order, readings: Mapping[ProcessId, Reading]) -> RegisterOutcome:
        now = self._clock()
        request = order.request
        async with self._database.write() as connection:
            person = await people.remember(
                connection,
                request.user_id,
                safe_word=new_safe_word(),
                locale=request.locale,
                name_hint=half_hide(request.display_name),
                now=now,
            )
            mine = await self._refuse_too_many(connection, request.user_id, order.pasted.valid)
            changed = {request.user_id}
            for process in sorted(order.pasted.valid):  # in one order, so that two that lock the same rows never cross
                changed |= await self._store_one(connection, order, readings[process], mine, now)
            await people.change(connection, request.user_id, stopped_at=None, unreachable_code=None, reminders_sent=0)
            await self._agenda.plan(connection, sorted(changed), now)
            followed = await registrations.of_person(connection, request.user_id)
            new = [each for each in followed if each.process in readings]
            first_dm = await self._owe_first_dm(connection, order, person, new, now)
            cards = await self._cards(connection, request.user_id, new, now)
        followed_before = {each.process for each in mine}
        return RegisterOutcome(
            cards=tuple(cards),
            malformed=order.pasted.malformed,
            already=tuple(process for process in order.pasted.valid if process in followed_before),
            safe_word=person.safe_word,
            first_dm=first_dm,
        )

    async def _store_one(
        self, connection: AsyncConnection, order: _Order, reading: Reading, mine: Sequence[Registration], now: datetime
    ) -> set[int]:
        """Write one process's reading and registration. A status that turns is told to whoever followed before."""
        await processes.remember(connection, reading.process, now=now)
        await processes.lock(connection, reading.process)
        target = await processes.remember_target(connection, reading.process, order.required, TargetStatus())
        changed = await self._checking.write_reading(connection, reading, [target], now)
        migration_id = order.migration.id if order.migration is not None else None
        same = next(
            (each for each in mine if (each.process, each.migration_id) == (reading.process, migration_id)), None
        )
        await self._write_registration(connection, order, target, same, now)
        if same is not None and same.target_id != target.id:
            await processes.forget_unfollowed(connection, reading.process)
        return changed

    async def _write_registration(
        self, connection: AsyncConnection, order: _Order, target: Target, same: Registration | None, now: datetime
    ) -> None:
        request, migration = order.request, order.migration
        status = (await processes.targets_of(connection, [target.process]))[target.process]
        verdict = next(each.verdict for each in status if each.id == target.id)
        told = verdict if verdict is Verdict.PATCHED else None  # the card tells it
        if same is not None:
            label = order.label or same.label
            await registrations.change(
                connection, [same.id], target_id=target.id, role=request.role, label=label, told=told
            )
            return
        await registrations.add(
            connection,
            user_id=request.user_id,
            process=target.process,
            target_id=target.id,
            migration_id=migration.id if migration is not None else None,
            role=request.role,
            label=order.label,
            guild_id=migration.guild_id if migration is not None else request.guild_id,
            guild_name=migration.guild_name if migration is not None else request.guild_name,
            created_at=now,
            told=told,
        )

    async def _owe_first_dm(
        self,
        connection: AsyncConnection,
        order: _Order,
        person: Person,
        new: Sequence[Registration],
        now: datetime,
    ) -> int | None:
        """Owe the DM that proves that DMs arrive, unless one arrived before. Watchers hear only "patched"."""
        reachable = person.dm_channel_id is not None and person.unreachable_code is None
        mine = [each for each in new if each.role is Role.MINE]
        if reachable or not mine:
            return None
        opened = [each for each in mine if wants_link(each)]
        communities = {each.guild_name for each in mine}
        notice = FirstDm(
            safe_word=person.safe_word,
            processes=tuple(ProcessLine(process=each.process, label=each.label) for each in mine[:NAMED_AT_MOST]),
            more=max(0, len(mine) - NAMED_AT_MOST),
            community=communities.pop() if len(communities) == 1 else None,
            ticket=await self._ticketing.mint_in(connection, person.user_id, opened, now),
        )
        return await outbox.owe(connection, notice, now=now, user_id=person.user_id)

    async def try_again(self, user_id: int) -> int | None:
        """Owe the first DM again, by the person's own act, after they opened their DMs; give the delivery to wait for.

        None where they follow nothing as its owner.
        """
        now = self._clock()
        async with self._database.write() as connection:
            person = await people.find(connection, user_id, lock=True)
            mine = [each for each in await registrations.of_person(connection, user_id) if each.role is Role.MINE]
            if person is None or not mine:
                return None
            await people.change(connection, user_id, unreachable_code=None)
            await self._agenda.plan(connection, [user_id], now)
            notice = FirstDm(
                safe_word=person.safe_word,
                processes=tuple(ProcessLine(process=each.process, label=each.label) for each in mine[:NAMED_AT_MOST]),
                more=max(0, len(mine) - NAMED_AT_MOST),
                ticket=await self._ticketing.mint_in(connection, user_id, [e for e in mine if wants_link(e)], now),
            )
            return await outbox.owe(connection, notice, now=now, user_id=user_id)

    async def unregister(self, user_id: int, process: ProcessId) -> StatusCard:
        """End what this person follows of a process, and its place on their links; give its last card.

        Raises NotYours.
        """
        now = self._clock()
        async with self._database.write() as connection:
            mine = await registrations.of_person(connection, user_id, process)
            if not mine:
                raise NotYours("You don't follow that process.")
            card = (await self._cards(connection, user_id, mine, now, link=False))[0]
            await registrations.remove(connection, [each.id for each in mine])
            await processes.forget_unfollowed(connection, process)
            await self._agenda.plan(connection, [user_id], now)
        return card

    async def block(self, user_id: int, process: ProcessId, reason: str | None) -> None:
        """Note why its owner cannot act (`lost-key`, …): no more reminders. None takes it back. Raises NotYours."""
        now = self._clock()
        async with self._database.write() as connection:
            mine = await registrations.of_person(connection, user_id, process)
            if not mine:
                raise NotYours("You don't follow that process.")
            await registrations.change(connection, [each.id for each in mine], blocked=reason)
            await self._agenda.plan(connection, [user_id], now)

    async def cards(self, user_id: int, process: ProcessId | None = None) -> list[StatusCard]:
        """Give a person's cards, oldest first, with one new link for all that is open; [] where they follow nothing."""
        async with self._database.write() as connection:
            mine = await registrations.of_person(connection, user_id, process)
            return await self._cards(connection, user_id, mine, self._clock())

    async def _cards(
        self,
        connection: AsyncConnection,
        user_id: int,
        mine: Sequence[Registration],
        now: datetime,
        *,
        link: bool = True,
    ) -> list[StatusCard]:
        person = await people.find(connection, user_id)
        if person is None or not mine:
            return []
        names = list({each.process for each in mine})
        known = await processes.find_many(connection, names)
        targets = {t.id: t for listed in (await processes.targets_of(connection, names)).values() for t in listed}
        wanting = [each for each in mine if wants_link(each)]
        url = self._ticketing.url(await self._ticketing.mint_in(connection, user_id, wanting, now)) if link else None
        return [make_card(each, known[each.process], targets[each.target_id], person, sign_url=url) for each in mine]

    async def person(self, user_id: int) -> Person | None:
        """Give what is kept of a person themselves (their safe word, whether DMs arrive), or None."""
        async with self._database.read() as connection:
            return await people.find(connection, user_id)

    async def suggest(self, user_id: int, typed: str) -> list[tuple[str, ProcessId]]:
        """Give up to 25 of a person's own processes that match what they typed: what to show, and the id."""
        async with self._database.read() as connection:
            mine = await registrations.of_person(connection, user_id)
            known = await processes.find_many(connection, [each.process for each in mine])
        sought = typed.strip().casefold()
        suggestions: dict[ProcessId, str] = {}
        for each in mine:
            metadata = known[each.process].metadata
            name = each.label or (metadata.name if metadata is not None else None) or ""
            if sought in name.casefold() or sought in each.process.casefold():
                shown = f"{' '.join(name.split())} · {shorten(each.process)}" if name else shorten(each.process)
                suggestions.setdefault(each.process, shown[-_SUGGESTION_AT_MOST:])
            if len(suggestions) == _SUGGESTIONS:
                break
        return [(shown, process) for process, shown in suggestions.items()]

    async def owned_by(self, user_id: int, address: str, progress: Progress | None = None) -> list[Metadata]:
        """List the processes that a wallet spawned itself; nothing is stored but that one of today's look-ups is used.

        Raises MalformedAddress, BadInput where today's are used up, and PeerError where no gateway could tell.
        """
        try:
            wallet = parse_process_id(address)  # an address has the same shape
        except MalformedProcessId:
            raise MalformedAddress(
                "That is not a wallet address: an address has 43 letters, digits, - and _."
            ) from None
        limit = self._limits.wallet_lookups_per_day
        async with self._database.write() as connection:
            day = self._clock().date().isoformat()
            if not await people.spend(connection, user_id, "wallet", day=day, limit=limit):
                raise BadInput(f"You have looked up {limit} wallets today; tomorrow you can look up more.")
        found: list[Metadata] = []
        async for metadata in self._gateways.list_owned(wallet):
            found.append(metadata)
            if progress is not None and len(found) % 100 == 0:
                await progress(len(found), len(found))
        return found


def _why_malformed(text: str) -> MalformedProcessId:
    try:
        parse_process_id(text)
    except MalformedProcessId as error:
        return error
    return MalformedProcessId("That is not a process id.")
