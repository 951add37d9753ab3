"""Mentions, for those whose DMs are closed: a reminder in all but the place, and only where it was agreed to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.notices import Mention, Reminder
from bot.errors import RecipientUnreachable
from bot.store import outbox

pytestmark = pytest.mark.slow

ALICE, GUILD, CHANNEL, MENTIONS, ELSEWHERE, MODERATOR, OPERATOR = 101, 1, 2, 7, 4242, 3, 900


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
