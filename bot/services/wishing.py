"""What people decide about their own reminders: when, how often, not now, not any more, and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.card import Rest
from bot.domain.hours import Hours, read_zone
from bot.errors import BadInput, NotYours
from bot.services.agenda import Agenda, mentioned_in
from bot.services.resting import Resting, resting
from bot.store import guilds, outbox, people, registrations, tickets
from bot.store.database import Database
from bot.store.outbox import Message
from bot.store.people import Person
from bot.store.registrations import Registration

LONGEST_SILENCE = timedelta(days=90)
STOP_REASONS = ("too-many", "not-mine", "will-not", "by-myself", "other")
"""The values are stored, and are the options of a select: they live for months."""
_UNTIL_EVENING = timedelta(hours=8)  # where nobody told us when their evening is
_DAYS_APART = (3, 7, 14, 30)
_WITHDRAWN_BY_STOP = ("first_dm", *outbox.REMINDS, "regressed", "unreadable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `/reminders` shows. `choices` are the days apart that the operator allows; `open` counts processes.

    `elsewhere`: all of those are a server's that is paused, or that the bot or the person has left; or the server that
    would mention them is paused. `rest` is why no reminder comes for now, or not when it was planned.
    """

    person: Person
    hours: Hours
    choices: tuple[int, ...]
    open: int
    elsewhere: bool
    rest: Rest | None = None


class Wishing:
    """Every act here is the person's own, and plans their next reminder anew."""

    def __init__(self, database: Database, agenda: Agenda, clock: Clock) -> None:
        self._database = database
        self._agenda = agenda
        self._clock = clock

    async def wishes(self, user_id: int) -> Wishes:
        """Give how this person's reminders are. Raises NotYours where they follow nothing."""
        async with self._database.read() as connection:
            return await self._wishes(connection, user_id)

    async def _wishes(self, connection: AsyncConnection, user_id: int) -> Wishes:
        person = await people.find(connection, user_id)
        if person is None:
            raise NotYours("You follow no process yet. /register with its id adds one.")
        settings, now = self._agenda.settings, self._clock()
        followed = await registrations.of_person(connection, user_id)
        rest, place = await resting(connection, settings, now), mentioned_in(person)
        paused = place is not None and await guilds.paused_among(connection, [place])
        return Wishes(
            person=person,
            hours=self._agenda.hours(person),
            choices=tuple(
                days
                for days in _DAYS_APART
                if settings.at_least_apart <= timedelta(days=days) <= settings.at_most_apart
            ),
            open=len({each.process for each in followed if each.open}),
            elsewhere=bool(paused) or not any(each.remindable for each in followed),
            rest=self._rest(person, followed, rest, now),
        )

    def _rest(
        self, person: Person, followed: Sequence[Registration], rest: Resting | None, now: datetime
    ) -> Rest | None:
        if any(each.remindable for each in followed) and not self._agenda.remindable(followed, now):
            return Rest.UNREADABLE
        planned = person.next_reminder_at
        return rest.why if rest is not None and planned is not None and rest.covers(planned) else None

    async def change(
        self,
        user_id: int,
        *,
        zone: str | None = None,
        hour: int | None = None,
        quiet: tuple[int, int] | None = None,
        apart_days: int | None = None,
    ) -> Wishes:
        """Note what is given, and give how it is then. `apart_days` 0: as the cadence goes.

        Raises BadInput for what is no zone, no hour or out of the operator's bounds.
        """
        values: dict[str, object] = {}
        if zone is not None:
            values["zone"] = read_zone(zone)
        if hour is not None:
            values["hour"] = _hour(hour)
        if quiet is not None:
            values |= {"quiet_from": _hour(quiet[0]), "quiet_until": _hour(quiet[1])}
        async with self._database.write() as connection:
            wishes = await self._wishes(connection, user_id)
            if apart_days is not None:
                if apart_days not in (0, *wishes.choices):
                    raise BadInput("So far apart they can't be here; choose one of the list.")
                values["apart_days"] = apart_days or None
            await people.change(connection, user_id, **values)
            await self._agenda.plan(connection, [user_id], self._clock())
            return await self._wishes(connection, user_id)

    async def when(self, user_id: int, choice: str) -> datetime:
        """Give the moment that somebody chose: `tonight`, `day`, `week`, or a day as year-month-day, in their zone.

        Raises BadInput where it is none of these, or has passed.
        """
        now = self._clock()
        async with self._database.read() as connection:
            person = await people.find(connection, user_id)
        if person is None:
            raise NotYours("You follow no process yet. /register with its id adds one.")
        hours = self._agenda.hours(person)
        today = now.astimezone(hours.zone).date()
        match choice:
            case "tonight":
                return hours.tonight(now) if person.zone else hours.after_quiet(now + _UNTIL_EVENING)
            case "day":
                return hours.slot_on(today + timedelta(days=1))
            case "week":
                return hours.slot_on(today + timedelta(days=7))
            case _:
                return hours.slot_on(_day(choice))

    async def snooze(
        self, user_id: int, delivery_id: int, until: datetime, *, private: bool = False
    ) -> datetime | None:
        """Silence this person's reminders until then, 90 days at most; give when the next comes, if one does.

        `private`: they pressed in their own DMs. Raises NotYours where the delivery was to somebody else, BadInput
        where the moment has passed.
        """
        async with self._database.write() as connection:
            await own_delivery(connection, user_id, delivery_id, private=private)
            return await self._silence(connection, user_id, until)

    async def pause(self, user_id: int, until: datetime) -> datetime | None:
        """Do the same from `/reminders`."""
        async with self._database.write() as connection:
            return await self._silence(connection, user_id, until)

    async def _silence(self, connection: AsyncConnection, user_id: int, until: datetime) -> datetime | None:
        """A reminder at a chosen moment is wanted: whoever had stopped them has them again from then on."""
        now = self._clock()
        if until <= now:
            raise BadInput("That moment has passed; choose a later one.")
        until = min(until, now + LONGEST_SILENCE)
        await people.change(connection, user_id, snoozed_until=until, stopped_at=None, stop_reason=None)
        await outbox.withdraw(connection, user_id, outbox.REMINDS, now=now)
        return await self._planned(connection, user_id, now)

    async def stop(self, user_id: int, delivery_id: int | None = None, *, private: bool = False) -> None:
        """End this person's reminders, and every link that they were sent. Their processes stay registered.

        `private`: they pressed in their own DMs. Raises NotYours where the delivery was to somebody else.
        """
        now = self._clock()
        async with self._database.write() as connection:
            if delivery_id is not None:
                await own_delivery(connection, user_id, delivery_id, private=private)
            await people.change(
                connection, user_id, stopped_at=now, stop_reason=None, snoozed_until=None, mention_guild_id=None
            )
            await tickets.end_for(connection, user_id)
            await outbox.withdraw(connection, user_id, _WITHDRAWN_BY_STOP, now=now)
            await self._agenda.plan(connection, [user_id], now)

    async def say_why(self, user_id: int, reason: str) -> None:
        """Note why somebody stopped, which nobody need say. Raises BadInput for a reason that is none of ours."""
        if reason not in STOP_REASONS:
            raise BadInput("I don't know that reason; choose one of the list.")
        async with self._database.write() as connection:
            person = await people.find(connection, user_id, lock=True)
            if person is not None and person.stopped_at is not None:
                await people.change(connection, user_id, stop_reason=reason)

    async def resume(self, user_id: int) -> datetime | None:
        """Begin again, by the person's own act, also where their DMs were closed; give when the next reminder comes."""
        now = self._clock()
        async with self._database.write() as connection:
            await people.begin_again(connection, user_id)
            return await self._planned(connection, user_id, now)

    async def _planned(self, connection: AsyncConnection, user_id: int, now: datetime) -> datetime | None:
        await self._agenda.plan(connection, [user_id], now)
        person = await people.find(connection, user_id)
        return None if person is None else person.next_reminder_at


async def own_delivery(connection: AsyncConnection, user_id: int, delivery_id: int, *, private: bool) -> Message | None:
    """Give a message that was to this person; None for one in their DMs (`private`) of which nothing is kept.

    It was, before all of theirs was erased: nobody else can press there. Raises NotYours.
    """
    message = await outbox.find(connection, delivery_id)
    if message is None and not private:
        raise NotYours("I keep nothing of that message any more. /reminders sets when I remind you.")
    if message is not None and message.recipient_id != user_id:
        raise NotYours("That button belongs to somebody else's message.")
    return message


def _hour(hour: int) -> int:
    if not 0 <= hour <= 23:
        raise BadInput("Hours go from 0 to 23.")
    return hour


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("I could not read that date. Write it as year-month-day, such as 2027-06-30.") from None
