"""What people decide about their reminders, and what it does to the next one."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.card import Blocked, Rest, Role
from bot.domain.notices import Regressed, Reminder
from bot.errors import BadInput, NotYours, RecipientUnreachable
from bot.services import holds
from bot.services.history import Fate
from bot.store import outbox, registrations
from sandbox.ao.faults import Lie
from tests.services.conftest import START

pytestmark = pytest.mark.slow

ALICE, BOB = 101, 102
OPERATOR = 900  # of the application's settings


@pytest.fixture
def told(app, sender):
    """Deliver what is due, and give a person's messages of a kind, oldest first."""

    async def told(kind: type, user_id: int = ALICE) -> list:
        await app.delivering.deliver_due()
        return [each.notice for each in sender.envelopes if each.user_id == user_id and isinstance(each.notice, kind)]

    return told


async def test_it_comes_at_the_hour_at_which_they_registered_until_they_choose(app, register, world):
    await register(world.unpatched())
    wishes = await app.wishing.wishes(ALICE)
    assert (wishes.hours.hour, wishes.open) == (START.hour, 1)
    due = wishes.person.next_reminder_at
    assert timedelta(0) <= due - (START + timedelta(days=7)) <= timedelta(hours=4)
    tokyo = ZoneInfo("Asia/Tokyo")
    changed = await app.wishing.change(ALICE, zone="asia/tokyo", hour=9)
    assert changed.person.zone == "Asia/Tokyo"
    assert changed.person.next_reminder_at.astimezone(tokyo).hour == 9


async def test_quiet_hours_move_it(app, register, world):
    await register(world.unpatched())
    changed = await app.wishing.change(ALICE, hour=12, quiet=(9, 17))
    assert changed.person.next_reminder_at.hour == 17
    changed = await app.wishing.change(ALICE, quiet=(0, 0))
    assert changed.person.next_reminder_at.hour == 12


async def test_how_often_is_within_the_operators_bounds(app, register, world, clock):
    await register(world.unpatched())
    app.agenda.settings = app.agenda.settings.model_copy(update={"at_most_apart": timedelta(days=14)})
    assert (await app.wishing.wishes(ALICE)).choices == (3, 7, 14)
    with pytest.raises(BadInput):
        await app.wishing.change(ALICE, apart_days=30)
    assert (await app.wishing.change(ALICE, apart_days=14)).person.apart_days == 14
    clock.move(days=8)
    assert await app.reminding.owe_due() == 1
    due = (await app.wishing.wishes(ALICE)).person.next_reminder_at
    assert due - clock() >= timedelta(days=14)
    due = (await app.wishing.change(ALICE, apart_days=0)).person.next_reminder_at
    assert due - clock() <= timedelta(days=8)


async def test_what_was_chosen_stays_within_bounds_that_the_operator_narrows_later(app, register, world, clock):
    await register(world.unpatched())
    await app.wishing.change(ALICE, apart_days=30)
    app.agenda.settings = app.agenda.settings.model_copy(update={"at_most_apart": timedelta(days=7)})
    clock.move(days=8)
    assert await app.reminding.owe_due() == 1
    due = (await app.wishing.wishes(ALICE)).person.next_reminder_at
    assert timedelta(days=7) <= due - clock() <= timedelta(days=8)


@pytest.mark.parametrize("wrong", [{"zone": "Nowhere"}, {"hour": 24}, {"quiet": (8, 25)}, {"apart_days": 1000}])
async def test_what_is_none_changes_nothing(app, register, world, wrong):
    await register(world.unpatched())
    before = await app.wishing.wishes(ALICE)
    with pytest.raises(BadInput):
        await app.wishing.change(ALICE, **wrong)
    assert await app.wishing.wishes(ALICE) == before


async def test_who_follows_nothing_has_nothing_to_decide(app):
    for act in (app.wishing.wishes(ALICE), app.wishing.change(ALICE, hour=3), app.wishing.when(ALICE, "day")):
        with pytest.raises(NotYours):
            await act


async def test_tonight_is_in_their_evening_or_in_some_hours(app, register, world, clock):
    await register(world.unpatched())
    assert await app.wishing.when(ALICE, "tonight") == clock() + timedelta(hours=8)
    await app.wishing.change(ALICE, zone="America/New_York")  # eight in the morning there
    evening = await app.wishing.when(ALICE, "tonight")
    assert evening.astimezone(ZoneInfo("America/New_York")).hour == 20
    assert evening - clock() < timedelta(hours=14)


async def test_tonight_comes_tonight_though_one_came_today(app, register, world, clock, told):
    await register(world.unpatched())
    clock.move(days=7, hours=4)
    await app.reminding.owe_due()
    assert len(await told(Reminder)) == 1
    (message, *_) = await _messages(app)
    await app.wishing.change(ALICE, zone="Europe/London")
    until = await app.wishing.when(ALICE, "tonight")
    assert await app.wishing.snooze(ALICE, message.id, until) == until
    assert until - clock() < timedelta(hours=6)
    clock.now = until
    await app.reminding.owe_due()
    assert len(await told(Reminder)) == 2


async def _messages(app, user_id: int = ALICE):
    async with app.database.read() as connection:
        return await outbox.of_person(connection, user_id)


async def test_a_day_is_one_of_their_own_calendar(app, register, world):
    await register(world.unpatched())
    await app.wishing.change(ALICE, zone="Pacific/Auckland", hour=10)
    when = await app.wishing.when(ALICE, "2026-06-01")
    there = when.astimezone(ZoneInfo("Pacific/Auckland"))
    assert (there.date(), there.hour) == (date(2026, 6, 1), 10)
    for choice in ("2026-02-30", "never", ""):
        with pytest.raises(BadInput):
            await app.wishing.when(ALICE, choice)


async def test_a_pause_ends_by_itself_and_a_stop_by_asking_for_a_day(app, register, world, clock, told):
    await register(world.unpatched())
    until = await app.wishing.when(ALICE, "2026-06-01")
    assert (await app.wishing.pause(ALICE, until)).date() == date(2026, 6, 1)
    clock.move(days=27)
    assert await app.reminding.owe_due() == 0
    clock.move(days=2)
    assert await app.reminding.owe_due() == 1
    await app.wishing.stop(ALICE)
    await app.wishing.say_why(ALICE, "too-many")
    person = await app.registering.person(ALICE)
    assert (person.stop_reason, person.next_reminder_at) == ("too-many", None)
    with pytest.raises(BadInput):
        await app.wishing.say_why(ALICE, "nonsense")
    await app.wishing.pause(ALICE, clock() + timedelta(days=3))
    person = await app.registering.person(ALICE)
    assert (person.stopped_at, person.stop_reason) == (None, None)


async def test_registering_what_was_blocked_begins_again_everywhere(app, register, world):
    process, other = world.unpatched(), world.unpatched()
    await register(f"{process} {other}")
    for each in (process, other):
        await app.reminding.blocking.block(ALICE, each, Blocked.LOST_WALLET)
    await register(process, role=Role.WATCHING)
    assert {card.blocked for card in await app.registering.cards(ALICE)} == {Blocked.LOST_WALLET}
    await register(process)
    blocked = {card.process: card.blocked for card in await app.registering.cards(ALICE)}
    assert blocked == {process: None, other: Blocked.LOST_WALLET}
    assert (await app.registering.person(ALICE)).next_reminder_at is not None


async def test_since_when_is_never_older_than_the_registration(app, register, world, clock, told):
    process = world.unpatched()
    await register(process, BOB)
    clock.move(days=20)
    await register(process)
    clock.move(days=8)
    await app.reminding.owe_due()
    (notice,) = await told(Reminder)
    assert notice.since == notice.processes[0].since == START + timedelta(days=20)


async def test_in_maintenance_nobody_is_reminded(app, register, world, clock, told):
    await register(world.unpatched())
    app.agenda.settings = app.agenda.settings.model_copy(update={"maintenance": True})
    clock.move(days=8)
    assert await app.reminding.owe_due() == 0
    app.agenda.settings = app.agenda.settings.model_copy(update={"maintenance": False})
    assert await app.reminding.owe_due() == 1
    app.agenda.settings = app.agenda.settings.model_copy(update={"maintenance": True})
    assert await told(Reminder) == []
    (newest, *_) = await app.history.of_person(ALICE)
    assert (newest.kind, newest.fate) == ("reminder", Fate.MAINTENANCE)
    app.agenda.settings = app.agenda.settings.model_copy(update={"maintenance": False})
    clock.move(hours=2)
    assert len(await told(Reminder)) == 1


async def test_an_operator_holds_reminders_while_it_runs(app, register, world, clock):
    await register(world.unpatched())
    clock.move(days=8)
    async with app.database.write() as connection:
        await holds.hold_until(connection, holds.MAINTENANCE, clock() + timedelta(hours=3))
    assert await app.reminding.owe_due() == 0
    async with app.database.write() as connection:
        await holds.end(connection, holds.MAINTENANCE)
    assert await app.reminding.owe_due() == 1
    async with app.database.write() as connection:
        await holds.hold_until(connection, holds.MAINTENANCE, clock() + timedelta(hours=3))
    assert (await app.history.of_person(ALICE))[0].fate is Fate.MAINTENANCE


@pytest.mark.parametrize(("hold", "rest"), [(holds.MAINTENANCE, Rest.MAINTENANCE), (holds.CHECKS, Rest.OUTAGE)])
async def test_while_reminders_rest_none_is_promised(app, register, world, clock, hold, rest):
    process = world.unpatched()
    await register(process)
    async with app.database.write() as connection:
        await holds.hold_until(connection, hold, clock() + timedelta(days=5))
    assert (await app.wishing.wishes(ALICE)).rest is None, "the next one comes after it"
    clock.move(days=3)
    async with app.database.write() as connection:
        await holds.hold_until(connection, hold, clock() + timedelta(days=20))
    clock.move(days=7)
    assert await app.reminding.owe_due() == 0
    assert (await app.wishing.wishes(ALICE)).rest is rest
    (card,) = await app.registering.cards(ALICE)
    assert (card.next_reminder, card.rest) == (None, rest)
    card = await app.checking.check_now(ALICE, process)
    assert (card.next_reminder, card.rest) == (None, rest)


async def test_what_comes_undone_together_is_one_message_and_that_day_there_is_no_other(
    app, register, world, clock, told
):
    waiting = world.unpatched()
    done = [world.patched() for _ in range(3)]
    await register(f"{waiting} {' '.join(done)}")
    clock.move(days=7, hours=4)
    assert await app.reminding.owe_due() == 1
    assert len(await told(Reminder)) == 1
    reminded_at = clock()
    await app.reminding.blocking.block(ALICE, waiting, Blocked.OTHER)
    for process in done:
        world.patch(process)
        world.let_nodes_compute(process)
    for node in world.network.nodes:
        node.faults.lie = Lie.NOT_PATCHED
    clock.move(hours=20)  # past the next look at each, whatever its jitter; it is eight in the morning
    await app.checking.sweep_once()
    assert await told(Regressed) == []
    clock.now = reminded_at + timedelta(hours=24)
    (notice,) = await told(Regressed)
    assert {notice.process.process, *(line.process for line in notice.others)} == set(done)
    assert len((await app.ticketing.open(notice.ticket)).processes) == 3
    person = await app.registering.person(ALICE)
    assert person.reminders_sent == 0, "the cadence begins anew"
    assert person.next_reminder_at - clock() >= timedelta(days=7)


async def test_a_patched_process_forgets_that_it_could_not_be_signed(app, register, world, clock):
    process = world.unpatched()
    await register(process)
    await app.reminding.blocking.block(ALICE, process, Blocked.OTHER)
    world.patch(process)
    world.let_nodes_compute(process)
    await app.checking.check_now(ALICE, process)
    async with app.database.read() as connection:
        (registration,) = await registrations.of_person(connection, ALICE)
    assert registration.blocked is None


async def test_history_says_why_a_message_waits_or_was_refused(app, register, world, clock, sender):
    sender.faults = [RecipientUnreachable("Closed.", code=50278)]
    await register(world.unpatched())
    assert [each.fate for each in await app.history.of_person(ALICE)] == [Fate.NO_MUTUAL_SERVER]
    await app.wishing.resume(ALICE)
    clock.move(days=8)
    await app.reminding.owe_due()
    assert (await app.history.of_person(ALICE))[0].fate is Fate.ON_ITS_WAY
    for name, fate in ((holds.SENDS, Fate.HELD_BY_DISCORD), (holds.CHECKS, Fate.NODES_OUT)):
        async with app.database.write() as connection:
            await holds.hold(connection, name, now=clock(), first=timedelta(hours=1), longest=timedelta(hours=1))
        assert (await app.history.of_person(ALICE))[0].fate is fate
    clock.move(hours=2)
    await app.wishing.stop(ALICE)
    assert (await app.history.of_person(ALICE))[0].fate is Fate.NOT_NEEDED
    assert await app.history.of_person(BOB) == []


async def test_alarms_leave_an_operator_the_history_of_their_own(app, register, world):
    await register(world.unpatched(), OPERATOR)
    for number in range(5):
        await app.alarms.ring(str(number), "Something is wrong.")
    await app.delivering.deliver_due()
    assert [each.kind for each in await app.history.of_person(OPERATOR)] == ["first_dm"]
