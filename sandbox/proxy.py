"""The bot's web server, seen through the sandbox's own address, with the demo wallet put into its pages.

A browser on the sandbox has no wallet extension. So each HTML page that passes gets exactly one
`<script src="/sandbox/wallet/…">`, of this same origin: the page's `script-src 'self'` allows it, and nothing else of
the answer, its policy least of all, is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

# Headers that belong to one connection only (RFC 9110, section 7.6.1).
HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
HEAD = re.compile(rb"<head[^>]*>", re.IGNORECASE)
BOT_IS_DOWN = "The bot is not running at this moment. Nothing is lost: try again in a few seconds."


class BotProxy:
    """Hands requests on to the bot's web server. `passed` is called with each one that the bot answered with 2xx."""

    def __init__(self, port: int, wallet: str, passed: Callable[[str], None]) -> None:
        self._origin = f"http://127.0.0.1:{port}"
        self._tag = f'<script src="{wallet}"></script>'.encode()
        self._passed = passed
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connections' pool."""
        self._session = aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=150)
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer as the bot does; 502 with one clear sentence while it is down."""
        if self._session is None:
            raise RuntimeError("start() comes first")
        try:
            async with self._session.request(
                request.method,
                URL(self._origin + request.raw_path, encoded=True),
                headers=_request_headers(request),
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return _down(request)
        if answer.ok:
            self._passed(request.path)
        if answer.content_type == "text/html":
            body = self._with_wallet(body)
        return web.Response(status=answer.status, body=body, headers=_response_headers(answer))

    def _with_wallet(self, page: bytes) -> bytes:
        return HEAD.sub(lambda head: head.group() + self._tag, page, count=1)


def _request_headers(request: web.Request) -> CIMultiDict[str]:
    """Give the request's headers, uncompressed answers asked for, and the visitor's address added as any proxy does."""
    headers = CIMultiDict(pair for pair in request.headers.items() if pair[0].lower() not in HOP_BY_HOP)
    headers.popall("Content-Length", None)
    headers["Accept-Encoding"] = "identity"
    headers["X-Forwarded-For"] = request.remote or "127.0.0.1"
    headers["X-Forwarded-Proto"] = request.scheme
    return headers


def _response_headers(answer: aiohttp.ClientResponse) -> CIMultiDict[str]:
    dropped = HOP_BY_HOP | {"content-length", "etag", "date", "server"}
    return CIMultiDict(pair for pair in answer.headers.items() if pair[0].lower() not in dropped)


def _down(request: web.Request) -> web.Response:
    if request.path.startswith("/api/"):
        return web.json_response({"error": BOT_IS_DOWN}, status=502)
    return web.Response(text=BOT_IS_DOWN, status=502)
