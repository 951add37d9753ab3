"""The units over HTTP: signatures, redirects, results, refusals, preflights."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.domain.handler import render_handler
from sandbox.ao import AoNetwork

pytestmark = pytest.mark.lua

BUNDLE = {"accept-bundle": "true"}


async def sign_and_read(ask: Any, network: AoNetwork, process: str, item: bytes) -> Any:
    status, sent, _ = await ask("POST", network.mu_url, data=item)
    assert status == 202
    status, result, _ = await ask("GET", f"{network.cu_url}/result/{sent['id']}?process-id={process}")
    assert status == 200
    return result


async def test_the_whole_loop_installs_publishes_and_shows(ask: Any, network: AoNetwork, wallet: Any) -> None:
    process = network.spawn(wallet.address, 'Balances = { alice = "100" }', {"Name": "Vault"})
    keys = f"{network.nodes[0].url}/{process}~process@1.0/{{}}/cache/keys/serialize~json@1.0"
    assert (await ask("GET", keys.format("compute"), headers=BUNDLE))[:2] == (404, "not_found")

    nothing = await sign_and_read(ask, network, process, wallet.message(process, "EnableStatePatch"))
    assert nothing["Messages"] == [], "no handler: it falls into the Inbox"

    lua = render_handler({"cache/balances": "Balances"})
    result = await sign_and_read(ask, network, process, wallet.message(process, "Eval", lua))
    assert {"name": "device", "value": "patch@1.0"} in result["Messages"][0]["Tags"]
    assert result["Output"]["data"] == "StatePatch: published cache/balances"

    assert (await ask("GET", keys.format("compute"), headers=BUNDLE))[0] == 404, "behind until somebody asks `now`"
    status, shown, _ = await ask("GET", keys.format("now"))
    assert (status, shown) == (200, {"1": "balances", "device": "json@1.0"})
    assert (await ask("GET", keys.format("compute")))[0] == 200


async def test_a_stranger_changes_nothing(ask: Any, network: AoNetwork, wallet: Any) -> None:
    process = network.spawn("o" * 43, 'Balances = { alice = "100" }')
    lua = render_handler({"cache/balances": "Balances"})
    result = await sign_and_read(ask, network, process, wallet.message(process, "Eval", lua))
    assert result["Messages"] == []


async def test_the_router_sends_on_with_307_and_308_to_a_numbered_host(
    http: aiohttp.ClientSession, network: AoNetwork, wallet: Any
) -> None:
    process = network.spawn(wallet.address)
    item = wallet.message(process, "Hello")
    seen = set()
    for _ in range(2):
        async with http.post(network.mu_url, data=item, allow_redirects=False) as answer:
            seen.add(answer.status)
            assert answer.headers["access-control-allow-origin"] == "*"
            location = answer.headers["location"]
    assert seen == {307, 308}
    assert network.mu_url not in location
    assert any(location.startswith(host) for host in network.allowed_hosts)


async def test_the_same_bytes_twice_are_one_message(ask: Any, network: AoNetwork, wallet: Any) -> None:
    process = network.spawn(wallet.address)
    item = wallet.message(process, "Hello")
    first, second = [await ask("POST", network.mu_url, data=item) for _ in range(2)]
    assert first[1]["id"] == second[1]["id"]
    assert network.processes[process].head == 1


async def test_what_is_not_signed_not_for_ao_or_for_nobody_is_refused(
    ask: Any, network: AoNetwork, wallet: Any
) -> None:
    process = network.spawn(wallet.address)
    item = bytearray(wallet.message(process, "Hello"))
    item[-1] ^= 1
    for data, words in (
        (bytes(item), "signature does not hold"),
        (b"", "ends too soon"),
        (b"{}", "signature type"),
        (wallet.message(process, "Hello", Type="Other"), "not an ao message"),
        (wallet.message("q" * 42 + "g", "Hello"), "was not found"),
    ):
        status, answer, _ = await ask("POST", network.mu_url, data=data)
        assert status == 400
        assert words in answer["error"]
    assert network.processes[process].head == 0


async def test_a_node_takes_the_same_bytes(ask: Any, network: AoNetwork, wallet: Any) -> None:
    process = network.spawn(wallet.address)
    url = f"{network.nodes[0].url}/{process}~process@1.0/schedule"
    headers = {"content-type": "application/ans104", "codec-device": "ans104@1.0"}
    status, _, answered = await ask("POST", url, data=wallet.message(process, "Hello"), headers=headers)
    assert (status, answered["slot"], answered["process"]) == (200, "1", process)
    other = network.spawn(wallet.address)
    assert (await ask("POST", url, data=wallet.message(other, "Hello")))[0] == 400


async def test_preflights_are_answered_by_the_router_itself(http: aiohttp.ClientSession, network: AoNetwork) -> None:
    for url in (network.mu_url, f"{network.cu_url}/result/x"):
        async with http.options(url, allow_redirects=False) as answer:
            assert answer.status == 204
            assert answer.headers["access-control-allow-headers"] == "content-type"


async def test_refusals_come_in_the_networks_own_words(ask: Any, network: AoNetwork, wallet: Any) -> None:
    process = network.spawn(wallet.address)
    network.mu.refusal = (403, "Forbidden, process not whitelisted")
    status, answer, _ = await ask("POST", network.mu_url, data=wallet.message(process, "Hello"))
    assert (status, answer) == (403, {"error": "Forbidden, process not whitelisted"})
    network.mu.refusal = None
    network.mu.down = True
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", network.mu_url, data=wallet.message(process, "Hello"))


async def test_unknown_messages_and_stuck_processes_have_no_result(ask: Any, network: AoNetwork, wallet: Any) -> None:
    process = network.spawn(wallet.address)
    result = f"{network.cu_url}/result/{{}}?process-id={process}"
    assert (await ask("GET", result.format("x" * 43)))[0] == 404
    network.poison(process)
    _, sent, _ = await ask("POST", network.mu_url, data=wallet.message(process, "Hello"))
    assert (await ask("GET", result.format(sent["id"])))[0] == 500
    assert (await ask("GET", result.format(process)))[0] == 200, "the spawn itself was computed"


async def test_a_dry_run_says_what_would_come_of_it_and_leaves_nothing(
    ask: Any, network: AoNetwork, wallet: Any
) -> None:
    counts = """N = 0
    Handlers.add("Add", "Add", function(msg) N = N + 1; ao.send({ device = "patch@1.0", n = tostring(N) }) end)"""
    process = network.spawn(wallet.address, counts)
    asked = {"Id": "1234", "Target": process, "Owner": wallet.address, "Data": " ", "Anchor": "0"}
    tried = {"json": asked | {"Tags": [{"name": "Action", "value": "Add"}]}}
    url = f"{network.cu_url}/dry-run?process-id={process}"
    for _ in range(2):
        status, result, _ = await ask("POST", url, **tried)
        assert status == 200
        assert {"name": "n", "value": "1"} in result["Messages"][0]["Tags"]
    assert network.processes[process].head == 0
    assert (await ask("POST", f"{network.cu_url}/dry-run?process-id={'x' * 43}", **tried))[0] == 404


async def test_the_scheduler_shows_a_message_with_recipient_signer_and_tags(
    ask: Any, network: AoNetwork, wallet: Any
) -> None:
    process = network.spawn(wallet.address)
    _, sent, _ = await ask("POST", network.mu_url, data=wallet.message(process, "Hello"))
    status, shown, _ = await ask("GET", f"{network.su_url}/{sent['id']}?process-id={process}")
    message = shown["message"]
    assert (status, message["id"], message["target"]) == (200, sent["id"], process)
    assert message["owner"]["address"] == wallet.address
    assert {"name": "Action", "value": "Hello"} in message["tags"]
    assert (await ask("GET", f"{network.su_url}/{'x' * 43}?process-id={process}"))[0] == 404
