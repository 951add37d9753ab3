"""Nobody sees on their card that somebody else looked: its look is one that was due by it, or that they made."""

from datetime import timedelta
from itertools import pairwise

import pytest

from bot.domain.card import Role
from bot.domain.observation import Verdict
from bot.store import registrations

ALICE, BOB = 101, 102
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def card(app):
    async def card(user_id: int):
        (card,) = await app.registering.cards(user_id)
        return card

    return card


def seen(card) -> tuple:
    """All of a card that a look may move."""
    return card.checked_at, card.latest, card.evidence, card.requests, card.next_check, card.status, card.since


@pytest.fixture
async def settled(app, world, register, clock, card):
    """A process that Alice has followed for days."""
    process = world.unpatched()
    await register(process, ALICE)
    for _ in range(9):
        clock.move(hours=7.5)
        await app.checking.sweep_once()
    assert (await card(ALICE)).checked_at == clock()
    clock.move(hours=2)
    return process


@pytest.mark.parametrize("keys", [(), ("total",)], ids=["same-keys", "other-keys"])
async def test_registering_and_checking_move_nobody_elses_card(app, register, settled, clock, card, keys):
    before = seen(await card(ALICE))
    outcome = await register(settled, BOB, keys=keys)
    registered_at = clock()
    assert outcome.cards[0].checked_at == registered_at
    clock.move(minutes=20)
    assert seen(await card(ALICE)) == before
    assert (await card(BOB)).checked_at == registered_at

    checked = await app.checking.check_now(BOB, settled)
    checked_at = clock()
    clock.move(minutes=20)
    await register(settled, BOB, keys=keys)
    assert (await card(BOB)).checked_at == clock()
    clock.move(minutes=20)
    await app.checking.check_now(BOB, settled)
    last = clock()
    clock.move(minutes=20)
    assert checked.checked_at == checked_at
    assert (await card(BOB)).checked_at == last
    assert seen(await card(ALICE)) == before


@pytest.mark.slow
@pytest.mark.parametrize("keys", [(), ("total",)], ids=["same-keys", "other-keys"])
async def test_a_card_moves_when_it_said_whatever_others_do(app, register, settled, clock, card, keys):
    shown = [await card(ALICE)]
    hours = 0.0
    for step in range(3 * 48):
        hours += 0.5
        clock.move(minutes=30)
        if step == 2:
            await register(settled, BOB, keys=keys)
        elif step % 5 == 0 and step > 2:
            await app.checking.check_now(BOB, settled)
        elif step % 31 == 0 and step > 2:
            await app.registering.unregister(BOB, settled)
            await register(settled, BOB, Role.WATCHING, keys=keys)
        await app.checking.sweep_once()
        now = await card(ALICE)
        if now.checked_at != shown[-1].checked_at:
            shown.append(now)
        assert clock() < shown[-1].next_check + HALF_AN_HOUR
    assert 10 <= len(shown) <= 12  # 72 hours, every 6 to 7.2 hours at steps of half an hour
    for before, after in pairwise(shown):
        assert before.checked_at + timedelta(hours=6) <= after.checked_at <= before.next_check + HALF_AN_HOUR


async def test_a_status_that_turned_is_shown_with_the_look_that_turned_it(app, world, register, settled, clock, card):
    await register(settled, BOB)
    world.patch(settled)
    world.let_nodes_compute(settled)
    clock.move(minutes=20)
    await app.checking.check_now(BOB, settled)
    shown = await card(ALICE)
    assert (shown.status, shown.since, shown.checked_at) == (Verdict.PATCHED, clock(), clock())
    assert shown.latest.verdict is Verdict.PATCHED


async def test_what_could_not_be_told_is_shown_to_who_asked_and_soon_looked_at_again(
    app, world, register, settled, clock, card
):
    await register(settled, BOB)
    clock.move(minutes=5)
    before = seen(await card(ALICE))
    for node in world.network.nodes:
        node.faults.lost.add(settled)
    await app.checking.check_now(BOB, settled)
    assert seen(await card(ALICE)) == before
    asked = await card(BOB)
    assert (asked.latest.verdict, asked.checked_at) == (Verdict.UNKNOWN, clock())
    assert asked.next_check <= clock() + timedelta(minutes=6)
    clock.move(minutes=7)
    assert await app.checking.sweep_once() == 1
    assert (await card(BOB)).checked_at == clock()
    assert seen(await card(ALICE)) == before


async def test_after_a_signature_everybody_sees_the_looks(app, world, register, settled, clock, card):
    await register(settled, BOB)
    app.checking._settings = app.settings.checks.model_copy(update={"after_signature": timedelta()})
    clock.move(minutes=5)
    await app.checking.signed(settled)
    assert (await card(ALICE)).checked_at == clock()


async def test_who_followed_long_enough_sees_what_all_see(app, register, settled, clock, card):
    await register(settled, BOB)
    for _ in range(5):
        clock.move(hours=7.5)
        await app.checking.sweep_once()
    assert seen(await card(BOB))[:5] == seen(await card(ALICE))[:5]
    async with app.database.read() as connection:
        (registration,) = await registrations.of_person(connection, BOB)
    assert registration.seen is None


async def test_the_evidence_does_not_tell_what_keys_others_ask_for(app, world, register, settled, clock, card):
    await register(settled, BOB, keys=("acl/secret",))
    assert "/acl/" in str((await card(BOB)).evidence)
    clock.move(hours=6)
    world.network.send(settled, world.owner, {"Action": "Hello"})
    world.let_nodes_compute(settled)
    await app.checking.sweep_once()
    world.network.send(settled, world.owner, {"Action": "Hello"})
    world.let_nodes_compute(settled)
    cards = [await card(ALICE), await app.checking.check_now(ALICE, settled), await card(ALICE)]
    assert all(each.checked_at == clock() and each.evidence for each in cards)
    assert not any("acl" in str(each.evidence) for each in cards)
    world.network.send(settled, world.owner, {"Action": "Hello"})
    world.let_nodes_compute(settled)
    assert "acl" in str((await app.checking.check_now(BOB, settled)).evidence)
