"""The gateway over HTTP, asked as Patchbell asks (ao-facts, section 5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.ao import AoNetwork

BY_ID = """query($ids:[ID!]!){transactions(ids:$ids,first:1){edges{node{id owner{address} block{height timestamp}
tags{name value}}}}}"""
BY_OWNER = """query($o:[String!]!,$c:String){transactions(owners:$o,tags:[{name:"Data-Protocol",values:["ao"]},
{name:"Type",values:["Process"]}],first:100,after:$c,sort:HEIGHT_DESC){pageInfo{hasNextPage} edges{cursor
node{id owner{address} block{height timestamp} tags{name value}}}}}"""
RECEIVED = """query($r:[String!]!,$since:Int){transactions(recipients:$r,
tags:[{name:"Action",values:["EnableStatePatch"]}],block:{min:$since},first:10){
edges{node{id recipient owner{address}}}}}"""
OWNER = "o" * 43


async def query(ask: Any, network: AoNetwork, text: str, **variables: Any) -> Any:
    status, answer, _ = await ask("POST", network.gateway_url, json={"query": text, "variables": variables})
    assert status == 200, answer
    assert "errors" not in answer
    return answer["data"]["transactions"]


async def test_a_process_is_found_by_id_with_its_tags_and_block_in_seconds(ask: Any, network: AoNetwork) -> None:
    process = network.spawn(OWNER, tags={"Name": "Vault"})
    (edge,) = (await query(ask, network, BY_ID, ids=[process]))["edges"]
    assert edge["node"]["owner"]["address"] == OWNER
    assert {"name": "Name", "value": "Vault"} in edge["node"]["tags"]
    assert abs(edge["node"]["block"]["timestamp"] - datetime.now(UTC).timestamp()) < 60


async def test_unmined_spawned_and_unheard_of_processes(ask: Any, network: AoNetwork) -> None:
    parent = network.spawn(OWNER)
    child, fresh = network.spawn(parent), network.spawn(OWNER, mined=False)
    hidden = network.spawn(OWNER, known_to_gateway=False)
    nodes = {}
    for process in (child, fresh, hidden):
        for edge in (await query(ask, network, BY_ID, ids=[process]))["edges"]:
            nodes[process] = edge["node"]
    assert {"name": "From-Process", "value": parent} in nodes[child]["tags"]
    assert nodes[fresh]["block"] is None
    assert hidden not in nodes


async def test_a_wallets_processes_are_paged_without_gaps_or_doubles(ask: Any, network: AoNetwork) -> None:
    mine = {network.spawn(OWNER, tags={"Name": str(number)}) for number in range(250)}
    network.spawn("s" * 43)
    found, cursor, pages = list[str](), None, 0
    while True:
        page = await query(ask, network, BY_OWNER, o=[OWNER], c=cursor)
        found += [edge["node"]["id"] for edge in page["edges"]]
        pages += 1
        if not page["pageInfo"]["hasNextPage"]:
            break
        cursor = page["edges"][-1]["cursor"]
    assert (pages, len(found), set(found)) == (3, 250, mine)


@pytest.mark.lua
async def test_messages_are_found_by_recipient(ask: Any, network: AoNetwork, wallet: Any) -> None:
    process, other = network.spawn(wallet.address), network.spawn(wallet.address)
    for target, action in ((process, "EnableStatePatch"), (process, "Transfer"), (other, "EnableStatePatch")):
        network.deliver(wallet.message(target, action))
    found = await query(ask, network, RECEIVED, r=[process], since=0)
    assert [edge["node"]["recipient"] for edge in found["edges"]] == [process]
    assert (await query(ask, network, RECEIVED, r=[process], since=99_999_999))["edges"] == []


async def test_what_no_gateway_understands_is_an_error(ask: Any, network: AoNetwork) -> None:
    for asked in ({"query": "{ nothing }"}, {"query": "{ transactions("}, {}, []):
        status, answer, _ = await ask("POST", network.gateway_url, json=asked)
        assert status == 400
        assert answer["errors"][0]["message"]
    too_many = {"query": "{ transactions(first: 101) { edges { cursor } } }"}
    _, answer, _ = await ask("POST", network.gateway_url, json=too_many)
    assert "first" in answer["errors"][0]["message"]
