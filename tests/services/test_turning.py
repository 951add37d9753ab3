"""What turns patched within ten minutes is one message, which grows by edits: no news is lost and none comes twice."""

from collections import Counter

import pytest
from sqlalchemy import event

from bot.domain.card import Role
from bot.domain.notices import Patched, Regressed
from bot.errors import MessageRefused, SendLater
from bot.services.registering import RegisterRequest
from bot.services.tidying import GIVE_UP_AFTER
from bot.store import people, registrations
from sandbox.ao.faults import Lie

pytestmark = pytest.mark.slow

ALICE = 101


@pytest.fixture
def turn(app, world, sender):
    """Have a process of Alice's turn patched, be looked at, and what is owed go out."""
    app.tidying.sender = sender

    async def turn(process: str) -> None:
        world.patch(process)
        world.let_nodes_compute(process)
        await app.checking.check_now(ALICE, process)
        await app.delivering.deliver_due()

    return turn


@pytest.fixture
def register(app, world):
    async def register(number: int) -> list[str]:
        processes = [world.unpatched(f"P{n}") for n in range(number)]
        await app.registering.register(RegisterRequest(ALICE, " ".join(processes), Role.MINE))
        await app.delivering.deliver_due()
        return processes

    return register


@pytest.fixture
def told(sender):
    """Give, message by message as Alice sees them now, which processes each says are patched."""

    def told() -> list[list[str]]:
        notices = [each.notice for each in sender.envelopes if isinstance(each.notice, Patched)]
        return [[each.process.process, *(line.process for line in each.others)] for each in notices]

    return told


async def test_the_first_goes_at_once_and_grows_for_ten_minutes(app, register, turn, clock, sender, told):
    processes = await register(6)
    for number, process in enumerate(processes[:4], start=1):
        await turn(process)
        assert await app.tidying.tidy_due() == (number > 1)
        assert told() == [processes[:number]], "one message, at once"
        clock.move(minutes=3)
    for process in processes[4:]:
        await turn(process)
    assert await app.tidying.tidy_due() == 1
    assert await app.tidying.tidy_due() == 0
    assert told() == [processes[:4], processes[4:]]
    assert sender.envelopes[-1].notice.open_processes == 0


async def test_what_turns_in_one_transaction_is_one_message(app, register, world, clock, told, sender):
    processes = await register(12)
    for process in processes:
        world.patch(process)
        world.let_nodes_compute(process)
    clock.move(hours=20)  # past the next look at each, whatever its jitter
    await app.checking.sweep_once()
    await app.delivering.deliver_due()
    (seen,) = told()
    assert len(seen) + sender.envelopes[-1].notice.more == 12


async def test_what_joins_a_message_in_doubt_is_shown_in_the_end(app, register, turn, clock, sender, told):
    first, second = await register(2)
    sender.keep_then = [SendLater("the reply is lost", retry_after=1)]
    await turn(first)
    await turn(second)
    clock.move(seconds=30)  # the second attempt says more, and Discord gives the first message for its nonce
    await app.delivering.deliver_due()
    assert told() == [[first]]
    await app.tidying.tidy_due()
    assert told() == [[first, second]]


async def test_what_joins_a_message_that_is_tried_again_goes_with_it(app, register, turn, clock, sender, told):
    first, second = await register(2)
    sender.faults = [SendLater("not now", retry_after=1)]
    await turn(first)
    await turn(second)
    clock.move(seconds=30)
    await app.delivering.deliver_due()
    await app.tidying.tidy_due()
    assert told() == [[first, second]]


async def test_what_joins_while_an_edit_is_under_way_is_shown_by_the_next(app, register, turn, sender, told):
    first, second, third = await register(3)
    await turn(first)
    await turn(second)
    edit = sender.edit

    async def edit_slowly(sent, envelope) -> None:
        sender.edit = edit
        await turn(third)
        await edit(sent, envelope)

    sender.edit = edit_slowly
    assert await app.tidying.tidy_due() == 2
    assert told() == [[first, second, third]]


@pytest.mark.parametrize("fault", [MessageRefused("It is gone.", code=10008), SendLater("no", retry_after=1)])
async def test_what_cannot_be_edited_is_a_message_of_its_own(app, register, turn, clock, sender, told, fault):
    first, second = await register(2)
    await turn(first)
    await turn(second)
    for _ in range(GIVE_UP_AFTER + 1):
        sender.faults = [fault]
        await app.tidying.tidy_due()
        clock.move(minutes=6)
    sender.faults = []
    await app.delivering.deliver_due()
    assert await app.tidying.tidy_due() == 0
    assert told() == [[first], [first, second]]


async def test_one_passing_fault_of_an_edit_is_no_second_message(app, register, turn, clock, sender, told):
    first, second = await register(2)
    sender.faults = [SendLater("not now", retry_after=1)] * GIVE_UP_AFTER
    await turn(first)
    for _ in range(GIVE_UP_AFTER):
        clock.move(minutes=50)
        await app.delivering.deliver_due()
    assert told() == [[first]], "sent in the end, after more attempts than an edit has"
    await turn(second)
    sender.faults = [SendLater("no", retry_after=1)]
    await app.tidying.tidy_due()
    clock.move(minutes=6)
    await app.tidying.tidy_due()
    await app.delivering.deliver_due()
    assert told() == [[first, second]]


async def test_who_has_everything_erased_during_an_edit_hears_no_more(app, register, turn, sender, told):
    first, second = await register(2)
    await turn(first)
    await turn(second)

    async def edit(_sent, _envelope) -> None:
        await app.privacy.erase(ALICE)
        raise MessageRefused("It is gone.", code=10008)

    sender.edit = edit
    assert await app.tidying.tidy_due() == 1
    assert await app.delivering.deliver_due() == 0
    assert not (await app.privacy.holding(ALICE)).known
    assert told() == [[first]]


async def test_patched_anew_is_said_anew(app, register, turn, world, clock, sender, told):
    (process,) = await register(1)
    await turn(process)
    for node in world.network.nodes:
        node.faults.lie = Lie.NOT_PATCHED
    clock.move(minutes=4)
    for _ in range(3):
        await app.checking.check_now(ALICE, process)
        clock.move(minutes=1)
    await app.delivering.deliver_due()
    assert [type(each.notice) for each in sender.envelopes][-1] is Regressed
    for node in world.network.nodes:
        node.faults.lie = None
    await turn(process)
    assert told() == [[process], [process]]


async def test_a_process_that_many_follow_is_told_in_few_statements(app, register, world, clock, sender):
    database = app.database
    (process,) = await register(1)
    many = 250
    async with database.write() as connection:
        (mine,) = await registrations.of_person(connection, ALICE)
        for user_id in range(1000, 1000 + many):
            await people.remember(connection, user_id, safe_word="a b", locale="en", name_hint="", now=clock())
            await people.change(connection, user_id, dm_channel_id=user_id)
            await registrations.add(
                connection,
                user_id=user_id,
                process=process,
                target_id=mine.target_id,
                role=Role.WATCHING,
                created_at=mine.created_at,
            )
    statements = Counter()
    event.listen(database._engine.sync_engine, "before_cursor_execute", lambda *_: statements.update("x"))
    world.patch(process)
    world.let_nodes_compute(process)
    await app.checking.check_now(ALICE, process)
    assert statements["x"] < 120, "two commands for each would be 500"
    await app.delivering.deliver_due()
    told = {each.user_id for each in sender.envelopes if isinstance(each.notice, Patched)}
    assert told == {ALICE, *range(1000, 1000 + many)}
