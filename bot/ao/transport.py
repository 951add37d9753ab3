"""One HTTP exchange with a peer that may be hostile: bounded in time and size, and every failure told by its cause.

httpx over aiohttp's transport. Requests are handed straight to `handle_async_request`: no cookie jar, no redirects, no
decompression, and 1.6 times the rate of httpx's own client. What one exchange may cost at most is in `Bounds`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from time import monotonic
from types import TracebackType
from typing import Literal, Self

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from bot.ao.addresses import CheckedResolver
from bot.ao.failures import CLIENT_ERRORS, classify, timed_out
from bot.ao.http2 import Http2Channel
from bot.ao.requests import Prepared, Requests
from bot.errors import BrokenAnswer

Verb = Literal["GET", "HEAD", "POST"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one answer may weigh. An answer over any of these is refused as `oversized`.

    Ordinary node answers have up to 33 headers and lines of 1.6 KB, but `HEAD compute` has a header for each root key:
    512 lets a process of hundreds of keys pass. A process with more is read through its listings instead.
    `headers` x `header_line` bytes is what a hostile peer can make the parser hold before we may refuse.
    """

    headers: int = 512
    header_line: int = 16 * 1024
    header_bytes: int = 256 * 1024
    status_line: int = 8 * 1024
    body: int = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer. Header names are lower-cased, values of repeated headers joined by ", "."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int


class Transport:
    """The one client through which nodes and gateways are read: an async context manager, one session for all.

    `trusted` are the (host, port) pairs that may lead to private addresses (`addresses.trusted_origins`).
    """

    def __init__(
        self,
        *,
        trusted: frozenset[tuple[str, int]] = frozenset(),
        bounds: Bounds | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
        connections: int = 256,
    ) -> None:
        self._trusted = trusted
        self._requests = Requests(trusted)
        self._bounds = bounds or Bounds()
        self._tls = tls
        self._connections = connections
        self._http1: AiohttpTransport | None = None
        self._http2: Http2Channel | None = None

    async def __aenter__(self) -> Self:
        bounds = self._bounds
        # Two contexts: httpx writes into its own which protocols TLS may agree on.
        tls, tls_for_http2 = (self._tls(), self._tls()) if self._tls is not None else _system_tls()
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=CheckedResolver(self._trusted), ssl=tls, limit=self._connections, keepalive_timeout=30
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=bounds.status_line,
            max_field_size=bounds.header_line,
            max_headers=bounds.headers,
        )
        self._http1 = AiohttpTransport(verify=tls, client=session)
        self._http2 = Http2Channel(CheckedResolver(self._trusted), tls_for_http2)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http1 is not None:
            await self._http1.aclose()
        if self._http2 is not None:
            await self._http2.aclose()
        self._http1 = self._http2 = None

    async def exchange(
        self,
        url: str,
        method: Verb,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_body: int | None = None,
        http2: bool = False,
    ) -> Answer:
        """Send one request and read the whole answer within `deadline` seconds, name lookup and TLS included.

        A redirect comes back as it is. Raises Unreachable, TimedOut, BrokenAnswer or ForbiddenAddress.
        """
        prepared = self._requests.prepare(method, url, headers, body)
        host = prepared.host
        started = monotonic()
        try:
            async with asyncio.timeout(deadline):
                status, received, content = await self._perform(prepared, max_body or self._bounds.body, http2)
        except TimeoutError as error:
            raise timed_out(host, deadline) from error
        except CLIENT_ERRORS as error:
            raise classify(error, host) from error
        return Answer(status=status, headers=received, body=content, elapsed_ms=round((monotonic() - started) * 1000))

    async def _perform(self, prepared: Prepared, max_body: int, http2: bool) -> tuple[int, dict[str, str], bytes]:
        if self._http1 is None or self._http2 is None:
            raise RuntimeError("The transport is used outside its `async with`.")
        request, host = prepared.request, prepared.host
        channel = self._http2 if http2 else self._http1
        response = await channel.handle_async_request(request)
        try:
            if response.status_code < 200:
                raise BrokenAnswer(f"{host} changed the protocol.", reason="protocol")
            received = self._read_headers(response, host)
            content = b"" if request.method == "HEAD" else await _read_body(response, host, max_body)
        finally:
            await response.aclose()
        return response.status_code, received, content

    def _read_headers(self, response: httpx.Response, host: str) -> dict[str, str]:
        raw = response.headers.raw
        received: dict[str, str] = {}
        size = 0
        for raw_name, raw_value in raw:
            size += len(raw_name) + len(raw_value)
            name = raw_name.decode("utf-8", "replace").lower()
            value = raw_value.decode("utf-8", "replace")
            received[name] = f"{received[name]}, {value}" if name in received else value
        if len(raw) > self._bounds.headers or size > self._bounds.header_bytes:
            raise BrokenAnswer(f"{host} sent more headers than we read.", reason="oversized")
        if received.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise BrokenAnswer(f"{host} sent a compressed answer although asked not to.", reason="compressed")
        return received


@cache
def _system_tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make the two contexts that trust what the system trusts, once: reading its authorities takes 30 ms each time."""
    return httpx.create_ssl_context(), httpx.create_ssl_context()


async def _read_body(response: httpx.Response, host: str, limit: int) -> bytes:
    """Read the body as it came over the wire, and no more than `limit` bytes of it."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > limit:
            raise BrokenAnswer(f"{host} sent more than the {limit} bytes we read.", reason="oversized")
        chunks.append(chunk)
    return b"".join(chunks)
