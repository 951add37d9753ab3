"""A new reminder is sent and recorded, then the one before it is deleted: once, and holding nothing up."""

import pytest

from bot.domain.notices import Alarm, FirstDm, Reminder
from bot.errors import RecipientUnreachable, SendLater
from bot.services.tidying import GIVE_UP_AFTER
from bot.store import outbox, people

pytestmark = pytest.mark.slow

ALICE = 101


@pytest.fixture
async def send(app, sender, database, clock):
    """Send a notice to Alice as it is; give its delivery id."""
    app.tidying.sender = sender

    async def revise(_connection, message, _now):
        return message.notice

    app.reminding.revise = revise  # when people are reminded is told elsewhere

    async def send(notice) -> int:
        async with database.write() as connection:
            await people.remember(connection, ALICE, safe_word="a b", locale="en", name_hint="", now=clock())
            delivery = await outbox.owe(connection, notice, now=clock(), user_id=ALICE)
        await app.delivering.deliver_due()
        return delivery

    return send


@pytest.fixture
def state(database):
    async def state(delivery: int) -> str:
        async with database.read() as connection:
            message = await outbox.find(connection, delivery)
        assert message is not None
        return message.state

    return state


def reminder(number: int) -> Reminder:
    return Reminder(safe_word="a b", processes=(), number=number)


async def test_the_one_before_is_deleted_and_nothing_else(app, sender, send, state):
    others = [await send(FirstDm(safe_word="a b", processes=())), await send(Alarm(sentence="x"))]
    first = await send(reminder(1))
    assert await app.tidying.tidy_due() == 0
    second = await send(reminder(2))
    assert await state(first) == "replaced"
    assert await app.tidying.tidy_due() == 1
    assert await app.tidying.tidy_due() == 0
    assert [each.message_id for each in sender.deleted] == [first]
    assert [await state(each) for each in (*others, first, second)] == ["sent", "sent", "deleted", "sent"]
    assert (await app.delivering.outcome(first, 0)).state == "sent"


async def test_one_that_was_not_sent_replaces_nothing(app, sender, send, state, clock):
    first = await send(reminder(1))
    sender.faults = [SendLater("no", retry_after=60)]
    second = await send(reminder(2))
    assert (await state(first), await state(second)) == ("sent", "owed")
    clock.move(minutes=2)
    await app.delivering.deliver_due()
    assert (await state(first), await state(second)) == ("replaced", "sent")


async def test_a_deletion_that_fails_is_tried_later_and_given_up_in_the_end(app, sender, send, state, clock):
    first = await send(reminder(1))
    await send(reminder(2))
    sender.faults = [SendLater("no", retry_after=60)]
    assert await app.tidying.tidy_due() == 1
    assert await app.tidying.tidy_due() == 0, "not at once again"
    for _ in range(GIVE_UP_AFTER):
        clock.move(minutes=6)
        sender.faults = [SendLater("no", retry_after=60)]
        await app.tidying.tidy_due()
    assert (await state(first), sender.deleted) == ("deleted", [])


async def test_a_refusal_or_a_fault_of_ours_keeps_no_other_deletion(app, sender, send, state):
    first = await send(reminder(1))
    await send(reminder(2))
    sender.faults = [RecipientUnreachable("Closed.", code=50007)]
    await app.tidying.tidy_due()
    assert await state(first) == "deleted"
    second = await send(reminder(3))
    sender.faults = [ZeroDivisionError("bug")]
    await app.tidying.tidy_due()
    assert second
    assert sender.faults == []


async def test_nothing_is_deleted_while_something_can_be_sent(app, send, state):
    first = await send(reminder(1))
    await send(reminder(2))
    app.delivering.idle = False
    app.tidying.stop_running()
    assert await app.tidying.tidy_due() == 0
    assert await state(first) == "replaced"
