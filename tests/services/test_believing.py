"""What makes "I signed" true: the network's own word, never the page's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.ao.opening import open_reading
from bot.services.believing import Believing
from sandbox.ao.ans104 import random_id

TEMPLATE = {"Action": "EnableStatePatch", "Data-Protocol": "ao", "Type": "Message", "Variant": "ao.TN.1"}


@pytest.fixture
async def believes(app, world):
    async with open_reading(app.settings) as opened:
        believing = Believing(
            opened.scheduler,
            opened.arrivals,
            opened.gateways,
            actions=["EnableStatePatch"],
            step=timedelta(milliseconds=1),
        )
        yield believing.believes


def _send(world, process, *, sender=None, tags=None, to=None) -> str:
    message = random_id()
    world.network.send(to or process, sender or world.owner, tags or TEMPLATE, identity=message)
    return message


async def test_its_owners_message_after_our_template_is_believed(believes, world):
    process = world.unpatched()
    assert await believes(process, _send(world, process))
    assert await believes(process, _send(world, process, tags=TEMPLATE | {"Action": "Eval"}))


async def test_a_message_that_nobody_has_is_not_believed(believes, world):
    assert not await believes(world.unpatched(), random_id())


@pytest.mark.parametrize("change", [{"Action": "Transfer"}, {"Type": "Process"}, {"Data-Protocol": "other"}])
async def test_another_message_of_the_owner_is_not_believed(believes, world, change):
    process = world.unpatched()
    assert not await believes(process, _send(world, process, tags=TEMPLATE | change))


async def test_a_message_to_another_process_is_not_believed(believes, world):
    process, other = world.unpatched(), world.unpatched()
    assert not await believes(process, _send(world, process, to=other))


async def test_a_strangers_message_is_believed_only_where_the_process_answered_it(believes, world):
    guarded = """Handlers.add("EnableStatePatch", "EnableStatePatch", function(msg)
      if msg.From == Owner then ao.send({ device = "patch@1.0", cache = { a = "1" } }) end
    end)"""
    process = world.network.spawn(world.owner, guarded)
    stranger = random_id()
    assert not await believes(process, _send(world, process, sender=stranger))
    handed_over = world.network.spawn(world.owner, f'{guarded}\nOwner = "{stranger}"')
    assert await believes(handed_over, _send(world, handed_over, sender=stranger))


async def test_where_the_scheduler_is_silent_a_gateway_does(believes, world):
    process = world.unpatched()
    message = _send(world, process)
    world.network.su.down = True
    assert not await believes(process, message)
    world.network._record(message, world.owner, process, tuple(TEMPLATE.items()), mined=False)
    assert await believes(process, message)
