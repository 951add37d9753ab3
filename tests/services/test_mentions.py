"""Mentions, for those whose DMs are closed: a reminder in all but the place, and only where it was agreed to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.notices import Mention, Reminder
from bot.errors import MessageRefused, RecipientUnreachable
from bot.store import guilds, outbox
from cogs.messages.wishes import next_line

pytestmark = pytest.mark.slow

ALICE, BOB, OPERATOR = 101, 102, 900
GUILD, MENTIONS, ELSEWHERE = 1, 7, 4242


class Members:
    """Knows who is in which server."""

    def __init__(self) -> None:
        self.gone: set[tuple[int, int]] = set()

    async def is_member(self, guild_id: int, user_id: int) -> bool | None:
        return (guild_id, user_id) not in self.gone


@pytest.fixture
async def agreed(app: Any, register: Any, world: Any, sender: Any) -> Any:
    """Alice registered a process of her own in a server; her DMs are closed, and she agreed to be mentioned there."""
    app.places.members, app.tidying.sender = Members(), sender
    sender.faults = [RecipientUnreachable("Closed.", code=50007)]
    await register(world.unpatched(), guild_id=GUILD, guild_name="Permaville")
    await app.places.choose_channel(GUILD, MENTIONS)
    await app.places.mention_there(ALICE, GUILD)
    return app


async def next_one(app: Any) -> datetime | None:
    return (await app.registering.person(ALICE)).next_reminder_at


async def owe(app: Any, clock: Any) -> int:
    """Go to when Alice's next is due, and owe it; give how many were owed."""
    due = await next_one(app)
    assert due is not None
    clock.now = due
    return await app.reminding.owe_due()


async def waiting(app: Any) -> list[str]:
    """The kinds of what is owed to Alice."""
    async with app.database.read() as connection:
        return [each.kind for each in await outbox.of_person(connection, ALICE) if each.state == "owed"]


def mentions(sender: Any) -> list[Any]:
    return [each for each in sender.envelopes if isinstance(each.notice, Mention)]


async def test_while_one_waits_no_other_is_owed(agreed: Any, clock: Any, sender: Any) -> None:
    assert await owe(agreed, clock) == 1
    for _ in range(20):
        clock.move(days=1)
        await agreed.reminding.owe_due()
    assert await waiting(agreed) == ["mention"]
    await agreed.delivering.deliver_due()
    assert len(mentions(sender)) == 1


async def test_a_silence_takes_back_the_one_that_waits(agreed: Any, clock: Any, sender: Any) -> None:
    await owe(agreed, clock)
    until = clock() + timedelta(days=30)
    assert await agreed.wishing.pause(ALICE, until) >= until
    assert await waiting(agreed) == []
    await agreed.delivering.deliver_due()
    assert mentions(sender) == []


async def test_a_newer_one_replaces_the_one_before_and_so_does_a_reminder(agreed: Any, clock: Any, sender: Any) -> None:
    for _ in range(2):
        await owe(agreed, clock)
        await agreed.delivering.deliver_due()
        await agreed.tidying.tidy_due()
    first, second = mentions(sender)
    assert [each.message_id for each in sender.deleted] == [first.delivery_id]
    await agreed.registering.try_again(ALICE)
    await agreed.delivering.deliver_due()
    await owe(agreed, clock)
    await agreed.delivering.deliver_due()
    assert isinstance(sender.envelopes[-1].notice, Reminder)
    await agreed.tidying.tidy_due()
    assert [each.message_id for each in sender.deleted] == [first.delivery_id, second.delivery_id]


async def test_who_left_the_server_is_not_mentioned_in_it(agreed: Any, clock: Any) -> None:
    """Also where nothing of theirs is a migration's of that server."""
    agreed.places.members.gone.add((GUILD, ALICE))
    assert await owe(agreed, clock) == 0
    person = await agreed.registering.person(ALICE)
    assert (person.mention_guild_id, person.next_reminder_at, person.reminders_sent) == (None, None, 0)


async def test_who_leaves_while_it_waits_is_not_mentioned_either(agreed: Any, clock: Any, sender: Any) -> None:
    agreed.delivering.sender = None
    assert await owe(agreed, clock) == 1
    agreed.places.members.gone.add((GUILD, ALICE))
    clock.move(days=2)
    await agreed.places.ask_members([ALICE])
    agreed.delivering.sender = sender
    await agreed.delivering.deliver_due()
    assert mentions(sender) == []
    assert await waiting(agreed) == []


@pytest.mark.parametrize("owed_before", [False, True])
async def test_a_place_that_is_moved_was_not_agreed_to(agreed: Any, clock: Any, sender: Any, owed_before: bool) -> None:
    await agreed.places.choose_channel(GUILD, MENTIONS)
    assert await next_one(agreed) is not None, "it is the same"
    if owed_before:
        assert await owe(agreed, clock) == 1
    await agreed.places.choose_channel(GUILD, ELSEWHERE)
    person = await agreed.registering.person(ALICE)
    assert (person.mention_guild_id, person.next_reminder_at) == (None, None)
    channel, due = await agreed.places.mention_there(ALICE, GUILD)
    assert (channel, due is None) == (ELSEWHERE, False)
    await agreed.delivering.deliver_due()
    assert mentions(sender) == [], "the one that waited was for the place before"
    await owe(agreed, clock)
    await agreed.delivering.deliver_due()
    assert [each.channel_id for each in mentions(sender)] == [ELSEWHERE]


async def test_a_place_that_takes_no_mention_is_no_place_for_anybody(
    agreed: Any, register: Any, world: Any, clock: Any, sender: Any
) -> None:
    sender.faults = [RecipientUnreachable("Closed.", code=50007)]
    await register(world.unpatched(), BOB, guild_id=GUILD, guild_name="Permaville")
    await agreed.places.mention_there(BOB, GUILD)
    await owe(agreed, clock)
    sender.faults = [MessageRefused("Unknown channel.", code=10003)]
    await agreed.delivering.deliver_due()
    assert (await agreed.places.guild(GUILD)).channel_id is None
    person = await agreed.registering.person(BOB)
    assert (person.mention_guild_id, person.next_reminder_at) == (None, None)


async def test_a_pause_of_the_server_forgets_nothing_and_counts_nothing(agreed: Any, clock: Any, sender: Any) -> None:
    async with agreed.database.write() as connection:
        await guilds.change(connection, GUILD, paused_at=clock())
    assert await owe(agreed, clock) == 0
    person = await agreed.registering.person(ALICE)
    assert (person.mention_guild_id, person.reminders_sent, person.last_reminder_at) == (GUILD, 0, None)
    assert person.next_reminder_at is None
    await agreed.places.resume(OPERATOR, GUILD)
    await owe(agreed, clock)
    await agreed.delivering.deliver_due()
    assert [each.channel_id for each in mentions(sender)] == [MENTIONS]


async def test_in_a_paused_server_no_mention_is_promised(agreed: Any, clock: Any) -> None:
    async with agreed.database.write() as connection:
        await guilds.change(connection, GUILD, paused_at=clock())
    assert await agreed.places.mention_there(ALICE, GUILD) == (MENTIONS, None)
    wishes = await agreed.wishing.change(ALICE, hour=18)
    assert (wishes.person.next_reminder_at, wishes.elsewhere) == (None, True)
    said = next_line(wishes)
    assert "your community's reminders are paused" in said
    await agreed.places.resume(OPERATOR, GUILD)
    wishes = await agreed.wishing.wishes(ALICE)
    assert (wishes.person.next_reminder_at is None, wishes.elsewhere) == (False, False)
