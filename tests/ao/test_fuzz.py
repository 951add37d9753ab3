"""Every field of every answer bent: whatever nodes and gateways say, a reading comes back, and it can be stored."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.ao.memory import MEMORY
from bot.ao.opening import open_reading
from bot.ao.reader import Reading, Urgency
from bot.domain.card import Metadata, Sighting
from bot.domain.keys import StateKey
from bot.domain.process_id import ProcessId
from bot.settings import AoSettings, CheckSettings, NodeSettings, Settings

PID = ProcessId("A" * 43)
KEYS = ((StateKey("balances"),), ())
STORED = TypeAdapter(tuple[Sighting, ...])
DESCRIBED = TypeAdapter(Metadata | None)

NAMES = (
    *("at-slot", "ao-types", "ao-result", "unavailable", "cache+link", "balances+link", "balances", "device", "type"),
    *("signature-input", "signature", "content-type", "content-encoding", "content-length", "transfer-encoding", "age"),
    *("retry-after", "date", "location", "codec-device", "details", "status", "connection", "x", "x" * 300, ":status"),
)
VALUES = (
    *("0", "1", "-1", "9" * 30, "0.5", "NaN", "", " ", "true", "not_found", 'body="atom"', 'body="integer"', "body"),
    *(
        'sig=("at-slot" "cache+link" "balances+link");alg="x"',
        'sig=("',
        "((((",
        '"' * 50,
        "gzip",
        "identity",
        "chunked",
    ),
    *("application/json", "json@1.0", "Process", "A" * 43, "a" * 9000, "\udcff\udcfe", "é☂", "\u202e", "a,b,,", "\x00"),
    *(
        "99999999999999999999",
        "Tue, 24 Nov 2026 12:00:00 GMT",
        "soon",
        "http://169.254.169.254/",
        "necessary_message_not_found",
    ),
)
BODIES = (
    *(
        b"",
        b"0",
        b"1",
        b"-1",
        b"9" * 5000,
        b"not_found",
        b"necessary_message_not_found",
        b"<html>" * 50,
        b"\xff\xfe\x00",
    ),
    *(b'{"1":"balances","device":"json@1.0"}', b'{"1":"at-slot","2":"device","device":"json@1.0"}', b'{"1":{"a":[]}}'),
    *(b"[" * 50_000, b'{"a":' * 20_000, b'{"1":1e999}', b'{"1":"\\ud800","device":"json@1.0"}', b"[1,null,true]"),
    *(b'{"body":"not_found","status":404}', b'["balances"]', b"null", b'{"1":"b","1":"c"}', b"x" * 2_000_000),
)
STATUSES = (
    "200",
    "200",
    "200",
    "404",
    "404",
    "500",
    "0",
    "99",
    "101",
    "204",
    "302",
    "426",
    "429",
    "502",
    "503",
    "600",
    "999",
    "abc",
)
GRAPHQL = (
    *(b"", b"null", b'{"data":null}', b'{"errors":[null]}', b'{"data":{"transactions":{"edges":[null]}}}', b"[" * 9000),
    json.dumps({"data": {"transactions": {"edges": []}}}).encode(),
    json.dumps(
        {
            "data": {
                "transactions": {
                    "edges": [
                        {
                            "cursor": 5,
                            "node": {
                                "id": PID,
                                "owner": {"address": "\ud800" * 3},
                                "tags": [
                                    {"name": "Type", "value": "Process"},
                                    {"name": "data-protocol", "value": "ao"},
                                ],
                            },
                        }
                    ]
                }
            }
        }
    ).encode(),
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    headers = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=8))
    body = draw(st.sampled_from(BODIES))
    lines = [f"HTTP/1.1 {draw(st.sampled_from(STATUSES))} X", *(f"{name}: {value}" for name, value in headers)]
    if draw(st.booleans()):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "connection: close"]).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def read_with():
    """Read one process from a node and a gateway that give these answers in turn."""

    async def read(node: list[bytes], graph: bytes, urgency: Urgency) -> Reading:
        turn = iter(range(10_000))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                given = node[next(turn) % len(node)]
                if head.startswith(b"POST"):
                    given = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(graph) + graph
                writer.write(given)
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.transport.abort() if writer.is_closing() else writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ao = AoSettings(nodes=(NodeSettings(url=url),), gateways=(url + "/graphql",), cu_url=url)
        fast = CheckSettings(timeout=timedelta(seconds=1), now_timeout=timedelta(seconds=1))
        async with open_reading(Settings(ao=ao, checks=fast)) as opened:
            reading = await opened.reader.read(PID, KEYS, urgency=urgency)
            again = await opened.reader.read(PID, KEYS, memory=reading.memory, urgency=urgency)
            await opened.arrivals.newest(PID, again.judgements[0])
        server.close()
        await asyncio.sleep(0)
        return again

    return lambda *given: asyncio.run(read(*given))


ANY = (st.lists(answers(), min_size=1, max_size=5), st.sampled_from(GRAPHQL), st.sampled_from(list(Urgency)))


def check(reading: Reading) -> None:
    assert len(reading.judgements) == 2
    assert all(sighting.reason and len(sighting.reason) < 120 for sighting in reading.evidence)
    assert len(reading.evidence) <= 40
    assert len(MEMORY.dump_json(reading.memory)) < 300_000
    STORED.dump_json(reading.evidence)
    DESCRIBED.dump_json(reading.metadata)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(*ANY)
def test_no_answer_breaks_a_reading(read_with, node, graph, urgency):
    check(read_with(node, graph, urgency))


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(*ANY)
def test_no_answer_of_many_breaks_a_reading(read_with, node, graph, urgency):
    check(read_with(node, graph, urgency))
