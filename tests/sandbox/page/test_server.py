"""The page's server over a real socket, and `python -m sandbox` as a whole."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from sandbox.bot_process import ROOT
from sandbox.page.server import POLICY, build_page
from sandbox.page.stage import Stage

# One stage for all: making the demo wallet's keys is what takes the time.
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A page whose stage has not started: no bot, no network, but all that the server itself decides."""
    stage = Stage(tmp_path_factory.mktemp("stage"))
    async with TestServer(build_page(stage)) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest_asyncio.fixture(loop_scope="module")
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_address_leads_to_the_page_which_runs_only_its_own_files(
    page: str, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(page) as answer:
        assert answer.url.path == "/sandbox/"
        assert answer.headers["Content-Security-Policy"] == POLICY
        html = await answer.text()
    assert "Nothing here is real" in html
    assert "<script>" not in html
    assert "style=" not in html
    for name in ("app.js", "page.css", "icons.svg", "bell.svg"):
        async with browser.get(f"{page}/sandbox/static/{name}") as answer:
            assert answer.status == 200


async def test_names_that_only_lead_here_and_other_sites_are_refused(page: str, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{page}/sandbox/api/state", headers={"Host": "evil.example"}) as answer:
        assert answer.status == 403
    for path in ("/sandbox/api/skip-day", "/sandbox/discord/say", "/api/signed"):
        async with browser.post(page + path, json={}, headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403


async def test_a_switch_refuses_what_it_cannot_read(page: str, browser: aiohttp.ClientSession) -> None:
    for body in ("", "{}", '{"down": "many"}', "[]", '{"down": null}'):
        async with browser.post(f"{page}/sandbox/api/nodes", data=body) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]
    async with browser.post(f"{page}/sandbox/api/nodes", data='{"down": 2}') as answer:
        assert [node["down"] for node in (await answer.json())["nodes"]] == [True, True, False]


async def test_the_feed_tells_what_changes(page: str, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{page}/sandbox/api/feed") as feed:
        assert await feed.content.readline() == b": hello\n"
        async with browser.post(f"{page}/sandbox/api/nodes", json={"down": 1}):
            pass
        await feed.content.readline()
        told = json.loads((await feed.content.readline()).removeprefix(b"data: "))
    assert (told["type"], [node["down"] for node in told["nodes"]]) == ("state", [True, False, False])


async def test_what_the_sandbox_does_not_have_never_reaches_the_bot(page: str, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{page}/sandbox/nothing") as answer:
        assert answer.status == 404


@pytest.mark.slow
@pytest.mark.lua
async def test_the_whole_starts_stops_and_touches_nothing_of_its_user(tmp_path: Path) -> None:
    # Somebody with a real configuration: a token in the environment, a database in the folder where they are.
    theirs = tmp_path / "theirs.db"
    (tmp_path / "config.toml").write_text(f'[database]\nurl = "sqlite+aiosqlite:///{theirs}"\n')
    environment = {**os.environ, "PATCHBELL_DISCORD__TOKEN": "real", "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox"), cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    address = (await process.stdout.readline()).decode().split()[1]
    async with asyncio.timeout(60), aiohttp.ClientSession() as browser:
        bot = {"state": "starting", "pid": 0}
        while bot["state"] != "running":
            await asyncio.sleep(0.2)
            async with browser.get(f"{address}/sandbox/api/state") as answer:
                bot = (await answer.json())["bot"]
        async with browser.get(f"{address}/sign") as answer:
            assert '<script src="/sandbox/wallet/wallet.js">' in await answer.text()
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        await _one_feed_brings_what_is_said(browser, address)
    assert b"PATCHBELL_" not in Path(f"/proc/{bot['pid']}/environ").read_bytes()
    process.send_signal(signal.SIGINT)
    said, _ = await process.communicate()
    assert (process.returncode, said) == (0, b"Stopping\xe2\x80\xa6\n")
    assert not Path(f"/proc/{bot['pid']}").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml"]


async def _one_feed_brings_what_is_said(browser: aiohttp.ClientSession, address: str) -> None:
    async with browser.get(f"{address}/sandbox/api/state") as answer:
        state = await answer.json()
    said = {"person": state["cast"]["owner"]["id"], "channel": state["home"], "content": "hello"}
    async with browser.get(f"{address}/sandbox/api/feed") as feed:
        await feed.content.readline()
        async with browser.post(f"{address}/sandbox/discord/say", json=said) as answer:
            assert answer.status == 200
        async for line in feed.content:
            told = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
            if told.get("type") == "discord" and told["event"]["type"] == "message":
                assert told["event"]["message"]["content"] == "hello"
                return
