"""Listening, with bounds on every connection, so that nobody can hold the server by being slow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import structlog
from aiohttp import web

from bot.settings import WebSettings
from bot.web.limits import Network, client_address, within

AT_MOST = 512
"""Connections at once: a process has 1,024 file descriptors by default, and the bot needs the rest."""

AT_MOST_EACH = 32
"""Connections of one peer, unless it is this machine or a trusted proxy, which speak for many."""

IDLE_SECONDS = 20
"""A connection that has not sent a whole request head in this time is closed; aiohttp counts it from connecting."""

STOP_SECONDS = 5
"""Requests under way are given this long when the program stops."""

_log = structlog.get_logger()


class WebServer:
    """Listens on `web.host` and `web.port` until stopped. Port 0 takes a free one."""

    def __init__(self, app: web.Application, settings: WebSettings) -> None:
        self._settings = settings
        self._runner = web.AppRunner(
            app,
            access_log=None,  # metrics count; an access log would keep addresses of people
            handle_signals=False,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=2,
            auto_decompress=False,
            max_headers=64,
            shutdown_timeout=STOP_SECONDS,
        )
        self._listening: asyncio.Server | None = None

    async def start(self) -> int:
        """Begin to listen, and give the port. Raises OSError where the address is taken or not ours."""
        await self._runner.setup()
        server = self._runner.server
        assert server is not None  # setup() makes it
        loop = asyncio.get_running_loop()

        def door() -> _Door:
            return _Door(server, self._settings.trusted_proxies)

        self._listening = await loop.create_server(door, self._settings.host, self._settings.port, backlog=128)
        port = cast(int, self._listening.sockets[0].getsockname()[1])
        _log.info("web.listening", host=self._settings.host, port=port)
        return port

    async def stop(self) -> None:
        """Take no more connections, give requests under way a moment, and close."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()
        if self._listening is not None:
            await self._listening.wait_closed()


class _Door(asyncio.Protocol):
    """Hands a new connection to aiohttp, or closes it where there are too many."""

    def __init__(self, server: web.Server, proxies: Sequence[Network]) -> None:
        self._server = server
        self._proxies = proxies

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Decide by how many are open, and how many of them are this peer's."""
        stream = cast(asyncio.Transport, transport)
        peers = [_host(other.peername) for other in self._server.connections]
        if not may_enter(_host(stream.get_extra_info("peername")), peers, self._proxies):
            stream.abort()
            return
        handler = self._server()
        stream.set_protocol(handler)
        handler.connection_made(stream)


def may_enter(peer: str | None, open_now: Sequence[str | None], proxies: Sequence[Network]) -> bool:
    """Tell whether one more connection of `peer` fits beside those that are open."""
    if len(open_now) >= AT_MOST:
        return False
    address = client_address(peer, (), ())
    if address is None or address.is_loopback or within(address, proxies):
        return True
    return open_now.count(peer) < AT_MOST_EACH


def _host(peername: object) -> str | None:
    return str(cast(Sequence[object], peername)[0]) if isinstance(peername, tuple) else None
