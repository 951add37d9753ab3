"""The page's own few lines beside aoconnect 0.0.98, from npm: the same arguments, the same bytes, the same requests."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sandbox.ao.ans104 import address_of_key, make_item, make_key, random_id, read_item

HERE = Path(__file__).parent
AO_JS = HERE.parents[2] / "bot" / "web" / "static" / "ao.js"
INSTALLED = HERE.parents[2] / ".make" / "aoconnect"
LUA = 'Handlers.prepend("Ünï", function() return true end, print)\n'

pytestmark = [pytest.mark.node, pytest.mark.slow, pytest.mark.xdist_group("aoconnect")]


async def _run(*command: str | Path, cwd: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@pytest.fixture
async def aoconnect(node: str) -> Path:
    """The folder that aoconnect is installed in: once, and again where the lock file changed."""
    lock = HERE / "package-lock.json"
    done = INSTALLED / "node_modules" / ".of-this-lock"
    if not done.is_file() or done.read_bytes() != lock.read_bytes():
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, INSTALLED / name)
        npm = Path(node).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [node, npm] if npm.is_file() else ["npm"]
        await _run(*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=INSTALLED)
        shutil.copy(lock, done)
    return INSTALLED


@pytest.fixture
async def both(node: str, aoconnect: Path) -> dict[str, dict[str, Any]]:
    """What aoconnect (`theirs`) and the page (`ours`) asked for; every item is really signed, once, for both."""
    key = make_key()
    given = {
        "process": random_id(),
        "mu": "https://mu.example",
        "cu": "https://cu.example",
        "lua": LUA,
        "address": address_of_key(key),
    }
    process = await asyncio.create_subprocess_exec(
        *(node, HERE / "compare.mjs", aoconnect, AO_JS, json.dumps(given)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    signed: dict[str, str] = {}
    while line := await process.stdout.readline():
        said: dict[str, Any] = json.loads(line)
        if "sign" not in said:
            await process.wait()
            return said
        item = said["sign"]
        asked = json.dumps(item, sort_keys=True)
        if asked not in signed:
            tags = [(tag["name"], tag["value"]) for tag in item["tags"]]
            raw = make_item(key, target=item["target"], tags=tags, data=item["data"].encode())
            signed[asked] = base64.b64encode(raw).decode()
        process.stdin.write(signed[asked].encode() + b"\n")
    pytest.fail("the comparison ended early")


async def test_the_page_signs_and_sends_what_aoconnect_does(both: dict[str, dict[str, Any]]) -> None:
    theirs, ours = both["theirs"], both["ours"]
    assert len(ours["items"]) == 2
    assert ours["items"] == theirs["items"]
    assert ours["ids"] == theirs["ids"]
    assert ours["requests"] == theirs["requests"]


async def test_the_permissions_are_aoconnects_and_the_address(both: dict[str, dict[str, Any]]) -> None:
    assert set(both["theirs"]["permissions"]) == {"SIGN_TRANSACTION"}
    assert both["ours"]["permissions"] == ["ACCESS_ADDRESS", "SIGN_TRANSACTION"]


async def test_the_id_is_known_before_it_is_sent(both: dict[str, dict[str, Any]]) -> None:
    bodies = [base64.b64decode(each["body"]) for each in both["ours"]["requests"] if each["method"] == "POST"]
    assert [read_item(body).id for body in bodies] == both["ours"]["ids"]
    assert read_item(bodies[1]).data.decode() == LUA
