"""Servers: where people may be mentioned, whose reminders have ended with a server, and whose are paused."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.bucket import Bucket
from bot.clock import Clock
from bot.domain.card import Reached
from bot.domain.notices import Members
from bot.errors import BadInput
from bot.services.agenda import Agenda
from bot.services.alarms import Alarms
from bot.services.mentioning import choose_place
from bot.settings import Settings
from bot.store import guilds, people
from bot.store.database import Database
from bot.store.guilds import Guild

log = structlog.get_logger()

ASKED_ANEW = timedelta(days=1)
"""For so long Discord's word on who is in a server is believed."""
_ASKED_AT_ONCE = 100
_PATIENCE = 15.0  # seconds
_COUNTED_EVERY = timedelta(minutes=5)
_PLANNED_AT_ONCE = 100  # people of one transaction: others wait for it to write


class Places:
    """Knows servers. `members` and `budget` (of requests a second) are set once, before anything is asked."""

    def __init__(self, database: Database, agenda: Agenda, alarms: Alarms, settings: Settings, clock: Clock) -> None:
        self.members: Members | None = None
        self.budget: Bucket | None = None
        self._database = database
        self._agenda = agenda
        self._alarms = alarms
        self._operators = settings.operators
        self._share = settings.reminders.pause_share
        self._least = settings.reminders.pause_people
        self._clock = clock
        self._counted: dict[int, datetime] = {}

    async def guild(self, guild_id: int) -> Guild | None:
        """Give what is known of a server."""
        async with self._database.read() as connection:
            return await guilds.find(connection, guild_id)

    async def reached(self, guild_id: int) -> Reached:
        """Count how the people of a server's migrations can be reached."""
        async with self._database.read() as connection:
            return await guilds.reached(connection, guild_id)

    async def choose_channel(self, guild_id: int, channel_id: int | None) -> None:
        """Set where people of this server may be mentioned who agree to it; None: nowhere."""
        async with self._database.write() as connection:
            await choose_place(connection, guild_id, channel_id)

    async def mention_there(self, user_id: int, guild_id: int) -> tuple[int, datetime | None]:
        """Note that a person agrees to be mentioned in this server while their DMs are closed.

        Give the channel, and when that comes next. Raises BadInput where moderators chose none.
        """
        now = self._clock()
        async with self._database.write() as connection:
            guild = await guilds.find(connection, guild_id, lock=True)
            if guild is None or guild.channel_id is None or guild.left_at is not None:
                raise BadInput("This server's moderators have chosen no channel for that.")
            await people.change(connection, user_id, mention_guild_id=guild_id, stopped_at=None, stop_reason=None)
            await self._agenda.plan(connection, [user_id], now)
            person = await people.find(connection, user_id)
        return guild.channel_id, None if person is None else person.next_reminder_at

    async def seen(self, guild_id: int | None, user_id: int) -> None:
        """Hear that a person did something in a server: whatever was thought before, they are in it."""
        if guild_id is None:
            return
        async with self._database.read() as connection:
            if not await guilds.is_stranger(connection, guild_id, user_id):
                return
        async with self._database.write() as connection:
            await people.find(connection, user_id, lock=True)  # first, as wherever an answer is written
            if await guilds.forget_stranger(connection, guild_id, user_id):
                await self._agenda.plan(connection, [user_id], self._clock())

    async def left(self, guild_id: int) -> None:
        """Hear that the bot was removed: that server's reminders stop at once. What is private goes on."""
        async with self._database.write() as connection:
            await guilds.change(connection, guild_id, left_at=self._clock())
        await self.plan_anew(guild_id)

    async def joined(self, guild_id: int) -> None:
        """Hear that the bot is in a server: if it was removed before, its reminders go on."""
        async with self._database.read() as connection:
            guild = await guilds.find(connection, guild_id)
        if guild is None or guild.left_at is None:
            return
        async with self._database.write() as connection:
            await guilds.change(connection, guild_id, left_at=None)
        await self.plan_anew(guild_id)

    async def compare(self, present: Collection[int]) -> None:
        """Hear in which servers the bot is: it may have been removed, or added again, while it was down."""
        async with self._database.read() as connection:
            known = await guilds.with_migrations(connection)
        for guild_id, thought_in in known.items():
            if thought_in and guild_id not in present:
                await self.left(guild_id)
            elif not thought_in and guild_id in present:
                await self.joined(guild_id)

    async def ask_members(self, user_ids: Sequence[int]) -> None:
        """Ask Discord, once a day, whether these people still are in the servers that would remind them. Never raises.

        Without the members intent nobody tells that a person left. What cannot be told is taken as it was.
        """
        now = self._clock()
        if self.members is None:
            return
        async with self._database.read() as connection:
            pairs = await guilds.to_ask(connection, user_ids, now - ASKED_ANEW)
        for start in range(0, len(pairs), _ASKED_AT_ONCE):
            some = pairs[start : start + _ASKED_AT_ONCE]
            answers = await asyncio.gather(*(self._ask(self.members, *pair) for pair in some))
            await self._note(some, answers, now)

    async def _note(self, pairs: Sequence[tuple[int, int]], answers: Sequence[bool | None], now: datetime) -> None:
        """Write who is where; nothing of those who had all of theirs erased while Discord was asked."""
        async with self._database.write() as connection:
            for (guild_id, user_id), is_member in zip(pairs, answers, strict=True):
                if is_member is not None and await people.find(connection, user_id, lock=True) is not None:
                    await guilds.note_member(connection, guild_id, user_id, is_member=is_member, now=now)

    async def _ask(self, members: Members, guild_id: int, user_id: int) -> bool | None:
        try:
            if self.budget is not None:
                await self.budget.turn()
            async with asyncio.timeout(_PATIENCE):
                return await members.is_member(guild_id, user_id)
        except Exception as error:
            log.warning("nobody could tell who is in a server", error=type(error).__name__)
            return None

    async def pause_where_many_left(
        self, connection: AsyncConnection, user_ids: Sequence[int], now: datetime
    ) -> list[int]:
        """Pause the servers of these people where too many pressed *Stop* or refuse DMs, and tell the operators.

        Give which were: `plan_anew` is due for them, in transactions of its own. Each server is counted every few
        minutes at most.
        """
        paused: list[int] = []
        for guild_id in await guilds.guilds_of(connection, user_ids):
            if now - self._counted.get(guild_id, now - _COUNTED_EVERY) >= _COUNTED_EVERY:
                self._counted[guild_id] = now
                if await self._pause_if_many_left(connection, guild_id, now):
                    paused.append(guild_id)
        return paused

    async def _pause_if_many_left(self, connection: AsyncConnection, guild_id: int, now: datetime) -> bool:
        guild = await guilds.find(connection, guild_id)
        if guild is not None and guild.paused_at is not None:
            return False
        reached = await guilds.reached(connection, guild_id)
        lost = reached.lost - (guild.forgiven if guild is not None else 0)
        if reached.people < self._least or lost <= self._share * reached.people:
            return False
        await guilds.change(connection, guild_id, paused_at=now)
        sentence = (
            f"The reminders of the server {guild_id} are paused: of its {reached.people} people {reached.stopped} "
            f"pressed Stop, {reached.closed} take no DMs, and {reached.strangers} share no server with me."
            f"{_reasons(reached)} Look at what was announced there before you resume them: "
            f"python -m bot reminders resume --server {guild_id}"
        )
        key = f"paused:{guild_id}:{now.isoformat()}"  # each pause is told of, however soon after another
        await self._alarms.ring_in(connection, key, sentence, now, guild_id=guild_id)
        return True

    async def paused(self) -> list[tuple[Guild, Reached]]:
        """Give the servers whose reminders are paused, the longest first, and how their people can be reached."""
        async with self._database.read() as connection:
            return [(each, await guilds.reached(connection, each.guild_id)) for each in await guilds.paused(connection)]

    async def resume(self, user_id: int, guild_id: int) -> None:
        """Resume a server's reminders, by an operator's act. Raises BadInput for anybody else."""
        if user_id not in self._operators:
            raise BadInput("That is for those who run this bot.")
        await self.end_pause(guild_id)

    async def end_pause(self, guild_id: int) -> bool:
        """Resume a server's reminders: those who have stopped by now count no more. False where it is not paused."""
        async with self._database.write() as connection:
            guild = await guilds.find(connection, guild_id, lock=True)
            if guild is None or guild.paused_at is None:
                return False
            forgiven = (await guilds.reached(connection, guild_id)).lost
            await guilds.change(connection, guild_id, paused_at=None, forgiven=forgiven)
        await self.plan_anew(guild_id)
        return True

    async def plan_anew(self, *guild_ids: int) -> None:
        """Plan the reminders of everybody with something in these servers: paused, going on, or left."""
        async with self._database.read() as connection:
            user_ids = [user_id for guild_id in guild_ids for user_id in await guilds.people_of(connection, guild_id)]
        for start in range(0, len(user_ids), _PLANNED_AT_ONCE):
            async with self._database.write() as connection:
                await self._agenda.plan(connection, user_ids[start : start + _PLANNED_AT_ONCE], self._clock())


def _reasons(reached: Reached) -> str:
    told = ", ".join(f"{reason} {number}" for reason, number in reached.told_reasons)
    return f" Why they stopped, if they said so: {told}." if told else ""
