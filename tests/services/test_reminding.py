"""Who is reminded, when, and what ends it."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from bot.domain.card import Blocked, Role
from bot.domain.notices import Reminder
from bot.domain.observation import Verdict
from bot.errors import BadInput, NotYours, RecipientUnreachable
from bot.store import outbox, registrations
from tests.services.conftest import START

ALICE, BOB = 101, 102


@pytest.fixture
def reminders(sender):
    """The reminders that arrived, oldest first."""
    return lambda user_id=ALICE: [
        each for each in sender.envelopes if each.user_id == user_id and isinstance(each.notice, Reminder)
    ]


@pytest.fixture
def turn(app, clock):
    """Let time pass, then turn the reminding and the delivering loop once."""

    async def turn(**delta: float) -> int:
        clock.move(**delta)
        owed = await app.reminding.owe_due()
        await app.delivering.deliver_due()
        return owed

    return turn


async def test_one_digest_for_everything_that_is_open(app, register, world, turn, reminders):
    first, second, done = world.unpatched(), world.unpatched(), world.patched()
    await register(f"{first} {second} {done}", label="vault", guild_name="Permaville")
    assert await turn(days=6) == 0
    assert await turn(days=2) == 1
    (envelope,) = reminders()
    notice = envelope.notice
    assert {line.process for line in notice.processes} == {first, second}
    assert (notice.number, notice.community, notice.deadline) == (1, "Permaville", None)
    assert len((await app.ticketing.open(notice.ticket)).processes) == 2
    assert await turn() == 0


async def test_they_come_by_the_interval_and_end(app, register, world, turn, reminders, clock):
    app.agenda.rule = replace(app.agenda.rule, at_most=4)
    await register(world.unpatched())
    for _ in range(7):
        await turn(days=8)
    assert [each.notice.number for each in reminders()] == [1, 2, 3, 4]
    assert [each.notice.last for each in reminders()] == [False, False, False, True]
    assert {each.notice.since for each in reminders()} == {START}
    (card,) = await app.registering.cards(ALICE)
    assert card.next_reminder is None


async def test_never_more_than_once_a_day_counted_from_when_it_was_sent(app, register, world, turn, reminders, clock):
    draft = await app.announcing.draft(1, 2, 3, "Move", clock() + timedelta(days=4, hours=1), "token")
    await app.announcing.post(draft.migration_id, 3)
    await register(world.unpatched(), migration_id=draft.migration_id)
    app.delivering._stop.set()  # the sender is down for some hours
    await turn(days=1, hours=6)
    app.delivering._stop.clear()
    sent_at: list[datetime] = []
    for _ in range(60):
        before = len(reminders())
        await turn(hours=2)
        sent_at += [clock()] * (len(reminders()) - before)
    assert len(sent_at) >= 4
    assert all(later - earlier >= timedelta(hours=24) for earlier, later in pairwise(sent_at))


async def test_a_migrations_date_is_named_and_kept(app, register, world, turn, reminders, clock):
    deadline = clock() + timedelta(days=8)
    draft = await app.announcing.draft(1, 2, 3, "Move", deadline, "token", guild_name="Permaville")
    await app.announcing.post(draft.migration_id, 3)
    await register(world.unpatched(), migration_id=draft.migration_id)
    for _ in range(8 * 4):
        await turn(hours=6)
    assert [each.notice.deadline for each in reminders()] == [deadline] * len(reminders())
    assert reminders()[0].notice.community == "Permaville"
    assert len(reminders()) >= 3


async def test_only_confirmed_not_patched_of_their_own_is_reminded(app, register, world, turn, reminders):
    await register(world.unpatched(), role=Role.WATCHING)
    await register(world.nowhere())
    await register(world.patched())
    assert await turn(days=10) == 0
    assert reminders() == []


async def test_what_is_blocked_is_not_reminded(app, register, world, turn, clock):
    await register(world.unpatched())
    (card,) = await app.registering.cards(ALICE)
    await app.reminding.blocking.block(ALICE, card.process, Blocked.LOST_WALLET)
    assert await turn(days=10) == 0
    (card,) = await app.registering.cards(ALICE)
    assert (card.next_reminder, card.no_sign_link) == (None, "blocked")


async def test_quiet_hours_are_kept(app, register, world, turn, reminders, clock):
    clock.move(hours=11)  # 23:00
    await register(world.unpatched())
    arrived: list[int] = []
    for _ in range(9 * 24):
        before = len(reminders())
        await turn(hours=1)
        arrived += [clock().hour] * (len(reminders()) - before)
    assert len(arrived) == 1
    assert 8 <= arrived[0] < 22


async def test_a_reminder_held_up_into_the_night_waits_for_the_morning(app, register, world, turn, reminders, clock):
    await register(world.unpatched())
    app.delivering._stop.set()
    await turn(days=7, hours=4)
    app.delivering._stop.clear()
    await turn(hours=7)
    assert reminders() == []
    await turn(hours=10)
    assert len(reminders()) == 1


async def test_what_was_patched_meanwhile_leaves_a_reminder_that_is_on_its_way(
    app, register, world, turn, reminders, clock
):
    first, second = world.unpatched(), world.unpatched()
    await register(f"{first} {second}")
    app.delivering._stop.set()
    await turn(days=8)
    world.patch(first)
    world.let_nodes_compute(first)
    await app.checking.check_now(ALICE, first)
    app.delivering._stop.clear()
    await turn()
    (envelope,) = reminders()
    assert [line.process for line in envelope.notice.processes] == [second]


async def test_a_snooze_holds_and_ends_by_itself(app, register, world, turn, reminders, clock):
    await register(world.unpatched())
    await turn(days=8)
    until = clock() + timedelta(days=7)
    assert await app.wishing.snooze(ALICE, reminders()[0].delivery_id, until) == until
    assert await turn(days=6) == 0
    assert await turn(days=1) == 1
    assert await turn(days=8) == 1


async def test_a_snooze_is_bounded(app, register, world, turn, reminders, clock):
    await register(world.unpatched())
    await turn(days=8)
    delivery_id = reminders()[0].delivery_id
    with pytest.raises(BadInput, match="passed"):
        await app.wishing.snooze(ALICE, delivery_id, clock() - timedelta(hours=1))
    due = await app.wishing.snooze(ALICE, delivery_id, clock() + timedelta(days=10_000))
    assert due - clock() <= timedelta(days=90)


async def test_stop_ends_reminders_and_links_and_resume_begins_again(app, register, world, turn, reminders, clock):
    await register(world.unpatched())
    await turn(days=8)
    await app.wishing.stop(ALICE, reminders()[0].delivery_id)
    assert await turn(days=30) == 0
    (card,) = await app.registering.cards(ALICE)
    assert (card.stopped, card.next_reminder) == (True, None)
    assert await app.wishing.resume(ALICE) is not None
    assert await turn(days=1) == 1


async def test_stop_takes_back_what_is_on_its_way(app, register, world, turn, reminders):
    await register(world.unpatched())
    app.delivering._stop.set()
    await turn(days=8)
    await app.wishing.stop(ALICE)
    app.delivering._stop.clear()
    await turn()
    assert reminders() == []


async def test_registering_is_an_act_that_begins_again(app, register, world, turn):
    process = world.unpatched()
    await register(process)
    await app.wishing.stop(ALICE)
    await register(process)
    assert await turn(days=8) == 1


async def test_buttons_are_only_their_owners(app, register, world, turn, reminders, clock):
    await register(world.unpatched())
    await register(world.unpatched(), BOB)
    await turn(days=8)
    delivery_id = reminders()[0].delivery_id
    with pytest.raises(NotYours):
        await app.wishing.snooze(BOB, delivery_id, clock() + timedelta(days=1))
    with pytest.raises(NotYours):
        await app.wishing.stop(BOB, delivery_id)
    with pytest.raises(NotYours):
        await app.wishing.stop(ALICE, 10**6)


async def test_closed_dms_end_the_planning_until_the_person_acts(app, register, world, turn, sender):
    await register(world.unpatched())
    sender.faults = [RecipientUnreachable("Closed.", code=50007)]
    await turn(days=8)
    assert await turn(days=30) == 0
    assert await app.wishing.resume(ALICE) is not None
    assert await turn(days=1) == 1


async def test_a_turn_to_patched_lets_the_count_begin_anew(app, register, world, turn, reminders, clock):
    process = world.unpatched()
    await register(process)
    for _ in range(4):
        await turn(days=8)
    world.patch(process)
    world.let_nodes_compute(process)
    card = await app.checking.check_now(ALICE, process)
    assert card.status is Verdict.PATCHED
    assert await turn(days=30) == 0
    await register(world.unpatched())
    await turn(days=8)
    assert reminders()[-1].notice.number == 1


@pytest.mark.slow
async def test_ten_people_are_owed_ten_and_each_once(app, register, world, clock):
    process = world.unpatched()
    for user_id in range(1, 11):
        await register(process, user_id)
    clock.move(days=8)
    assert await app.reminding.owe_due() == 10
    assert await app.reminding.owe_due() == 0
    async with app.database.read() as connection:
        for user_id in range(1, 11):
            kinds = [each.kind for each in await outbox.of_person(connection, user_id)]
            assert kinds == ["reminder", "first_dm"]
            assert len(await registrations.of_person(connection, user_id)) == 1


async def test_one_reminder_that_cannot_be_made_keeps_no_other_waiting(app, register, world, turn, reminders):
    for user_id in (ALICE, BOB):
        await register(world.unpatched(), user_id)
    owe_one = app.reminding._owe_one

    async def fail(connection, person, opened, names, now):
        owed = await owe_one(connection, person, opened, names, now)
        if person.user_id == ALICE:
            raise ZeroDivisionError
        return owed

    app.reminding._owe_one = fail
    assert await turn(days=8) == 1
    assert (len(reminders(ALICE)), len(reminders(BOB))) == (0, 1)


async def test_a_reminder_that_was_withdrawn_unsent_keeps_the_next_one_away_no_longer(app, register, world, clock):
    process = world.unpatched()
    await register(process)
    clock.move(days=8)
    assert await app.reminding.owe_due() == 1
    await app.reminding.blocking.block(ALICE, process, Blocked.LOST_WALLET)
    await app.delivering.deliver_due()
    await app.reminding.blocking.block(ALICE, process, None)
    person = await app.registering.person(ALICE)
    assert person.last_reminder_at is None
    assert person.next_reminder_at - clock() < timedelta(hours=24)
