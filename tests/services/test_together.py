"""One process is one thing to its owner, however often they follow it: counted, named, judged and told once."""

from datetime import timedelta

import pytest

from bot.domain.card import Role
from bot.domain.notices import FirstDm, Patched, Regressed, Reminder
from bot.domain.observation import Verdict
from bot.services.registering import RegisterRequest

ALICE, GUILD, CHANNEL, MODERATOR = 101, 1, 2, 3


@pytest.fixture
async def migration(app, clock) -> int:
    draft = await app.announcing.draft(GUILD, CHANNEL, MODERATOR, "Move", clock() + timedelta(days=30), "token")
    await app.announcing.post(draft.migration_id, MODERATOR)
    return draft.migration_id


@pytest.fixture
def register(app):
    async def register(text: str, role: Role = Role.MINE, **values):
        return await app.registering.register(RegisterRequest(ALICE, text, role, **values))

    return register


@pytest.fixture
def told(app, sender):
    async def told(*kinds: type) -> list:
        await app.delivering.deliver_due()
        return [each.notice for each in sender.envelopes if isinstance(each.notice, kinds)]

    return told


SHOWS = """
Handlers.add("Show", Handlers.utils.hasMatchingTag("Action", "Show"), function(msg)
  ao.send({ device = "patch@1.0", cache = { [msg.Tags.Key] = { alice = "100" } } })
end)
"""


def show(world, process: str, key: str) -> None:
    """Have a process expose one more key."""
    world.network.send(process, world.owner, {"Action": "Show", "Key": key})
    world.let_nodes_compute(process)


def exposing(world, *keys: str) -> str:
    process = world.network.spawn(world.owner, SHOWS)
    for key in keys:
        show(world, process, key)
    return process


async def test_one_card_not_patched_until_every_expected_key_is_there(app, world, register, migration, told):
    process, other = exposing(world, "other"), world.unpatched()
    await register(process, label="My vault")
    assert [card.status for card in await app.registering.cards(ALICE)] == [Verdict.PATCHED]
    outcome = await register(f"{process} {other}", migration_id=migration)
    assert [card.process for card in outcome.cards] == [process, other]
    cards = await app.registering.cards(ALICE)
    assert [(card.process, card.label) for card in cards] == [(process, "My vault"), (other, None)]
    for card in (cards[0], outcome.cards[0], await app.checking.check_now(ALICE, process)):
        assert (card.status, card.keys, card.latest.missing) == (Verdict.NOT_PATCHED, ("balances",), ("balances",))
    show(world, process, "balances")
    assert (await app.checking.check_now(ALICE, process)).status is Verdict.PATCHED
    (notice,) = await told(Patched)
    assert (notice.process.label, notice.open_processes) == ("My vault", 1)


async def test_patched_by_one_set_of_keys_is_not_told_as_done(app, world, register, migration, told):
    process = exposing(world)
    await register(process)
    await register(process, migration_id=migration)
    show(world, process, "other")
    assert (await app.checking.check_now(ALICE, process)).status is Verdict.NOT_PATCHED
    assert await told(Patched) == []
    show(world, process, "balances")
    assert (await app.checking.check_now(ALICE, process)).status is Verdict.PATCHED
    assert len(await told(Patched)) == 1
    assert await told(Regressed) == []


async def test_a_reminder_names_it_once_by_its_own_label(app, world, register, migration, clock, told):
    process, named = world.unpatched("Harbour\u202e **Coin**"), world.unpatched("Lantern")
    await register(process, label="My vault")
    await register(f"{process} {named}", migration_id=migration)
    clock.move(days=8)
    assert await app.reminding.owe_due() == 1
    (reminder,) = await told(Reminder)
    assert [(each.process, each.label, each.name) for each in reminder.processes] == [
        (process, "My vault", "Harbour\u202e **Coin**"),
        (named, None, "Lantern"),
    ]
    contents = await app.ticketing.open(reminder.ticket)
    assert [(each.process, each.label) for each in contents.processes] == [(process, "My vault"), (named, None)]


async def test_tickets_and_cards_keep_the_order_in_which_it_was_pasted(app, world, register, told):
    wanted = sorted([world.unpatched() for _ in range(5)], reverse=True)
    outcome = await register(" ".join(wanted))
    assert [card.process for card in outcome.cards] == wanted
    (first_dm,) = await told(FirstDm)
    assert [each.process for each in first_dm.processes] == wanted
    assert {each.name for each in first_dm.processes} == {"Vault"}
    contents = await app.ticketing.open(first_dm.ticket)
    assert [each.process for each in contents.processes] == wanted
    assert [card.process for card in await app.registering.cards(ALICE)] == wanted


async def test_what_is_only_watched_does_not_count_against_what_is_theirs(app, world, register, migration):
    process = exposing(world, "other")
    await register(process)
    await register(process, Role.WATCHING, migration_id=migration)
    (card,) = await app.registering.cards(ALICE)
    assert (card.status, card.role) == (Verdict.PATCHED, Role.MINE)
