"""Sent once, whatever fails: through the real outbox, to a Sender that behaves as Discord does."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.util import await_only

from bot.domain.notices import Alarm, FirstDm, ProcessLine, Regressed
from bot.domain.presets import load_presets
from bot.errors import MessageRefused, NewConversationsBlocked, RecipientUnreachable, SendLater
from bot.services import holds
from bot.services.agenda import Agenda
from bot.services.alarms import Alarms
from bot.services.delivering import IN_FLIGHT, Delivering
from bot.services.nonces import Nonces
from bot.services.reminding import Reminding
from bot.services.settling import GIVE_UP_AFTER
from bot.services.ticketing import Ticketing
from bot.settings import Settings
from bot.store import outbox, people, sending
from bot.store.database import Database

ALICE, BOB, OPERATOR = 101, 102, 900
FIRST = FirstDm(safe_word="amber otter", processes=(), ticket="raw-ticket-value")


@pytest.fixture
def settings() -> Settings:
    return Settings(operators=(OPERATOR,))


@pytest.fixture
def delivering(database: Database, settings: Settings, clock, sender) -> Delivering:
    ticketing = Ticketing(database, settings, load_presets(), clock)
    reminding = Reminding(database, Agenda(settings.reminders, settings.checks), ticketing, clock)
    alarms = Alarms(database, settings, clock)
    delivering = Delivering(database, settings.reminders, clock, advisor=reminding, alarms=alarms)
    delivering.sender = sender
    return delivering


@pytest.fixture
async def owe(database: Database, clock):
    async def owe(user_id: int | None, notice=FIRST, *, channel_id: int | None = None) -> int:
        async with database.write() as connection:
            if user_id is not None:
                await people.remember(
                    connection, user_id, safe_word="amber otter", locale="en", name_hint="", now=clock()
                )
            return await outbox.owe(connection, notice, now=clock(), user_id=user_id, channel_id=channel_id)

    return owe


@pytest.fixture
def find(database: Database):
    async def find(delivery_id: int) -> outbox.Message:
        async with database.read() as connection:
            message = await outbox.find(connection, delivery_id)
        assert message is not None
        return message

    return find


async def test_a_message_is_sent_once_and_its_ticket_is_blanked(delivering, owe, find, sender, clock):
    delivery_id = await owe(ALICE)
    assert await delivering.deliver_due() == 1
    assert await delivering.deliver_due() == 0
    (envelope,) = sender.envelopes
    assert (envelope.user_id, envelope.channel_id, envelope.notice) == (ALICE, None, FIRST)
    message = await find(delivery_id)
    assert (message.state, message.done_at, message.sent_message_id) == ("sent", clock(), delivery_id)
    assert message.notice.ticket is None
    assert message.dm_channel_id == 9000 + ALICE


async def test_the_second_message_goes_into_the_open_conversation(delivering, owe, sender):
    await owe(ALICE)
    await owe(ALICE, Alarm(sentence="x"))
    await delivering.deliver_due()
    await delivering.deliver_due()
    assert [envelope.channel_id for envelope in sender.envelopes] == [None, 9000 + ALICE]


async def test_a_lost_reply_does_not_double(delivering, owe, find, sender, clock):
    delivery_id = await owe(ALICE)
    sender.keep_then = [SendLater("reset", retry_after=0)]
    await delivering.deliver_due()
    assert (await find(delivery_id)).state == "owed"
    clock.move(seconds=30)
    await delivering.deliver_due()
    assert (sender.sends, sender.lookups, len(sender.received)) == (2, 0, 1)
    assert (await find(delivery_id)).state == "sent"


async def test_past_the_nonces_memory_the_conversation_is_looked_through(delivering, owe, find, sender, clock):
    delivery_id = await owe(ALICE)
    sender.keep_then = [SendLater("reset", retry_after=0)]
    await delivering.deliver_due()
    clock.move(minutes=5)
    await delivering.deliver_due()
    assert (sender.sends, sender.lookups, len(sender.received)) == (1, 1, 1)
    assert (await find(delivery_id)).state == "sent"


async def test_a_clock_that_is_set_back_doubles_nothing(delivering, owe, find, sender, clock):
    """The reply is lost, the clock steps back by an hour, and an hour passes: it shows three seconds more."""
    seconds = 0.0
    delivering._nonces = Nonces(lambda: seconds)
    delivery_id = await owe(ALICE)
    sender.keep_then = [SendLater("reset", retry_after=0)]
    await delivering.deliver_due()
    sender.forget_nonces()
    clock.move(seconds=3)
    seconds = 3603.0
    await delivering.deliver_due()
    assert (sender.sends, sender.lookups, len(sender.received)) == (1, 1, 1)
    assert (await find(delivery_id)).state == "sent"


async def test_after_a_restart_it_is_looked_for_at_once(delivering, owe, find, sender, clock):
    """A new process cannot tell how long ago the first attempt was."""
    delivery_id = await owe(ALICE)
    sender.keep_then = [SendLater("reset", retry_after=0)]
    await delivering.deliver_due()
    delivering._nonces = Nonces()
    clock.move(seconds=3)
    await delivering.deliver_due()
    assert (sender.sends, sender.lookups, len(sender.received)) == (1, 1, 1)
    assert (await find(delivery_id)).state == "sent"


def test_nonces_are_remembered_for_a_minute():
    seconds = 0.0
    nonces = Nonces(lambda: seconds)
    nonces.note(1)
    seconds = 59.0
    nonces.note(2)
    assert (nonces.remembered(1), nonces.remembered(2), nonces.remembered(3)) == (True, True, False)
    seconds = 61.0
    assert (nonces.remembered(1), nonces.remembered(2)) == (False, True)
    nonces.note(1)
    assert nonces.remembered(1)


async def test_what_was_not_found_there_is_sent(delivering, owe, find, sender, clock):
    delivery_id = await owe(ALICE)
    sender.faults = [SendLater("reset", retry_after=0)]
    await delivering.deliver_due()
    clock.move(minutes=5)
    await delivering.deliver_due()
    assert (sender.lookups, len(sender.received)) == (1, 1)
    assert (await find(delivery_id)).state == "sent"


async def test_transient_faults_back_off_and_honour_retry_after(delivering, owe, find, sender, clock):
    delivery_id = await owe(ALICE)
    sender.faults = [SendLater("slow down", retry_after=300)]
    await delivering.deliver_due()
    assert (await find(delivery_id)).next_try_at >= clock() + timedelta(seconds=300)
    clock.move(seconds=299)
    assert await delivering.deliver_due() == 0
    outcome = await delivering.outcome(delivery_id, 0)
    assert outcome.state == "waiting"


async def test_closed_dms_are_refused_once_and_not_asked_again(delivering, owe, find, sender, database):
    first = await owe(ALICE)
    second = await owe(ALICE, Alarm(sentence="later"))
    sender.faults = [RecipientUnreachable("Closed.", code=50007)]
    await delivering.deliver_due()
    await delivering.deliver_due()
    assert sender.sends == 1
    assert ((await find(first)).state, (await find(second)).state) == ("refused", "refused")
    outcome = await delivering.outcome(first, 0)
    assert (outcome.state, outcome.code) == ("refused", 50007)
    assert (await find(first)).notice.ticket is None


@pytest.mark.parametrize(("code", "minutes"), [(40003, 10), (20026, 720)])
async def test_while_new_dms_are_blocked_open_conversations_go_on(
    delivering, owe, find, sender, clock, database, code: int, minutes: int
):
    await owe(BOB)
    await delivering.deliver_due()
    blocked = await owe(ALICE)
    sender.faults = [NewConversationsBlocked("No.", code=code)]
    await delivering.deliver_due()
    waiting = await owe(103)
    open_one = await owe(BOB, Alarm(sentence="x"))
    await delivering.deliver_due()
    states = [(await find(each)).state for each in (blocked, waiting, open_one)]
    assert states == ["owed", "owed", "sent"]
    async with database.read() as connection:
        (alarm,) = await outbox.of_person(connection, OPERATOR)
    assert str(code) in alarm.notice.sentence
    clock.move(minutes=minutes + 1)
    await delivering.deliver_due()
    assert [(await find(each)).state for each in (blocked, waiting)] == ["sent", "sent"]


async def test_a_dm_on_its_way_before_the_block_does_not_lift_it(delivering, owe, sender, clock, database):
    """It is accepted after another was refused, and says nothing of those who come next."""
    await owe(ALICE)
    await owe(BOB)
    accept = sender.send

    async def held() -> bool:
        async with database.read() as connection:
            return await holds.held_until(connection, holds.NEW_CONVERSATIONS, clock()) is not None

    async def refuse_bob_first(envelope):
        if envelope.user_id == BOB:
            raise NewConversationsBlocked("No.", code=40003)
        async with asyncio.timeout(10):
            while not await held():  # noqa: ASYNC110 -- it is written by the other attempt
                await asyncio.sleep(0.001)
        return await accept(envelope)

    sender.send = refuse_bob_first
    await delivering.deliver_due()
    assert ALICE in {envelope.user_id for envelope in sender.envelopes}
    assert await held()


async def test_a_hold_of_everything_stops_everybody(delivering, owe, find, sender, clock):
    first, second = await owe(ALICE), await owe(BOB)
    sender.faults = [SendLater("Cloudflare", retry_after=600, everywhere=True)] * 2
    await delivering.deliver_due()
    clock.move(minutes=9)
    await owe(103)
    sends = sender.sends
    assert await delivering.deliver_due() == 0
    assert sender.sends == sends
    clock.move(minutes=2)
    await delivering.deliver_due()
    assert [(await find(each)).state for each in (first, second)] == ["sent", "sent"]


async def test_doubt_outlives_a_hold(delivering, owe, find, sender, clock):
    """A lost answer, then a refusal that says nothing of the first attempt: the message is there all the same."""
    delivery_id = await owe(ALICE)
    sender.keep_then = [SendLater("reset", retry_after=0)]
    await delivering.deliver_due()
    clock.move(seconds=30)
    sender.faults = [SendLater("Cloudflare", retry_after=600, everywhere=True)]
    await delivering.deliver_due()
    clock.move(minutes=11)
    await delivering.deliver_due()
    assert (sender.lookups, [each.user_id for each in sender.envelopes]) == (1, [ALICE, OPERATOR])
    assert (await find(delivery_id)).state == "sent"


@pytest.mark.slow
async def test_what_holds_everything_is_never_given_up(delivering, owe, find, sender, clock):
    delivery_id = await owe(ALICE)
    for _ in range(GIVE_UP_AFTER + 1):
        sender.faults = [SendLater("401", retry_after=300, everywhere=True)]
        await delivering.deliver_due()
        clock.move(hours=2)
    await delivering.deliver_due()
    assert (await find(delivery_id)).state == "sent"


async def test_what_was_looked_for_in_vain_is_looked_at_once_more(delivering, owe, find, sender, clock, database):
    """It is certain again that it was not sent, so it may be overtaken as if it was never tried."""
    delivery_id = await owe(ALICE, Regressed(safe_word="amber otter", process=ProcessLine(process="x" * 43)))
    async with database.write() as connection:
        message = await outbox.find(connection, await sending.claim(connection, clock(), new_conversations=True))
        await sending.begin_attempt(connection, message, clock())  # and there the program died
        await sending.release_all(connection)
    clock.move(minutes=5)
    await delivering.deliver_due()
    assert (sender.lookups, sender.sends) == (1, 0)
    assert (await find(delivery_id)).state == "withdrawn", "Alice follows no such process"


@pytest.mark.parametrize("template", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.parametrize("name", [holds.SENDS, holds.NEW_CONVERSATIONS])
async def test_a_hold_that_is_committed_during_a_claim_is_seen(delivering, owe, find, sender, clock, database, name):
    """On SQLite no other can write then."""
    delivery_id = await owe(ALICE)

    async def hold() -> None:
        async with database.write() as connection:
            await holds.hold(connection, name, now=clock(), first=timedelta(hours=1), longest=timedelta(hours=1))

    def before(_connection, _cursor, statement, _parameters, _context, _many) -> None:
        if statement.startswith("UPDATE outbox SET") and not held:
            held.append(statement)
            await_only(hold())

    held: list[str] = []
    event.listen(database._engine.sync_engine, "before_cursor_execute", before)
    await delivering.deliver_due()
    assert held
    assert sender.sends == 0
    assert ((await find(delivery_id)).state, (await find(delivery_id)).attempts) == ("owed", 0)


async def test_what_discord_never_takes_is_refused_and_rings(delivering, owe, find, sender, database):
    delivery_id = await owe(None, Alarm(sentence="x"), channel_id=55)
    sender.faults = [MessageRefused("Unknown channel.", code=10003)]
    await delivering.deliver_due()
    assert (await find(delivery_id)).state == "refused"
    async with database.read() as connection:
        assert len(await outbox.of_person(connection, OPERATOR)) == 1


async def test_a_fault_of_the_sender_itself_keeps_what_was_owed(delivering, owe, find, sender, clock):
    delivery_id = await owe(ALICE)
    sender.faults = [ZeroDivisionError("bug")]
    await delivering.deliver_due()
    assert (await find(delivery_id)).state == "owed"
    clock.move(minutes=2)
    await delivering.deliver_due()
    assert (await find(delivery_id)).state == "sent"


async def test_outcome_wakes_up_when_it_is_sent(delivering, owe):
    delivery_id = await owe(ALICE)
    waiting = asyncio.create_task(delivering.outcome(delivery_id, 30))
    await asyncio.sleep(0.01)
    await delivering.deliver_due()
    async with asyncio.timeout(2):
        assert (await waiting).state == "sent"


async def test_the_loop_delivers_and_stops_when_it_is_told(delivering, owe, find):
    task = asyncio.create_task(delivering.run())
    delivery_id = await owe(ALICE)
    delivering.wake()
    assert (await delivering.outcome(delivery_id, 5)).state == "sent"
    delivering.stop_running()
    async with asyncio.timeout(5):
        await task


async def test_stopping_lets_what_is_in_flight_end(delivering, owe, find, sender):
    delivery_id, next_one = await owe(ALICE), await owe(BOB)
    sender.while_sending = delivering.stop_running
    await delivering.deliver_due()
    assert (await find(delivery_id)).state == "sent"
    assert (await find(next_one)).attempts <= 1


async def test_the_rate_is_kept(database, clock, sender, owe, settings):
    quick = settings.reminders.model_copy(update={"messages_per_second": 20.0, "new_dms_per_minute": 60.0})
    ticketing = Ticketing(database, settings, load_presets(), clock)
    reminding = Reminding(database, Agenda(quick, settings.checks), ticketing, clock)
    delivering = Delivering(database, quick, clock, advisor=reminding, alarms=Alarms(database, settings, clock))
    delivering.sender = sender
    for user_id in range(1, 31):
        await owe(user_id)
        async with database.write() as connection:
            await people.change(connection, user_id, dm_channel_id=9000 + user_id)
    started = asyncio.get_running_loop().time()
    assert await delivering.deliver_due() == 30
    assert asyncio.get_running_loop().time() - started >= 0.45  # 20 at once, 10 more at 20 a second


async def test_one_message_that_cannot_be_prepared_keeps_no_other_waiting(delivering, owe, find, sender, database):
    broken, fine = await owe(ALICE), await owe(BOB)
    async with database.write() as connection:
        await connection.execute(text("UPDATE outbox SET notice = '{}' WHERE id = :id"), {"id": broken})
    await delivering.deliver_due()
    assert (await find(fine)).state == "sent"
    async with database.read() as connection:
        (alarm,) = await outbox.of_person(connection, OPERATOR)
        state = await connection.scalar(text("SELECT state FROM outbox WHERE id = :id"), {"id": broken})
    assert str(broken) in alarm.notice.sentence
    assert state == "owed"


async def test_a_database_that_fails_takes_no_slot_and_no_budget_with_it(delivering, owe, find, clock):
    def fail(*_: object) -> None:
        raise OSError("disk I/O error")

    engine = delivering._database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", fail)
    async with asyncio.timeout(10):
        for _ in range(IN_FLIGHT + 1):
            with pytest.raises(ExceptionGroup):
                await delivering.deliver_due()
        event.remove(engine, "before_cursor_execute", fail)
        delivery_id = await owe(ALICE)
        assert await delivering.deliver_due() == 1
    assert (await find(delivery_id)).state == "sent"
