"""First DMs are paced: Discord blocks a bot that opens many conversations at once, and flags it."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.notices import Alarm, FirstDm
from bot.store import outbox, people

CROWD = 1_000


@pytest.fixture
def per_minute(app) -> float:
    return app.settings.reminders.new_dms_per_minute


@pytest.mark.slow
async def test_a_thousand_who_register_at_once_are_written_to_in_turn(app, sender, database, per_minute):
    deliveries = []
    async with database.write() as connection:  # as registering does, which reads a node for each
        for user_id in range(1, CROWD + 1):
            await people.remember(connection, user_id, safe_word="a b", locale="en", name_hint="", now=app.clock())
            notice = FirstDm(safe_word="a b", processes=())
            deliveries.append(await outbox.owe(connection, notice, now=app.clock(), user_id=user_id))
    assert await app.delivering.deliver_due() == per_minute
    assert {each.user_id for each in sender.envelopes} == set(range(1, int(per_minute) + 1)), "in turn"

    started = asyncio.get_running_loop().time()
    waits = [await app.delivering.outcome(delivery, 20) for delivery in deliveries[-3:]]
    assert asyncio.get_running_loop().time() - started < 5, "nobody is kept waiting for what takes longer"
    now = app.clock()
    for place, outcome in zip(range(CROWD - 2, CROWD + 1), waits, strict=True):
        assert (outcome.state, outcome.in_line) == ("waiting", True)
        expected = timedelta(minutes=(place - per_minute) / per_minute)
        assert abs(outcome.expected_at - now - expected) < timedelta(minutes=1)

    async with app.database.write() as connection:  # whoever has a conversation is not kept by those in line
        await outbox.owe(connection, Alarm(sentence="x"), now=now, user_id=1)
    assert await app.delivering.deliver_due() == 1


async def test_who_waits_is_told_when_only_where_the_line_is_the_reason(app, sender, database):
    async with database.write() as connection:
        for user_id in (1, 2):
            await people.remember(connection, user_id, safe_word="a b", locale="en", name_hint="", now=app.clock())
        notice = FirstDm(safe_word="a b", processes=())
        first = await outbox.owe(connection, notice, now=app.clock(), user_id=1)
        later = await outbox.owe(
            connection, notice, now=app.clock(), user_id=2, not_before=app.clock() + timedelta(hours=1)
        )
    assert not (await app.delivering.outcome(first, 0)).in_line, "its turn is now"
    outcome = await app.delivering.outcome(later, 0)
    assert not outcome.in_line
    assert outcome.expected_at == app.clock() + timedelta(hours=1)
