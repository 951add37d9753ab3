"""Slow and many clients, over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from aiohttp import web

from bot.settings import WebSettings
from bot.web import serving
from bot.web.serving import WebServer

pytestmark = pytest.mark.slow


async def _hello(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(serving, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(serving, "AT_MOST", 4)
    app = web.Application(client_max_size=100)
    app.router.add_route("*", "/", _hello)
    server = WebServer(app, WebSettings(port=0))
    yield await server.start()
    await server.stop()


async def _say(port: int, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    return reader, writer


async def _ended(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b""


async def test_answers(port: int) -> None:
    reader, writer = await _say(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await _ended(reader)).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_does_not_come_is_not_waited_for(port: int, head: bytes) -> None:
    started = time.monotonic()
    reader, writer = await _say(port, head)
    assert b"200 OK" not in await _ended(reader)
    assert time.monotonic() - started < 3
    writer.close()


async def test_a_head_that_drips_is_not_waited_for(port: int) -> None:
    reader, writer = await _say(port, b"GET / HTTP/1.1\r\n")
    ended = asyncio.create_task(_ended(reader))
    started = time.monotonic()
    while not ended.done() and time.monotonic() - started < 4:
        writer.write(b"X-A: b\r\n")
        await asyncio.sleep(0.05)
    assert ended.done()
    assert time.monotonic() - started < 3
    writer.close()


async def test_more_than_the_most_connections_are_closed_and_others_go_on(port: int) -> None:
    held = [await _say(port, b"GET / HTTP/1.1\r\nHost: x\r\n") for _ in range(4)]
    await asyncio.sleep(0.05)
    reader, refused = await _say(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await _ended(reader) == b""
    held[0][1].write(b"Connection: close\r\n\r\n")
    assert (await _ended(held[0][0])).startswith(b"HTTP/1.1 200")
    for writer in (refused, *(writer for _, writer in held)):
        writer.close()


def test_one_peer_has_few_connections_unless_it_speaks_for_many() -> None:
    proxies = (ip_network("198.51.100.0/24"),)
    crowd = ["203.0.113.9"] * serving.AT_MOST_EACH
    assert not serving.may_enter("203.0.113.9", crowd, proxies)
    assert serving.may_enter("203.0.113.10", crowd, proxies)
    assert serving.may_enter("203.0.113.9", crowd[1:], proxies)
    assert serving.may_enter("198.51.100.7", ["198.51.100.7"] * 100, proxies)
    assert serving.may_enter("127.0.0.1", ["127.0.0.1"] * 100, proxies)
    assert not serving.may_enter("127.0.0.1", ["127.0.0.1"] * serving.AT_MOST, proxies)


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(port: int) -> None:
    reader, writer = await _say(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 500)
    assert b"413" in (await _ended(reader)).split(b"\r\n")[0]
    writer.close()
