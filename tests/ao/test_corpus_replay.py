"""Every recorded process, read by the shipped reader over HTTP, is judged right."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.ao.memory import NodeMemory
from bot.ao.node import Node
from bot.ao.opening import open_reading
from bot.ao.probe import probe
from bot.ao.reader import Reader, Reading, Urgency
from bot.ao.transport import Transport
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import parse_process_id, read_process_ids
from bot.domain.verdict import Reason, judge
from bot.errors import MalformedProcessId
from bot.settings import AoSettings, CheckSettings, NodeSettings, Settings
from tests.corpus.recorded import Exchange, by
from tests.corpus.replay import Key, Replay, listening

BALANCES = StateKey("balances")
WHOLE: Key = ("HEAD", "/{id}~process@1.0/compute", False)
RECORDED = by("exchanges", "scenario", "phase", "process")
PROCESSES = [name for name in RECORDED if name[0] not in ("node", "malformed")]
TAGS = {"Name": "Recorded"}
ANSWERS: dict[str, Callable[[Replay], None]] = {
    "gateway-knows-it": lambda replay: replay.__dict__.update(gateway_answers=True, tags=TAGS),
    "gateway-fails": lambda replay: None,
}


def cases() -> list:
    """Give one case for each process, phase and set of keys: what is read, and what must come of it."""
    found = []
    for name in PROCESSES:
        label = RECORDED[name][0].label
        if name[:2] == ("behind", "before"):
            continue  # the reader spends a `now` on it: the tests of a process behind have it
        found.append(pytest.param(name, tuple(label["keys"]), label["verdict"], id="-".join((*name[:2], name[2][:4]))))
        if name[0] == "patched-other":  # its label is for `users`
            found.append(pytest.param(name, ("balances",), "not_patched", id=f"{name[0]}-{name[1]}-balances"))
    return found


def rows(name: tuple[str, ...]) -> list[Exchange]:
    """Give what is served of a process in a phase.

    After `now` only the listings and slots were recorded again. The whole is then the one from before, where computing
    changed nothing; else a proxy says 502 to it.
    """
    before = RECORDED[(name[0], "before", name[2])]
    if name[1] == "before":
        return before
    constant = [row for row in before if "/compute" not in row.path]
    whole = [row for row in before if row.method == "HEAD" and row.path.endswith("~process@1.0/compute")]
    return RECORDED[name] + constant + ([proxied(row) for row in whole] if name[0].startswith("behind") else whole)


def proxied(row: Exchange) -> Exchange:
    """Give what nginx makes of an answer with more headers than it takes."""
    headers = (("server", "nginx"), ("content-type", "text/html"))
    return replace(row, status=502, reason="Bad Gateway", headers=headers, body=b"<html>502</html>")


@pytest.fixture(autouse=True)
def no_authorities(monkeypatch, tmp_path):
    """Loading all certificate authorities takes longer than all else here, and loopback needs none."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture
async def node() -> AsyncIterator[Replay]:
    async with listening(Replay()) as replay:
        yield replay
    assert not replay.unrecorded


@asynccontextmanager
async def reading(*nodes: Replay) -> AsyncIterator[Reader]:
    urls = [node.url for node in nodes]
    ao = AoSettings(nodes=urls, gateways=tuple(f"{url}/graphql" for url in urls[:1]))  # pyright: ignore[reportArgumentType] -- plain URLs are made nodes of
    async with open_reading(Settings(ao=ao, checks=CheckSettings(requests_per_minute=60_000))) as opened:
        yield opened.reader


def asked(node: Replay) -> int:
    """Count the requests that were about a process."""
    return sum("~meta@1.0" not in path for _, path in node.requests)


def verdict(found: Reading) -> Verdict:
    return found.judgements[0].verdict


@pytest.mark.parametrize("prepare", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize(("name", "keys", "truth"), cases())
async def test_every_recorded_process_is_judged_right_and_cheaply(node, name, keys, truth, prepare):
    prepare(node)
    pid = node.add(rows(name))
    async with reading(node) as reader:
        first = await reader.read(pid, (keys,))
        assert verdict(first) == truth
        assert asked(node) == first.requests <= 4
        node.requests.clear()
        again = await reader.read(pid, (keys,), memory=first.memory)
    assert verdict(again) == truth
    headless = name[0].startswith("behind") and name[1] == "after-now"
    assert asked(node) == again.requests <= (2 if headless or truth == "unknown" else 1)


@pytest.mark.parametrize("name", [name for name in PROCESSES if name[:2] != ("behind", "before")], ids="-".join)
async def test_with_no_key_named_any_exposed_key_counts(node, name):
    """Nothing but the `never`s, which patched nothing, and what is unknown with a key too, is not patched."""
    pid = node.add(rows(name))
    async with reading(node) as reader:
        found = await reader.read(pid)
    label = RECORDED[name][0].label["verdict"]
    assert verdict(found) == label
    assert bool(found.judgements[0].exposed) == (label == "patched")


async def test_several_sets_of_keys_are_judged_in_one_look(node):
    [name] = [name for name in PROCESSES if name[:2] == ("patched-other", "before")]
    pid = node.add(rows(name))
    async with reading(node) as reader:
        found = await reader.read(pid, (("users",), ("balances",), ("users", "balances"), ()))
    assert [judgement.verdict for judgement in found.judgements] == ["patched", "not_patched", "not_patched", "patched"]
    assert found.judgements[2].missing == ("balances",)
    assert found.judgements[1].exposed == ("cache/total", "cache/users")
    assert asked(node) == 4


async def test_a_process_behind_is_unknown_until_somebody_asks_now(node):
    [name] = [name for name in PROCESSES if name[:2] == ("behind", "before")]
    pid = node.add(rows(name))
    checks = CheckSettings()
    async with Transport(trusted=frozenset({node.origin})) as transport:
        asked_node = Node(transport, NodeSettings(url=node.url), checks)
        seen = await probe(asked_node.observe, pid, ((BALANCES,),), NodeMemory(node=node.url), may_compute=True)
    judgement = judge(seen, (BALANCES,), tags=())
    assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, Reason.BEHIND)
    assert (judgement.at_slot, judgement.current_slot) == (0, 1)
    assert asked(node) == 4


@pytest.mark.parametrize("urgency", list(Urgency))
async def test_a_process_behind_is_patched_after_now(node, urgency):
    [name] = [name for name in PROCESSES if name[:2] == ("behind", "before")]
    pid = node.add(rows(name), rows((name[0], "after-now", name[2])))
    async with reading(node) as reader:
        found = await reader.read(pid, ((BALANCES,),), urgency=urgency)
    assert verdict(found) == Verdict.PATCHED
    assert found.judgements[0].at_slot == 1
    assert asked(node) <= (3 if urgency is Urgency.SIGNED else 6)


async def test_an_id_is_not_found_only_where_every_gateway_and_node_was_reached(node):
    name, other = (name for name in PROCESSES if name[:2] == ("unknown-id", "before"))
    pid = node.add(rows(name))
    async with listening(Replay()) as second:
        second.processes[pid] = second.processes.pop(second.add(rows(other)))
        async with reading(node, second) as reader:
            unsaid = await reader.read(pid, ((BALANCES,),))
            node.gateway_answers = True
            found = await reader.read(pid, ((BALANCES,),))
        assert not second.unrecorded
    assert (verdict(unsaid), unsaid.judgements[0].reason) == (Verdict.UNKNOWN, Reason.NOT_KNOWN_HERE)
    assert verdict(found) == Verdict.NOT_FOUND


def swollen(row: Exchange) -> Exchange:
    """Give a whole with more root keys than we read headers."""
    return replace(row, headers=(*row.headers, *((f"battle-{number}+link", "x" * 43) for number in range(1000))))


@pytest.mark.parametrize("spoil", [proxied, swollen])
@pytest.mark.parametrize("scenario", ["patched-large", "patched-root"])
async def test_a_whole_that_cannot_be_had_is_done_without(node, scenario, spoil):
    [name] = [name for name in PROCESSES if name[:2] == (scenario, "before")]
    pid = node.add(rows(name), edit=lambda answers: answers.update({WHOLE: [spoil(answers[WHOLE][0])]}))
    node.gateway_answers, node.tags = True, TAGS
    async with reading(node) as reader:
        first = await reader.read(pid, ((BALANCES,),))
        again = await reader.read(pid, ((BALANCES,),), memory=first.memory)
    assert verdict(first) == verdict(again) == Verdict.PATCHED
    assert (first.requests, again.requests) in [(3, 1), (5, 1)]


@pytest.mark.parametrize("spoil", [proxied, swollen])
async def test_without_the_whole_nothing_exposed_is_proven_all_the_same(node, spoil):
    [name] = [name for name in PROCESSES if name[:2] == ("never", "before")]
    pid = node.add(rows(name), edit=lambda answers: answers.update({WHOLE: [spoil(answers[WHOLE][0])]}))
    node.gateway_answers, node.tags = True, TAGS
    async with reading(node) as reader:
        first = await reader.read(pid, ((BALANCES,),))
        again = await reader.read(pid, ((BALANCES,),), memory=first.memory)
    assert verdict(first) == verdict(again) == Verdict.NOT_PATCHED
    assert (first.requests, again.requests) == (5, 1)


@pytest.mark.parametrize("gateway", [True, False], ids=["tags-from-gateway", "tags-from-definition"])
async def test_a_spawn_tag_named_like_the_key_is_no_exposure(node, gateway):
    """Recorded answers of a process that patched nothing, with a tag `Balances` put where a node shows tags."""
    [name] = [name for name in PROCESSES if name[:2] == ("never", "before")]

    def with_tag(answers: dict[Key, list[Exchange]]) -> None:
        for key in (WHOLE, ("HEAD", "/{id}", False)):
            answers[key] = [tagged(answers[key][0])]
        listing: Key = ("GET", "/{id}~process@1.0/compute/keys/serialize~json@1.0", True)
        row = answers[listing][0]
        answers[listing] = [replace(row, body=row.body.replace(b'"count"', b'"balances"'))]

    pid = node.add(rows(name), edit=with_tag)
    node.gateway_answers, node.tags = gateway, TAGS | {"Balances": "none"}
    async with reading(node) as reader:
        found = await reader.read(pid, ((BALANCES,),))
        any_key = await reader.read(pid)
    assert verdict(found) == verdict(any_key) == Verdict.NOT_PATCHED


def tagged(row: Exchange) -> Exchange:
    """Add a signed header `balances`."""
    headers = [
        (name, re.sub(r'=\(("ao-types")', r'=(\1 "balances"', value or "") if name == "signature-input" else value)
        for name, value in row.headers
    ]
    return replace(row, headers=(*headers, ("balances", "none")))


async def test_a_cold_node_is_left_alone_where_no_evaluation_may_be_spent(node):
    [name] = [name for name in PROCESSES if name[:2] == ("never", "before")]
    pid = node.add(rows(name))
    ao = AoSettings(nodes=(node.url,), gateways=(f"{node.url}/graphql",))  # pyright: ignore[reportArgumentType]
    async with open_reading(Settings(ao=ao, checks=CheckSettings(now_per_hour=0))) as opened:
        found = await opened.reader.read(pid, ((BALANCES,),))
    assert verdict(found) == Verdict.UNKNOWN
    assert not [path for _, path in node.requests if "/compute" in path or "/now" in path]


@pytest.mark.parametrize("name", [name for name in RECORDED if name[0] == "malformed"], ids=lambda name: name[2][:50])
def test_a_malformed_id_is_refused_before_anything_is_asked(name):
    with pytest.raises(MalformedProcessId):
        parse_process_id(name[2])
    assert name[2] not in read_process_ids(name[2]).valid


async def test_a_request_that_was_not_recorded_is_noticed():
    async with listening(Replay()) as replay:
        async with reading(replay) as reader:
            await reader.read(parse_process_id("A" * 43))
        assert replay.unrecorded
