"""What came of a signed message, on the cards that people get: by the sandbox's gateway and compute unit."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.ao.opening import put_together
from bot.domain.card import Outcome, Role
from bot.services.explaining import AT_MOST, Explaining
from bot.services.registering import RegisterRequest
from sandbox.ao.ans104 import random_id

ALICE = 101


@pytest.fixture
def register(app):
    async def register(*ids: str):
        return await app.registering.register(RegisterRequest(ALICE, " ".join(ids), Role.MINE))

    return register


@pytest.fixture
def silent(world):
    """A process without a handler: it takes every message into its inbox."""
    return world.network.spawn(world.owner, "")


@pytest.fixture
def anew(app):
    """Explains with nothing kept, as after a minute."""

    def anew() -> None:
        app.explaining._kept.clear()

    return anew


async def test_every_card_says_that_no_handler_took_the_message(app, register, world, silent, clock):
    world.sign(silent)
    arrived = clock().replace(microsecond=0)
    clock.move(hours=2)
    (registered,) = (await register(silent)).cards
    (status,) = await app.registering.cards(ALICE)
    for card in (registered, status, await app.checking.check_now(ALICE, silent), await app.checking.look(1, silent)):
        assert (card.arrival.outcome, card.arrival.at) == (Outcome.NO_HANDLER, arrived)


async def test_nothing_is_said_where_nothing_arrived_or_a_stranger_sent_it(app, register, world, silent, anew):
    (card,) = (await register(silent)).cards
    assert card.arrival is None
    anew()
    world.sign(silent, sender=random_id())
    (card,) = await app.registering.cards(ALICE)
    assert card.arrival is None


async def test_a_patched_process_needs_no_explanation(app, register, world):
    process = world.patched()
    world.sign(process)
    world.let_nodes_compute(process)
    (card,) = (await register(process)).cards
    before = world.network.gateway.requests
    assert (await app.registering.cards(ALICE)) == [card]
    assert (card.arrival, world.network.gateway.requests) == (None, before)


async def test_what_is_looked_for_is_the_message_that_its_migration_asks_for(app, register, world, silent, anew):
    app.presets["vaults"] = replace(app.presets["token"], name="vaults", action="OpenVault")
    draft = await app.announcing.draft(1, 2, 3, "Vaults", None, "vaults")
    await app.announcing.post(draft.migration_id, 3)
    request = RegisterRequest(ALICE, silent, Role.MINE, migration_id=draft.migration_id)
    world.sign(silent)
    (card,) = (await app.registering.register(request)).cards
    assert card.arrival is None
    anew()
    world.sign(silent, action="OpenVault")
    (card,) = await app.registering.cards(ALICE)
    assert card.arrival.outcome is Outcome.NO_HANDLER


async def test_it_is_asked_once_a_minute(app, register, world, silent):
    await register(silent)
    before = world.network.gateway.requests
    for _ in range(5):
        await app.registering.cards(ALICE)
    assert world.network.gateway.requests == before


async def test_a_list_is_not_explained(app, register, world):
    await register(*(world.network.spawn(world.owner, "") for _ in range(AT_MOST + 1)))
    before = world.network.gateway.requests
    await app.registering.cards(ALICE)
    assert world.network.gateway.requests == before


async def test_gateways_that_fail_cost_the_explanation_only(app, register, world, silent, anew):
    world.sign(silent)
    await register(silent)
    anew()
    world.network.gateway.down = True
    (card,) = await app.registering.cards(ALICE)
    assert (card.process, card.arrival) == (silent, None)


async def test_in_a_crowd_looks_come_first(app, register, world, silent, anew):
    await register(silent)
    anew()
    (peer,) = app.gateways._peers
    while not peer.busy:
        peer._bucket.take()
    before = world.network.gateway.requests
    assert len((await register(world.unpatched())).cards) == 1
    assert world.network.gateway.requests == before + 1, "what is registered is described, and not explained"


@pytest.fixture
async def hung(app):
    """Explains by a gateway that takes every question and never answers; gives that, and the questions."""
    asked = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
        ao = app.settings.ao.model_copy(update={"gateways": (url,)})
        opened = put_together(app.settings.model_copy(update={"ao": ao}))
        async with opened.transport:
            yield Explaining(opened.arrivals, patience=0.2), asked


async def test_an_answer_waits_no_longer_than_its_patience_and_only_once(register, silent, hung):
    cards = (await register(silent)).cards
    explaining, asked = hung
    started = time.monotonic()
    assert await explaining.explain(cards) == list(cards)
    assert time.monotonic() - started < 2
    assert await explaining.explain(cards) == list(cards)
    assert len(asked) == 1
