"""Nodes' faults, cold and lagging computing, Lua's bounds, and ten thousand processes."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
import pytest

from sandbox.ao import AoNetwork, Lie, SandboxNode

pytestmark = pytest.mark.lua

OWNER = "o" * 43
BUNDLE = {"headers": {"accept-bundle": "true"}}
PATCHED = ({"cache": {"balances": {"alice": "100"}}},)
PATCH_LATER = 'Handlers.add("P", "P", function() ao.send({ device = "patch@1.0", cache = { total = 1 } }) end)'


def at(node: SandboxNode, process: str, path: str) -> str:
    return f"{node.url}/{process}~process@1.0/{path}"


async def test_three_nodes_of_two_operators_compute_each_for_itself(ask: Any, network: AoNetwork) -> None:
    assert [node.operator for node in network.nodes] == ["amber", "birch", "birch"]
    process = network.spawn(OWNER, PATCH_LATER)
    one, two, _ = network.nodes
    assert (await ask("GET", at(one, process, "compute/at-slot")))[1] == "0"
    network.send(process, OWNER, {"Action": "P"})
    assert (await ask("GET", at(one, process, "slot/current")))[1] == "1"
    assert (await ask("GET", at(one, process, "compute/at-slot")))[1] == "0", "behind"
    assert (await ask("GET", at(two, process, "compute/at-slot")))[1] == "1", "cold: the first look computes all"
    one.restart()
    assert (await ask("GET", at(one, process, "compute/at-slot")))[1] == "1", "cold again"
    status, _, headers = await ask("HEAD", at(one, process, "compute"))
    assert status == 200
    assert len(headers["cache+link"]) == 43


async def test_a_link_changes_when_and_only_when_its_content_does(ask: Any, network: AoNetwork) -> None:
    process = network.spawn(OWNER, PATCH_LATER, patches=())
    links = []
    for action in ("P", "Nothing", "P"):
        network.send(process, OWNER, {"Action": action})
        await ask("GET", at(network.nodes[0], process, "now/at-slot"))
        links.append((await ask("HEAD", at(network.nodes[0], process, "compute")))[2]["cache+link"])
    assert len(set(links)) == 1
    network.send(process, OWNER, {"Action": "Eval"}, 'ao.send({ device = "patch@1.0", cache = { total = 2 } })')
    await ask("GET", at(network.nodes[0], process, "now/at-slot"))
    assert (await ask("HEAD", at(network.nodes[0], process, "compute")))[2]["cache+link"] not in links


async def test_each_fault_shows_as_it_would(ask: Any, network: AoNetwork) -> None:
    node = network.nodes[0]
    process = network.spawn(OWNER, patches=PATCHED)
    network.send(process, OWNER, {"Action": "Nothing"})
    compute = at(node, process, "compute")
    keys = at(node, process, "compute/cache/keys/serialize~json@1.0")

    async def with_fault(name: str, value: object, url: str, method: str = "GET") -> tuple[int, Any, Any]:
        setattr(node.faults, name, value)
        answer = await ask(method, url, **BUNDLE)
        node.faults.clear()
        return answer

    assert (await with_fault("login_page", True, keys))[2].get("signature-input") is None
    status, _, headers = await with_fault("rate_limited", True, keys)
    assert (status, headers["retry-after"]) == (429, "30")
    assert (await with_fault("http2_only", True, keys))[0] == 426
    assert (await with_fault("head_502", True, compute, "HEAD"))[0] == 502
    assert (await with_fault("head_502", True, keys))[0] == 200
    status, _, headers = await with_fault("lost", {process}, keys)
    assert (status, headers["unavailable"]) == (404, process)
    node.faults.newest = True
    assert "necessary_message_not_found" in (await with_fault("lost", {process}, keys))[1]
    assert (await with_fault("lag", 1, at(node, process, "slot/current")))[1] == "0"
    assert (await with_fault("only_schedules", True, keys))[0] == 404
    assert (await with_fault("lie", Lie.NOT_PATCHED, keys))[0] == 404
    assert (await with_fault("lie", Lie.PATCHED, keys))[1] == {"1": "balances", "device": "json@1.0"}
    started = time.monotonic()
    await with_fault("delay", 0.2, keys)
    assert time.monotonic() - started >= 0.2
    assert (await ask("GET", keys, **BUNDLE))[0] == 200


async def test_asking_again_while_a_node_computes_gains_nothing(ask: Any, network: AoNetwork) -> None:
    node, process = network.nodes[0], network.spawn(OWNER, patches=PATCHED)
    node.faults.compute_delay = 0.4
    url = at(node, process, "compute/at-slot")
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        await ask("GET", url, timeout=aiohttp.ClientTimeout(total=0.1))
    assert (await ask("GET", url))[1] == "0"
    assert 0.3 < time.monotonic() - started < 0.75
    started = time.monotonic()
    await ask("GET", url)
    await ask("GET", at(node, process, "slot/current"))
    assert time.monotonic() - started < 0.3, "computed once, it answers at once"


async def test_down_hangs_up_refuse_refuses_and_both_come_back(ask: Any, network: AoNetwork) -> None:
    node = network.nodes[0]
    url = f"{node.url}/~meta@1.0/info/address"
    node.down = True
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask("GET", url)
    node.down = False
    assert (await ask("GET", url))[1] == node.address
    await node.refuse()
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask("GET", url)
    await node.start()
    assert (await ask("GET", url))[1] == node.address


async def test_only_what_an_accept_bundle_of_true_asks_for(ask: Any, network: AoNetwork) -> None:
    process = network.spawn(OWNER, patches=PATCHED)
    url = at(network.nodes[0], process, "compute/balances")
    for given in ("True", "1"):
        assert (await ask("GET", url, headers={"accept-bundle": given}))[0] == 500


@pytest.mark.slow
async def test_lua_is_bounded_and_cannot_reach_the_machine(network: AoNetwork) -> None:
    process = network.spawn(OWNER, 'Balances = { a = "1" }')
    for lua in (
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local co = coroutine.wrap(function() while true do end end) co()",
        'local t = {} while true do t[#t + 1] = ("x"):rep(1000000) end',
        "return io.open('/etc/passwd')",
        "return os.execute('true')",
        "return debug.getregistry()",
        "return python.eval('1')",
        "return require('python')",
        "return load('\\27Lua', 'b', 'b')()",
        "return json.encode.__globals__",
    ):
        slot = network.send(process, OWNER, {"Action": "Eval"}, lua)
        assert network.processes[process].compute(slot) == slot, lua
        assert "Error" in network.processes[process].results[slot], lua
    slot = network.send(process, OWNER, {"Action": "Eval"}, "return Balances.a")
    network.processes[process].compute(slot)
    assert network.processes[process].results[slot]["Output"]["data"] == "1", "and it goes on"


async def test_a_process_forgotten_by_memory_is_replayed(network: AoNetwork) -> None:
    many = [network.spawn(OWNER, 'N = 0 Handlers.add("Inc", "Inc", function() N = N + 1 end)') for _ in range(80)]
    for _ in range(3):
        for process in many:
            network.processes[process].compute(network.send(process, OWNER, {"Action": "Inc"}))
    for process in many:
        slot = network.send(process, OWNER, {"Action": "Eval"}, "return N")
        network.processes[process].compute(slot)
        assert network.processes[process].results[slot]["Output"]["data"] == "3"


async def test_a_failed_message_leaves_no_trace_in_memory(network: AoNetwork) -> None:
    process = network.spawn(OWNER, "N = 1")
    for lua in ("N = 2 error('no')", "return N"):
        slot = network.send(process, OWNER, {"Action": "Eval"}, lua)
        network.processes[process].compute(slot)
    assert network.processes[process].results[slot]["Output"]["data"] == "1"


async def test_ten_thousand_processes_cost_little(ask: Any, network: AoNetwork) -> None:
    started = time.process_time()
    for number in range(10_000):
        last = network.spawn(OWNER, tags={"Name": f"P{number}"}, patches=PATCHED if number % 2 else ())
    seeding = time.process_time() - started
    assert (await ask("GET", at(network.nodes[0], last, "compute/at-slot")))[1] == "0"
    print(f"10,000 processes seeded in {seeding:.2f} s of CPU")
    assert seeding < 5
