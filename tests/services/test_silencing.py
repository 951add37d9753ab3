"""Who asks for silence is sent nothing more, also not what was tried already; what Discord has counts as sent."""

import pytest

from bot.domain.card import Blocked
from bot.domain.notices import Mention, Reminder, Unreadable
from bot.errors import SendLater
from bot.services.ticket_acts import TicketActs
from bot.store import outbox, people

pytestmark = pytest.mark.slow

ALICE = 101


@pytest.fixture
async def tried(app, register, world, clock, sender):
    """Gives a reminder that was tried once and put off; `arrived`: it is there, and Discord's answer was lost."""
    await register(world.unpatched())

    async def tried(*, arrived: bool) -> int:
        clock.move(days=7, hours=4)
        assert await app.reminding.owe_due() == 1
        (sender.keep_then if arrived else sender.faults).append(SendLater("503", retry_after=0))
        sender.sends = 0
        await app.delivering.deliver_due()
        assert sender.sends == 1
        return (await newest(app)).id

    return tried


async def newest(app) -> outbox.Message:
    async with app.database.read() as connection:
        return (await outbox.of_person(connection, ALICE))[0]


async def tonight(app, delivery_id: int) -> None:
    await app.wishing.snooze(ALICE, delivery_id, await app.wishing.when(ALICE, "tonight"))


async def a_date(app, delivery_id: int) -> None:
    await app.wishing.snooze(ALICE, delivery_id, await app.wishing.when(ALICE, "2026-05-30"))


async def pause(app, _delivery_id: int) -> None:
    await app.wishing.pause(ALICE, await app.wishing.when(ALICE, "week"))


async def stop(app, delivery_id: int) -> None:
    await app.wishing.stop(ALICE, delivery_id)


async def cannot(app, delivery_id: int) -> None:
    await app.reminding.blocking.cannot(ALICE, delivery_id, Blocked.OTHER)


async def on_the_page(app, _delivery_id: int) -> None:
    acts = TicketActs(app.database, app.ticketing, app.agenda, app.clock)
    await acts.put_off((await newest(app)).notice.ticket, await app.wishing.when(ALICE, "tonight"))


ACTS = pytest.mark.parametrize("act", [tonight, a_date, pause, stop, cannot, on_the_page], ids=lambda act: act.__name__)


@ACTS
async def test_what_discord_does_not_have_is_sent_no_more(app, tried, clock, sender, act):
    delivery_id = await tried(arrived=False)
    await act(app, delivery_id)
    for seconds in (5, 30, 50):
        clock.move(seconds=seconds)
        await app.delivering.deliver_due()
    assert (sender.sends, sender.lookups) == (1, 1)
    message = await newest(app)
    assert (message.id, message.state, message.notice.ticket) == (delivery_id, "withdrawn", None)
    assert not any(isinstance(each.notice, Reminder) for each in sender.envelopes)


@ACTS
async def test_what_discord_has_is_found_and_counts_as_sent(app, tried, clock, sender, act):
    delivery_id = await tried(arrived=True)
    await act(app, delivery_id)
    for seconds in (5, 30, 50):
        clock.move(seconds=seconds)
        await app.delivering.deliver_due()
    assert (sender.sends, sender.lookups) == (1, 1)
    assert ((await newest(app)).state, (await newest(app)).id) == ("sent", delivery_id)


async def test_the_silence_ends_with_a_reminder(app, tried, clock, sender):
    await tonight(app, await tried(arrived=False))
    clock.move(minutes=2)
    await app.delivering.deliver_due()
    clock.now = await app.wishing.when(ALICE, "tonight")
    assert await app.reminding.owe_due() == 1
    await app.delivering.deliver_due()
    assert [type(each.notice) for each in sender.envelopes][1:] == [Reminder]


async def test_what_was_looked_for_and_put_off_is_withdrawn_at_once(app, tried, clock, sender):
    delivery_id = await tried(arrived=False)
    await app.wishing.change(ALICE, quiet=(clock().hour, (clock().hour + 2) % 24))
    clock.move(minutes=2)
    await app.delivering.deliver_due()
    message = await newest(app)
    assert (message.state, message.uncertain_since, sender.lookups) == ("owed", None, 1)
    await tonight(app, delivery_id)
    assert (await newest(app)).state == "withdrawn"


async def test_without_silence_it_goes_again_under_its_nonce(app, tried, clock, sender):
    await tried(arrived=True)
    clock.move(seconds=30)
    await app.delivering.deliver_due()
    assert (sender.sends, sender.lookups, (await newest(app)).state) == (2, 0, "sent")


async def test_stopping_takes_back_that_nobody_can_read_it(app, tried, clock, sender):
    delivery_id = await tried(arrived=True)
    line = (await newest(app)).notice.processes[0]
    async with app.database.write() as connection:
        notice = Unreadable(safe_word="amber otter", process=line, reason="stuck")
        await outbox.owe(connection, notice, now=clock(), user_id=ALICE)
    sender.faults.append(SendLater("503", retry_after=0))
    await app.delivering.deliver_due()
    await stop(app, delivery_id)
    clock.move(minutes=2)
    await app.delivering.deliver_due()
    assert not any(isinstance(each.notice, Unreadable) for each in sender.envelopes)
    assert (await newest(app)).state == "withdrawn"


async def test_a_mention_in_a_channel_is_silenced_too(app, tried, clock, sender):
    delivery_id = await tried(arrived=True)
    async with app.database.write() as connection:
        await people.change(connection, ALICE, unreachable_code=50007, mention_guild_id=5)
        mention = await outbox.owe(connection, Mention(user_id=ALICE, guild_id=5), now=clock(), channel_id=6)
    await tonight(app, delivery_id)
    await app.delivering.deliver_due()
    async with app.database.read() as connection:
        message = await outbox.find(connection, mention)
    assert message is not None
    assert message.state == "withdrawn"
