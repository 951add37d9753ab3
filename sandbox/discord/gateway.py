"""The gateway: the bot's shards, what they hear, and what can go wrong (docs: gateway.mdx, gateway-events.mdx)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Iterator

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from sandbox.discord import wire
from sandbox.discord.connection import Close, Connection, Op, Refused, Session
from sandbox.discord.errors import Json
from sandbox.discord.events import BotMoved
from sandbox.discord.world import World

SESSIONS = 50
LONGEST_PAYLOAD = 4096
"""Bytes that a bot may send at once."""
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
GOODBYES = (WSCloseCode.OK, WSCloseCode.GOING_AWAY)
PRIVILEGED = 1 << 1 | 1 << 8 | MESSAGE_CONTENT
ALL_INTENTS = (1 << 26) - 1
_INTENT_OF = {"MESSAGE_CREATE": 9, "MESSAGE_UPDATE": 9, "MESSAGE_DELETE": 9}


class Gateway:
    """All sessions, and the switches for what can go wrong with them."""

    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._connections: set[Connection] = set()
        self.url = ""
        self.shards = 1
        self.heartbeat_interval = 41.25
        self.privileged_allowed = 0
        self.answers_heartbeats = True
        self.refuses_resume = False
        self.refuses_connections = False
        self.identified = 0
        self.resumed = 0
        self.resume_paths: list[str] = []
        world.dispatch = self.dispatch

    # What the world does

    @property
    def online(self) -> bool:
        """Whether the bot is connected."""
        return any(session.connection is not None for session in self._sessions.values())

    def sessions(self, guild_id: int | None) -> Iterator[Session]:
        """Give the sessions that hear of a guild; None: of DMs."""
        return (session for session in self._sessions.values() if session.serves(guild_id))

    def dispatch(self, name: str, data: Json, guild_id: int | None) -> None:
        """Send an event to all sessions that asked for its kind."""
        for session in self.sessions(guild_id):
            if name in _INTENT_OF:
                intent = GUILD_MESSAGES if guild_id else DIRECT_MESSAGES
                if session.intents & intent:
                    session.dispatch(name, self._without_content(session, data) if guild_id else data)
            elif session.intents & GUILDS and self._in_guild(name, guild_id):
                session.dispatch(name, data)

    def deliver(self, interaction: Json, guild_id: int | None) -> bool:
        """Send an interaction to one session, which needs no intent; False where the bot has none."""
        found = sorted(self.sessions(guild_id), key=lambda session: session.connection is None)
        if not found:
            return False
        found[0].dispatch("INTERACTION_CREATE", interaction)
        return True

    def _in_guild(self, name: str, guild_id: int | None) -> bool:
        guild = self._world.guilds.get(guild_id or 0)
        return name == "GUILD_DELETE" or (guild is not None and self._world.me.id in guild.members)

    def _without_content(self, session: Session, data: Json) -> Json:
        mine = self._world.me.id
        mentioned = any(user["id"] == str(mine) for user in data.get("mentions", ()))
        if session.intents & MESSAGE_CONTENT or mentioned or data.get("author", {}).get("id") in (str(mine), None):
            return data
        return data | {"content": "", "embeds": [], "attachments": [], "components": []}

    # What can go wrong

    def drop(self, *, code: int = Close.UNKNOWN_ERROR) -> None:
        """Close all connections; the sessions can RESUME."""
        for connection in tuple(self._connections):
            connection.close(code)

    def cut(self) -> None:
        """Cut all lines without a goodbye; the sessions can RESUME."""
        for connection in tuple(self._connections):
            connection.cut()

    def ask_reconnect(self) -> None:
        """Send RECONNECT, as Discord does before it restarts a gateway."""
        for connection in tuple(self._connections):
            connection.send_op(Op.RECONNECT)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Send INVALID_SESSION; not `resumable`, the sessions are forgotten and the bot must IDENTIFY anew."""
        for connection in tuple(self._connections):
            if not resumable and connection.session is not None:
                self._forget(connection.session)
            connection.send_op(Op.INVALID_SESSION, resumable)

    def close(self) -> None:
        """End all, for good."""
        self.refuses_connections = True
        self._sessions.clear()
        self.drop(code=WSCloseCode.GOING_AWAY)

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        session.connection = None

    # One connection

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer `GET /gateway…?v=10&encoding=json[&compress=zlib-stream]`."""
        if self.refuses_connections or request.query.get("encoding", "json") != "json":
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(max_msg_size=LONGEST_PAYLOAD * 4)
        await socket.prepare(request)
        connection = Connection(socket, compressed=request.query.get("compress") == "zlib-stream")
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        try:
            connection.send_op(Op.HELLO, {"heartbeat_interval": int(self.heartbeat_interval * 1000)})
            await self._listen(connection, request.path)
        finally:
            await self._end(connection, writer)
        return socket

    async def _listen(self, connection: Connection, path: str) -> None:
        patience = self.heartbeat_interval * 1.5
        try:
            while True:
                async with asyncio.timeout(patience):
                    message = await connection.socket.receive()
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    return
                self._hear(connection, message, path)
        except TimeoutError:
            connection.close(Close.SESSION_TIMED_OUT)
        except Refused as refused:
            connection.close(refused.code)

    async def _end(self, connection: Connection, writer: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            if connection.closed_with is None and connection.socket.close_code in GOODBYES:
                self._forget(session)  # the bot said goodbye, so there is nothing to resume
        if session is not None:
            self._world.events.publish(BotMoved(self.online))
        connection.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1.0):
                await writer

    def _hear(self, connection: Connection, message: WSMessage, path: str) -> None:
        connection.count_received()
        try:
            given = json.loads(message.data)
            op, data = int(given["op"]), given.get("d")
        except (ValueError, KeyError, TypeError):
            raise Refused(Close.DECODE_ERROR) from None
        if len(message.data) > LONGEST_PAYLOAD:
            raise Refused(Close.DECODE_ERROR)
        if op == Op.HEARTBEAT:
            if self.answers_heartbeats:
                connection.send_op(Op.HEARTBEAT_ACK)
        elif op == Op.IDENTIFY:
            self._identify(connection, data)
        elif op == Op.RESUME:
            self._resume(connection, data, path)
        elif connection.session is None:
            raise Refused(Close.NOT_AUTHENTICATED)
        elif op != Op.PRESENCE:
            raise Refused(Close.UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: Json) -> None:
        if connection.session is not None:
            raise Refused(Close.ALREADY_AUTHENTICATED)
        if data.get("token") != self._token:
            raise Refused(Close.AUTHENTICATION_FAILED)
        shard, shards = data.get("shard") or (0, 1)
        if not 0 <= shard < shards:
            raise Refused(Close.INVALID_SHARD)
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            raise Refused(Close.INVALID_INTENTS)
        if intents & PRIVILEGED & ~self.privileged_allowed:
            raise Refused(Close.DISALLOWED_INTENTS)
        session = Session(secrets.token_hex(16), shard, shards, intents, connection=connection)
        self._remember(session)
        connection.session = session
        self.identified += 1
        self._welcome(session)
        self._world.events.publish(BotMoved(online=True))

    def _remember(self, session: Session) -> None:
        """Keep a session. An older one of its shard that lost its connection is taken for the same bot's, and ends."""
        same = [old for old in self._sessions.values() if old.shard == session.shard and old.connection is None]
        for old in same:
            self._forget(old)
        self._sessions[session.id] = session
        while len(self._sessions) > SESSIONS:
            self._forget(next(iter(self._sessions.values())))

    def _welcome(self, session: Session) -> None:
        world = self._world
        guilds = [guild for guild in world.guilds.values() if world.me.id in guild.members and session.serves(guild.id)]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": wire.user(world.me) | {"verified": True, "mfa_enabled": False, "flags": 0, "email": None},
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": f"{self.url}/resume",
                "session_type": "normal",
                "private_channels": [],
                "relationships": [],
                "shard": [session.shard, session.shards],
                "application": {"id": str(world.application_id), "flags": 0},
            },
        )
        if session.intents & GUILDS:
            for guild in guilds:
                session.dispatch("GUILD_CREATE", world.guild_create(guild))

    def _resume(self, connection: Connection, data: Json, path: str) -> None:
        self.resume_paths.append(path)
        del self.resume_paths[:-SESSIONS]
        session = self._sessions.get(str(data.get("session_id")))
        if data.get("token") != self._token:
            raise Refused(Close.AUTHENTICATION_FAILED)
        seq = data.get("seq")
        missed = session.missed_since(seq) if session is not None and isinstance(seq, int) else None
        if session is None or missed is None or self.refuses_resume:
            if session is not None:
                self._forget(session)
            connection.send_op(Op.INVALID_SESSION, False)
            return
        if session.connection is not None:
            session.connection.close(Close.SESSION_TIMED_OUT)
        session.connection = connection
        connection.session = session
        self.resumed += 1
        for frame in missed:
            connection.send(frame)
        session.dispatch("RESUMED", {})
        self._world.events.publish(BotMoved(online=True))
