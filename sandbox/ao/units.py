"""The legacy network's messenger, compute and scheduler unit, each behind a router that redirects elsewhere."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from itertools import cycle
from typing import Any, Protocol

from aiohttp import web

from sandbox.ao.ans104 import BadItem
from sandbox.ao.lua import ComputeFailed, Message
from sandbox.ao.process import Process
from sandbox.ao.serving import Handler, Server

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
    "access-control-allow-headers": "content-type",
}
_ITEM_AT_MOST = 10 * 1024 * 1024
_REDIRECTS = (307, 308)


class Network(Protocol):
    """What the units act on."""

    def deliver(self, raw: bytes) -> tuple[str, int]:
        """Take a signed data item; give its id and its slot. Raises BadItem or LookupError."""
        ...

    def find(self, process: str) -> Process | None:
        """Give a process, or None."""
        ...

    def slot_of(self, message: str, process: str) -> int | None:
        """Give the slot of a message on a process, or None."""
        ...

    def tried(self, process: str, message: Mapping[str, Any]) -> Message:
        """Give a message as a process would be handed it, for a dry run."""
        ...


class Unit:
    """A router and, on another port, the numbered host behind it. `redirect` off makes the router answer itself.

    `refusal` is a status and words that every request but a preflight gets, as the legacy network's allowlists do.
    """

    def __init__(self, handler: Handler) -> None:
        self.redirect = True
        self.down = False
        self.refusal: tuple[int, str] | None = None
        self.delay: float = 0
        self.requests: Counter[str] = Counter()
        self._handler = handler
        self._status = cycle(_REDIRECTS)
        self._router = Server(self._route)
        self._numbered = Server(self._serve)

    @property
    def url(self) -> str:
        """The router's address: what `ao.mu_url` or `ao.cu_url` is set to."""
        return self._router.url

    @property
    def origins(self) -> tuple[str, ...]:
        """Both origins, which a page's `connect-src` must allow."""
        return self._router.url, self._numbered.url

    async def start(self) -> None:
        """Listen on two free ports of this machine."""
        await self._numbered.start()
        await self._router.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._router.stop()
        await self._numbered.stop()

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        # A browser does not follow a redirect of a preflight, so the router answers that one itself.
        if request.method == "OPTIONS" or not self.redirect:
            return await self._serve(request)
        self.requests["redirected"] += 1
        location = {"location": self._numbered.url + request.raw_path}
        return web.Response(status=next(self._status), headers=CORS | location)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.down and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=CORS)
        self.requests[request.method] += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.refusal is not None:
            status, words = self.refusal
            return web.json_response({"error": words}, status=status, headers=CORS)
        return await self._handler(request)


def messenger_unit(network: Network) -> Unit:
    """Make the unit that takes signed data items at `POST /` and answers `{"id": …}`."""

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.method != "POST" or request.path != "/":
            return web.Response(headers=CORS, text="ao messenger unit")
        if (request.content_length or 0) > _ITEM_AT_MOST:
            return web.json_response({"error": "The data item is too large"}, status=413, headers=CORS)
        try:
            identity, _ = network.deliver(await request.read())
        except BadItem as error:
            return web.json_response({"error": f"Data item is not valid: {error}"}, status=400, headers=CORS)
        except LookupError as error:
            return web.json_response({"error": str(error.args[0])}, status=400, headers=CORS)
        return web.json_response({"message": "Processing DataItem", "id": identity}, status=202, headers=CORS)

    return Unit(handle)


def compute_unit(network: Network) -> Unit:
    """Make the unit that says what came of a message: `GET /result/{message}?process-id={process}`.

    `POST /dry-run?process-id={process}` says what would come of one that nobody signed.
    """
    path = re.compile(r"/result/([A-Za-z0-9_-]{43})")

    async def try_out(request: web.BaseRequest) -> web.Response:
        name = request.query.get("process-id", "")
        process = network.find(name)
        if process is None:
            return web.json_response({"error": "Process not found"}, status=404, headers=CORS)
        try:
            result = process.dry_run(network.tried(name, await request.json()))
        except (ComputeFailed, ValueError) as error:
            return web.json_response({"error": str(error)}, status=500, headers=CORS)
        return web.json_response(result | {"GasUsed": 0}, headers=CORS)

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.method == "POST" and request.path == "/dry-run":
            return await try_out(request)
        asked = path.fullmatch(request.path)
        if request.method != "GET" or asked is None:
            return web.Response(headers=CORS, text="ao compute unit")
        name = request.query.get("process-id", "")
        process = network.find(name)
        slot = network.slot_of(asked[1], name)
        if process is None or slot is None:
            return web.json_response({"error": "Message not found on this process"}, status=404, headers=CORS)
        if process.compute(slot) < slot:
            return web.json_response({"error": process.failure}, status=500, headers=CORS)
        return web.json_response(process.results[slot] | {"GasUsed": 0}, headers=CORS)

    return Unit(handle)


def scheduler_unit(network: Network) -> Unit:
    """Make the unit that answers `GET /{message}?process-id={process}` with a message as it was scheduled."""
    path = re.compile(r"/([A-Za-z0-9_-]{43})")

    async def handle(request: web.BaseRequest) -> web.Response:
        asked = path.fullmatch(request.path)
        name = request.query.get("process-id", "")
        process = network.find(name)
        slot = None if asked is None else network.slot_of(asked[1], name)
        if process is None or slot is None:
            return web.json_response({"error": "Message not found"}, status=404, headers=CORS)
        sent = process.scheduled[slot]
        message = {
            "id": sent["Id"],
            "owner": {"address": sent["Owner"]},
            "target": sent.get("Target", ""),
            "tags": sent["Tags"],
            "data": sent["Data"],
        }
        return web.json_response({"message": message, "assignment": {"tags": []}}, headers=CORS)

    return Unit(handle)
