"""Reminders: due people get one digest each. They begin, pause and end by the owner's own act, or by a status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.cadence import ONCE_A_DAY
from bot.domain.card import Role
from bot.domain.digest import NAMED_AT_MOST, OpenProcess, digest
from bot.domain.notices import FirstDm, Mention, Notice, Patched, Regressed, Reminder, Unreadable
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId, parse_process_id
from bot.services.agenda import Agenda, is_listening
from bot.services.blocking import Blocking
from bot.services.cards import wants_link
from bot.services.health import Pulse
from bot.services.mentioning import choose_place, mention_of
from bot.services.naming import Names, names_of
from bot.services.places import Places
from bot.services.resting import LOOK_AGAIN, resting
from bot.services.supervising import Loop, seconds_until
from bot.services.ticketing import Ticketing
from bot.store import gathering, guilds, outbox, people, registrations
from bot.store.database import Database
from bot.store.outbox import Message
from bot.store.people import Person
from bot.store.registrations import Registration

log = structlog.get_logger()

AFTER_A_FAULT = timedelta(hours=6)
WAITED_FOR = timedelta(hours=1)
"""For so long somebody who registered may look out for the first DM, also in their quiet hours."""
TAKES_NO_MENTION = frozenset({10003, 50001, 50013, 50083, 160005})
"""Discord's codes of a place that is gone, hidden, closed to the bot, archived for good, or locked."""
_BATCH = 25  # of one transaction: others wait for it to write
_POLL = 5.0


class Reminding(Loop):
    """Owes reminders, and answers the buttons on them. It is also delivery's advisor: what is owed may be overtaken."""

    def __init__(
        self, database: Database, agenda: Agenda, ticketing: Ticketing, clock: Clock, *, places: Places | None = None
    ) -> None:
        super().__init__(Pulse("reminding", timedelta(seconds=60), clock), self._round)
        self._database = database
        self._agenda = agenda
        self._ticketing = ticketing
        self._places = places
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
            async with self._database.read() as connection:
                if await resting(connection, self._agenda.settings, now):
                    return owed
                user_ids = await people.are_due(connection, now, _BATCH)
            if not user_ids:
                break
            if self._places is not None:
                await self._places.ask_members(user_ids)
            paused: list[int] = []
            async with self._database.write() as connection:
                if self._places is not None:
                    paused = await self._places.pause_where_many_left(connection, user_ids, now)
                due = await people.due(connection, now, user_ids)
                owed += await self._owe(connection, due, now)
            if self._places is not None and paused:
                await self._places.plan_anew(*paused)
            self.pulse.beat()
        return owed

    async def _owe(self, connection: AsyncConnection, due: Sequence[Person], now: datetime) -> int:
        user_ids = [person.user_id for person in due]
        followed = await registrations.of_people(connection, user_ids)
        on_its_way = await outbox.waiting_reminder(connection, user_ids)
        owed = 0
        names = await names_of(connection, [each for listed in followed.values() for each in listed])
        for person in due:
            opened = self._agenda.remindable(followed[person.user_id], now)
            if person.user_id in on_its_way:
                later = self._agenda.hours(person).after_quiet(now + LOOK_AGAIN)
                await people.change(connection, person.user_id, next_reminder_at=later)
                continue
            try:
                async with connection.begin_nested():
                    if opened and is_listening(person):
                        owed += await self._owe_one(connection, person, opened, names, now)
                    else:
                        await self._agenda.plan(connection, [person.user_id], now)
            except Exception:
                log.exception("a reminder could not be owed")  # it must not keep the others waiting
                await people.change(connection, person.user_id, next_reminder_at=now + AFTER_A_FAULT)
        return owed

    async def _owe_one(
        self, connection: AsyncConnection, person: Person, opened: Sequence[Registration], names: Names, now: datetime
    ) -> int:
        """Count it and plan the next one, so that it can say whether it is the last; then owe it. Give how many."""
        mention = None
        if person.unreachable_code is not None and (mention := await mention_of(connection, person)) is None:
            return 0
        number = person.reminders_sent + 1
        await people.change(connection, person.user_id, reminders_sent=number, last_reminder_at=now, snoozed_until=None)
        await self._agenda.plan(connection, [person.user_id], now)
        if mention is not None:
            await outbox.owe(connection, mention[0], now=now, channel_id=mention[1])
            return 1
        then = await people.find(connection, person.user_id)
        ticket = await self._ticketing.mint_in(connection, person.user_id, opened, now)
        notice = digest(
            [open_process(each, names) for each in opened],
            safe_word=person.safe_word,
            number=number,
            last=then is None or then.next_reminder_at is None,
            now=now,
            ticket=ticket,
        )
        await outbox.owe(connection, notice, now=now, user_id=person.user_id)
        return 1

    async def revise(self, connection: AsyncConnection, message: Message, now: datetime) -> Notice | datetime | None:
        """Look at a message that was owed a while ago: patched processes leave a reminder, quiet hours hold it."""
        notice, user_id = message.notice, message.recipient_id
        if user_id is not None and isinstance(notice, Patched | Unreadable):
            return await self._still_news(connection, user_id, notice, now)
        if user_id is not None and isinstance(notice, FirstDm) and notice.processes:
            return await self._still_first(connection, message, notice, now)
        if user_id is None or not isinstance(notice, Reminder | Regressed | Mention):
            return notice
        person = await people.find(connection, user_id)
        if person is None or person.stopped_at is not None:
            return None
        followed = await registrations.of_person(connection, user_id)
        opened = self._agenda.remindable(followed, now)
        if not opened or not _is_wanted(notice, person, opened):
            return None
        if isinstance(notice, Mention) and await mention_of(connection, person) != (notice, message.channel_id):
            return None
        rest, hours = await resting(connection, self._agenda.settings, now), self._agenda.hours(person)
        free = await _free_from(connection, message, user_id)
        wait = max(each for each in (rest and rest.until, free, now) if each is not None)
        if wait > now or hours.is_quiet(now):
            return hours.after_quiet(wait)
        if not isinstance(notice, Reminder):
            return notice
        names = await names_of(connection, followed)
        return digest(
            [open_process(each, names) for each in opened],
            safe_word=notice.safe_word,
            number=notice.number,
            last=self._agenda.is_last(person, opened, now),
            now=now,
            ticket=await self._ticketing.kept_or_new(connection, notice.ticket, user_id, opened, now),
        )

    async def _still_news(
        self, connection: AsyncConnection, user_id: int, notice: Patched | Unreadable, now: datetime
    ) -> Patched | Unreadable | datetime | None:
        """Leave out what is so no more; what is found in somebody's night waits for their morning."""
        person = await people.find(connection, user_id)
        if isinstance(notice, Patched):
            still = await _still_patched(connection, user_id, notice)
        else:
            listening = person is not None and person.stopped_at is None
            of_it = await registrations.of_person(connection, user_id, parse_process_id(notice.process.process))
            still = notice if listening and self._agenda.unread(of_it, now) else None
        if still is None or person is None:
            return still
        return self._agenda.sleeps_until(person, now) or still

    async def _still_first(
        self, connection: AsyncConnection, message: Message, notice: FirstDm, now: datetime
    ) -> FirstDm | datetime | None:
        """Leave out what is followed no more. A late one keeps to quiet hours; its link still works."""
        person = await people.find(connection, message.recipient_id or 0)
        if person is None or person.stopped_at is not None:
            return None
        followed = await registrations.of_person(connection, person.user_id)
        still = _still_meant(notice, followed)
        if not still:
            return None
        hours = self._agenda.hours(person)
        if now - message.created_at > WAITED_FOR and hours.is_quiet(now):
            return hours.after_quiet(now)
        wanting = [each for each in followed if each.process in still and wants_link(each)]
        ticket = await self._ticketing.kept_or_new(connection, notice.ticket, person.user_id, wanting, now)
        names = await names_of(connection, followed)
        said = {line.process: line for line in notice.processes}
        lines = [said.get(process) or names.line(each) for process, each in still.items()]
        return notice.model_copy(
            update={
                "processes": tuple(lines[:NAMED_AT_MOST]),
                "more": len(lines[NAMED_AT_MOST:]),
                "ticket": ticket,
                "added_at": notice.added_at or message.created_at,
            }
        )

    async def sent(self, connection: AsyncConnection, message: Message, now: datetime) -> None:
        """Count the day from when it went, not from when it was owed. What came undone counts as a reminder."""
        user_id = message.recipient_id
        if user_id is not None and isinstance(message.notice, Reminder | Regressed | Mention):
            await people.change(connection, user_id, last_reminder_at=now, next_reminder_at=None)
            await self._agenda.plan(connection, [user_id], now)

    async def refused(self, connection: AsyncConnection, message: Message, code: int | None) -> None:
        """Choose a place no longer that takes no mention, so that nobody waits for the next one in vain.

        Who agreed to it sees at their next command that nothing reaches them, and moderators that no place is chosen.
        """
        notice = message.notice
        if not isinstance(notice, Mention) or code not in TAKES_NO_MENTION:
            return
        guild = await guilds.find(connection, notice.guild_id)
        if guild is not None and guild.channel_id == message.channel_id:
            await choose_place(connection, notice.guild_id, None)


def _is_wanted(notice: Reminder | Regressed | Mention, person: Person, opened: Sequence[Registration]) -> bool:
    """Tell whether it still is so: what came undone is open, and a mention is needed since DMs are closed.

    A silence that stands was chosen after the reminder was owed: owing one ends it.
    """
    match notice:
        case Reminder():
            return person.snoozed_until is None
        case Regressed():
            undone = {line.process for line in (notice.process, *notice.others)}
            return any(each.process in undone for each in opened)
        case Mention():
            return person.unreachable_code is not None and person.snoozed_until is None


def _still_meant(notice: FirstDm, followed: Sequence[Registration]) -> dict[ProcessId, Registration]:
    """Give what a first DM named and is still theirs, then as many of their others as it only counted."""
    mine = {each.process: each for each in followed if each.role is Role.MINE}
    named = [parse_process_id(line.process) for line in notice.processes]
    counted = [process for process in mine if process not in named][: notice.more]
    return {process: mine[process] for process in (*named, *counted) if process in mine}


async def _free_from(connection: AsyncConnection, message: Message, user_id: int) -> datetime | None:
    """Give when a message may go that waited, while something else of a reminder's kind went: a day later.

    A reminder that was owed after what came undone was told goes as planned: it may have been asked for.
    """
    if message.kind == "regressed":
        sent = await gathering.newest_sent(connection, user_id, *outbox.REMINDS, "regressed")
        return None if sent is None else sent + ONCE_A_DAY
    sent = await gathering.newest_sent(connection, user_id, "regressed")
    return None if sent is None or sent <= message.created_at else sent + ONCE_A_DAY


async def _still_patched(connection: AsyncConnection, user_id: int, notice: Patched) -> Patched | None:
    """Leave out what came undone while the message waited for more to join it."""
    followed = await registrations.of_person(connection, user_id)
    patched = {each.process for each in followed if each.verdict is Verdict.PATCHED}
    lines = [line for line in (notice.process, *notice.others) if line.process in patched]
    if not lines:
        return None
    if lines[0].process == notice.process.process:
        return notice.model_copy(update={"others": tuple(lines[1:])})
    seen = {"process": lines[0], "others": tuple(lines[1:]), "shown": (), "node_url": None}
    return notice.model_copy(update=seen)


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
