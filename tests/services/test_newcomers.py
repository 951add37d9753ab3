"""Who registers learns nothing of who follows the process already: all that they see is as if they were the first."""

import pytest

from bot.application import Application
from bot.domain.card import Role
from bot.domain.observation import Verdict
from bot.services.registering import RegisterRequest
from bot.store import outbox

pytestmark = pytest.mark.slow

ALICE, BOB = 101, 102


@pytest.fixture(params=[1, 2])
async def few(request, app, world, clock, sender):
    """The application with so many operators' nodes."""
    operators = sorted({node.operator for node in world.network.nodes})[: request.param]
    nodes = tuple(node for node in app.settings.ao.nodes if node.operator in operators)
    ao = app.settings.ao.model_copy(update={"nodes": nodes})
    few = Application(app.settings.model_copy(update={"ao": ao}), clock=clock)
    few.delivering.sender = sender
    async with few.transport:
        yield few
    await few.database.close()


async def register(app: Application, user_id: int, *ids: str, **values) -> dict:
    outcome = await app.registering.register(RegisterRequest(user_id, " ".join(ids), Role.MINE, **values))
    return {card.process: card for card in outcome.cards}


async def cards(app: Application) -> dict:
    return {card.process: card for card in await app.registering.cards(BOB)}


def shown(card, *, looks: bool = True) -> tuple:
    """All of a card by which two processes of the same state could be told apart; with `looks`, when and how, too."""
    latest = card.latest
    return (
        card.status,
        card.since,
        card.next_reminder,
        card.no_sign_link,
        (latest.verdict, latest.reason, len(latest.operators)),
        (card.checked_at, card.next_check, card.requests, len(card.evidence)) if looks else None,
    )


async def told(app: Application) -> dict:
    """The kinds of messages that Bob was owed, by process."""
    async with app.database.read() as connection:
        messages = await outbox.of_person(connection, BOB)
    kinds: dict = {}
    for message in messages:
        if message.kind in ("patched", "unreadable", "regressed"):
            for line in (message.notice.process, *getattr(message.notice, "others", ())):
                kinds.setdefault(line.process, []).append(message.kind)
    return kinds


@pytest.mark.parametrize("state", ["patched", "unpatched"])
@pytest.mark.parametrize("keys", [(), ("total",)], ids=["same-keys", "other-keys"])
async def test_a_newcomer_sees_what_the_first_would(few, world, clock, state, keys):
    followed, fresh = (getattr(world, state)() for _ in range(2))
    await register(few, ALICE, followed, keys=keys)
    for _ in range(4):
        clock.move(hours=60)
        await few.checking.sweep_once()
    assert (await few.registering.cards(ALICE))[0].status is not Verdict.UNKNOWN

    first = await register(few, BOB, followed, fresh)
    assert shown(first[followed]) == shown(first[fresh])
    for minutes in (30, 45, 8 * 60, 20 * 60, 30 * 60):
        clock.move(minutes=minutes)
        await few.checking.sweep_once()
        seen = await cards(few)
        assert shown(seen[followed], looks=not keys) == shown(seen[fresh], looks=not keys)
    assert seen[fresh].status is (Verdict.PATCHED if state == "patched" else Verdict.NOT_PATCHED)
    kinds = await told(few)
    assert kinds.get(followed) == kinds.get(fresh)


@pytest.mark.parametrize("few", [1], indirect=True)  # two operators confirm at once
async def test_a_newcomer_waits_for_its_own_confirmation_and_is_told_then(few, world, clock):
    process = world.patched()
    await register(few, ALICE, process)
    clock.move(minutes=75)
    await few.checking.sweep_once()
    assert (await few.registering.cards(ALICE))[0].status is Verdict.PATCHED
    card = (await register(few, BOB, process))[process]
    assert (card.status, card.latest.verdict) == (Verdict.UNKNOWN, Verdict.PATCHED)
    assert await told(few) == {}
    clock.move(minutes=75)
    assert await few.checking.sweep_once() == 1
    assert (await cards(few))[process].status is Verdict.PATCHED
    assert await told(few) == {process: ["patched"]}
    assert (await few.registering.cards(ALICE))[0].status is Verdict.PATCHED


async def test_what_no_node_reads_is_told_after_ones_own_three_days(few, world, clock):
    process = world.unpatched()
    await register(few, ALICE, process)
    for node in world.network.nodes:
        node.faults.lost.add(process)
    for _ in range(4):
        clock.move(hours=30)
        await few.checking.sweep_once()
    card = (await register(few, BOB, process))[process]
    assert card.status is Verdict.UNKNOWN
    for _ in range(2):
        clock.move(hours=30)
        await few.checking.sweep_once()
    assert await told(few) == {}
    clock.move(hours=30)
    await few.checking.sweep_once()
    assert await told(few) == {process: ["unreadable"]}


@pytest.mark.parametrize("few", [1], indirect=True)  # two operators confirm at once
async def test_moderators_see_it_no_sooner_and_nothing_falls_back_for_who_knows_it(few, world, clock):
    draft = await few.announcing.draft(1, 2, 3, "Move", None, "token")
    await few.announcing.post(draft.migration_id, 3)
    process = world.patched()
    required = (await few.announcing.migration(draft.migration_id)).required

    async def patched_and_unknown() -> tuple[int, int]:
        (progress,) = await few.announcing.progress(1)
        return progress.patched + progress.not_patched, progress.unknown

    await register(few, ALICE, process, keys=required)
    clock.move(minutes=75)
    await few.checking.sweep_once()
    await register(few, BOB, process, migration_id=draft.migration_id)
    assert await patched_and_unknown() == (0, 1)
    clock.move(minutes=75)
    await few.checking.sweep_once()
    assert await patched_and_unknown() == (1, 0)
    await register(few, BOB + 1, process, migration_id=draft.migration_id)
    assert await patched_and_unknown() == (1, 0)
