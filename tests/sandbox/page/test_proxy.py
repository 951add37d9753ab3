"""The proxy between a browser and the bot's web server, over real sockets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from sandbox.proxy import BOT_IS_DOWN, BotProxy

POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
PAGE = (
    '<!doctype html><html><head lang="en"><script src="/static/sign.js"></script></head>'
    "<body><!-- <head> --></body></html>"
)


async def _sign(request: web.Request) -> web.Response:
    return web.Response(
        text=PAGE,
        content_type="text/html",
        headers={"Content-Security-Policy": POLICY, "X-Seen": request.headers.get("X-Forwarded-For", "nothing")},
    )


async def _echo(request: web.Request) -> web.Response:
    return web.json_response({"query": request.rel_url.raw_query_string, "body": await request.text()})


async def _script(_: web.Request) -> web.Response:
    return web.Response(text="const page = '<head>';", content_type="text/javascript")


async def _gone(_: web.Request) -> web.Response:
    return web.json_response({"error": "ended"}, status=410)


async def _elsewhere(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/sign"})


@pytest.fixture
async def bot() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.add_routes(
        [
            web.get("/sign", _sign),
            web.get("/static/sign.js", _script),
            web.post("/api/signed", _echo),
            web.post("/api/ticket", _gone),
            web.get("/old", _elsewhere),
        ]
    )
    async with TestServer(app) as server:
        yield server


@pytest.fixture
async def passed() -> list[str]:
    return []


@pytest.fixture
async def page(bot: TestServer, passed: list[str]) -> AsyncIterator[str]:
    proxy = BotProxy(bot.port or 0, "/sandbox/wallet/wallet.js", passed.append)
    await proxy.start()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", proxy.handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")
    await proxy.stop()


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_page_gets_one_script_more_and_keeps_its_policy(page: str, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{page}/sign") as answer:
        text = await answer.text()
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Seen"] == "127.0.0.1"
    assert re.findall(r'<script src="([^"]+)">', text) == ["/sandbox/wallet/wallet.js", "/static/sign.js"]
    assert text.replace('<script src="/sandbox/wallet/wallet.js"></script>', "") == PAGE


async def test_what_is_no_page_passes_as_it_is(page: str, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{page}/static/sign.js") as answer:
        assert await answer.text() == "const page = '<head>';"


async def test_queries_and_bodies_arrive_as_sent_and_are_told(
    page: str, browser: aiohttp.ClientSession, passed: list[str]
) -> None:
    async with browser.post(URL(f"{page}/api/signed?a=%2F&b=1%202", encoded=True), data="ü") as answer:
        assert await answer.json() == {"query": "a=%2F&b=1%202", "body": "ü"}
    assert passed == ["/api/signed"]


async def test_a_refusal_is_passed_on_and_not_told_as_done(
    page: str, browser: aiohttp.ClientSession, passed: list[str]
) -> None:
    async with browser.post(f"{page}/api/ticket") as answer:
        assert (answer.status, await answer.json()) == (410, {"error": "ended"})
    assert passed == []


async def test_redirects_are_the_browsers_business(page: str, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{page}/old", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/sign")


async def test_while_the_bot_is_down_there_is_one_clear_sentence(
    page: str, browser: aiohttp.ClientSession, bot: TestServer
) -> None:
    await bot.close()
    async with browser.get(f"{page}/sign") as answer:
        assert (answer.status, await answer.text()) == (502, BOT_IS_DOWN)
    async with browser.post(f"{page}/api/ticket") as answer:
        assert (answer.status, await answer.json()) == (502, {"error": BOT_IS_DOWN})
