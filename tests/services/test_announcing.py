from datetime import timedelta

import pytest

from bot.domain.card import Blocked, MigrationProgress, Role
from bot.domain.notices import Announcement
from bot.errors import BadInput, NotYours
from bot.services.registering import RegisterRequest

GUILD, CHANNEL, MODERATOR = 1, 2, 3


@pytest.fixture
def announce(app, clock):
    async def announce(title: str = "Move", guild_id: int = GUILD) -> int:
        deadline = clock() + timedelta(days=30)
        draft = await app.announcing.draft(guild_id, CHANNEL, MODERATOR, title, deadline, "token", guild_name="P")
        await app.announcing.post(draft.migration_id, MODERATOR)
        return draft.migration_id

    return announce


async def test_a_draft_is_seen_by_nobody_and_posted_once(app, clock, sender):
    draft = await app.announcing.draft(GUILD, CHANNEL, MODERATOR, "  Move \n now ", None, "token")
    assert draft.notice.title == "Move now"
    assert "balances" in draft.notice.keys
    assert await app.announcing.progress(GUILD) == []
    with pytest.raises(BadInput, match="never posted"):
        await app.registering.register(RegisterRequest(7, "A" * 43, Role.MINE, migration_id=draft.migration_id))
    delivery_id = await app.announcing.post(draft.migration_id, MODERATOR)
    assert await app.announcing.post(draft.migration_id, MODERATOR) == delivery_id
    await app.delivering.deliver_due()
    (envelope,) = sender.envelopes
    assert (envelope.channel_id, envelope.user_id, envelope.notice) == (CHANNEL, None, draft.notice)
    assert isinstance(envelope.notice, Announcement)


async def test_only_who_drafted_it_posts_it(app):
    draft = await app.announcing.draft(GUILD, CHANNEL, MODERATOR, "Move", None, "token")
    with pytest.raises(NotYours):
        await app.announcing.post(draft.migration_id, MODERATOR + 1)
    with pytest.raises(NotYours):
        await app.announcing.post(10**6, MODERATOR)


@pytest.mark.parametrize(
    ("title", "days", "preset", "words"),
    [
        (" ", None, "token", "title"),
        ("Move", -1, "token", "passed"),
        ("Move", 3651, "token", "more than ten years"),
        ("Move", None, "nonsense", "token"),
    ],
)
async def test_bad_drafts_are_refused_in_one_sentence(app, clock, title, days, preset, words):
    deadline = None if days is None else clock() + timedelta(days=days)
    with pytest.raises(BadInput, match=words):
        await app.announcing.draft(GUILD, CHANNEL, MODERATOR, title, deadline, preset)


async def test_the_furthest_date_lets_people_register(app, world, clock):
    deadline = clock() + timedelta(days=3650)
    draft = await app.announcing.draft(GUILD, CHANNEL, MODERATOR, "Move", deadline, "token")
    await app.announcing.post(draft.migration_id, MODERATOR)
    request = RegisterRequest(7, world.unpatched(), Role.MINE, migration_id=draft.migration_id)
    outcome = await app.registering.register(request)
    assert len(outcome.cards) == 1


async def test_progress_counts_distinct_processes_of_owners_once(app, world, announce):
    migration_id = await announce()
    other = await announce("Another", GUILD + 1)
    patched, unpatched, nowhere = world.patched(), world.unpatched(), world.nowhere()
    blocked, watched, elsewhere = world.unpatched(), world.unpatched(), world.unpatched()
    for user_id, process, role, migration in (
        (10, patched, Role.MINE, migration_id),
        (11, patched, Role.MINE, migration_id),
        (10, unpatched, Role.MINE, migration_id),
        (10, nowhere, Role.MINE, migration_id),
        (12, blocked, Role.MINE, migration_id),
        (13, watched, Role.WATCHING, migration_id),
        (14, elsewhere, Role.MINE, other),
        (15, unpatched, Role.MINE, None),
    ):
        await app.registering.register(RegisterRequest(user_id, process, role, migration_id=migration))
    await app.reminding.blocking.block(12, blocked, Blocked.LOST_WALLET)
    (progress,) = await app.announcing.progress(GUILD)
    assert isinstance(progress, MigrationProgress)
    counts = (progress.patched, progress.not_patched, progress.unknown, progress.blocked, progress.total)
    assert counts == (1, 1, 1, 1, 4)


async def test_what_only_developers_can_help_with_is_counted_apart(app, world, announce):
    migration_id = await announce()
    lost, apps, shared, patched = world.unpatched(), world.unpatched(), world.unpatched(), world.patched()
    for user_id, process in ((10, lost), (10, apps), (10, shared), (11, shared), (10, patched)):
        await app.registering.register(RegisterRequest(user_id, process, Role.MINE, migration_id=migration_id))
    reasons = {lost: Blocked.LOST_WALLET, apps: Blocked.NO_HANDLER, shared: Blocked.REFUSED, patched: Blocked.REFUSED}
    for process, reason in reasons.items():
        await app.reminding.blocking.block(10, process, reason)
    (progress,) = await app.announcing.progress(GUILD)
    assert (progress.blocked, progress.for_developers) == (2, 1), "one of two people can still act, or it is done"
    await app.reminding.blocking.block(11, shared, Blocked.OTHER)
    (progress,) = await app.announcing.progress(GUILD)
    assert (progress.blocked, progress.for_developers) == (3, 2)


async def test_a_migration_brings_its_keys_and_its_place(app, world, announce):
    migration_id = await announce()
    process = world.network.spawn(world.owner, patches=[{"cache": {"somethingelse": {"a": "1"}}}])
    outcome = await app.registering.register(RegisterRequest(10, process, Role.MINE, migration_id=migration_id))
    assert outcome.cards[0].keys == ("balances",)
    private = await app.registering.register(RegisterRequest(11, process, Role.MINE))
    assert [card.status for card in private.cards] == ["patched"]


async def test_what_no_node_can_read_for_three_days_is_counted_apart(app, world, announce, clock):
    migration_id = await announce()
    process = world.network.spawn(world.owner, scheduled=False)
    await app.registering.register(RegisterRequest(10, process, Role.MINE, migration_id=migration_id))
    (before,) = await app.announcing.progress(GUILD)
    for _ in range(5):
        clock.move(hours=25)
        await app.checking.sweep_once()
    (after,) = await app.announcing.progress(GUILD)
    assert (before.unknown, before.unreadable, before.total) == (1, 0, 1)
    assert (after.unknown, after.unreadable, after.total) == (0, 1, 1)
