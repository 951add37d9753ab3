"""When each person is reminded next: worked out anew in every transaction that changes what it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.cadence import CadenceRule, Standing, next_reminder
from bot.settings import ReminderSettings
from bot.store import people, registrations
from bot.store.people import Person
from bot.store.registrations import Registration


def rule_of(settings: ReminderSettings) -> CadenceRule:
    """Give the operator's bounds as the cadence knows them."""
    return CadenceRule(
        interval=settings.interval,
        deadline_days=settings.deadline_days,
        at_most=settings.at_most,
        quiet_from=settings.quiet_from,
        quiet_until=settings.quiet_until,
    )


class Agenda:
    """Writes `next_reminder_at`. Only what is theirs, confirmed not patched and not blocked is ever reminded."""

    def __init__(self, settings: ReminderSettings) -> None:
        self.rule = rule_of(settings)

    async def plan(self, connection: AsyncConnection, user_ids: Sequence[int], now: datetime) -> None:
        """Plan each of these people's next reminder; in the transaction that changed something of theirs."""
        followed = await registrations.of_people(connection, user_ids)
        for user_id in sorted(
            followed
        ):  # always in one order: two transactions lock the same people without a deadlock
            person = await people.find(connection, user_id, lock=True)
            if person is not None:
                await self._plan_one(connection, person, [each for each in followed[user_id] if each.open], now)

    async def _plan_one(
        self, connection: AsyncConnection, person: Person, opened: list[Registration], now: datetime
    ) -> None:
        if not opened:
            await people.change(connection, person.user_id, next_reminder_at=None, reminders_sent=0, snoozed_until=None)
            return
        silent = person.stopped_at is not None or person.unreachable_code is not None
        due = None if silent else next_reminder(_standing(person, opened), self.rule, now)
        await people.change(connection, person.user_id, next_reminder_at=due)


def _standing(person: Person, opened: Sequence[Registration]) -> Standing:
    return Standing(
        user_id=person.user_id,
        opened_at=min(each.status.since or each.created_at for each in opened),
        last=person.last_reminder_at,
        sent=person.reminders_sent,
        deadlines=tuple({each.deadline for each in opened if each.deadline is not None}),
        snoozed_until=person.snoozed_until,
    )
