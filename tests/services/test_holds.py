"""How long something is held, and what ends it."""

from datetime import timedelta

from bot.services import holds

TEN = timedelta(minutes=10)
HOUR = timedelta(hours=1)


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
