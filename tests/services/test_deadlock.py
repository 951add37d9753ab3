"""Two transactions that wait for each other: PostgreSQL ends one, which is then done again and loses nothing."""

import asyncio

import pytest
from sqlalchemy import text

from bot.domain.card import Role
from bot.domain.notices import FirstDm, ProcessLine
from bot.errors import RecipientUnreachable
from bot.services.registering import RegisterRequest
from bot.store import gathering, outbox, people, processes, registrations
from tests.services.conftest import START

pytestmark = pytest.mark.slow

ALICE = 101


async def contend(app, act, first, second) -> None:
    """Have `act` wait for what `second` locked, and want then what it has."""
    async with app.database.write() as connection:
        if app.database.dialect == "postgresql":
            await connection.execute(text("SET LOCAL deadlock_timeout = '60s'"))  # it shall be the other that is ended
        await second(connection)
        acting = asyncio.create_task(act())
        await _until_it_waits(connection)
        await first(connection)
    await acting


async def _until_it_waits(connection) -> None:
    """Give the other the time to come to where it waits for us; on SQLite it does so before it begins."""
    if connection.dialect.name != "postgresql":
        await asyncio.sleep(0.2)
        return
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(30):
        while not await connection.scalar(waiting):
            await connection.execute(text("SELECT pg_stat_clear_snapshot()"))
            await asyncio.sleep(0.02)


async def the_person(connection) -> None:
    await people.find(connection, ALICE, lock=True)


async def their_registrations(connection) -> None:
    await the_person(connection)
    mine = await registrations.of_person(connection, ALICE)
    await registrations.change(connection, [each.id for each in mine], label="x")


@pytest.mark.parametrize("act", ["unregister", "erase", "register"])
async def test_what_met_a_deadlock_is_done_again(app, world, act):
    process = world.unpatched()
    request = RegisterRequest(ALICE, process, Role.MINE)
    await app.registering.register(request)
    acts = {
        "unregister": lambda: app.registering.unregister(ALICE, process),
        "erase": lambda: app.privacy.erase(ALICE),
        "register": lambda: app.registering.register(request),
    }

    async def the_process(connection) -> None:
        await processes.lock(connection, process)

    order = (the_process, their_registrations)
    await contend(app, acts[act], *(reversed(order) if act == "register" else order))
    followed = await app.registering.cards(ALICE)
    assert [card.process for card in followed] == ([process] if act == "register" else [])


async def their_message(connection) -> None:
    """Lock what is on its way to them, as news that joins it does."""
    assert await gathering.since(connection, [ALICE], "first_dm", START)


@pytest.mark.parametrize("fault", [None, RecipientUnreachable("Closed.", code=50007)], ids=["sent", "refused"])
async def test_an_outcome_that_met_a_deadlock_is_written_again(app, world, sender, fault):
    outcome = await app.registering.register(RegisterRequest(ALICE, world.unpatched(), Role.MINE))
    arrived, answer = asyncio.Event(), asyncio.Event()
    send = sender.send

    async def send_slowly(envelope):
        arrived.set()
        await answer.wait()
        return await send(envelope)

    sender.send, sender.faults = send_slowly, [fault] if fault else []
    delivering = asyncio.create_task(app.delivering.deliver_due())
    await arrived.wait()

    async def let_it_arrive() -> None:
        answer.set()
        await delivering

    await contend(app, let_it_arrive, their_message, the_person)
    assert delivering.result() == 1
    assert (await app.delivering.outcome(outcome.first_dm, 0)).state == ("refused" if fault else "sent")


async def test_a_claim_that_met_a_deadlock_is_made_again(app, world, sender, clock):
    process = world.unpatched()
    await app.registering.register(RegisterRequest(ALICE, process, Role.MINE))
    await app.delivering.deliver_due()
    async with app.database.write() as connection:
        line = ProcessLine(process=process)
        notice = FirstDm(safe_word="a b", processes=(line,), ticket="a link that ended")  # its claim makes another
        delivery = await outbox.owe(connection, notice, now=clock(), user_id=ALICE)
    await contend(app, app.delivering.deliver_due, their_message, the_person)
    assert (await app.delivering.outcome(delivery, 0)).state == "sent"
    assert [each.delivery_id for each in sender.envelopes][1:] == [delivery]
