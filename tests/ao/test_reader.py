"""The reader against the sandbox's nodes and gateway over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.ao.memory import MOST_LOOKS
from bot.ao.opening import open_reading
from bot.ao.reader import Reader, Reading, Urgency
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.status import TargetStatus
from bot.domain.verdict import Reason
from bot.settings import AoSettings, CheckSettings, NodeSettings, Settings
from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import random_id
from sandbox.ao.faults import Lie
from sandbox.ao.node import SandboxNode

OWNER = "W" * 42 + "A"
BALANCES = (StateKey("balances"),)
PATCH = {"cache": {"balances": {"alice": "100"}}}


@pytest.fixture
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork(operators=("amber", "birch", "cedar")) as network:
        yield network


def settings_for(network: AoNetwork, **checks) -> Settings:
    options = {"timeout": timedelta(seconds=1), "now_timeout": timedelta(seconds=2), "requests_per_minute": 60_000}
    nodes = tuple(NodeSettings(url=node.url, operator=node.operator) for node in network.nodes)
    return Settings(
        ao=AoSettings(nodes=nodes, gateways=(network.gateway_url,)), checks=CheckSettings(**(options | checks))
    )


@asynccontextmanager
async def reading(network: AoNetwork, **checks) -> AsyncIterator[Reader]:
    async with open_reading(settings_for(network, **checks)) as opened:
        yield opened.reader


@pytest.fixture
async def reader(network) -> AsyncIterator[Reader]:
    async with reading(network) as reader:
        yield reader


def asked(network: AoNetwork) -> int:
    return sum(sum(node.requests.values()) for node in network.nodes)


def verdict(found: Reading) -> tuple[Verdict, Reason]:
    return found.judgements[0].verdict, found.judgements[0].reason


async def test_a_patched_process_is_said_so_by_two_operators(network, reader):
    pid = network.spawn(OWNER, patches=[PATCH], tags={"Name": "Vault"})
    found = await reader.read(pid, (BALANCES,))
    assert verdict(found) == (Verdict.PATCHED, Reason.SHOWN)
    assert len(found.judgements[0].operators) == 2
    assert found.judgements[0].shown == (("balances", "cache/balances"),)
    assert found.metadata is not None
    assert (found.metadata.owner, found.metadata.name) == (OWNER, "Vault")
    assert found.requests == asked(network) <= 4
    assert {sighting.node for sighting in found.evidence} == set(found.judgements[0].nodes)


async def test_a_process_that_is_not_patched_is_said_so_by_two_operators(network, reader):
    pid = network.spawn(OWNER)
    found = await reader.read(pid, (BALANCES,))
    assert verdict(found) == (Verdict.NOT_PATCHED, Reason.MISSING)
    assert len(found.judgements[0].operators) == 2
    assert found.requests == asked(network) <= 8


async def test_what_is_known_is_kept_by_one_answer(network, reader):
    for patches, known, most in (([PATCH], Verdict.PATCHED, 1), ([], Verdict.NOT_PATCHED, 1)):
        pid = network.spawn(OWNER, patches=patches)
        first = await reader.read(pid, (BALANCES,))
        again = await reader.read(pid, (BALANCES,), memory=first.memory, status=TargetStatus(verdict=known))
        assert again.judgements[0].verdict is known
        assert again.requests <= most


async def test_several_sets_of_keys_are_judged_in_one_look(network, reader):
    pid = network.spawn(OWNER, patches=[{"cache": {"users": {"a": "1"}}}])
    found = await reader.read(pid, (BALANCES, (StateKey("users"),), ()))
    assert [judgement.verdict for judgement in found.judgements] == [
        Verdict.NOT_PATCHED,
        Verdict.PATCHED,
        Verdict.PATCHED,
    ]
    assert found.judgements[0].exposed == ("cache/users",)


async def test_a_change_is_asked_of_a_second_operator_at_once(network, reader):
    pid = network.spawn(OWNER, patches=[PATCH])
    found = await reader.read(pid, (BALANCES,), status=TargetStatus(verdict=Verdict.NOT_PATCHED))
    assert len(found.judgements[0].operators) == 2


@pytest.mark.parametrize("lie", list(Lie))
async def test_a_single_liar_convinces_nobody(network, reader, lie):
    truth = Verdict.NOT_PATCHED if lie is Lie.PATCHED else Verdict.PATCHED
    for liar in network.nodes:
        liar.faults.lie = lie
        for _ in range(3):
            pid = network.spawn(OWNER, patches=[] if truth is Verdict.NOT_PATCHED else [PATCH])
            found = await reader.read(pid, (BALANCES,))
            assert found.judgements[0].verdict is truth
            assert liar.operator not in found.judgements[0].operators
        liar.faults.clear()


@pytest.mark.parametrize(
    "how",
    ["down", "login_page", "rate_limited", pytest.param("delay", marks=pytest.mark.slow), "only_schedules", "lost"],
)
async def test_losing_one_node_of_three_costs_no_verdict(network, reader, how):
    pids = [network.spawn(OWNER, patches=[PATCH] * (number % 2)) for number in range(8)]
    lost = network.nodes[0]
    match how:
        case "down":
            lost.down = True
        case "delay":
            lost.faults.delay = 3
        case "lost":
            lost.faults.lost.update(pids)
        case _:
            setattr(lost.faults, how, True)
    found = await asyncio.gather(*(reader.read(pid, (BALANCES,)) for pid in pids))
    assert [one.judgements[0].verdict for one in found] == [Verdict.NOT_PATCHED, Verdict.PATCHED] * 4
    assert all(len(one.judgements[0].operators) == 2 for one in found)


async def test_losing_all_nodes_is_one_state_and_soon_costs_nothing(network, reader):
    for node in network.nodes:
        node.down = True
    pids = [network.spawn(OWNER) for _ in range(30)]
    found = [await reader.read(pid, (BALANCES, ())) for pid in pids]
    assert {verdict(one) for one in found} == {(Verdict.UNKNOWN, Reason.NODES_DOWN)}
    assert all(len(one.judgements) == 2 for one in found)
    assert sum(one.requests for one in found) < 20
    assert not any(health.healthy for health in await reader.healthy_nodes())
    assert found[-1].evidence


async def test_an_id_that_nobody_knows_is_not_found(network, reader):
    found = await reader.read(ProcessId(random_id()), (BALANCES,))
    assert verdict(found) == (Verdict.NOT_FOUND, Reason.NOT_A_PROCESS)
    assert found.metadata is None


async def test_an_id_is_not_called_not_found_while_a_node_or_gateway_is_silent(network):
    async with reading(network) as reader:
        network.nodes[1].down = True
        found = await reader.read(ProcessId(random_id()), (BALANCES,))
        assert found.judgements[0].verdict is Verdict.UNKNOWN
    network.nodes[1].down = False
    settings = settings_for(network)
    silent = settings.ao.model_copy(update={"gateways": (network.gateway_url, "http://127.0.0.1:9/graphql")})
    async with open_reading(settings.model_copy(update={"ao": silent})) as opened:
        found = await opened.reader.read(ProcessId(random_id()), (BALANCES,))
        assert verdict(found) == (Verdict.UNKNOWN, Reason.NOT_KNOWN_HERE)


async def test_a_process_that_only_one_node_knows_is_found_there_and_there_first_the_next_time(network, reader):
    pid = network.spawn(OWNER, patches=[PATCH])
    for node in network.nodes[1:]:
        node.faults.lost.add(pid)
    assert (await reader.read(pid, (BALANCES,))).judgements[0].operators == (network.nodes[0].operator,)
    before = [sum(node.requests.values()) for node in network.nodes]
    await reader.read(pid, (BALANCES,), status=TargetStatus(verdict=Verdict.PATCHED))
    assert [sum(node.requests.values()) for node in network.nodes][1:] == before[1:]


def first_asked(network: AoNetwork) -> SandboxNode:
    return max(network.nodes, key=lambda node: sum(node.requests.values()))


async def stale(network: AoNetwork, reader: Reader) -> tuple[str, Reading]:
    """Make a process that was patched, of which its usual node hides that anything was sent to it."""
    pid = await behind(network)
    for node in network.nodes:
        node.faults.lag = 1
    known = TargetStatus(verdict=Verdict.NOT_PATCHED)
    found = await reader.read(pid, (BALANCES,))
    for node in network.nodes:
        node.requests.clear()
    found = await reader.read(pid, (BALANCES,), memory=found.memory, status=known)
    usual = first_asked(network)
    for node in network.nodes:
        node.faults.lag = 1 if node is usual else 0
    return pid, found


@pytest.mark.parametrize("urgency", [Urgency.REGISTERED, Urgency.SIGNED])
async def test_a_node_out_of_touch_hides_nothing_from_somebody_who_waits(network, reader, urgency):
    pid, before = await stale(network, reader)
    known = TargetStatus(verdict=Verdict.NOT_PATCHED)
    found = await reader.read(pid, (BALANCES,), memory=before.memory, status=known, urgency=urgency)
    assert found.judgements[0].verdict is Verdict.PATCHED
    assert len(found.judgements[0].operators) == 2


async def test_a_node_out_of_touch_hides_nothing_for_ever(network, reader):
    pid, found = await stale(network, reader)
    known = TargetStatus(verdict=Verdict.NOT_PATCHED)
    looks = 0
    while found.judgements[0].verdict is Verdict.NOT_PATCHED:
        found = await reader.read(pid, (BALANCES,), memory=found.memory, status=known)
        looks += 1
        assert found.requests == 1 or looks >= MOST_LOOKS - 1
        assert looks <= MOST_LOOKS
    assert found.judgements[0].verdict is Verdict.PATCHED
    assert len(found.judgements[0].operators) == 2


async def behind(network: AoNetwork) -> str:
    """Make a process whose newest message, the patching one, no node has computed."""
    lua = 'Handlers.add("p", "Go", function() ao.send({device="patch@1.0", cache={balances={a="1"}}}) end)'
    pid = network.spawn(OWNER, lua=lua)
    async with reading(network) as warming:
        for _ in range(2):
            await warming.read(pid, (BALANCES,))
    network.send(pid, OWNER, {"Action": "Go"})
    return pid


async def test_behind_is_unknown_to_a_sweep_that_has_spent_its_now(network):
    pid = await behind(network)
    async with reading(network, now_per_hour=0) as reader:
        memory = None
        found = await reader.read(pid, (BALANCES,), memory=memory)
        assert found.judgements[0].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("urgency", [Urgency.SWEEP, Urgency.REGISTERED, Urgency.SIGNED])
async def test_behind_is_caught_up_with_one_now(network, reader, urgency):
    pid = await behind(network)
    for node in network.nodes:
        node.requests.clear()
    found = await reader.read(pid, (BALANCES,), urgency=urgency)
    assert verdict(found) == (Verdict.PATCHED, Reason.SHOWN)
    assert len(found.judgements[0].operators) == 2
    assert all(node.requests["GET now/at-slot"] <= 1 for node in network.nodes)


async def test_a_sweep_spends_one_now_on_a_process_in_six_hours(network, reader):
    pid = await behind(network)
    network.poison(pid)
    for _ in range(4):
        await reader.read(pid, (BALANCES,))
    assert all(node.requests["GET now/at-slot"] <= 1 for node in network.nodes)


@pytest.mark.slow
async def test_what_takes_long_to_compute_is_computed_on_one_node_only(network):
    pid = network.spawn(OWNER, patches=[PATCH])
    for node in network.nodes:
        node.faults.compute_delay = 1.5
    async with reading(network) as reader:
        found = await reader.read(pid, (BALANCES,))
        assert verdict(found) == (Verdict.PATCHED, Reason.SHOWN)
        assert sum(node.requests["HEAD compute"] for node in network.nodes) == 1


@pytest.mark.slow
async def test_what_takes_too_long_is_computing_and_not_asked_elsewhere(network):
    pid = network.spawn(OWNER, patches=[PATCH])
    for node in network.nodes:
        node.faults.compute_delay = 5
    said: list[str] = []

    async def progress(sentence: str) -> None:
        said.append(sentence)

    async with reading(network, now_timeout=timedelta(seconds=2.5)) as reader:
        found = await reader.read(pid, (BALANCES,), urgency=Urgency.REGISTERED, progress=progress)
    assert verdict(found) == (Verdict.UNKNOWN, Reason.COMPUTING)
    assert sum(node.requests["HEAD compute"] for node in network.nodes) == 1
    assert any("computing" in sentence and "up to 2 seconds" in sentence for sentence in said)


async def test_without_a_budget_for_evaluations_no_cold_process_is_opened(network):
    pid = network.spawn(OWNER, patches=[PATCH])
    async with reading(network, now_per_hour=0) as reader:
        found = await reader.read(pid, (BALANCES,), urgency=Urgency.SIGNED)
    assert verdict(found) == (Verdict.UNKNOWN, Reason.COMPUTING)
    assert all(node.computed(pid) is None for node in network.nodes)


async def test_a_stuck_process_that_shows_its_keys_is_patched_and_stuck(network, reader):
    pid = network.spawn(OWNER, patches=[PATCH])
    await reader.read(pid, (BALANCES,))
    network.poison(pid)
    found = await reader.read(pid, (BALANCES,), urgency=Urgency.SIGNED)
    assert found.judgements[0].verdict in (Verdict.PATCHED, Verdict.UNKNOWN)


async def test_progress_that_fails_ends_nothing(network, reader):
    async def progress(_sentence: str) -> None:
        raise RuntimeError("the interaction is gone")

    found = await reader.read(network.spawn(OWNER, patches=[PATCH]), (BALANCES,), progress=progress)
    assert found.judgements[0].verdict is Verdict.PATCHED


async def test_a_gateway_that_is_silent_leaves_the_cache_readable(network):
    pid = network.spawn(OWNER, patches=[PATCH])
    settings = settings_for(network)
    silent = settings.ao.model_copy(update={"gateways": ("http://127.0.0.1:9/graphql",)})
    async with open_reading(settings.model_copy(update={"ao": silent})) as opened:
        found = await opened.reader.read(pid, (BALANCES,))
    assert found.judgements[0].verdict is Verdict.PATCHED
    assert found.metadata is None


@pytest.mark.slow
async def test_a_node_that_comes_back_is_asked_again(network, monkeypatch):
    monkeypatch.setattr("bot.ao.budget.Breaker.shortest", 0.2)
    lost = network.nodes[0]
    lost.down = True
    async with reading(network) as reader:
        for _ in range(9):
            await reader.read(network.spawn(OWNER, patches=[PATCH]), (BALANCES,))
        asked = sum(lost.requests.values())
        lost.down = False
        for _ in range(20):
            await reader.read(network.spawn(OWNER, patches=[PATCH]), (BALANCES,))
            await asyncio.sleep(0.05)
    assert sum(lost.requests.values()) > asked + 5


@pytest.mark.slow
async def test_a_slow_node_costs_no_confirmation(network):
    network.nodes[0].faults.delay = 1.2
    async with reading(network, timeout=timedelta(seconds=5), now_timeout=timedelta(seconds=20)) as reader:
        pids = [network.spawn(OWNER, patches=[PATCH]) for _ in range(6)]
        found = await asyncio.gather(*(reader.read(pid, (BALANCES,)) for pid in pids))
        assert all(len(one.judgements[0].operators) == 2 for one in found)
        asked = sum(network.nodes[0].requests.values())
        await reader.read(network.spawn(OWNER, patches=[PATCH]), (BALANCES,))
        assert sum(network.nodes[0].requests.values()) == asked
