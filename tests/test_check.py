"""`python -m bot check` against the sandbox: for people, for scripts, and by its exit code."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import pytest

from bot.check import run_check
from bot.errors import MalformedKey
from bot.settings import AoSettings, CheckSettings, NodeSettings, Settings
from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import random_id

OWNER = "W" * 42 + "A"
PATCH = {"cache": {"balances": {"alice": "100"}, "total": "100"}}


@pytest.fixture
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork() as network:
        yield network


@pytest.fixture
def settings(network) -> Settings:
    nodes = tuple(NodeSettings(url=node.url, operator=node.operator) for node in network.nodes)
    units = {"cu_url": network.cu_url, "allowed_hosts": network.allowed_hosts}
    ao = AoSettings(nodes=nodes, gateways=(network.gateway_url,), **units)
    return Settings(ao=ao, checks=CheckSettings(requests_per_minute=60_000))


async def test_the_list_for_scripts(network, settings):
    patched = network.spawn(OWNER, patches=[PATCH])
    never = network.spawn(OWNER)
    report = await run_check(settings, [patched, never], keys=["balances"])
    first, second = json.loads(report.as_json())
    assert set(first) == {"process", "verdict", "keys", "exposed", "evidence", "requests"}
    assert (first["process"], first["verdict"], first["keys"]) == (patched, "patched", ["balances"])
    assert first["exposed"] == ["cache/balances", "cache/total"]
    assert first["requests"] == len(first["evidence"]) > 0
    assert set(first["evidence"][0]) == {"node", "path", "status", "reason", "elapsed_ms"}
    assert second["verdict"] == "not_patched"


async def test_exit_codes(network, settings):
    patched, never = network.spawn(OWNER, patches=[PATCH]), network.spawn(OWNER)
    unknown, unscheduled = random_id(), network.spawn(OWNER, scheduled=False)
    cases = {
        (patched,): 0,
        (patched, never): 1,
        (never, unscheduled): 2,
        (patched, unknown): 2,
        (patched, never, unknown, "nonsense"): 64,
    }
    for pids, expected in cases.items():
        assert (await run_check(settings, pids)).exit_code == expected


@pytest.mark.parametrize(
    "text", ["", "a" * 42, "a" * 44, "a" * 42 + "b", "а" * 43, "'; drop table", "?" * 43, "x" * 10_000]
)
async def test_a_malformed_id_is_refused_without_asking(network, settings, text):
    report = await run_check(settings, [text])
    (entry,) = json.loads(report.as_json())
    assert entry["verdict"] is None
    assert entry["error"].endswith(".")
    assert entry["requests"] == 0
    assert report.exit_code == 64
    assert sum(sum(node.requests.values()) for node in network.nodes) == 0
    assert len(report.as_text()) < 400


async def test_other_nodes_may_be_named(network, settings):
    pid = network.spawn(OWNER, patches=[PATCH])
    report = await run_check(settings, [pid], nodes=[network.nodes[2].url])
    assert {line["node"] for line in json.loads(report.as_json())[0]["evidence"]} == {network.nodes[2].url}


async def test_a_key_that_is_none_is_refused(settings):
    with pytest.raises(MalformedKey):
        await run_check(settings, [random_id()], keys=["Owner"])


async def test_words_for_people(network, settings):
    pid = network.spawn(OWNER, patches=[{"cache": {"users": {"a": "1"}}}], tags={"Name": "My\u202evault\x1b[31m"})
    report = await run_check(settings, [pid], keys=["balances"])
    text = report.as_text()
    assert "Not patched." in text
    assert "Missing: balances" in text
    assert "Shown instead: cache/users" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert network.nodes[0].url in text
    assert "Why:" not in text
    explained = report.as_text(explain=True)
    assert f"owner {OWNER}" in explained
    assert "slot 0" in explained


async def test_a_message_without_a_handler_is_told(network, settings):
    pid = network.spawn(OWNER)
    network.send(pid, OWNER, {"Action": "EnableStatePatch"}, identity="m" * 42 + "A")
    network._record("m" * 42 + "A", OWNER, pid, (("Action", "EnableStatePatch"),), mined=True)
    report = await run_check(settings, [pid], keys=["balances"])
    assert "has no handler for it" in report.as_text()


async def test_all_nodes_down_is_said_in_words(network, settings):
    for node in network.nodes:
        node.down = True
    report = await run_check(settings, [network.spawn(OWNER)])
    assert "None of the nodes is well" in report.as_text()
    assert report.exit_code == 2


async def test_the_command_itself_needs_no_configuration_and_no_token(network, tmp_path):
    pid = network.spawn(OWNER, patches=[PATCH])
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(__import__("pathlib").Path(__file__).parent.parent),
        "PATCHBELL_AO__GATEWAYS": json.dumps([network.gateway_url]),
    }
    command = [sys.executable, "-m", "bot", "check", pid, "short", "--node", network.nodes[0].url, "--json"]
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment, stdout=-1, stderr=-1)
    out, error = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 64, error
    assert [entry["verdict"] for entry in json.loads(out)] == ["patched", None]
