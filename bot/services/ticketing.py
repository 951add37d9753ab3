"""Tickets: minted for a person and a set of their registrations, opened by the signing page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.handler import fingerprint
from bot.domain.observation import Verdict
from bot.domain.presets import DEFAULT_PRESET, Preset
from bot.domain.process_id import ProcessId
from bot.domain.ticket import expiry, hash_ticket, new_ticket
from bot.domain.together import furthest
from bot.domain.ways import Way, way_of
from bot.errors import NotYours, TicketEnded
from bot.services.naming import names_of
from bot.settings import Settings
from bot.store import people, privacy, processes, registrations, tickets
from bot.store.database import Database
from bot.store.processes import Process
from bot.store.registrations import Registration
from bot.store.tickets import SignedMessage, Ticket

_ENDED = "This link has ended. Type /status in Discord for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What may be signed for a process: a preset's action, keys and Lua, never what a person typed.

    `lua` is empty where the app must bring its own handler, and where ours was never tried. `sha256` is that of its
    UTF-8, in hexadecimal.
    """

    action: str
    keys: tuple[str, ...]
    lua: str
    sha256: str


def template_of(preset: Preset, way: Way) -> Template:
    """Give what a preset lets be signed for a process: the Lua only on an aos that it was tried on."""
    lua = (preset.handler or "") if way is Way.INSTALL else ""
    return Template(
        action=preset.action,
        keys=tuple(each.key for each in preset.keys),
        lua=lua,
        sha256=fingerprint(lua) if lua else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProcess:
    """One process that a ticket is for. `signed` is the newest message that was signed for it through this ticket."""

    process: ProcessId
    label: str | None
    name: str | None
    owner: str | None
    status: Verdict
    blocked: str | None
    way: Way
    template: Template
    signed: SignedMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketContents:
    """What the signing page shows. `display_name_hint` is half hidden: only its owner knows it again."""

    user_id: int
    display_name_hint: str
    community: str | None
    processes: tuple[TicketProcess, ...]
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

    async def mint_in(
        self, connection: AsyncConnection, user_id: int, listed: Sequence[Registration], now: datetime
    ) -> str | None:
        """Mint a ticket for this person's registrations in the transaction that owes or shows the link.

        None where there are none, or no link may be made.
        """
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

    async def kept_or_new(
        self, connection: AsyncConnection, raw: str | None, user_id: int, listed: Sequence[Registration], now: datetime
    ) -> str | None:
        """Give this raw ticket where it still opens for all of these, else a new one; None stays none.

        None also where nothing is listed: there is nothing to sign any more.
        """
        if raw is None or not listed:
            return None
        hashed = hash_ticket(raw)
        if hashed is not None and await tickets.opens_for(connection, hashed, [each.id for each in listed], now):
            return raw
        return await self.mint_in(connection, user_id, listed, now)

    async def open(self, raw: str) -> TicketContents:
        """Give what the ticket is for. Changes nothing. Raises TicketEnded."""
        async with self._database.read() as connection:
            ticket = await self.found(connection, raw)
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
            processes=tuple(
                self._process(each, known.get(each.process), names.label(each), ticket.signed.get(each.process))
                for each in shown
            ),
            expires_at=ticket.expires_at,
        )

    async def found(self, connection: AsyncConnection, raw: str) -> Ticket:
        """Give the ticket itself, in somebody's transaction. Raises TicketEnded."""
        hashed = hash_ticket(raw)
        ticket = None if hashed is None else await tickets.find(connection, hashed, self._clock())
        if ticket is None or not ticket.registration_ids:
            raise TicketEnded(_ENDED)
        return ticket

    async def keep_signed(self, raw: str, messages: Sequence[SignedMessage]) -> None:
        """Keep what was signed, before it is sent. Raises TicketEnded, and NotYours for a process not on the ticket."""
        async with self._database.write() as connection:
            ticket = await self.found(connection, raw)
            await self.check_on_it(connection, ticket, [each.process for each in messages])
            await tickets.keep_signed(connection, ticket.hash, messages)
            await privacy.note_seen(connection, ticket.user_id, self._clock())

    async def forget_signed(self, raw: str, listed: Sequence[ProcessId]) -> None:
        """Forget what the network never took. Raises TicketEnded."""
        async with self._database.write() as connection:
            ticket = await self.found(connection, raw)
            await tickets.forget_signed(connection, ticket.hash, listed)

    async def check_on_it(self, connection: AsyncConnection, ticket: Ticket, listed: Collection[ProcessId]) -> None:
        """Raise NotYours unless all of them are on the ticket."""
        known = await registrations.by_ids(connection, ticket.registration_ids)
        if not {*listed} <= {each.process for each in known}:
            raise NotYours("This link is not for that process.")

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

    def _process(
        self, registration: Registration, known: Process | None, label: str | None, signed: SignedMessage | None
    ) -> TicketProcess:
        metadata = known.metadata if known is not None else None
        way = way_of(metadata)
        return TicketProcess(
            process=registration.process,
            label=label,
            name=metadata.name if metadata is not None else None,
            owner=metadata.owner if metadata is not None else None,
            status=registration.verdict,
            blocked=registration.blocked,
            way=way,
            template=template_of(self._preset(registration), way),
            signed=signed,
        )
