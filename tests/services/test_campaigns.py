"""Months of people with several things to do: nothing is missed, all ends, and the last one says so."""

from datetime import timedelta

import pytest

from bot.domain.card import Blocked
from bot.domain.notices import Reminder
from bot.domain.observation import Verdict
from bot.store import outbox, people
from tests.services.conftest import START

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("template", ["sqlite"], indirect=True)]

ALICE = 101
DAY = timedelta(days=1)


@pytest.fixture
def campaign(app, clock):
    """Post a migration whose date is so many days from now, and give its id."""

    async def campaign(days: int, guild_id: int = 1) -> int:
        draft = await app.announcing.draft(guild_id, 2, 3, "Move", clock() + days * DAY, "token", guild_name="Perma")
        await app.announcing.post(draft.migration_id, 3)
        await app.delivering.deliver_due()
        return draft.migration_id

    return campaign


@pytest.fixture
def until(app, clock, sender):
    """Live until that day, from one thing that is due to the next, and give (day, reminder) of all so far."""
    got: list[tuple[int, Reminder]] = []

    async def until(day: int) -> list[tuple[int, Reminder]]:
        while clock() < START + day * DAY:
            async with app.database.read() as connection:
                due = [await people.next_due(connection), await outbox.next_due(connection)]
            ahead = [each for each in due if each is not None and each > clock()]
            clock.now = min([START + day * DAY, *ahead])
            before = len(sender.envelopes)
            await app.reminding.owe_due()
            await app.delivering.deliver_due()
            arrived = [each.notice for each in sender.envelopes[before:] if isinstance(each.notice, Reminder)]
            got.extend(((clock() - START).days, notice) for notice in arrived)
        return list(got)

    return until


@pytest.fixture
def patch(app, world):
    """Have a process turn patched and be looked at."""

    async def patch(process: str) -> None:
        world.patch(process)
        world.let_nodes_compute(process)
        assert (await app.checking.check_now(ALICE, process)).status is Verdict.PATCHED

    return patch


async def test_each_of_several_dates_is_reminded_of_and_only_the_last_says_so(app, register, world, campaign, until):
    for number, days in enumerate((40, 80, 120, 160, 200)):
        await register(world.unpatched(f"P{number}"), migration_id=await campaign(days, 10 + number))
    got = await until(260)
    days = {day for day, _ in got}
    for date in (40, 80, 120, 160, 200):
        assert {date - 7, date - 3, date - 1, date + 1} <= days
    assert [notice.last for _, notice in got] == [False] * (len(got) - 1) + [True]
    assert got[-1][0] == 238
    assert (await app.registering.person(ALICE)).next_reminder_at is None


async def test_what_has_no_date_goes_on_after_what_had_one(app, register, world, campaign, until, patch):
    dated, undated = world.unpatched("A"), world.unpatched("B")
    await register(dated, migration_id=await campaign(20))
    await register(undated)
    assert len(await until(45)) > 9
    await patch(dated)
    later = [(day, notice.last) for day, notice in await until(200) if day > 45]
    assert len(later) > 3
    assert later[-1] == (max(day for day, _ in later), True)
    assert not any(last for _, last in later[:-1])


async def test_what_could_be_read_late_is_reminded_of(app, register, world, campaign, until):
    dated, late = world.unpatched("A"), world.unpatched("B")
    for node in world.network.nodes:
        node.faults.lost.add(late)
    await register(dated, migration_id=await campaign(20))
    await register(late)
    assert (await until(65))[-1][1].last
    for node in world.network.nodes:
        node.faults.lost.clear()
    assert (await app.checking.check_now(ALICE, late)).status is Verdict.NOT_PATCHED
    days = [day for day, _ in await until(300) if day > 65]
    assert days[:3] == [72, 79, 86]
    got = await until(301)
    assert got[-1][1].last
    assert len(days) == 9


async def test_what_was_promised_is_the_last_where_what_it_was_for_is_done(
    app, register, world, campaign, until, patch
):
    dated, undated = world.unpatched("A"), world.unpatched("B")
    await register(undated)
    await register(dated, migration_id=await campaign(250))
    before = await until(244)
    assert not before[-1][1].last
    await patch(dated)
    after = (await until(300))[len(before) :]
    assert [(notice.last, len(notice.processes)) for _, notice in after] == [(True, 1)]


async def test_a_pause_holds_though_nothing_is_known_to_be_open_yet(app, register, world, until, sender, clock):
    process = world.unpatched()
    world.fail()
    await register(process)
    await app.wishing.snooze(ALICE, sender.envelopes[-1].delivery_id, clock() + 60 * DAY)
    world.recover()
    clock.move(days=1)
    assert (await app.checking.check_now(ALICE, process)).status is Verdict.NOT_PATCHED
    assert [day for day, _ in await until(68)] == [60, 67]


async def test_a_pause_holds_for_what_is_taken_up_again(app, register, world, until, clock):
    process = world.unpatched()
    await register(process)
    await app.wishing.pause(ALICE, clock() + 60 * DAY)
    await app.reminding.blocking.block(ALICE, process, Blocked.LOST_WALLET)
    await register(process)
    assert [day for day, _ in await until(63)] == [60]


async def test_a_pause_that_passed_while_nothing_was_open_brings_none_at_once(app, register, world, until, clock):
    process = world.unpatched()
    await register(process)
    await app.wishing.pause(ALICE, clock() + 5 * DAY)
    await app.reminding.blocking.block(ALICE, process, Blocked.LOST_WALLET)
    await until(10)
    later = world.unpatched("later")
    await register(later)
    assert [day for day, _ in await until(20)] == [17]


async def test_the_last_one_says_so_also_where_it_went_late(app, register, world, campaign, until, sender):
    await register(world.unpatched("A"), migration_id=await campaign(2))
    await until(29)
    app.delivering._stop.set()  # what is due on day 33 waits, and so the one of day 40 falls together with it
    await until(45)
    app.delivering._stop.clear()
    assert [notice.last for _, notice in (await until(60))][-2:] == [False, True]
    assert (await app.registering.person(ALICE)).next_reminder_at is None
