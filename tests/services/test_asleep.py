"""News of no hurry is kept for the morning, unless its reader has just done something."""

from datetime import timedelta

import pytest

from bot.domain.notices import Patched, Unreadable
from bot.services.history import Fate
from bot.store import registrations
from sandbox.ao.faults import Lie

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("template", ["sqlite"], indirect=True)]

ALICE, BOB = 101, 102


@pytest.fixture
def told(app, sender):
    """Deliver what is due, and give what somebody was told of that kind."""

    async def told(kind: type, user_id: int = ALICE) -> list:
        await app.delivering.deliver_due()
        return [each.notice for each in sender.envelopes if each.user_id == user_id and isinstance(each.notice, kind)]

    return told


@pytest.fixture
def patch(app, world):
    """Have processes turn patched, each seen by a sweep."""

    async def patch(*processes: str) -> None:
        for process in processes:
            world.patch(process)
            world.let_nodes_compute(process)
        await app.checking.sweep_once()

    return patch


async def test_what_a_sweep_finds_in_the_night_is_told_in_the_morning(app, register, world, patch, told, clock):
    first, second = world.unpatched("A"), world.unpatched("B")
    await register(f"{first} {second}")
    await register(second, BOB)
    clock.move(hours=15)  # three in the night; the next look is due, whatever its jitter
    await patch(first)
    assert await told(Patched) == []
    (owed, *_) = await app.history.of_person(ALICE)
    assert (owed.kind, owed.fate, owed.until.hour) == ("patched", Fate.QUIET, 8)
    clock.move(hours=1)
    await patch(second)
    await app.checking.check_now(BOB, second)
    assert len(await told(Patched, BOB)) == 1
    clock.now = owed.until
    (notice,) = await told(Patched)
    assert [notice.process.process, *(each.process for each in notice.others)] == [first, second]


async def test_what_waits_for_the_morning_goes_with_news_of_somebody_awake(app, register, world, patch, told, clock):
    found, signed = world.unpatched("A"), world.unpatched("B")
    await register(f"{found} {signed}")
    clock.move(hours=15)
    await patch(found)
    assert await told(Patched) == []
    clock.move(hours=1)
    world.patch(signed)
    world.let_nodes_compute(signed)
    await app.checking.check_now(ALICE, signed)
    (notice,) = await told(Patched)
    assert [notice.process.process, *(each.process for each in notice.others)] == [found, signed]


async def test_what_came_undone_and_back_in_the_night_is_one_message(app, register, world, patch, told, clock):
    process = world.unpatched()
    await register(process)
    await register(process, BOB)
    clock.move(hours=15)
    await patch(process)
    for lie in (Lie.NOT_PATCHED, None):
        clock.move(minutes=20)
        for node in world.network.nodes:
            node.faults.lie = lie
        if lie is None:
            await patch(process)
        await app.checking.check_now(BOB, process)
    clock.move(hours=6)
    assert len(await told(Patched)) == 1


@pytest.mark.parametrize("act", ["check now", "sign"])
async def test_who_has_just_acted_is_told_at_once(app, register, world, patch, told, clock, act):
    process = world.unpatched()
    await register(process)
    await register(process, BOB)
    clock.move(hours=14)
    if act == "check now":
        await app.checking.check_now(ALICE, process)
        world.patch(process)
        world.let_nodes_compute(process)
        await app.checking.check_now(ALICE, process)
    else:
        await app.ticketing.keep_signed(await _ticket(app, clock), ())
        await patch(process)
    assert len(await told(Patched)) == 1
    assert await told(Patched, BOB) == [], "somebody else's act wakes nobody"


async def _ticket(app, clock) -> str:
    async with app.database.write() as connection:
        return await app.ticketing.mint_in(connection, ALICE, await _followed(connection), clock())


async def _followed(connection):
    return await registrations.of_person(connection, ALICE)


async def test_that_no_node_can_read_it_waits_too_and_is_taken_back_where_one_can(app, register, world, told, clock):
    process = world.unpatched()
    await register(process)
    for node in world.network.nodes:
        node.faults.lost.add(process)
    while not [each for each in await app.history.of_person(ALICE) if each.kind == "unreadable"]:
        clock.now = clock().replace(hour=3) + timedelta(days=1)
        await app.checking.sweep_once()
        assert await told(Unreadable) == []
    for node in world.network.nodes:
        node.faults.lost.clear()
    clock.move(hours=3)
    await app.checking.check_now(ALICE, process)
    clock.move(hours=3)
    assert await told(Unreadable) == []
    assert (await app.history.of_person(ALICE))[0].fate is Fate.NOT_NEEDED
