"""A real server on loopback that answers whatever bytes a test wants, and a transport that may speak to it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bot.ao.transport import Bounds, Transport

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Speaks raw bytes. `script` handles one connection after the request's head was read into `requests`."""

    script: Script | None = None
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def origin(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def answers(self, *chunks: bytes, keep_open: bool = False) -> None:
        """Answer each connection's every request with the same bytes."""

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
            if keep_open:
                await reader.read()

        self.script = script

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                if self.script is not None:
                    await self.script(reader, writer)
                await writer.drain()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        finally:
            writer.transport.abort()


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    raw = RawServer()
    async with _listening(raw):
        yield raw


@contextlib.asynccontextmanager
async def _listening(raw: RawServer) -> AsyncIterator[None]:
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(raw.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=raw.tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close their sockets one turn later


@pytest.fixture
async def transport(raw: RawServer) -> AsyncIterator[Transport]:
    async with Transport(trusted=frozenset({raw.origin}), bounds=Bounds(body=64 * 1024)) as transport:
        yield transport


@pytest.fixture
def listening() -> Callable[[RawServer], contextlib.AbstractAsyncContextManager[None]]:
    """Start a RawServer of the test's own making, with TLS for one."""
    return _listening


@pytest.fixture
def make_raw() -> type[RawServer]:
    return RawServer
