"""The sandbox's nodes against a recorded HyperBEAM node: the same requests on equivalent processes, over a real socket.

`recorded.jsonl.gz` is an extract of exchanges with a real node (branch `edge`, June 2025): statuses, telling headers
with the ids of links left out, and bodies that are neither pages nor parts.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from sandbox.ao import AoNetwork, SandboxNode
from sandbox.ao.ans104 import random_id

CACHE = {
    "cache": {
        "balances": {"alice": "100", "bob": "5"},
        "token-info": {"name": "T", "ticker": "TT"},
        "num": 7,
        "str": "hello",
    }
}
LUA = """
Handlers.add("Patch", "Patch", function(msg)
  local patch = json.decode(msg.Data)
  patch.device = "patch@1.0"
  ao.send(patch)
end)
"""
# What each process was, slot by slot: a dict is patched, None does nothing, "poison" cannot be computed. At the
# number's slot the node was first asked; from 1 on it is asked first when all is scheduled.
PROCESSES: dict[str, tuple[list[Any], int]] = {
    "patched-cache": ([None, CACHE], 1),
    "patched-root": ([{"balances": {"alice": "1"}}], 0),
    "patched-other": ([None, {"cache": {"users": {"ada": "1"}, "total": 3}}], 1),
    "patched-empty": ([{"cache": {"balances": {}, "emptytable": {}}}], 0),
    "never": ([None], 0),
    "never-busy": ([None, None, None], 2),
    "unscheduled": ([], -1),
    "fails": ([CACHE, "poison"], 1),
    "status-in-state": ([{"cache": {"balances": {"name": "x", "status": "404"}, "order": {"status": "active"}}}], 0),
    "mixed-case": ([{"cache": {"Balances": {"zed": "9"}, "MixedCase": "v"}}], 0),
    "behind": ([None, CACHE], 0),
    "behind-patched": ([CACHE, None], 0),
}
# Keys of the recorded processes' own definition and Lua, which ours do not have; and the other way round.
THEIRS = {"count", "device-stack", "test-random-seed"}
OURS = {"data-protocol", "variant"}


def recorded() -> Iterator[Any]:
    lines = gzip.decompress((Path(__file__).parent / "recorded.jsonl.gz").read_bytes()).splitlines()
    exchanges = [json.loads(line) for line in lines]
    for (scenario, phase), group in groupby(exchanges, lambda one: (one["scenario"], one["phase"])):
        yield pytest.param(scenario, phase, list(group), id=f"{scenario} {phase}")


def build(network: AoNetwork, node: SandboxNode, scenario: str) -> str:
    slots, computed = PROCESSES[scenario]
    first = [slots[0]] if slots and slots[0] else []
    process = network.spawn("o" * 43, "" if first else LUA, patches=first, scheduled=bool(slots))
    if computed < 1:
        assert node.answer(f"/{process}~process@1.0/compute/at-slot", bundle=True).body == str(computed).encode()
    for patch in slots[1:]:
        if patch == "poison":
            network.poison(process)
        else:
            network.send(process, "s" * 43, {"Action": "Patch" if patch else "Nothing"}, json.dumps(patch))
    return process


@pytest.mark.lua
@pytest.mark.parametrize(("scenario", "phase", "exchanges"), list(recorded()))
async def test_a_node_answers_as_the_recorded_one_did(
    scenario: str, phase: str, exchanges: list[dict[str, Any]]
) -> None:
    async with AoNetwork(operators=["amber"]) as network, aiohttp.ClientSession(auto_decompress=False) as session:
        node = network.nodes[0]
        process = random_id() if scenario == "unknown-id" else build(network, node, scenario)
        if phase == "after-now":
            node.answer(f"/{process}~process@1.0/now/at-slot", bundle=True)
        different = [
            f"{one['method']} {one['path']} {'bundle' if one['bundle'] else ''}: {problem}"
            for one in exchanges
            if not one["path"].endswith("{pid}/serialize~json@1.0")  # the old build's own bug with lazy links
            for problem in await differences(session, node, process, one)
        ]
    assert not different, "\n".join(different)


async def differences(
    session: aiohttp.ClientSession, node: SandboxNode, process: str, one: dict[str, Any]
) -> list[str]:
    url = URL(node.url + one["path"].replace("{pid}", process), encoded=True)
    headers = {"accept-bundle": "true"} if one["bundle"] else {}
    async with session.request(one["method"], url, headers=headers, allow_redirects=False) as answer:
        status, body = answer.status, (await answer.read()).decode().replace(process, "{pid}")
        got = {name.lower(): value.replace(process, "{pid}") for name, value in answer.headers.items()}
    problems = [] if status == one["status"] else [f"status {status}, not {one['status']}"]
    if status == 200 and "signature-input" not in got:
        problems.append("no signature-input")
    problems += header_problems(one, got)
    if one["body"] is not None and shown(body) != shown(one["body"]):
        problems.append(f"body {body[:200]!r}, not {one['body'][:200]!r}")
    return problems


def header_problems(one: dict[str, Any], got: dict[str, str]) -> Iterator[str]:
    """Compare telling headers; at the root, only those that neither side's own definition brings."""
    wanted = one["headers"]
    links = {name.removesuffix("+link") for name in wanted if name.endswith("+link")} - THEIRS - {"module"}
    got_links = {name.removesuffix("+link") for name in got if name.endswith("+link")}
    if links != got_links:
        yield f"links {sorted(got_links)}, not {sorted(links)}"
    root = one["path"].endswith(("/compute", "/now", "{pid}"))
    for name, value in wanted.items():
        if name.endswith("+link") or (root and name == "ao-types"):
            continue
        if name == "content-type" and value.startswith("multipart") and one["path"] == "/{pid}":
            continue  # their definition holds tables, ours does not
        mine = got.get(name, "").split(";")[0]
        if mine != value:
            yield f"{name}: {mine!r}, not {value!r}"


def shown(body: str) -> Any:
    """Give a body as it tells something: a root listing without what the two definitions differ in."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if isinstance(value, dict) and "at-slot" in value.values():
        return {name for key, name in value.items() if key != "device"} - THEIRS - OURS
    return value
