"""A small HTTP/1.1 server on a port of this machine, that listens on the same port again after a pause."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
HOST = "127.0.0.1"


class Server:
    """Serves every request with one handler. `url` is known once it has started."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._port = 0
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """Scheme, host and port, without a trailing slash."""
        return f"http://{HOST}:{self._port}"

    async def start(self) -> None:
        """Listen: on a free port the first time, on the same one afterwards."""
        if self._runner is not None:
            return
        self._runner = web.ServerRunner(web.Server(self._handler), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and close what is open."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
