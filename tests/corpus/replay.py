"""A node that answers what was recorded, over real HTTP on loopback, under fresh random process ids.

It is looked up by method, path and the `accept-bundle` header alone. A request that was not recorded is answered 599
and kept in `unrecorded`: the test must fail on it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.domain.process_id import ProcessId
from tests.corpus.recorded import Exchange

_ID = re.compile(r"/([A-Za-z0-9_-]{43})(?=[~/?#]|$)")
_FRAMING = frozenset({"transfer-encoding", "content-length", "connection"})
ADDRESS = "/~meta@1.0/info/address"

Key = tuple[str, str, bool]


def fresh_id() -> ProcessId:
    """Draw an id that nobody recorded."""
    return ProcessId(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))


@dataclass
class Recording:
    """One recorded process: its exchanges, and those from after the first `now`, which take over with it."""

    recorded_id: str
    answers: dict[Key, list[Exchange]] = field(default_factory=dict)
    after_now: dict[Key, list[Exchange]] = field(default_factory=dict)
    asked: Counter[Key] = field(default_factory=Counter)

    def find(self, method: str, path: str, bundle: bool) -> Exchange | None:
        """Give what was recorded for a request; of several, one after the other, and the last again."""
        key = (method, path, bundle)
        if "~process@1.0/now/" in path and self.after_now:
            self.answers |= self.after_now
            self.after_now = {}
        found = self.answers.get(key)
        if not found:
            return None
        self.asked[key] += 1
        return found[min(self.asked[key], len(found)) - 1]


def record(exchanges: Iterable[Exchange], *, skip: frozenset[Key] = frozenset()) -> dict[Key, list[Exchange]]:
    """Sort exchanges by what they are looked up by, the process's id taken out of the path."""
    answers: dict[Key, list[Exchange]] = {}
    for exchange in exchanges:
        path = exchange.path.replace(exchange.process, "{id}") if exchange.process else exchange.path
        key = (exchange.method, path, exchange.bundle)
        if key not in skip:
            answers.setdefault(key, []).append(exchange)
    return answers


@dataclass
class Replay:
    """The server. `everything` answers every request alike, whatever it is.

    It is a gateway too: one that fails, or with `gateway_answers` one that has every process with those spawn `tags`,
    or with None none at all.
    """

    everything: Exchange | None = None
    gateway_answers: bool = False
    tags: Mapping[str, str] | None = None
    processes: dict[str, Recording] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    unrecorded: list[tuple[str, str, bool]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def origin(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def add(
        self,
        exchanges: Iterable[Exchange],
        after_now: Iterable[Exchange] = (),
        *,
        edit: Callable[[dict[Key, list[Exchange]]], None] | None = None,
    ) -> ProcessId:
        """Serve one recorded process; gives the id that it has here."""
        rows = list(exchanges)
        recording = Recording(rows[0].process or "", record(rows), record(after_now))
        if edit is not None:
            edit(recording.answers)
        process = fresh_id()
        self.processes[process] = recording
        return process

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.split("\r\n")
                method, path, _ = line.split(" ", 2)
                headers = dict(entry.lower().split(": ", 1) for entry in lines if ": " in entry)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if method == "POST":
                    await self._describe(writer, json.loads(body))
                elif not await self._answer(writer, method, path, headers.get("accept-bundle") == "true"):
                    return

    async def _describe(self, writer: asyncio.StreamWriter, query: Mapping[str, Mapping[str, list[str]]]) -> None:
        """Answer a GraphQL query for processes by id."""
        if not self.gateway_answers:
            await _send(writer, "POST", 503, "Service Unavailable", (), b"")
            return
        tags = {"Data-Protocol": "ao", "Type": "Process", **(self.tags or {})}
        ids = query["variables"]["ids"] if self.tags is not None else []
        nodes = [
            {
                "id": process,
                "owner": {"address": fresh_id()},
                "block": None,
                "tags": [{"name": name, "value": value} for name, value in tags.items()],
            }
            for process in ids
        ]
        edges = [{"cursor": "", "node": node} for node in nodes]
        document = {"data": {"transactions": {"pageInfo": {"hasNextPage": False}, "edges": edges}}}
        await _send(writer, "POST", 200, "OK", (("content-type", "application/json"),), json.dumps(document).encode())

    async def _answer(self, writer: asyncio.StreamWriter, method: str, path: str, bundle: bool) -> bool:
        """Answer one request; False ends the connection."""
        self.requests.append((method, path))
        if self.everything is not None:
            return await _misbehave(writer, method, self.everything)
        if path == ADDRESS:
            await _send(writer, method, 200, "OK", (("ao-result", "body"),), fresh_id().encode())
            return True
        found = _ID.search(path)
        recording = self.processes.get(found[1]) if found else None
        exchange = recording.find(method, path.replace(found[1], "{id}"), bundle) if found and recording else None
        if exchange is None or found is None or recording is None:
            self.unrecorded.append((method, path, bundle))
            await _send(writer, method, 599, "Not Recorded", (), b"")
            return True
        headers = [(name, (value or "").replace(recording.recorded_id, found[1])) for name, value in exchange.headers]
        body = exchange.body.replace(recording.recorded_id.encode(), found[1].encode())
        assert exchange.status is not None, f"{path} was recorded without an answer"
        await _send(writer, method, exchange.status, exchange.reason, headers, body)
        return True


async def _send(
    writer: asyncio.StreamWriter,
    method: str,
    status: int,
    reason: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> None:
    lines = [f"HTTP/1.1 {status} {reason}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _FRAMING]
    if method != "HEAD":
        lines.append(f"content-length: {len(body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + (b"" if method == "HEAD" else body))
    await writer.drain()


async def _misbehave(writer: asyncio.StreamWriter, method: str, exchange: Exchange) -> bool:
    """Do to every request what the recorder met at one."""
    act = _FAULTS.get(exchange.fault or "")
    if act is not None:
        await act(writer, exchange)
    elif exchange.wire:
        writer.write(exchange.wire)
    elif exchange.status is not None:
        headers = [(name, value or "") for name, value in exchange.headers]
        await _send(writer, method, exchange.status, exchange.reason, headers, exchange.body)
        return True
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    return False


async def _hold(_writer: asyncio.StreamWriter, _exchange: Exchange) -> None:
    await asyncio.sleep(60)


async def _drip(writer: asyncio.StreamWriter, exchange: Exchange) -> None:
    for byte in exchange.wire:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.05)


async def _never_end(writer: asyncio.StreamWriter, _exchange: Exchange) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nao-result: body\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"7" * 4096 + b"\r\n")
        await writer.drain()


async def _send_many_headers(writer: asyncio.StreamWriter, _exchange: Exchange) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: 1\r\n" % number for number in range(20_000)) + b"\r\n")


async def _send_long_header(writer: asyncio.StreamWriter, _exchange: Exchange) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n")


async def _reset(writer: asyncio.StreamWriter, _exchange: Exchange) -> None:
    writer.transport.abort()


_FAULTS = {
    "read_timeout": _hold,
    "slow_drip": _drip,
    "endless_body": _never_end,
    "too_many_headers": _send_many_headers,
    "header_line_too_long": _send_long_header,
    "connection_reset": _reset,
}


@contextlib.asynccontextmanager
async def listening(replay: Replay) -> AsyncIterator[Replay]:
    """Serve on a free port of loopback until the block ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await replay.serve(reader, writer)
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(one(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    replay.port = server.sockets[0].getsockname()[1]
    try:
        yield replay
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
