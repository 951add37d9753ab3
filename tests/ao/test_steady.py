"""What is kept of processes for which nothing moves saves work, and never hides that something moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.ao.memory import Memory, NodeMemory
from bot.ao.opening import open_reading
from bot.ao.reader import Reader, Reading
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.status import TargetStatus
from bot.settings import AoSettings, CheckSettings, NodeSettings, Settings
from sandbox.ao import AoNetwork

OWNER = "W" * 42 + "A"
BALANCES = (StateKey("balances"),)
LUA = """
Handlers.add("on", "On", function() ao.send({device="patch@1.0", cache={balances={a="1"}}}) end)
Handlers.add("off", "Off", function() ao.send({device="patch@1.0", cache={balances={}, other={a="2"}}}) end)
"""


@pytest.fixture
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork(operators=("amber", "birch")) as network:
        yield network


@pytest.fixture
async def reader(network) -> AsyncIterator[Reader]:
    nodes = tuple(NodeSettings(url=node.url, operator=node.operator) for node in network.nodes)
    ao = AoSettings(nodes=nodes, gateways=(network.gateway_url,))
    async with open_reading(Settings(ao=ao, checks=CheckSettings(requests_per_minute=60_000))) as opened:
        yield opened.reader


class Sweep:
    """Looks again and again at one process, as the sweep does."""

    def __init__(self, reader: Reader, pid: str, required=BALANCES) -> None:
        self.reader = reader
        self.pid = pid
        self.required = required
        self.last: Reading | None = None
        self.verdict = Verdict.UNKNOWN

    async def look(self) -> Reading:
        memory = self.last.memory if self.last is not None else None
        status = TargetStatus(verdict=self.verdict)
        self.last = await self.reader.read(self.pid, (self.required,), memory=memory, status=status)
        self.verdict = self.last.judgements[0].verdict
        return self.last


def catch_up(network: AoNetwork, pid: str) -> None:
    for node in network.nodes:
        node.answer(f"/{pid}~process@1.0/now/at-slot", bundle=True)


async def test_what_moves_is_seen_at_once(network, reader):
    pid = network.spawn(OWNER, LUA)
    sweep = Sweep(reader, pid)
    for action, verdict in ((None, Verdict.NOT_PATCHED), ("On", Verdict.PATCHED), ("Off", Verdict.PATCHED)):
        if action is not None:
            network.send(pid, OWNER, {"Action": action})
            catch_up(network, pid)
        looks = [await sweep.look() for _ in range(4)]
        assert [look.judgements[0].verdict for look in looks] == [verdict] * 4
        assert [look.requests for look in looks[1:]] == [1, 1, 1]
    assert "cache/other" in looks[-1].judgements[0].exposed


async def test_a_message_that_is_scheduled_and_not_computed_ends_the_steadiness(network, reader):
    pid = network.spawn(OWNER, LUA)
    sweep = Sweep(reader, pid)
    for _ in range(3):
        await sweep.look()
    network.send(pid, OWNER, {"Action": "On"})
    assert (await sweep.look()).judgements[0].verdict is Verdict.PATCHED
    assert len(sweep.last.judgements[0].operators) == 2


async def test_a_patch_that_is_gone_is_seen(network, reader):
    pid = network.spawn(OWNER, patches=[{"cache": {"balances": {"a": "1"}}}])
    sweep = Sweep(reader, pid)
    for _ in range(3):
        await sweep.look()
    network.processes[pid].first_patches = ()
    fresh = network.spawn(OWNER, process=pid, known_to_gateway=False)
    assert fresh == pid
    for node in network.nodes:
        node.restart()
    # The state of one slot never changes; where it did all the same, what the caller remembers must not hide it.
    forgetful = Memory(nodes=tuple(NodeMemory(node=node.url, warm=True) for node in network.nodes))
    assert sweep.last is not None
    sweep.last = replace(sweep.last, memory=forgetful)
    found = await sweep.look()
    assert found.judgements[0].verdict is Verdict.NOT_PATCHED


async def test_other_keys_are_judged_anew(network, reader):
    pid = network.spawn(OWNER, patches=[{"cache": {"balances": {"a": "1"}}}])
    sweep = Sweep(reader, pid)
    for _ in range(3):
        await sweep.look()
    sweep.required = (StateKey("users"),)
    assert (await sweep.look()).judgements[0].verdict is Verdict.NOT_PATCHED


async def test_the_steady_look_costs_one_request_and_judges_nothing_anew(network, reader, monkeypatch):
    pid = network.spawn(OWNER, patches=[{"cache": {"balances": {"a": "1"}}}])
    sweep = Sweep(reader, pid)
    for _ in range(2):
        await sweep.look()

    def judge(*_: object, **__: object) -> None:
        raise AssertionError("judged anew")

    monkeypatch.setattr("bot.ao.look.judge", judge)
    assert (await sweep.look()).requests == 1
