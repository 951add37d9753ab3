"""Gateways that differ, lie and break: what they say is read with distrust, and fallback loses nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ao import graphql
from bot.ao.gateway import Gateways
from bot.ao.transport import Transport
from bot.domain.process_id import ProcessId
from bot.errors import BrokenAnswer, PeerError, RateLimited

PID = ProcessId("0syT-" + "a" * 37 + "A")
OTHER = ProcessId("B" * 42 + "A")
WALLET = "W" * 42 + "A"
TAGS = (("Data-Protocol", "ao"), ("Type", "Process"), ("Variant", "ao.TN.1"), ("Name", "Vault"), ("Module", "M" * 43))


def edge(pid=PID, *, owner=WALLET, tags=TAGS, timestamp=1_700_000_000, recipient="", cursor=None) -> dict:
    return {
        "cursor": cursor or f"after-{pid}",
        "node": {
            "id": pid,
            "recipient": recipient,
            "owner": {"address": owner},
            "block": None if timestamp is None else {"height": 1, "timestamp": timestamp},
            "tags": [{"name": name, "value": value} for name, value in tags],
        },
    }


def answer(*edges, more=False) -> dict:
    return {"data": {"transactions": {"pageInfo": {"hasNextPage": more}, "edges": list(edges)}}}


class FakeIndex:
    """One gateway: `reply` is what it answers to each query, a value or a function of the variables."""

    def __init__(self) -> None:
        self.reply: object = answer()
        self.asked: list[dict] = []
        self.queries: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        query = await request.json()
        self.asked.append(query["variables"])
        self.queries.append(query["query"])
        await self.may_answer.wait()
        reply = self.reply(query["variables"]) if isinstance(self.reply, Callable) else self.reply
        if isinstance(reply, web.Response):
            return reply
        return web.Response(body=reply if isinstance(reply, bytes) else json.dumps(reply).encode())


class Net:
    def __init__(self, indexes: list[FakeIndex], urls: list[str], transport: Transport) -> None:
        self.indexes = indexes
        self.urls = urls
        self.transport = transport
        self.gateways = Gateways(transport, urls, deadline=2, per_minute=60_000)


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    indexes = [FakeIndex(), FakeIndex()]
    servers = []
    for index in indexes:
        app = web.Application()
        app.router.add_post("/graphql", index.handle)
        servers.append(TestServer(app))
        await servers[-1].start_server()
    trusted = frozenset(("127.0.0.1", server.port) for server in servers)
    async with Transport(trusted=trusted) as transport:
        yield Net(indexes, [str(server.make_url("/graphql")) for server in servers], transport)
    for server in servers:
        await server.close()


async def test_describes_a_process(net):
    net.indexes[0].reply = answer(edge())
    found = await net.gateways.describe(PID)
    assert found is not None
    assert (found.owner, found.name, found.variant, found.module) == (WALLET, "Vault", "ao.TN.1", "M" * 43)
    assert found.spawned_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert found.tags == TAGS
    assert "tags:[" not in net.indexes[0].queries[0]
    assert net.indexes[1].asked == []


async def test_what_was_described_is_kept_for_a_while(net):
    net.indexes[0].reply = answer(edge())
    for _ in range(3):
        await net.gateways.describe(PID)
    assert len(net.indexes[0].asked) == 1


async def test_an_empty_answer_is_asked_of_the_next_gateway(net):
    net.indexes[1].reply = answer(edge())
    assert await net.gateways.describe(PID) is not None


async def test_nobody_has_it(net):
    assert await net.gateways.describe(PID) is None
    assert [len(index.asked) for index in net.indexes] == [1, 1]


async def test_a_gateway_that_fails_forbids_to_say_nobody_has_it(net):
    net.indexes[0].reply = lambda _: web.Response(status=502)
    with pytest.raises(BrokenAnswer) as raised:
        await net.gateways.describe(PID)
    assert raised.value.reason == "http-502"
    net.indexes[1].reply = answer(edge())
    assert await net.gateways.describe(PID) is not None


async def test_an_error_inside_200_is_an_error(net):
    net.indexes[0].reply = net.indexes[1].reply = {
        "errors": [{"message": "overloaded"}],
        "data": {"transactions": None},
    }
    with pytest.raises(BrokenAnswer, match="overloaded"):
        await net.gateways.describe(PID)


@pytest.mark.parametrize(
    ("tags", "is_process"),
    [
        ((("type", "Process"), ("DATA-PROTOCOL", "ao")), True),
        ((("Type", "process"), ("Data-Protocol", "AO")), True),
        ((("Type", "Message"), ("Data-Protocol", "ao")), False),
        ((("Type", "Process"),), False),
        ((), False),
        ((("Type", "Message"), ("Type", "Process"), ("Data-Protocol", "ao")), False),
    ],
)
async def test_only_ao_processes_count(net, tags, is_process):
    net.indexes[0].reply = answer(edge(tags=tags))
    assert (await net.gateways.describe(PID) is not None) == is_process


async def test_the_spawning_process_is_the_owner(net):
    net.indexes[0].reply = answer(edge(tags=(*TAGS, ("from-process", OTHER))))
    found = await net.gateways.describe(PID)
    assert found is not None
    assert found.owner == OTHER


async def test_a_forged_spawner_is_no_owner(net):
    net.indexes[0].reply = answer(edge(tags=(*TAGS, ("From-Process", "<b>everyone</b>"))))
    found = await net.gateways.describe(PID)
    assert found is not None
    assert found.owner == WALLET


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (None, None),
        (1_700_000_000_000, 1_700_000_000),
        ("1700000000", 1_700_000_000),
        (-5, None),
        (1e300, None),
        ([], None),
    ],
)
async def test_times_come_in_any_form(net, timestamp, expected):
    net.indexes[0].reply = answer(edge(timestamp=timestamp))
    found = await net.gateways.describe(PID)
    assert found is not None
    assert found.spawned_at == (None if expected is None else datetime.fromtimestamp(expected, UTC))


async def test_ids_that_were_not_asked_for_are_ignored(net):
    net.indexes[0].reply = answer(edge(OTHER))
    assert await net.gateways.describe(PID) is None


async def test_many_are_asked_a_hundred_at_a_time(net):
    many = [ProcessId(f"{number:042d}A") for number in range(250)]
    net.indexes[0].reply = lambda variables: answer(*(edge(pid) for pid in variables["ids"][:-1]))
    net.indexes[1].reply = lambda variables: answer(*(edge(pid) for pid in variables["ids"]))
    found = await asyncio.gather(*(net.gateways.describe(pid) for pid in many))
    assert [one.process for one in found if one] == many
    assert [len(asked["ids"]) for asked in net.indexes[0].asked] == [100, 100, 50]
    assert [len(asked["ids"]) for asked in net.indexes[1].asked] == [1, 1, 1]


async def test_single_questions_asked_together_go_out_together(net):
    many = [ProcessId(f"{number:042d}A") for number in range(40)]
    net.indexes[0].reply = lambda variables: answer(*(edge(pid) for pid in variables["ids"]))
    found = await asyncio.gather(*(net.gateways.describe(pid) for pid in many))
    assert [one.process for one in found if one] == many
    assert len(net.indexes[0].asked) == 1


async def test_a_crowd_that_asks_one_after_another_shares_few_queries(net):
    """While as many queries are under way as may be, what comes waits for the next, and goes out with it."""
    many = [ProcessId(f"{number:042d}A") for number in range(60)]
    net.indexes[0].reply = lambda variables: answer(*(edge(pid) for pid in variables["ids"]))
    net.indexes[0].may_answer.clear()
    asking = []
    async with asyncio.timeout(10):
        for number, pid in enumerate(many[:4], 1):
            asking.append(asyncio.create_task(net.gateways.describe(pid)))
            while len(net.indexes[0].asked) < number:  # noqa: ASYNC110 -- through a socket
                await asyncio.sleep(0.001)
    for pid in many[4:]:
        asking.append(asyncio.create_task(net.gateways.describe(pid)))
        await asyncio.sleep(0)
    net.indexes[0].may_answer.set()
    found = await asyncio.gather(*asking)
    assert [one.process for one in found if one] == many
    assert [len(asked["ids"]) for asked in net.indexes[0].asked] == [1, 1, 1, 1, 56]


def pages(total: int, *, cursor: Callable[[int], str] = lambda number: f"c{number}", more=True):
    def reply(variables):
        start = int((variables["c"] or "c0")[1:])
        ids = [f"{number:042d}A" for number in range(start, min(start + 100, total))]
        return answer(*(edge(pid, cursor=cursor(start + 100)) for pid in ids), more=more)

    return reply


async def listed(net, limit=5000) -> list[str]:
    return [metadata.process async for metadata in net.gateways.list_owned(WALLET, limit=limit)]


@pytest.mark.parametrize("total", [0, 1, 100, 101, 1234])
async def test_lists_what_a_wallet_owns_although_the_gateway_always_claims_more(net, total):
    net.indexes[0].reply = pages(total)
    assert len(await listed(net)) == total


async def test_a_cursor_that_never_ends_does(net):
    net.indexes[0].reply = lambda _: answer(*(edge(f"{n:042d}A", cursor="same") for n in range(100)), more=True)
    assert len(await listed(net)) == 100
    net.indexes[0].asked.clear()
    net.indexes[0].reply = lambda _: answer(
        *(edge(f"{n:042d}A", cursor=str(time.time_ns())) for n in range(100)), more=True
    )
    assert len(await listed(net)) == 100
    assert len(net.indexes[0].asked) <= 51


async def test_lists_at_most_so_many(net):
    net.indexes[0].reply = pages(10_000)
    assert len(await listed(net, limit=250)) == 250


async def test_a_gateway_that_breaks_while_listing_is_taken_over(net):
    whole = pages(300)
    net.indexes[0].reply = lambda variables: whole(variables) if variables["c"] is None else web.Response(status=500)
    net.indexes[1].reply = whole
    assert len(await listed(net)) == 300
    net.indexes[1].reply = lambda _: web.Response(status=500)
    with pytest.raises(PeerError):
        await listed(net)


async def test_processes_spawned_by_others_are_not_listed(net):
    net.indexes[0].reply = answer(edge(tags=(*TAGS, ("From-Process", OTHER))))
    assert await listed(net) == []


EPOCH = datetime.fromtimestamp(0, UTC)


async def test_who_received_something_since(net):
    since = datetime.fromtimestamp(1_700_000_000, UTC)
    net.indexes[0].reply = answer(
        edge(recipient=OTHER, timestamp=None),
        edge(recipient="nobody-we-asked-about", timestamp=1_700_000_500),
        edge(recipient=PID, timestamp=1_699_999_999),
    )
    assert await net.gateways.received_since({PID: since, OTHER: since}) == {OTHER}
    assert net.indexes[0].asked[0]["r"] == sorted([PID, OTHER])


async def test_each_process_has_its_own_since(net):
    net.indexes[0].reply = answer(edge(recipient=OTHER, timestamp=500), edge(recipient=PID, timestamp=500))
    since = {PID: datetime.fromtimestamp(400, UTC), OTHER: datetime.fromtimestamp(501, UTC)}
    assert await net.gateways.received_since(since) == {PID}


async def test_a_busy_process_hides_no_other(net):
    def reply(variables):
        busy = PID in variables["r"]
        return answer(*(edge(recipient=PID if busy else OTHER) for _ in range(100 if busy else 1)), more=busy)

    net.indexes[0].reply = reply
    assert await net.gateways.received_since({PID: EPOCH, OTHER: EPOCH}) == {PID, OTHER}
    assert [asked["r"] for asked in net.indexes[0].asked] == [sorted([PID, OTHER]), [OTHER]]


async def test_the_hint_is_read_to_its_fifth_page_at_most(net):
    many = {ProcessId(f"{number:042d}A"): EPOCH for number in range(9)}
    net.indexes[0].reply = lambda variables: answer(*(edge(recipient=variables["r"][0]) for _ in range(100)), more=True)
    assert await net.gateways.received_since(many) == set(list(many)[:5])
    assert len(net.indexes[0].asked) == 5


async def test_the_hint_ends_with_what_is_old_and_with_what_nobody_asked_for(net):
    since = datetime.fromtimestamp(1_700_000_000, UTC)
    net.indexes[0].reply = answer(*(edge(recipient=PID, timestamp=5) for _ in range(100)), more=True)
    assert await net.gateways.received_since({PID: since, OTHER: since}) == set()
    net.indexes[0].reply = answer(*(edge(recipient="nobody") for _ in range(100)), more=True)
    assert await net.gateways.received_since({PID: since}) == set()
    assert len(net.indexes[0].asked) == 2


async def test_finds_the_newest_message_of_its_sender(net):
    action = (("Action", "EnableStatePatch"),)
    net.indexes[1].reply = answer(
        edge("s" * 43, recipient=PID, owner=OTHER, tags=action, timestamp=1_700_000_100),
        edge("m" * 43, recipient=PID, tags=action, timestamp=1_700_000_000),
    )
    newest = await net.gateways.messages_to(PID)
    assert newest is not None
    assert newest.message == "s" * 43
    own = await net.gateways.messages_to(PID, sender=WALLET)
    assert own is not None
    assert own.message == "m" * 43
    assert await net.gateways.messages_to(OTHER) is None


async def test_a_message_is_asked_of_all_until_it_is_found(net):
    net.indexes[0].reply = lambda _: web.Response(status=502)
    assert await net.gateways.item(PID) is None  # one of them answered, and has none
    net.indexes[1].reply = answer(edge())
    found = await net.gateways.item(PID)
    assert found is not None
    assert (found.id, found.owner) == (PID, WALLET)
    net.indexes[1].reply = net.indexes[0].reply
    for question in (net.gateways.item(PID), net.gateways.messages_to(PID), Gateways(net.transport, []).item(PID)):
        with pytest.raises(PeerError):
            await question


async def test_retry_after_is_honoured(net):
    net.indexes[0].reply = lambda _: web.Response(status=429, headers={"retry-after": "100"})
    net.indexes[1].reply = answer(edge())
    await net.gateways.describe(PID)
    net.indexes[1].reply = answer()
    with pytest.raises(RateLimited) as raised:
        await net.gateways.describe(OTHER)
    assert 90 < raised.value.retry_after <= 100
    assert len(net.indexes[0].asked) == 1


async def test_no_gateway_configured_says_so(net):
    with pytest.raises(PeerError):
        await Gateways(net.transport, []).describe(PID)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def bent_answers(draw: st.DrawFn) -> bytes:
    """A right answer with one place in it replaced by anything."""
    whole = answer(edge(), edge(OTHER))
    here: object = whole
    for _ in range(draw(st.integers(0, 7))):
        if isinstance(here, dict) and here:
            key = draw(st.sampled_from(sorted(here)))
        elif isinstance(here, list) and here:
            key = draw(st.integers(0, len(here) - 1))
        else:
            break
        if draw(st.booleans()):
            here[key] = draw(JSON)  # type: ignore[index]
            break
        here = here[key]  # type: ignore[index]
    body = json.dumps(whole).encode()
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


def read_or_refuse(body: bytes) -> None:
    try:
        page = graphql.read_page(body, "gateway.example")
    except BrokenAnswer:
        return
    for item in page.items:
        graphql.metadata_of(item)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bent_answers() | st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_answer_breaks_the_reading(body):
    read_or_refuse(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"data":' * 200_000,
        b'{"data":{"transactions":{"edges":' + b"9" * 100_000 + b"}}}",
        b'{"errors":"\\ud800"}',
        b"\xff\xfe",
        b"",
    ],
    ids=["deep", "nested", "number", "surrogate", "bytes", "empty"],
)
def test_monstrous_answers_are_refused(body):
    with pytest.raises(BrokenAnswer):
        graphql.read_page(body, "gateway.example")


def test_of_an_endless_list_a_beginning_is_read():
    body = b'{"data":{"transactions":{"edges":[' + b"null," * 100_000 + b"null]}}}"
    page = graphql.read_page(body, "gateway.example")
    assert (page.items, page.edges) == ((), 10 * graphql.PAGE)


def test_a_process_of_ten_thousand_tags_is_not_believed():
    body = json.dumps(answer(edge(tags=(*TAGS, *((f"t{number}", "") for number in range(10_000)))))).encode()
    assert graphql.read_page(body, "gateway.example").items == ()
