"""What ao.js makes of whatever a messenger or compute unit answers, in Node, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

HERE = Path(__file__).parent
AO_JS = HERE.parents[1] / "bot" / "web" / "static" / "ao.js"
PATCH = {"Messages": [{"Tags": [{"name": "cache", "value": "{}"}, {"name": "device", "value": "patch@1.0"}]}]}
NO_WORDS = "(no words came with it)"

pytestmark = pytest.mark.node

ANSWERS: dict[str, list[tuple[int, str]]] = {
    "mu-taken": [(202, '{"id": "x"}')],
    "mu-text": [(403, "Forbidden, process not whitelisted")],
    "mu-json": [(400, '{"error": "is read_only"}')],
    "mu-object": [(400, '{"error": {"code": 1}}')],
    "mu-array": [(400, "[1]")],
    "mu-html": [(502, "<!doctype html><h1>Bad gateway</h1>")],
    "mu-empty": [(500, " ")],
    "mu-endless": [(400, "x" * 1_000_000)],
    "mu-hostile": [(400, "a\u202eb\u200b\u0000\nc")],
    "cu-patch": [(200, json.dumps(PATCH))],
    "cu-nothing": [(200, '{"Messages": [], "Output": {}}')],
    "cu-odd": [(200, '{"Messages": [null, {"Tags": 1}, {"Tags": [null]}], "Output": 1}')],
    "cu-spoke": [(200, '{"Output": {"data": "\\u001b[32mStatePatch: nothing published; missing or empty: Balances"}}')],
    "cu-later": [(202, '{"error": "Evaluation is in progress"}'), (200, json.dumps(PATCH))],
    "cu-busy": [(429, "slow down"), (503, "<!doctype html>"), (200, json.dumps(PATCH))],
    "cu-refused": [(403, "Forbidden")],
    "cu-never": [(404, '{"error": "not found"}')],
    "cu-portal": [(200, "<!doctype html><p>Please log in")],
    "cu-number": [(200, "1")],
}


@pytest.fixture
async def server() -> AsyncIterator[str]:
    asked: Counter[str] = Counter()

    async def answer(request: web.BaseRequest) -> web.Response:
        unit = request.path.split("/")[1]
        answers = ANSWERS[unit]
        status, text = answers[min(asked[unit], len(answers) - 1)]
        asked[unit] += 1
        return web.Response(status=status, text=text)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def _ask(node: str, server: str, *units: str) -> dict[str, dict[str, Any]]:
    command = (node, HERE / "ao.mjs", AO_JS, server, *units)
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return {said["path"]: said for said in map(json.loads, out.splitlines())}


async def test_a_messengers_words_are_shown_as_they_come_cut_and_on_one_line(node: str, server: str) -> None:
    came = await _ask(node, server, *(unit for unit in ANSWERS if unit.startswith("mu-")))
    assert "error" not in came.pop("mu-taken")
    assert {unit: (said["status"], said["said"]) for unit, said in came.items()} == {
        "mu-text": (403, "Forbidden, process not whitelisted"),
        "mu-json": (400, "is read_only"),
        "mu-object": (400, '{"code":1}'),
        "mu-array": (400, "[1]"),
        "mu-html": (502, NO_WORDS),
        "mu-empty": (500, NO_WORDS),
        "mu-endless": (400, "x" * 299 + "…"),
        "mu-hostile": (400, "a b c"),
    }


async def test_a_result_is_read_for_what_it_is(node: str, server: str) -> None:
    came = await _ask(node, server, "cu-patch", "cu-nothing", "cu-odd", "cu-spoke")
    assert [said["patch"] for said in came.values()] == [True, False, False, False]
    assert came["cu-spoke"]["handler"] == "StatePatch: nothing published; missing or empty: Balances"


@pytest.mark.slow
async def test_what_comes_later_is_waited_for_and_said_meanwhile(node: str, server: str) -> None:
    came = await _ask(node, server, "cu-later", "cu-busy")
    assert [said.get("patch") for said in came.values()] == [True, True]
    assert came["cu-later"]["meanwhile"] == ["Evaluation is in progress"]
    assert came["cu-busy"]["meanwhile"] == ["slow down", NO_WORDS]


@pytest.mark.slow
async def test_what_never_comes_ends_in_the_units_own_words(node: str, server: str) -> None:
    (refused,) = (await _ask(node, server, "cu-refused")).values()
    assert (refused["error"], refused["status"], refused["said"]) == ("Refused", 403, "Forbidden")
    came = await asyncio.gather(*(_ask(node, server, unit) for unit in ("cu-never", "cu-portal", "cu-number")))
    ends = [said for one in came for said in one.values()]
    assert [(said["error"], said["status"], said["said"]) for said in ends] == [
        ("Refused", 404, "not found"),
        ("Refused", 200, NO_WORDS),
        ("Refused", 200, "1"),
    ]


@pytest.mark.slow
async def test_nobody_there_is_no_answer_and_no_result(node: str, server: str) -> None:
    closed = server.rpartition(":")[0] + ":9"
    came = await _ask(node, closed, "mu-taken", "cu-patch")
    assert [said["error"] for said in came.values()] == ["NoAnswer", "NoAnswer"]
