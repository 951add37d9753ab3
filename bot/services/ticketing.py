"""Tickets: minted for a person and a set of their registrations, opened by the signing page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.observation import Verdict
from bot.domain.presets import DEFAULT_PRESET, Preset
from bot.domain.process_id import ProcessId
from bot.domain.ticket import expiry, hash_ticket, new_ticket
from bot.domain.together import furthest
from bot.errors import TicketEnded
from bot.services.naming import names_of
from bot.settings import Settings
from bot.store import people, processes, registrations, tickets
from bot.store.database import Database
from bot.store.processes import Process
from bot.store.registrations import Registration

_ENDED = "This link has ended. Type /status in Discord for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProcess:
    """One process that a ticket is for. `keys` and the handler are a preset's, never what a person typed."""

    registration_id: int
    process: ProcessId
    label: str | None
    name: str | None
    owner: str | None
    status: Verdict
    keys: tuple[str, ...]
    handler_lua: str  # empty where the app must bring its own


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketContents:
    """What the signing page shows. `display_name_hint` is half hidden: only its owner knows it again."""

    user_id: int
    display_name_hint: str
    community: str | None
    processes: tuple[TicketProcess, ...]
    action: str
    expires_at: datetime


class Ticketing:
    """Mints, opens and ends tickets. Only hashes are stored."""

    def __init__(self, database: Database, settings: Settings, presets: Mapping[str, Preset], clock: Clock) -> None:
        self._database = database
        self._origin = settings.sign_origin
        self._presets = presets
        self._clock = clock

    def url(self, raw: str | None) -> str | None:
        """Give the deep link of a raw ticket, or None where no link may be made."""
        return None if self._origin is None or raw is None else f"{self._origin}/sign#{raw}"

    async def mint(self, user_id: int, registration_ids: Sequence[int]) -> str | None:
        """Mint a ticket for those of these registrations that are this person's; None where no link may be made."""
        async with self._database.write() as connection:
            listed = await registrations.by_ids(connection, registration_ids)
            mine = [each for each in listed if each.user_id == user_id]
            return await self.mint_in(connection, user_id, mine, self._clock())

    async def mint_in(
        self, connection: AsyncConnection, user_id: int, listed: Sequence[Registration], now: datetime
    ) -> str | None:
        """Do the same in the transaction that owes or shows the link."""
        if self._origin is None or not listed:
            return None
        raw = new_ticket()
        hashed = hash_ticket(raw)
        if hashed is None:
            raise ValueError("a new ticket is malformed")
        ids = [each.id for each in listed]
        ends = expiry(now, [each.deadline for each in listed])
        await tickets.add(connection, hashed, user_id, ids, now=now, expires_at=ends)
        return raw

    async def open(self, raw: str) -> TicketContents:
        """Give what the ticket is for. Changes nothing. Raises TicketEnded."""
        hashed = hash_ticket(raw)
        if hashed is None:
            raise TicketEnded(_ENDED)
        async with self._database.read() as connection:
            ticket = await tickets.find(connection, hashed, self._clock())
            if ticket is None or not ticket.registration_ids:
                raise TicketEnded(_ENDED)
            person = await people.find(connection, ticket.user_id)
            listed = await registrations.by_ids(connection, ticket.registration_ids)
            known = await processes.find_many(connection, [each.process for each in listed])
            names = await names_of(connection, await registrations.of_person(connection, ticket.user_id))
        if person is None or not listed:
            raise TicketEnded(_ENDED)
        communities = {each.guild_name for each in listed}
        by_process: dict[ProcessId, list[Registration]] = {}
        for each in listed:  # oldest first, as they were registered
            by_process.setdefault(each.process, []).append(each)
        shown = [min(same, key=lambda each: furthest(each.verdict)) for same in by_process.values()]
        return TicketContents(
            user_id=person.user_id,
            display_name_hint=person.name_hint,
            community=communities.pop() if len(communities) == 1 else None,
            processes=tuple(self._process(each, known.get(each.process), names.label(each)) for each in shown),
            action=self._preset(listed[0]).action,
            expires_at=ticket.expires_at,
        )

    async def end_for(self, user_id: int) -> None:
        """End all of a person's tickets."""
        async with self._database.write() as connection:
            await tickets.end_for(connection, user_id)

    async def end_expired(self) -> None:
        """Forget tickets that have expired."""
        async with self._database.write() as connection:
            await tickets.end_expired(connection, self._clock())

    def _preset(self, registration: Registration) -> Preset:
        return self._presets.get(registration.preset or DEFAULT_PRESET) or self._presets[DEFAULT_PRESET]

    def _process(self, registration: Registration, known: Process | None, label: str | None) -> TicketProcess:
        preset = self._preset(registration)
        metadata = known.metadata if known is not None else None
        return TicketProcess(
            registration_id=registration.id,
            process=registration.process,
            label=label,
            name=metadata.name if metadata is not None else None,
            owner=metadata.owner if metadata is not None else None,
            status=registration.verdict,
            keys=tuple(each.key for each in preset.keys),
            handler_lua=preset.handler or "",
        )
