"""What was read long before it is stored, and the line: nothing older overrules what is newer, nobody voids another."""

import asyncio

from bot.ao.line import AT_ONCE
from bot.domain.card import Role
from bot.domain.observation import Verdict
from bot.services.registering import RegisterRequest

ALICE, BOB = 101, 102


async def test_a_reading_that_waited_overrules_no_newer_look(app, world, clock, sender, register):
    process = world.unpatched()
    others = [world.unpatched(f"other {number}") for number in range(3)]
    await register(process, ALICE)
    clock.move(days=2)
    sender.received.clear()
    looked: list[Verdict] = []

    async def progress(done: int, of: int) -> None:
        if done == of == 4 and not looked:
            clock.move(minutes=5)
            world.patch(process)
            looked.append((await app.checking.check_now(ALICE, process)).status)
            await app.delivering.deliver_due()

    outcome = await app.registering.register(RegisterRequest(BOB, " ".join([process, *others]), Role.MINE), progress)
    assert looked == [Verdict.PATCHED]
    card = next(card for card in outcome.cards if card.process == process)
    assert card.status is Verdict.PATCHED, "it was read once more"
    assert (await app.checking.standing(process)).status is Verdict.PATCHED
    clock.move(days=2)
    await app.delivering.deliver_due()
    assert [each.notice.kind for each in sender.envelopes if each.user_id == ALICE] == ["patched"]


async def test_one_that_is_outdated_while_it_is_stored_turns_nothing_and_is_looked_at_again(
    app, world, clock, sender, register
):
    process = world.unpatched()
    await register(process, ALICE)
    clock.move(days=2)
    sender.received.clear()
    order = await app.registering._read(RegisterRequest(BOB, process, Role.MINE))
    old = await app.registering._anew.read(order.pasted.valid, order.required)
    clock.move(minutes=1)
    world.patch(process)
    assert (await app.checking.check_now(ALICE, process)).status is Verdict.PATCHED
    await app.registering._store(order, old)
    assert (await app.checking.standing(process)).status is Verdict.PATCHED
    assert await app.checking.sweep_once() == 1
    (card,) = await app.registering.cards(BOB)
    assert card.status is Verdict.PATCHED
    await app.delivering.deliver_due()
    assert [each.notice.kind for each in sender.envelopes if each.user_id == ALICE] == ["patched"]


async def test_who_waits_in_line_holds_no_lease_and_voids_no_look(app, world, clock, register):
    process = world.unpatched()
    await register(process, ALICE)
    clock.move(hours=8)
    world.patch(process)
    world.let_nodes_compute(process)
    line, gate, entered = app.checking._reader.line, asyncio.Event(), []

    async def occupy() -> None:
        async with line.turn():
            entered.append(line)
            await gate.wait()

    crowd = [asyncio.create_task(occupy()) for _ in range(AT_ONCE)]
    while len(entered) < AT_ONCE:  # noqa: ASYNC110 -- they all enter at their first step
        await asyncio.sleep(0)
    press = asyncio.create_task(app.checking.check_now(ALICE, process))
    async with asyncio.timeout(10):
        while not line._waiting:  # noqa: ASYNC110 -- the line tells nobody who came
            await asyncio.sleep(0.01)
    assert await app.checking.sweep_once() == 1, "the sweep needs no turn"
    assert (await app.checking.standing(process)).status is Verdict.PATCHED
    gate.set()
    assert (await press).status is Verdict.PATCHED
    await asyncio.gather(*crowd)
