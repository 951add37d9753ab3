"""When each person is reminded next: worked out anew in every transaction that changes what it depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.cadence import CadenceRule, Open, Standing, next_reminder
from bot.domain.card import Role
from bot.domain.hours import Hours, zone_of
from bot.domain.observation import Verdict
from bot.settings import CheckSettings, ReminderSettings
from bot.store import guilds, people, registrations
from bot.store.people import Person
from bot.store.registrations import Registration

AWAKE = timedelta(minutes=15)
"""For so long after an act of theirs somebody is awake, whatever their quiet hours are."""


def rule_of(settings: ReminderSettings) -> CadenceRule:
    """Give the operator's bounds as the cadence knows them."""
    return CadenceRule(
        before_days=settings.deadline_days,
        after_days=settings.after_days,
        gap_days=settings.gap_days,
        at_least_apart=settings.at_least_apart,
        at_most_apart=settings.at_most_apart,
        at_most=settings.at_most,
    )


class Agenda:
    """Writes `next_reminder_at`. Only what is theirs, confirmed not patched and not blocked is ever reminded."""

    def __init__(self, settings: ReminderSettings, checks: CheckSettings) -> None:
        self.settings = settings
        self._unreadable_after = checks.unreadable_after
        self.rule = rule_of(settings)

    def hours(self, person: Person) -> Hours:
        """Give the hours at which this person may be written to: their own, or else those that are the rule."""
        settings, zone = self.settings, zone_of(person.zone)
        chosen = person.quiet_from is not None and person.quiet_until is not None
        return Hours(
            user_id=person.user_id,
            zone=zone,
            hour=person.created_at.astimezone(zone).hour if person.hour is None else person.hour,
            spread=settings.spread if person.hour is None else timedelta(hours=1),
            quiet_from=person.quiet_from if chosen and person.quiet_from is not None else settings.quiet_from,
            quiet_until=person.quiet_until if chosen and person.quiet_until is not None else settings.quiet_until,
        )

    def unread(self, listed: Iterable[Registration], now: datetime) -> list[Registration]:
        """Give those that their owner could act on, and that nobody could read for days."""
        ours = [each for each in listed if each.role is Role.MINE and each.blocked is None]
        return [each for each in ours if each.status.unread_for(self._unreadable_after, now)]

    def remindable(self, listed: Iterable[Registration], now: datetime) -> list[Registration]:
        """Give those of one person's that they may be reminded of now: not what nobody could read for days."""
        return [each for each in listed if each.remindable and not each.status.unread_for(self._unreadable_after, now)]

    def sleeps_until(self, person: Person, now: datetime) -> datetime | None:
        """Give when news may come that this person does not wait for; None: now."""
        hours = self.hours(person)
        return hours.after_quiet(now) if hours.is_quiet(now) and not is_awake(person, now) else None

    async def plan(self, connection: AsyncConnection, user_ids: Collection[int], now: datetime) -> None:
        """Plan each of these people's next reminder; in the transaction that changed something of theirs.

        They are locked in one order, and before what they follow is read: another transaction may be changing that.
        """
        for some in people.in_portions(user_ids):
            known = await people.of(connection, some, lock=True)
            followed = await registrations.of_people(connection, list(known))
            places = {place for each in known.values() if (place := mentioned_in(each)) is not None}
            paused = await guilds.paused_among(connection, places)
            plans = {
                user_id: self._plan_one(_without_silence(person, followed[user_id], now), followed[user_id], now)
                | ({"next_reminder_at": None} if mentioned_in(person) in paused else {})
                for user_id, person in known.items()
            }
            await people.change_each(connection, plans)

    def _plan_one(self, person: Person, followed: Sequence[Registration], now: datetime) -> dict[str, Any]:
        remindable = self.remindable(followed, now)
        due = None
        if remindable and is_listening(person):
            due = next_reminder(self._standing(person, remindable), self.rule, now)
        return {
            "next_reminder_at": due,
            "reminders_sent": person.reminders_sent if any(each.open for each in followed) else 0,
            "snoozed_until": person.snoozed_until,
        }

    def is_last(self, person: Person, opened: Sequence[Registration], now: datetime) -> bool:
        """Tell whether none follows a reminder of these that goes now; what else was planned has waited too long."""
        then = replace(person, last_reminder_at=now, snoozed_until=None, next_reminder_at=None)
        return next_reminder(self._standing(then, opened), self.rule, now) is None

    def apart(self, person: Person) -> timedelta:
        """Give how far apart this person's reminders are at least: as they chose, within the operator's bounds."""
        chosen = timedelta(days=person.apart_days or 1)
        return max(self.settings.at_least_apart, min(chosen, self.settings.at_most_apart))

    def _standing(self, person: Person, opened: Sequence[Registration]) -> Standing:
        return Standing(
            hours=self.hours(person),
            opened=tuple(dict.fromkeys(Open(since=since_of(each), deadline=each.deadline) for each in opened)),
            last=person.last_reminder_at,
            sent=person.reminders_sent,
            apart=self.apart(person),
            silent_until=person.snoozed_until,
            promised=person.next_reminder_at,
        )


def _without_silence(person: Person, followed: Sequence[Registration], now: datetime) -> Person:
    """Give the person without a silence that has passed with nothing planned for its end, or that all is done in."""
    if person.snoozed_until is None:
        return person
    passed = person.snoozed_until <= now and person.next_reminder_at is None
    done = all(each.verdict is Verdict.PATCHED for each in followed if each.role is Role.MINE)
    return replace(person, snoozed_until=None) if passed or done else person


def is_awake(person: Person, now: datetime) -> bool:
    """Tell whether this person did something just now: registered, looked, signed."""
    return now - max(person.created_at, person.active_at or person.created_at) < AWAKE


def is_listening(person: Person) -> bool:
    """Tell whether this person wants reminders, and can be reached somehow."""
    return person.stopped_at is None and (person.unreachable_code is None or person.mention_guild_id is not None)


def mentioned_in(person: Person) -> int | None:
    """Give the server in which this person is mentioned instead of reminded; nothing comes while it is paused."""
    return None if person.unreachable_code is None else person.mention_guild_id


def since_of(registration: Registration) -> datetime:
    """Give since when it is this person's to do: never earlier than when they registered it."""
    return max(registration.created_at, registration.status.since or registration.created_at)
