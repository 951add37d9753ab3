"""Hints: what gateways say was written to is looked at sooner, over sockets and on both databases."""

from datetime import timedelta

import pytest

from bot.domain.card import Role
from bot.domain.observation import Verdict
from bot.services import hinting, holds
from bot.services.registering import RegisterRequest
from bot.store import processes
from sandbox.ao.ans104 import random_id

pytestmark = pytest.mark.slow

ALICE = 101


@pytest.fixture
def register(app):
    async def register(*ids: str):
        return await app.registering.register(RegisterRequest(ALICE, " ".join(ids), Role.MINE))

    return register


@pytest.fixture
def write_to(world):
    """A message that gateways have heard of."""

    def write_to(process: str, *, mined: bool = True) -> None:
        world.network._record(random_id(), world.owner, process, (("Action", "EnableStatePatch"),), mined=mined)

    return write_to


@pytest.fixture
def next_look(app):
    async def next_look(process: str):
        async with app.database.read() as connection:
            return (await processes.find(connection, process)).next_look_at

    return next_look


async def test_what_was_written_to_is_looked_at_soon_and_nothing_else(app, register, world, write_to, next_look, clock):
    busy, quiet = world.unpatched(), world.unpatched()
    await register(busy, quiet)
    before = await next_look(quiet)
    clock.move(hours=3)
    world.patch(busy)
    world.let_nodes_compute(busy)
    write_to(busy)
    assert await app.hinting.hint_once() == 1
    assert await next_look(busy) == clock()
    assert await next_look(quiet) == before
    assert await app.checking.sweep_once() == 1
    assert {card.process: card.status for card in await app.registering.cards(ALICE)} == {
        busy: Verdict.PATCHED,
        quiet: Verdict.NOT_PATCHED,
    }


async def test_one_that_is_not_mined_yet_counts(app, register, world, write_to, clock):
    process = world.unpatched()
    await register(process)
    clock.move(hours=3)
    write_to(process, mined=False)
    assert await app.hinting.hint_once() == 1


async def test_what_was_sent_before_the_last_look_is_old(app, register, world, write_to, clock):
    process = world.unpatched()
    write_to(process)
    clock.move(minutes=1)
    await register(process)
    clock.move(hours=3)
    assert await app.hinting.hint_once() == 0
    assert world.network.gateway.requests > 0


async def test_a_busy_process_is_not_looked_at_every_round(app, register, world, write_to, clock):
    process = world.unpatched()
    await register(process)
    looks = 0
    for _ in range(72):  # every five minutes, for six hours
        clock.move(minutes=5)
        write_to(process)
        await app.hinting.hint_once()
        looks += await app.checking.sweep_once()
    assert looks == 3


async def test_patched_due_and_leased_ones_are_not_asked_about(app, register, world, write_to, clock):
    patched, due, leased = world.patched(), world.unpatched(), world.unpatched()
    await register(patched, due, leased)
    clock.move(hours=3)
    async with app.database.write() as connection:
        await processes.look_sooner(connection, {due: clock() + timedelta(minutes=5)}, clock())
        await processes.claim(connection, [leased], clock())
    before = world.network.gateway.requests
    for process in (patched, due, leased):
        write_to(process)
    assert await app.hinting.hint_once() == 0
    assert world.network.gateway.requests == before


async def test_every_process_gets_its_turn_and_what_was_found_is_spread(
    app, register, world, write_to, next_look, clock, monkeypatch
):
    monkeypatch.setattr(hinting, "AT_MOST", 2)
    ids = sorted(world.unpatched() for _ in range(5))
    await register(*ids)
    clock.move(hours=3)
    for process in ids:
        write_to(process)
    assert [await app.hinting.hint_once() for _ in range(3)] == [2, 2, 1]
    moments = [await next_look(process) - clock() for process in ids]
    half = timedelta(minutes=2.5)
    assert sorted(moments) == [timedelta(0)] * 3 + [half] * 2
    assert await app.hinting.hint_once() == 0  # they are due, and not moved back


async def test_gateways_that_fail_lose_nothing(app, register, world, write_to, next_look, clock):
    process = world.unpatched()
    await register(process)
    before = await next_look(process)
    clock.move(hours=3)
    write_to(process)
    world.network.gateway.down = True
    assert await app.hinting.hint_once() == 0
    assert await next_look(process) == before
    clock.now = before
    assert await app.checking.sweep_once() == 1


async def test_nothing_is_hurried_while_checks_are_held(app, register, world, write_to, clock):
    process = world.unpatched()
    await register(process)
    clock.move(hours=3)
    write_to(process)
    async with app.database.write() as connection:
        hour = timedelta(hours=1)
        await holds.hold(connection, holds.CHECKS, now=clock(), first=hour, longest=hour)
    assert await app.hinting.hint_once() == 0
    clock.move(hours=2)
    assert await app.hinting.hint_once() == 1


async def test_it_runs_until_it_is_stopped_and_not_at_all_where_it_is_off(app, clock):
    off = app.settings.checks.model_copy(update={"hint_interval": timedelta(0)})
    await hinting.Hinting(app.database, app.gateways, off, clock, found=lambda: None).run()
    app.hinting.stop_running()
    await app.hinting.run()
    assert app.hinting.pulse.failures == 0
