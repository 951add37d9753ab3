"""What became of the messages to one person, in words that `cogs/messages/history.py` has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.card import Rest
from bot.domain.unreachable import CLOSED_DMS, NO_MUTUAL_SERVER
from bot.services import holds
from bot.services.agenda import Agenda
from bot.services.resting import Resting, resting
from bot.store import outbox, people
from bot.store.database import Database
from bot.store.outbox import Message, State

SHOWN = 4
RESTS = frozenset({"reminder", "mention", "regressed"})
"""What waits in maintenance and in an outage."""


class Fate(StrEnum):
    """What became of a message, or why it waits."""

    SENT = "sent"
    CLOSED = "closed"
    NO_MUTUAL_SERVER = "no-mutual-server"
    REFUSED = "refused"
    NOT_NEEDED = "not-needed"
    HELD_BY_DISCORD = "held-by-discord"
    NO_NEW_DMS = "no-new-dms"
    NODES_OUT = "nodes-out"
    MAINTENANCE = "maintenance"
    QUIET = "quiet"
    TRYING_AGAIN = "trying-again"
    PLANNED = "planned"
    ON_ITS_WAY = "on-its-way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One message to a person. `at` is when that became so, or when it was owed; `until` when it is tried next."""

    kind: str
    fate: Fate
    at: datetime
    until: datetime | None = None


class History:
    """Reads the outbox for the person it is about."""

    def __init__(self, database: Database, agenda: Agenda, clock: Clock) -> None:
        self._database = database
        self._agenda = agenda
        self._clock = clock

    async def of_person(self, user_id: int) -> list[Delivered]:
        """Give their newest messages, newest first, a few at most."""
        now = self._clock()
        async with self._database.read() as connection:
            messages = await outbox.of_person(connection, user_id, SHOWN, without=["alarm"])
            held = await holds.all_held(connection, now)
            rest = await resting(connection, self._agenda.settings, now)
            quiet = await self._is_quiet(connection, user_id, now)
        return [_delivered(each, held, rest, now, quiet=quiet) for each in messages]

    async def _is_quiet(self, connection: AsyncConnection, user_id: int, now: datetime) -> bool:
        person = await people.find(connection, user_id)
        return person is not None and self._agenda.hours(person).is_quiet(now)


def _delivered(
    message: Message, held: Mapping[str, datetime], rest: Resting | None, now: datetime, *, quiet: bool
) -> Delivered:
    if message.state == State.OWED:
        fate, until = _why_waiting(message, held, rest, now, quiet=quiet)
        return Delivered(kind=message.kind, fate=fate, at=message.created_at, until=until)
    return Delivered(kind=message.kind, fate=_settled(message), at=message.done_at or message.created_at)


def _why_waiting(
    message: Message, held: Mapping[str, datetime], rest: Resting | None, now: datetime, *, quiet: bool
) -> tuple[Fate, datetime | None]:
    if message.kind in RESTS and rest is not None:
        return (Fate.MAINTENANCE, None) if rest.why is Rest.MAINTENANCE else (Fate.NODES_OUT, rest.until)
    if holds.SENDS in held:
        return Fate.HELD_BY_DISCORD, held[holds.SENDS]
    if message.opens_a_conversation and holds.NEW_CONVERSATIONS in held:
        return Fate.NO_NEW_DMS, held[holds.NEW_CONVERSATIONS]
    if message.next_try_at <= now:
        return Fate.ON_ITS_WAY, None
    if message.attempts:
        return Fate.TRYING_AGAIN, message.next_try_at
    return (Fate.QUIET if quiet else Fate.PLANNED), message.next_try_at


def _settled(message: Message) -> Fate:
    if message.was_sent:
        return Fate.SENT
    if message.state == State.WITHDRAWN:
        return Fate.NOT_NEEDED
    return {CLOSED_DMS: Fate.CLOSED, NO_MUTUAL_SERVER: Fate.NO_MUTUAL_SERVER}.get(message.code or 0, Fate.REFUSED)
