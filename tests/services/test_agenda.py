"""A plan is made of what people follow when it is written, whatever else is written at that time."""

import asyncio

from bot.domain.card import Blocked, Role
from bot.services.agenda import Agenda
from bot.services.registering import RegisterRequest
from bot.store import people, registrations

ALICE = 101


async def test_a_plan_waits_for_what_another_transaction_changes(app, world, clock):
    given_up, kept = world.unpatched(), world.unpatched()
    await app.registering.register(RegisterRequest(ALICE, f"{given_up} {kept}", Role.MINE))
    await app.reminding.blocking.block(ALICE, kept, Blocked.OTHER)
    async with app.database.write() as connection:
        await people.find(connection, ALICE, lock=True)
        (mine,) = await registrations.of_person(connection, ALICE, kept)
        unregistering = asyncio.create_task(app.registering.unregister(ALICE, given_up))
        await asyncio.wait([unregistering], timeout=0.5)  # until it waits for us
        await registrations.change(connection, [mine.id], blocked=None)
        await Agenda(app.settings.reminders, app.settings.checks).plan(connection, [ALICE], clock())
    await unregistering
    person = await app.registering.person(ALICE)
    assert person.next_reminder_at is not None
