"""A node on a real socket: its health, its budgets, and how it is left alone when it should be."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.ao.node import COMPUTING, Node
from bot.ao.pool import Pool, Standing
from bot.domain.process_id import ProcessId
from bot.settings import CheckSettings, NodeSettings

ADDRESS = b"bLtdj3I5A-5oQnHhtQuDktEjHxZkbe4sUM09vkMj824"
PID = ProcessId("A" * 43)


def http(status: int, body: bytes = b"", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def make(raw, transport):
    def make(timer=None, **checks) -> Node:
        options = {"timeout": timedelta(seconds=0.3), "now_timeout": timedelta(seconds=0.6)} | checks
        given = {} if timer is None else {"timer": timer}
        return Node(transport, NodeSettings(url=raw.url, operator="us"), CheckSettings(**options), **given)

    return make


async def test_an_answer_is_an_observation(raw, make):
    raw.answers(http(404, b"not_found", "ao-result: body\r\n"))
    seen = await make().observe("GET", "/x~process@1.0/compute/keys")
    assert (seen.node, seen.operator, seen.status, seen.body) == (raw.url, "us", 404, b"not_found")
    assert seen.headers["ao-result"] == "body"
    assert b"accept-bundle: true" in raw.requests[0].lower()
    await make().observe("HEAD", "/x~process@1.0/compute")
    assert b"accept-bundle" not in raw.requests[1].lower()


async def test_a_failure_is_an_observation_too(raw, make):
    raw.answers(b"nonsense\r\n\r\n")
    seen = await make().observe("GET", "/x")
    assert (seen.status, seen.failure) == (None, "protocol")


async def test_a_node_that_is_down_is_left_alone_and_found_again(raw, make):
    now = [0.0]
    node = make(timer=lambda: now[0])
    raw.answers()
    failures = [(await node.observe("GET", "/x")).failure for _ in range(5)]
    assert failures == ["reset", "reset", "reset", "resting", "resting"]
    assert not node.available
    asked = len(raw.requests)
    assert (await node.check_health()).healthy is False
    assert len(raw.requests) == asked
    raw.answers(http(200, ADDRESS))
    now[0] += 7
    assert (await node.observe("GET", "/x")).failure == "resting"
    assert (await node.check_health()).healthy
    assert (await node.observe("GET", "/x")).status == 200
    assert b"get /~meta@1.0/info/address " in raw.requests[asked].lower()


async def test_a_login_page_is_no_node(raw, make):
    raw.answers(http(200, b"<html>Please log in</html>"))
    health = await make().check_health()
    assert (health.healthy, health.reason) == (False, "not-a-node")


async def test_health_is_asked_once_by_all_who_want_to_know(raw, make):
    node = make()
    raw.answers(http(200, ADDRESS))
    assert all(health.healthy for health in await asyncio.gather(*(node.check_health() for _ in range(10))))
    assert len(raw.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_never_asks_on_while_in_debt(raw, make, status):
    now = [0.0]
    node = make(timer=lambda: now[0])
    raw.answers(http(status, b"", "retry-after: 30\r\n"))
    assert (await node.observe("GET", "/x")).status == status
    for _ in range(5):
        assert (await node.observe("GET", "/x")).failure == "rate-limited"
    await node.check_health(max_age=0)
    assert len(raw.requests) == 1
    raw.answers(http(200))
    now[0] += 30
    assert (await node.observe("GET", "/x")).status == 200


async def test_our_own_budget_holds_us_back(raw, make):
    raw.answers(http(200))
    node = make(requests_per_minute=1200, timeout=timedelta(seconds=10))
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(node.observe("GET", "/x") for _ in range(100)))
    assert asyncio.get_running_loop().time() - began > 0.3
    assert len(raw.requests) == 100


def lively(raw, seconds: float):
    """Answer the health check at once, and everything else after so many seconds."""

    async def script(_reader, writer):
        if b"~meta@1.0" not in raw.requests[-1]:
            await asyncio.sleep(seconds)
        writer.write(http(200, ADDRESS))

    raw.script = script


@pytest.mark.slow
async def test_an_evaluation_has_its_own_deadline_and_its_timeout_blames_nobody(raw, make):
    node = make()
    lively(raw, 0.4)
    assert (await node.observe("GET", "/x/now/at-slot", evaluates=True)).status == 200
    assert (await node.observe("GET", "/x/compute")).failure == "timeout"
    lively(raw, 60)
    for _ in range(2):
        assert (await node.observe("GET", "/x/now/at-slot", evaluates=True)).failure == COMPUTING
    assert node.available


@pytest.mark.slow
async def test_a_node_that_takes_requests_and_answers_none_is_not_computing(raw, make):
    raw.answers(keep_open=True)
    node = make(now_timeout=timedelta(seconds=4), timeout=timedelta(seconds=0.2))
    began = asyncio.get_running_loop().time()
    seen = await node.observe("GET", "/x/now/at-slot", evaluates=True)
    assert seen.failure == "timeout"
    assert asyncio.get_running_loop().time() - began < 2
    assert not node.available


async def test_evaluations_are_budgeted_and_a_reserve_is_for_people(make):
    node = make(now_per_hour=16)
    assert [node.may_evaluate(urgent=False) for _ in range(5)] == [True, True, True, False, False]
    assert node.may_evaluate(urgent=True)
    assert not node.may_evaluate(urgent=True)
    assert not make(now_per_hour=0).may_evaluate(urgent=True)


async def test_an_evaluation_that_cost_nothing_is_given_back(raw, make):
    raw.answers(http(200, b"3"))
    node = make(now_per_hour=1)
    for _ in range(5):
        assert node.may_evaluate(urgent=True)
        await node.observe("GET", "/x/now/at-slot", evaluates=True)


async def test_an_evaluation_that_was_never_sent_is_given_back(raw, make):
    node = make(now_per_hour=16)
    raw.answers(http(429, headers="retry-after: 30\r\n"))
    await node.observe("GET", "/x")
    for _ in range(5):
        assert node.may_evaluate(urgent=True)
        assert (await node.observe("GET", "/x/now/at-slot", evaluates=True)).failure == "rate-limited"
    assert len(raw.requests) == 1


async def test_the_pool_begins_with_who_can_answer(make, transport):
    nodes = [Node(transport, NodeSettings(url=f"http://n{number}.example.org"), CheckSettings()) for number in range(3)]
    pool = Pool(nodes)
    first, second, third = pool.order(PID)
    pool.note(first, PID, Standing.NOT_KNOWN)
    pool.note(third, PID, Standing.ANSWERS)
    assert pool.order(PID) == [third, second, first]
    assert pool.operators == 1


async def test_the_load_is_spread_and_stays_where_it_is(transport):
    nodes = [Node(transport, NodeSettings(url=f"http://n{number}.example.org"), CheckSettings()) for number in range(3)]
    pool = Pool(nodes)
    firsts = [pool.order(ProcessId(f"{number:042d}A"))[0] for number in range(300)]
    assert all(60 < firsts.count(node) < 140 for node in nodes)
    assert firsts == [Pool(nodes).order(ProcessId(f"{number:042d}A"))[0] for number in range(300)]


async def test_what_is_remembered_is_bounded_and_grows_old(transport):
    now = [0.0]
    node = Node(transport, NodeSettings(url="http://n.example.org"), CheckSettings())
    pool = Pool([node], timer=lambda: now[0])
    pool.note(node, PID, Standing.NOT_KNOWN)
    now[0] += 3601
    assert pool.standing(node, PID) is Standing.UNTRIED
    for number in range(25_000):
        pool.note(node, ProcessId(f"{number:042d}A"), Standing.ANSWERS)
    assert pool.standing(node, ProcessId(f"{0:042d}A")) is Standing.UNTRIED
    assert pool.standing(node, ProcessId(f"{24_999:042d}A")) is Standing.ANSWERS
