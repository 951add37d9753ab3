"""Two transactions that wait for each other: PostgreSQL ends one, which is then done again and loses nothing."""

import asyncio

import pytest
from sqlalchemy import text

from bot.domain.card import Role
from bot.services.registering import RegisterRequest
from bot.store import people, processes, registrations

ALICE = 101


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
    async with app.database.write() as connection:
        if app.database.dialect == "postgresql":
            await connection.execute(text("SET LOCAL deadlock_timeout = '20s'"))  # it shall be the other that is ended
        first, second = _rows(connection, process)
        await (second if act == "register" else first)()
        acting = asyncio.create_task(acts[act]())
        await asyncio.wait([acting], timeout=1)  # until it waits for what we have; what it has we want now
        await (first if act == "register" else second)()
    await acting
    followed = await app.registering.cards(ALICE)
    assert [card.process for card in followed] == ([process] if act == "register" else [])


def _rows(connection, process: str):
    async def the_process() -> None:
        await processes.lock(connection, process)

    async def the_person() -> None:
        await people.find(connection, ALICE, lock=True)
        mine = await registrations.of_person(connection, ALICE, process)
        await registrations.change(connection, [each.id for each in mine], label="x")

    return the_process, the_person
