"""All 2,097 recorded cases, ordinary and hostile: given to `judge` as data, alone and with their companions; and served
over HTTP to the shipped node and probe, where the group has what the probe asks for.

No group has a recorded `HEAD compute`, and many have one path only: those cannot be walked as a node, and
what they hold is judged as data. A peer that only ever misbehaves is served as one that does so to every request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.ao.memory import NodeMemory
from bot.ao.node import Node
from bot.ao.probe import probe
from bot.ao.transport import Transport
from bot.domain.evidence import read_slot
from bot.domain.observation import Observation, Verdict
from bot.domain.process_id import parse_process_id
from bot.domain.verdict import judge
from bot.errors import MalformedProcessId
from bot.settings import CheckSettings, NodeSettings
from tests.corpus.recorded import Exchange, by
from tests.corpus.replay import Replay, fresh_id, listening

GROUPS = {name: rows for (name,), rows in by("cases", "group").items()}
# A gateway's tags, as every process of the group has them; where the definition was recorded, it has more.
SPAWN_TAGS = ("Data-Protocol", "Type", "Variant")
LISTINGS = (
    "/compute/at-slot",
    "/compute/cache/keys/serialize~json@1.0",
    "/compute/keys/serialize~json@1.0",
    "/slot/current",
)
# Refused on purpose, though what is inside would prove something: compressed answers (issue: hostile peers).
REFUSED = {"node_behaviour/gzip"}
# Labelled with care for a reader of the one key; that other keys are exposed is plain.
OTHERS_EXPOSED = {"odd_json/substring", "odd_json/space"}


def is_invalid(rows: list[Exchange]) -> bool:
    return any(row.label["truth"] == "invalid" for row in rows)


def observations(rows: list[Exchange]) -> list[Observation]:
    """Give a group as data, slots first: what is missing counts only from a slot that was read before it."""
    askable = [row for row in rows if row.method in ("GET", "HEAD")]
    return [row.observe() for row in sorted(askable, key=lambda row: row.label["role"] != "slot")]


def accepted(rows: list[Exchange], field: str = "truth") -> set[str]:
    """Give what may be concluded from a group."""
    truths = {row.label[field] for row in rows} - {"value"}
    return truths | {other for row in rows for other in row.label.get("also_ok", ())}


JUDGED = {name: rows for name, rows in GROUPS.items() if not is_invalid(rows)}
SCENARIOS: dict[str, list[str]] = {}
for group, members in JUDGED.items():
    SCENARIOS.setdefault(members[0].label["scenario"], []).append(group)
INVALID = {name: rows for name, rows in GROUPS.items() if is_invalid(rows)}


def test_every_case_is_covered():
    assert sum(map(len, JUDGED.values())) + sum(map(len, INVALID.values())) == 2097
    assert (len(JUDGED), len(INVALID)) == (263, 36)
    print(f"\n{len(JUDGED)} groups judged as data, {len(INVALID)} ids refused, of the first")
    print(f"{sum(map(is_walkable, JUDGED))} walked as a node and {len(PEERS)} as a peer over HTTP")


@pytest.mark.parametrize("name", JUDGED)
def test_a_group_is_judged_right(name):
    rows = JUDGED[name]
    found = judge(observations(rows), (rows[0].label["key"],), tags=SPAWN_TAGS).verdict
    assert found in accepted(rows) | ({"unknown"} if name in REFUSED else set())


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_exposed_at_all_is_never_said_wrongly(scenario):
    for name in SCENARIOS[scenario]:
        rows = JUDGED[name]
        found = judge(observations(rows), (), tags=SPAWN_TAGS).verdict
        assert found in accepted(rows, "truth_any") | {"unknown"} or name in OTHERS_EXPOSED
        if any(row.path.endswith("/compute/keys/serialize~json@1.0") and row.status == 200 for row in rows):
            assert found in accepted(rows, "truth_any")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_case_alone_proves_no_more_than_it_does(scenario):
    for row in (row for name in SCENARIOS[scenario] for row in JUDGED[name] if row.method in ("GET", "HEAD")):
        seen = row.observe()
        found = judge([seen], (row.label["key"],), tags=None).verdict
        assert found in (row.label["truth_alone"], Verdict.UNKNOWN)
        if row.label["role"] == "slot" and row.label["truth"] == "value" and row.method == "GET" and row.bundle:
            assert read_slot(seen) == row.label["value"]


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_id_is_refused_before_anything_is_asked(name):
    """White space around an id is no part of it: it is taken off, and the id that is left is asked for."""
    for row in INVALID[name]:
        pasted = str(row.process)
        if pasted != pasted.strip():
            assert parse_process_id(pasted) == pasted.strip()
            continue
        with pytest.raises(MalformedProcessId):
            parse_process_id(pasted)


def is_walkable(name: str) -> bool:
    """All that the probe asks where it may not ask for the whole was recorded."""
    rows = JUDGED[name]
    asked = {f"/{rows[0].process}~process@1.0{path}" for path in LISTINGS}
    return asked <= {row.path for row in rows if row.bundle and row.method == "GET" and row.fault is None}


SILENT = (
    "connect_failure",
    "tls_failure",
)  # nothing was sent that could be served: the transport's own tests have them
PEERS = [
    name
    for name, rows in JUDGED.items()
    if rows[0].label["source"] == "synthetic"
    and len({row.status for row in rows}) == 1
    and rows[0].label["scenario"] not in SILENT
    and accepted(rows) == {"unknown"}
    and not is_walkable(name)
]


@pytest.fixture(autouse=True)
def no_authorities(monkeypatch, tmp_path):
    """Loading all certificate authorities takes longer than all else here, and loopback needs none."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with listening(Replay()) as replay:
        yield replay


async def ask_all(replay: Replay, process: str, key: str, *, no_head: bool) -> list[Observation]:
    checks = CheckSettings(timeout=timedelta(seconds=0.25))
    async with Transport(trusted=frozenset({replay.origin})) as transport:
        node = Node(transport, NodeSettings(url=replay.url), checks)
        memory = NodeMemory(node=node.url, warm=True, no_head=no_head)
        return await probe(node.observe, process, ((key,),), memory, may_compute=True, tags=SPAWN_TAGS)


@pytest.mark.parametrize("name", list(filter(is_walkable, JUDGED)))
async def test_a_recorded_node_is_walked_right(replay, name):
    rows = JUDGED[name]
    process = replay.add(rows)
    seen = await ask_all(replay, process, rows[0].label["key"], no_head=True)
    assert not replay.unrecorded
    assert judge(seen, (rows[0].label["key"],), tags=tags_of(rows)).verdict in accepted(rows)
    assert len(replay.requests) <= 4


def tags_of(rows: list[Exchange]) -> tuple[str, ...]:
    """Give the tags as a gateway would: those that the definition shows, where it was recorded."""
    shown = [dict(row.headers) for row in rows if row.path == f"/{row.process}"]
    return (*SPAWN_TAGS, *(shown[0] if shown else ()))


@pytest.mark.parametrize("name", PEERS)
async def test_a_misbehaving_peer_proves_nothing_and_ends(replay, name):
    for row in {(row.status, row.fault, row.body): row for row in JUDGED[name]}.values():
        replay.everything = row
        seen = await ask_all(replay, fresh_id(), row.label["key"], no_head=False)
        assert judge(seen, (row.label["key"],), tags=SPAWN_TAGS).verdict == Verdict.UNKNOWN
        assert len(replay.requests) <= 4
        replay.requests.clear()
