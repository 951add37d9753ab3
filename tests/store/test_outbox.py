import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from bot.domain.notices import Alarm, FirstDm, Reminder
from bot.store import outbox, people, sending
from bot.store.database import Database

FIRST = FirstDm(safe_word="amber otter", processes=(), ticket="raw-ticket")
REMINDER = Reminder(safe_word="amber otter", processes=())


async def owe(database: Database, now: datetime, user_id: int, notice: Alarm | FirstDm | Reminder = REMINDER) -> int:
    async with database.write() as connection:
        return await outbox.owe(connection, notice, now=now, user_id=user_id)


async def claim(database: Database, now: datetime, *, new: bool = True) -> outbox.Message | None:
    async with database.write() as connection:
        delivery_id = await sending.claim(connection, now, new_conversations=new)
        return None if delivery_id is None else await outbox.find(connection, delivery_id)


async def test_what_somebody_waits_for_goes_first(database: Database, now: datetime):
    late = await owe(database, now - timedelta(hours=2), 1)
    news = await owe(database, now - timedelta(hours=1), 2, Alarm(sentence="x"))
    waited_for = await owe(database, now, 3, FIRST)
    claimed = [await claim(database, now) for _ in range(4)]
    assert [message and message.id for message in claimed] == [waited_for, news, late, None]


async def test_what_is_not_due_stays(database: Database, now: datetime):
    await owe(database, now, 1)
    assert await claim(database, now - timedelta(seconds=1)) is None


async def test_one_conversation_gets_one_message_at_a_time(database: Database, now: datetime):
    first = await owe(database, now, 1, FIRST)
    second = await owe(database, now, 1)
    message = await claim(database, now)
    assert message is not None
    assert message.id == first
    assert await claim(database, now) is None
    async with database.write() as connection:
        assert await sending.settle(connection, message, state="sent")
    message = await claim(database, now)
    assert message is not None
    assert message.id == second


async def test_a_lease_ends_by_itself_and_the_late_result_is_void(database: Database, now: datetime):
    delivery_id = await owe(database, now, 1)
    dead = await claim(database, now)
    later = now + sending.LEASE
    alive = await claim(database, later)
    assert dead is not None
    assert alive is not None
    assert (alive.id, alive.attempts) == (delivery_id, 2)
    async with database.write() as connection:
        assert not await sending.settle(connection, dead, state="refused")
        assert await sending.settle(connection, alive, state="sent")
    async with database.read() as connection:
        message = await outbox.find(connection, delivery_id)
    assert message is not None
    assert message.state == "sent"


async def test_concurrent_claims_never_share_a_message(database: Database, now: datetime):
    owed = {await owe(database, now, user_id) for user_id in range(1, 31)}

    async def take_all() -> list[int]:
        taken: list[int] = []
        while (message := await claim(database, now)) is not None:
            taken.append(message.id)
        return taken

    taken = [message for each in await asyncio.gather(*(take_all() for _ in range(5))) for message in each]
    # SKIP LOCKED may overlook a row for a moment; whoever asks again finds it.
    taken += await take_all()
    assert len(taken) == len(set(taken))
    assert set(taken) == owed


async def test_while_no_new_conversation_may_begin_open_ones_go_on(database: Database, now: datetime):
    async with database.write() as connection:
        for user_id, channel in ((1, None), (2, 77)):
            await people.remember(connection, user_id, safe_word="a b", locale="en", name_hint="", now=now)
            await people.change(connection, user_id, dm_channel_id=channel)
        announcement = await outbox.owe(connection, Alarm(sentence="to a channel"), now=now, channel_id=5)
    await owe(database, now, 1)
    opened = await owe(database, now, 2)
    claimed = [await claim(database, now, new=False) for _ in range(3)]
    assert [message and message.id for message in claimed] == [announcement, opened, None]


async def test_a_message_that_was_tried_is_not_withdrawn(database: Database, now: datetime):
    tried, untried = await owe(database, now, 1), await owe(database, now, 2)
    message = await claim(database, now)
    assert message is not None
    async with database.write() as connection:
        await outbox.withdraw(connection, 1, ["reminder"], now=now)
        await outbox.withdraw(connection, 2, ["reminder"], now=now)
        states = {each: await outbox.find(connection, each) for each in (tried, untried)}
    assert {each: message and message.state for each, message in states.items()} == {
        tried: "owed",
        untried: "withdrawn",
    }


async def test_a_withdrawn_message_keeps_no_ticket(database: Database, now: datetime):
    with_ticket, without = await owe(database, now, 1, FIRST), await owe(database, now, 1)
    async with database.write() as connection:
        await outbox.withdraw(connection, 1, ["first_dm", "reminder"], now=now)
        messages = [await outbox.find(connection, each) for each in (with_ticket, without)]
    assert [message and message.state for message in messages] == ["withdrawn", "withdrawn"]
    assert [message and message.notice for message in messages] == [FIRST.model_copy(update={"ticket": None}), REMINDER]


async def test_ids_never_come_again(database: Database, now: datetime):
    first = await owe(database, now, 1)
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM outbox"))
    assert await owe(database, now, 1) > first


async def test_nonces_fit_and_differ(database: Database, now: datetime):
    for _ in range(20):
        await owe(database, now, 1)
    async with database.read() as connection:
        nonces = {message.nonce for message in await outbox.of_person(connection, 1)}
    assert len(nonces) == 20
    assert all(len(nonce) <= 25 for nonce in nonces)


@pytest.mark.parametrize("limit", [1, 3])
async def test_an_allowance_is_spent_once_even_at_once(database: Database, limit: int):
    async def spend(day: str) -> bool:
        async with database.write() as connection:
            return await people.spend(connection, 1, "wallet", day=day, limit=limit)

    assert sum(await asyncio.gather(*(spend("2026-05-04") for _ in range(8)))) == limit
    assert await spend("2026-05-05")
