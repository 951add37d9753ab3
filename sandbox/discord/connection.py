"""One WebSocket of the gateway, and the session that outlives it (docs: events/gateway.mdx)."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum

from aiohttp import WSCloseCode, web

from sandbox.discord.errors import Json

BUFFERED = 500
"""Events that a session keeps for a RESUME."""
BEHIND_AT_MOST = 2_000
"""Frames that a bot may be behind."""
SENDS = 120
SENDS_WINDOW = 60.0


class Op(IntEnum):
    """Gateway opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Close(IntEnum):
    """Gateway close codes."""

    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class Refused(Exception):
    """Ends a connection with a close code."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(slots=True, eq=False)
class Session:
    """What outlives a connection: who it is, and what was sent. `connection` None: it may still RESUME."""

    id: str
    shard: int
    shards: int
    intents: int
    seq: int = 0
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=BUFFERED))
    connection: Connection | None = None

    def serves(self, guild_id: int | None) -> bool:
        """Tell whether a guild's events (None: those of DMs) belong to its shard."""
        return (guild_id or 0) // (1 << 22) % self.shards == self.shard

    def dispatch(self, name: str, data: Json) -> None:
        """Send an event; while it is not connected, keep it for the RESUME."""
        self.seq += 1
        frame = json.dumps({"op": Op.DISPATCH, "t": name, "s": self.seq, "d": data})
        self.sent.append((self.seq, frame))
        if self.connection is not None:
            self.connection.send(frame)

    def missed_since(self, seq: int) -> list[str] | None:
        """Give what was sent after `seq`, or None where too much was missed."""
        if seq > self.seq or (self.sent and self.sent[0][0] > seq + 1):
            return None
        return [frame for number, frame in self.sent if number > seq]


class Connection:
    """One WebSocket. Frames go through a queue, in order, compressed as one stream where asked for."""

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self.socket = socket
        self.session: Session | None = None
        self._zlib = zlib.compressobj() if compressed else None
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._received: deque[float] = deque(maxlen=SENDS)
        self.closed_with: int | None = None

    def send(self, frame: str) -> None:
        """Queue a frame. A bot that reads too slowly loses its line, and can RESUME."""
        if self._queue.qsize() >= BEHIND_AT_MOST:
            self.cut()
        else:
            self._queue.put_nowait(frame)

    def send_op(self, op: Op, data: object = None) -> None:
        """Queue a frame that is no event."""
        self.send(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def close(self, code: int = WSCloseCode.OK) -> None:
        """Close after what is queued was sent. The first code counts."""
        if self.closed_with is None:
            self.closed_with = code
            self._queue.put_nowait(None)

    async def write(self) -> None:
        """Send what is queued until it is closed."""
        while (frame := await self._queue.get()) is not None:
            if self._zlib is None:
                await self.socket.send_str(frame)
            else:
                compressed = self._zlib.compress(frame.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
                await self.socket.send_bytes(compressed)
        await self.socket.close(code=self.closed_with or WSCloseCode.OK)

    def cut(self) -> None:
        """Cut the line without a goodbye, as a lost network does."""
        transport = self.socket._req.transport if self.socket._req else None
        if transport is not None:
            transport.abort()

    def count_received(self) -> None:
        """Count what the bot sends. Raises Refused when it sends too much."""
        now = time.monotonic()
        if len(self._received) == SENDS and now - self._received[0] < SENDS_WINDOW:
            raise Refused(Close.RATE_LIMITED)
        self._received.append(now)
