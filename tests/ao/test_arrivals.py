"""Whether the message arrived and what came of it, by the sandbox's gateway and compute unit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from bot.ao.opening import open_reading
from bot.domain.card import Arrival, Outcome
from bot.domain.keys import StateKey
from bot.settings import AoSettings, NodeSettings, Settings
from sandbox.ao import AoNetwork

OWNER = "W" * 42 + "A"
STRANGER = "S" * 42 + "A"
HANDLER = (
    'Handlers.add("p", "EnableStatePatch", function() ao.send({device="patch@1.0", cache={balances={a="1"}}}) end)'
)
BREAKS = 'Handlers.add("p", "EnableStatePatch", function() error("no balances yet") end)'


@pytest.fixture
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork() as network:
        yield network


def settings_for(network: AoNetwork, **changes) -> Settings:
    nodes = tuple(NodeSettings(url=node.url, operator=node.operator) for node in network.nodes)
    given = {
        "nodes": nodes,
        "gateways": (network.gateway_url,),
        "cu_url": network.cu_url,
        "allowed_hosts": network.allowed_hosts,
    }
    return Settings(ao=AoSettings(**(given | changes)))


def sign(network: AoNetwork, pid: str, sender: str = OWNER, action: str = "EnableStatePatch") -> None:
    """Do what a signed message does: it is scheduled, and gateways index it."""
    identity = f"{len(network.processes[pid].results) + 1:042d}A"
    network.send(pid, sender, {"Action": action}, identity=identity)
    network._record(identity, sender, pid, (("Action", action),), mined=True)


async def newest(network: AoNetwork, pid: str, *, sender=None, **changes) -> Arrival | None:
    async with open_reading(settings_for(network, **changes)) as opened:
        reading = await opened.reader.read(pid, ((StateKey("balances"),),))
        return await opened.arrivals.newest(pid, reading.judgements[0], sender=sender)


async def test_nothing_arrived(network):
    pid = network.spawn(OWNER)
    sign(network, pid, action="Transfer")
    assert await newest(network, pid) is None


@pytest.mark.parametrize(
    ("lua", "outcome"), [("", Outcome.NO_HANDLER), (HANDLER, Outcome.PATCHED), (BREAKS, Outcome.FAILED)]
)
async def test_what_came_of_it(network, lua, outcome):
    pid = network.spawn(OWNER, lua)
    sign(network, pid)
    arrival = await newest(network, pid)
    assert arrival is not None
    assert arrival.outcome is outcome
    assert (arrival.sender, arrival.at is None) == (OWNER, False)
    assert ("no balances yet" in (arrival.error or "")) == (outcome is Outcome.FAILED)


async def test_a_strangers_message_is_not_the_owners(network):
    pid = network.spawn(OWNER)
    sign(network, pid, STRANGER)
    assert await newest(network, pid, sender=OWNER) is None
    assert await newest(network, pid) is not None


@pytest.mark.parametrize("changes", [{"cu_url": "http://127.0.0.1:9"}, {"allowed_hosts": ("https://*.example.org",)}])
async def test_without_the_compute_unit_the_nodes_tell(network, changes):
    pid = network.spawn(OWNER)
    sign(network, pid)
    arrival = await newest(network, pid, **changes)
    assert arrival is not None
    assert arrival.outcome is Outcome.NO_HANDLER


async def test_where_no_gateway_answers_nothing_is_said(network):
    pid = network.spawn(OWNER)
    assert await newest(network, pid, gateways=("http://127.0.0.1:9/graphql",)) is None


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"Messages":null}', b'{"Messages":[1]}', b'{"Messages":[{"Tags":"x"}]}', b"\xff"),
        *(b'{"Messages":{}}', b"[" * 100_000, json.dumps({"Messages": [{"Tags": [{"name": 1}]}]}).encode()),
    ],
)
async def test_an_odd_result_tells_nothing(network, raw, body):
    raw.answers(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    pid = network.spawn(OWNER, patches=[{"cache": {"users": {"a": "1"}}}])
    sign(network, pid)
    arrival = await newest(network, pid, cu_url=raw.url)
    assert arrival is not None
    assert arrival.outcome is Outcome.UNKNOWN
