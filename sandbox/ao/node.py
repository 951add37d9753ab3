"""One HyperBEAM node of the sandbox: what it knows, how far it has computed, and how it answers over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from typing import Protocol

from aiohttp import web

from sandbox.ao import answers, pages
from sandbox.ao.ans104 import BadItem, encode64, read_item
from sandbox.ao.answers import CORS, Answer
from sandbox.ao.definition import definition_of, root_of
from sandbox.ao.faults import Faults, Lie
from sandbox.ao.process import Process
from sandbox.ao.serving import Server
from sandbox.ao.state import Table, resolve

_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_DEVICE = "~process@1.0"


class World(Protocol):
    """What a node reads from: the processes and the scheduler they share."""

    def find(self, process: str) -> Process | None:
        """Give a process, or None."""
        ...

    def deliver(self, raw: bytes) -> tuple[str, int]:
        """Take a signed data item; give its id and its slot. Raises BadItem or LookupError."""
        ...


class SandboxNode:
    """A node. `url` has no trailing slash; `requests` counts what it was asked by kind of path."""

    def __init__(self, world: World, operator: str) -> None:
        self.operator = operator
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.down = False
        self.address = encode64(hashlib.sha256(f"operator of {operator}".encode()).digest())
        self._world = world
        self._computed: dict[str, int] = {}
        self._ready: dict[str, float] = {}
        self._server = Server(self._respond)

    @property
    def url(self) -> str:
        """Where the node answers."""
        return self._server.url

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening and drop what is open."""
        await self._server.stop()

    async def refuse(self) -> None:
        """Stop listening, so that connections are refused; `start` listens on the same port again."""
        await self._server.stop()

    def restart(self) -> None:
        """Forget everything computed, as a node without a store does: every process is cold again."""
        self._computed.clear()
        self._ready.clear()

    def computed(self, process: str) -> int | None:
        """Give the slot up to which a process is computed here: None while it is cold, −1 while the first look runs."""
        return self._computed.get(process, -1 if process in self._ready else None)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.down:
            return _hang_up(request)
        self.requests[kind_of(request.method, request.raw_path)] += 1
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=[*CORS, ("access-control-allow-headers", "*")])
        if request.method == "POST":
            return await self._post(request)
        await self._wait_for_computing(request.raw_path)
        bundle = request.headers.get("accept-bundle")
        answer = self._in_front(request) or (
            answers.failed()
            if bundle not in (None, "true")
            else self.answer(request.raw_path, bundle=bundle is not None)
        )
        if answer.broken:
            return _hang_up(request)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def answer(self, path: str, *, bundle: bool) -> Answer:
        """Answer a GET or HEAD. A path is a request target as it came, undecoded."""
        name, _, rest = path.lstrip("/").partition("/")
        segments = [segment for segment in rest.split("/") if segment]
        if name == "~meta@1.0":
            return self._meta(segments, bundle=bundle)
        process_id, device, extra = name.partition(_DEVICE)
        if extra or (not device and "~" in name) or not _ID.fullmatch(process_id):
            return answers.missing(bundle=bundle)
        process = self._known(process_id)
        if not device:
            if process is None:
                return answers.missing_message(bundle=bundle)
            return answers.whole(definition_of(process), as_json=False, bundle=bundle)
        if not rest:
            return answers.whole(Table(), as_json=False, bundle=bundle)  # the device itself, whatever the id
        if process is None:
            return self._unknown(process_id, bundle=bundle)
        return self._process(process, segments, bundle=bundle)

    def _process(self, process: Process, segments: list[str], *, bundle: bool) -> Answer:
        head = max(process.head - self.faults.lag, -1)
        match segments:
            case ["slot", "current"]:
                return answers.leaf(head, as_json=False)
            case ["compute" | "now" as how, *path] if not self.faults.only_schedules:
                return self._compute(process, how, path, head, bundle=bundle)
            case _:
                return answers.missing(bundle=bundle)

    def _compute(self, process: Process, how: str, path: list[str], head: int, *, bundle: bool) -> Answer:
        """Answer from the newest computed slot; `now`, and the first look of all, compute up to the head."""
        if how == "now" or process.id not in self._computed:
            self._computed[process.id] = reached = process.compute(head)
            if reached < head:
                return answers.failed()
        slot = min(self._computed[process.id], head)
        root = self._shown(process, slot)
        as_json = bool(path) and path[-1] == "serialize~json@1.0"
        path = path[:-1] if as_json else path
        lists = bool(path) and path[-1] == "keys"
        value = resolve(root, path[:-1] if lists else path)
        if value is None or (lists and not isinstance(value, Table)):
            return answers.missing(bundle=bundle)
        if not isinstance(value, Table):
            return answers.leaf(value, as_json=as_json)
        if lists:
            return answers.listing(value, as_json=as_json)
        return answers.whole(value, as_json=as_json, bundle=bundle)

    def _shown(self, process: Process, slot: int) -> Table:
        state = process.state_at(slot)
        if self.faults.lie is Lie.NOT_PATCHED:
            state = Table()
        elif self.faults.lie is Lie.PATCHED:
            balances = Table({"liar": "1"})
            state = Table(state | {"cache": Table({"balances": balances}), "balances": balances})
        return root_of(process, slot, state)

    def _meta(self, segments: list[str], *, bundle: bool) -> Answer:
        if segments == ["info", "address"]:
            return answers.leaf(self.address, as_json=False)
        if segments == ["info", "serialize~json@1.0"]:
            return answers.whole(Table({"address": self.address, "port": "8734"}), as_json=True, bundle=bundle)
        return answers.missing(bundle=bundle)

    def _unknown(self, process: str, *, bundle: bool) -> Answer:
        if self.faults.newest:
            text = f"{{'error', 'necessary_message_not_found', {process}}}"
            return answers.plain_text(500, text, {"details": "necessary_message_not_found"})
        return answers.unavailable(process, bundle=bundle)

    def _in_front(self, request: web.BaseRequest) -> Answer | None:
        """Answer for what stands before the node, where a fault says so."""
        faults = self.faults
        if faults.http2_only:
            return answers.plain_text(426, "Upgrade Required", {"upgrade": "h2c"})
        if faults.rate_limited:
            headers = {"retry-after": faults.retry_after} if faults.retry_after else {}
            return answers.plain_text(429, "Rate limit exceeded", headers)
        if faults.login_page:
            return answers.page(200, pages.LOGIN)
        if faults.head_502 and request.method == "HEAD" and request.raw_path.endswith("/compute"):
            return answers.page(502, pages.BAD_GATEWAY)
        return None

    async def _post(self, request: web.BaseRequest) -> web.Response:
        """Schedule a signed data item, as `POST {pid}~process@1.0/schedule` does."""
        try:
            item = read_item(await request.read())
            if f"/{item.target}{_DEVICE}/" not in request.raw_path + "/":
                raise BadItem("the item is for another process")
            _, slot = self._world.deliver(await request.read())
        except (BadItem, LookupError) as error:
            return web.Response(status=400, headers=CORS, text=str(error))
        return web.Response(headers=[*CORS, ("slot", str(slot)), ("process", item.target)])

    def _known(self, process: str) -> Process | None:
        return None if process in self.faults.lost else self._world.find(process)

    async def _wait_for_computing(self, path: str) -> None:
        """Wait while the node computes a process, whoever asked first: to give up and ask again gains nothing."""
        name, device, rest = path.lstrip("/").partition(_DEVICE)
        if not device or not rest.startswith(("/compute", "/now")):
            return
        now = asyncio.get_running_loop().time()
        ready = self._ready.get(name, now)
        if ready <= now and (rest.startswith("/now") or name not in self._computed):
            ready = self._ready[name] = now + self.faults.compute_delay
        if ready > now:
            await asyncio.sleep(ready - now)


def kind_of(method: str, path: str) -> str:
    """Give a request's kind with the process's id left out, for counting."""
    name, device, rest = path.lstrip("/").partition(_DEVICE)
    return f"{method} {rest.lstrip('/')}" if device else f"{method} {'/{pid}' if _ID.fullmatch(name) else path}"


def _hang_up(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
