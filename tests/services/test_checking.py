"""The sweep and the looks that people ask for: the real reader against an AO network over sockets."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.card import Role
from bot.domain.notices import Patched, Regressed, Unreadable
from bot.domain.observation import Verdict
from bot.domain.verdict import Reason
from bot.errors import NotYours
from bot.services import holds
from bot.store import outbox, processes
from sandbox.ao import Lie

ALICE, BOB, CAROL, OPERATOR = 101, 102, 103, 900


@pytest.fixture
def told(app):
    async def told(user_id: int = ALICE, *kinds: type) -> list:
        """Everything that was owed to a person, first DMs aside, oldest first."""
        async with app.database.read() as connection:
            messages = await outbox.of_person(connection, user_id)
        return [each.notice for each in reversed(messages) if each.kind != "first_dm"]

    return told


@pytest.fixture
def sweep(app, clock):
    async def sweep(**delta: float) -> int:
        clock.move(**delta)
        return await app.checking.sweep_once()

    return sweep


async def status(app, user_id: int = ALICE) -> Verdict:
    (card,) = await app.registering.cards(user_id)
    return card.status


async def test_nothing_is_looked_at_before_it_is_due(register, world, sweep):
    await register(world.unpatched())
    assert await sweep(hours=1) == 0
    assert await sweep(hours=7) == 1
    assert await sweep() == 0


async def test_its_owner_is_told_once_when_it_turns_patched(app, register, world, sweep, told):
    first, second = world.unpatched(), world.unpatched()
    await register(f"{first} {second}", label="vault")
    world.patch(first)
    world.let_nodes_compute(first)
    for _ in range(3):
        await sweep(hours=30)
    (notice,) = await told()
    assert isinstance(notice, Patched)
    assert (notice.process.process, notice.process.label, notice.open_processes) == (first, "vault", 1)
    assert (notice.shown, notice.nodes) == (("cache/balances",), 2)
    assert notice.node_url.endswith(f"/{first}~process@1.0/compute/cache/keys/serialize~json@1.0")


async def test_reminders_end_with_it(app, register, world, sweep):
    process = world.unpatched()
    await register(process)
    world.patch(process)
    world.let_nodes_compute(process)
    await sweep(hours=8)
    (card,) = await app.registering.cards(ALICE)
    assert (card.status, card.next_reminder) == (Verdict.PATCHED, None)


async def test_watchers_hear_only_patched(app, register, world, sweep, told):
    process = world.unpatched()
    await register(process, role=Role.WATCHING)
    world.patch(process)
    world.let_nodes_compute(process)
    await sweep(hours=8)
    (notice,) = await told()
    assert isinstance(notice, Patched)


async def test_a_regression_is_told_and_reminded_again(app, register, world, sweep, told, clock):
    process = world.patched()
    await register(process)
    await register(process, BOB, role=Role.WATCHING)
    world.patch(process)  # a message that changes nothing: what was seen at another slot proves nothing now
    world.let_nodes_compute(process)
    for node in world.network.nodes:
        node.faults.lie = Lie.NOT_PATCHED  # what two operators say is what is so
    await sweep(hours=30)
    (notice,) = await told()
    assert isinstance(notice, Regressed)
    assert (await app.ticketing.open(notice.ticket)).processes[0].process == process
    assert await told(BOB) == []
    (card,) = await app.registering.cards(ALICE)
    assert timedelta(days=7) <= card.next_reminder - clock() <= timedelta(days=8)


async def test_unknown_moves_no_status_and_owes_nothing(app, register, world, sweep, told):
    process = world.unpatched()
    await register(process)
    for node in world.network.nodes:
        node.faults.lost.add(process)
    assert await sweep(hours=8) == 1
    (card,) = await app.registering.cards(ALICE)
    assert (card.status, card.latest.verdict) == (Verdict.NOT_PATCHED, Verdict.UNKNOWN)
    assert await told() == []


async def test_unknown_for_three_days_on_healthy_nodes_is_told_once(app, register, world, sweep, told):
    process = world.network.spawn(world.owner, scheduled=False)
    await register(process)
    for _ in range(6):
        await sweep(hours=25)
    (notice,) = await told()
    assert isinstance(notice, Unreadable)
    assert notice.reason in set(Reason)


@pytest.mark.slow
async def test_when_many_checks_fail_at_once_everything_is_held_and_it_rings(app, register, world, sweep, told, clock):
    await register(" ".join(world.unpatched() for _ in range(8)))
    before = [card.latest for card in await app.registering.cards(ALICE)]
    world.fail()
    assert await sweep(hours=8) == 8
    assert [card.latest for card in await app.registering.cards(ALICE)] == before
    assert await sweep() == 0, "held"
    (alarm,) = await told(OPERATOR)
    assert "8 of 8 checks failed" in alarm.sentence
    clock.move(days=8)
    async with app.database.write() as connection:
        await holds.hold(connection, holds.CHECKS, now=clock(), first=timedelta(hours=1), longest=timedelta(hours=1))
    assert await app.reminding.owe_due() == 0, "nobody is reminded meanwhile"
    world.recover()
    while not all(node.healthy for node in await app.reader.healthy_nodes()):  # noqa: ASYNC110 -- they are asked anew
        await asyncio.sleep(0.05)
    assert await sweep(hours=2) == 5, "a few go first"
    assert await sweep() == 3
    assert await app.reminding.owe_due() == 1


async def test_one_process_that_fails_alone_holds_nothing(app, register, world, sweep):
    lost = world.unpatched()
    await register(f"{lost} {world.unpatched()} {world.unpatched()}")
    for node in world.network.nodes:
        node.faults.lost.add(lost)
    assert await sweep(hours=8) == 3
    async with app.database.read() as connection:
        assert not await holds.on_trial(connection, holds.CHECKS)


async def test_what_nobody_waits_for_any_more_is_not_written(app, register, world, sweep, clock):
    """While the sweep looks, somebody unregisters: its result has nowhere to go, and brings nothing back."""
    process = world.unpatched()
    await register(process)
    clock.move(hours=8)
    for node in world.network.nodes:
        node.faults.delay = 0.2
    sweeping = asyncio.create_task(app.checking.sweep_once())
    await asyncio.sleep(0.1)
    await app.registering.unregister(ALICE, process)
    assert await sweeping == 1
    async with app.database.read() as connection:
        assert await processes.find(connection, process) is None


async def test_a_person_who_waits_takes_the_look_over_from_the_sweep(app, register, world, clock, told):
    process = world.unpatched()
    await register(process)
    clock.move(hours=8)
    world.patch(process)
    world.let_nodes_compute(process)
    for node in world.network.nodes:
        node.faults.delay = 0.1
    sweeping = asyncio.create_task(app.checking.sweep_once())
    await asyncio.sleep(0.05)
    card = await app.checking.check_now(ALICE, process)
    await sweeping
    assert card.status is Verdict.PATCHED
    assert len(await told()) == 1


async def test_check_now_is_for_ones_own(app, register, world):
    process = world.unpatched()
    await register(process, BOB)
    with pytest.raises(NotYours):
        await app.checking.check_now(ALICE, process)


async def test_looking_at_any_process_stores_nothing(app, world):
    process = world.patched()
    card = await app.checking.look(ALICE, process, ("balances",))
    assert (card.registration_id, card.status, card.keys) == (0, Verdict.PATCHED, ("balances",))
    assert card.evidence
    async with app.database.read() as connection:
        assert await processes.find(connection, process) is None


async def test_after_a_signature_it_looks_until_it_turns(app, register, world, told):
    process = world.unpatched()
    await register(process)
    app.checking._settings = app.settings.checks.model_copy(update={"after_signature": timedelta(seconds=0.1)})
    looking = asyncio.create_task(app.checking.signed(process))
    await asyncio.sleep(0.05)
    world.patch(process)
    card = await looking
    assert card.status is Verdict.PATCHED
    assert len(await told()) == 1
    assert await app.checking.signed(world.nowhere()) is None


async def test_one_process_with_two_sets_of_keys_is_observed_once(app, register, world, sweep):
    process = world.patched()
    await register(process, keys=("balances",))
    await register(process, BOB, keys=("other",))
    assert (await status(app, ALICE), await status(app, BOB)) == (Verdict.PATCHED, Verdict.NOT_PATCHED)
    assert await sweep(hours=30) == 1
    assert (await status(app, ALICE), await status(app, BOB)) == (Verdict.PATCHED, Verdict.NOT_PATCHED)


async def test_the_sweep_loop_finds_what_is_due_and_stops_when_it_is_told(app, register, world, clock, told):
    process = world.unpatched()
    await register(process)
    world.patch(process)
    world.let_nodes_compute(process)
    clock.move(hours=8)
    sweeping = asyncio.create_task(app.checking.run())
    async with asyncio.timeout(5):
        while not await told():  # noqa: ASYNC110 -- what is waited for is in the database
            await asyncio.sleep(0.02)
        app.checking.stop_running()
        await sweeping
    assert app.checking.pulse.moved_at == clock()


async def test_one_process_that_cannot_be_written_keeps_no_other_waiting(app, register, world, sweep, clock):
    broken, fine = world.unpatched(), world.unpatched()
    await register(f"{broken} {fine}")
    tell = app.recording._turning.tell

    async def fail(connection, turns, now):
        if any(turn.target.process == broken for turn in turns):
            raise ZeroDivisionError
        return await tell(connection, turns, now)

    app.recording._turning.tell = fail
    assert await sweep(hours=8) == 2
    cards = {card.process: card for card in await app.registering.cards(ALICE)}
    assert cards[fine].checked_at == clock()
    assert cards[broken].checked_at < clock()
    async with app.database.read() as connection:
        assert (await processes.find(connection, broken)).next_look_at == clock() + timedelta(hours=1)
