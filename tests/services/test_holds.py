"""How long something is held, what ends it, and that reminders rest meanwhile."""

from datetime import timedelta

import pytest

from bot.domain.notices import Reminder
from bot.services import holds
from bot.services.history import Fate
from bot.services.resting import resting

TEN = timedelta(minutes=10)
HOUR = timedelta(hours=1)
ALICE = 101


async def hold(database, clock):
    async with database.write() as connection:
        return await holds.hold(connection, holds.SENDS, now=clock(), first=TEN, longest=HOUR)


async def release(database, clock):
    async with database.write() as connection:
        await holds.release(connection, holds.SENDS, clock())


async def held(database, clock):
    async with database.read() as connection:
        return await holds.held_until(connection, holds.SENDS, clock())


async def test_each_further_hold_is_longer_until_the_longest(database, clock):
    lengths = []
    for _ in range(5):
        until = await hold(database, clock)
        lengths.append((until - clock()) // timedelta(minutes=1))
        clock.now = until
    assert lengths == [10, 20, 40, 60, 60]


async def test_a_success_after_it_ends_it_and_forgets_its_strikes(database, clock):
    clock.now = await hold(database, clock)
    await release(database, clock)
    assert await hold(database, clock) == clock() + TEN


async def test_a_success_while_it_lasts_tells_nothing(database, clock):
    until = await hold(database, clock)
    clock.move(minutes=9)
    await release(database, clock)
    assert await held(database, clock) == until
    clock.now = until
    assert await hold(database, clock) == clock() + 2 * TEN, "its strike still counts"


async def look(app, clock):
    """Look once, some minutes later, as the loops would that turn side by side: who is reminded comes first."""
    clock.move(minutes=3)
    owed = await app.reminding.owe_due()
    await app.checking.sweep_once()
    return owed


def reminded(sender) -> list[Reminder]:
    return [each.notice for each in sender.envelopes if isinstance(each.notice, Reminder)]


@pytest.mark.slow
@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
async def test_in_an_outage_nobody_is_reminded_between_two_looks_either(app, register, world, clock):
    for user_id in range(200, 206):
        await register(world.unpatched(), user_id)
    clock.move(days=7, hours=4)
    world.fail()
    await app.checking.sweep_once()
    assert sum([await look(app, clock) for _ in range(12)]) == 0
    world.recover()
    assert sum([await look(app, clock) for _ in range(14)]) == 6


@pytest.mark.slow
@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
async def test_a_reminder_on_its_way_waits_for_a_look_too(app, register, world, clock, sender):
    for user_id in range(200, 206):
        await register(world.unpatched(), user_id)
    clock.move(days=7, hours=4)
    assert await app.reminding.owe_due() == 6
    world.fail()
    await app.checking.sweep_once()
    async with app.database.read() as connection:
        clock.now = (await holds.standing(connection))[holds.CHECKS] + timedelta(seconds=1)
    await app.delivering.deliver_due()
    assert not reminded(sender)
    assert (await app.history.of_person(200))[0].fate is Fate.NODES_OUT
    world.recover()
    await app.checking.sweep_once()
    clock.move(minutes=2)
    await app.delivering.deliver_due()
    assert len(reminded(sender)) == 6


async def test_an_outage_ends_though_nothing_is_left_to_look_at(app, register, world, clock):
    process = world.unpatched()
    await register(process)
    async with app.database.write() as connection:
        await holds.hold(connection, holds.CHECKS, now=clock(), first=TEN, longest=HOUR)
    assert (await now_resting(app, clock)).until == clock() + TEN
    clock.move(minutes=11)
    assert await now_resting(app, clock) is not None, "a look may come"
    clock.move(hours=1)
    assert await now_resting(app, clock) is None
    clock.move(hours=30)
    assert await now_resting(app, clock) is not None, "one is due"
    await app.registering.unregister(ALICE, process)
    assert await now_resting(app, clock) is None


async def now_resting(app, clock):
    async with app.database.read() as connection:
        return await resting(connection, app.agenda.settings, clock())
