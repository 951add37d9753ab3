"""The gateway as a bare WebSocket sees it."""

from __future__ import annotations

import json
import zlib

import aiohttp
import pytest

from sandbox.discord.connection import BEHIND_AT_MOST, Op


class Socket:
    """A bare connection that reads frames as JSON, inflated where they are compressed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._zlib = zlib.decompressobj()
        self.binary = False

    async def next(self) -> dict:
        message = await self.socket.receive(timeout=3)
        self.binary = message.type is aiohttp.WSMsgType.BINARY
        if self.binary:
            assert message.data.endswith(b"\x00\x00\xff\xff")
            return json.loads(self._zlib.decompress(message.data))
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def closed(self) -> int | None:
        while (await self.socket.receive(timeout=3)).type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            pass
        return self.socket.close_code

    async def say(self, op, data=None):
        await self.socket.send_str(json.dumps({"op": op, "d": data}))


@pytest.fixture
async def connect(server):
    session = aiohttp.ClientSession()

    async def connect(query: str = "?v=10&encoding=json", path: str = "") -> Socket:
        socket = Socket(await session.ws_connect(server.gateway_url + path + query))
        assert (await socket.next())["op"] == Op.HELLO
        return socket

    yield connect
    await session.close()


@pytest.fixture
def identity(server):
    return {"token": server.token, "intents": 1, "shard": [0, 1], "properties": {}}


async def ready(socket, identity):
    await socket.say(Op.IDENTIFY, identity)
    return await socket.next()


async def test_identifies_and_hears_of_its_guilds(connect, identity, town):
    socket = await connect("?v=10&encoding=json&compress=zlib-stream")
    assert socket.binary
    frame = await ready(socket, identity)
    assert (frame["t"], frame["s"], frame["d"]["guilds"]) == (
        "READY",
        1,
        [{"id": str(town.guild.id), "unavailable": True}],
    )
    guild = await socket.next()
    assert (guild["t"], [channel["name"] for channel in guild["d"]["channels"]]) == (
        "GUILD_CREATE",
        ["general", "announcements"],
    )


async def test_beats(connect, identity, server):
    socket = await connect()
    await socket.say(Op.HEARTBEAT, None)
    assert (await socket.next())["op"] == Op.HEARTBEAT_ACK
    server.gateway.heartbeat_interval = 0.02
    silent = await connect()
    assert await silent.closed() == 4009


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"shard": [1, 1]}, 4010),
        ({"intents": 1 << 40}, 4013),
        ({"intents": "all"}, 4013),
        ({"intents": 1 << 15}, 4014),
    ],
)
async def test_refuses_a_wrong_identity(connect, identity, change, code):
    socket = await connect()
    await socket.say(Op.IDENTIFY, identity | change)
    assert await socket.closed() == code


async def test_refuses_what_it_does_not_know(connect, identity):
    socket = await connect()
    await socket.socket.send_str("{")
    assert await socket.closed() == 4002
    socket = await connect()
    await socket.say(Op.PRESENCE, {})
    assert await socket.closed() == 4003
    socket = await connect()
    await ready(socket, identity)
    await socket.say(99)
    assert await socket.closed() == 4001
    socket = await connect()
    await ready(socket, identity)
    await socket.say(Op.IDENTIFY, identity)
    assert await socket.closed() == 4005


async def test_120_sends_a_minute(connect):
    socket = await connect()
    for _ in range(121):
        await socket.say(Op.HEARTBEAT)
    assert await socket.closed() == 4008


async def test_resumes_with_what_was_missed(connect, identity, server, town):
    socket = await connect()
    session = (await ready(socket, identity))["d"]["session_id"]
    await socket.next()
    server.gateway.drop()
    await socket.closed()
    channel = server.world.add_channel(town.guild, "new")
    resumed = await connect(path="/resume")
    await resumed.say(Op.RESUME, {"token": server.token, "session_id": session, "seq": 2})
    missed, done = await resumed.next(), await resumed.next()
    assert (missed["t"], missed["d"]["id"], missed["s"]) == ("CHANNEL_CREATE", str(channel.id), 3)
    assert done["t"] == "RESUMED"


async def test_an_unknown_session_is_invalid(connect, identity, server):
    socket = await connect()
    await socket.say(Op.RESUME, {"token": server.token, "session_id": "x", "seq": 1})
    assert await socket.next() == {"op": Op.INVALID_SESSION, "d": False, "s": None, "t": None}
    assert (await ready(socket, identity))["t"] == "READY"


async def test_a_goodbye_ends_the_session(connect, identity, server):
    socket = await connect()
    session = (await ready(socket, identity))["d"]["session_id"]
    await socket.socket.close(code=1000)
    again = await connect()
    await again.say(Op.RESUME, {"token": server.token, "session_id": session, "seq": 1})
    assert (await again.next())["op"] == Op.INVALID_SESSION


@pytest.mark.parametrize(("intents", "content"), [(1, None), (1 | 1 << 9, ""), (1 | 1 << 9 | 1 << 15, "hello")])
async def test_messages_are_heard_as_intents_allow(connect, identity, server, owner, town, intents, content):
    server.gateway.privileged_allowed = 1 << 15
    socket = await connect()
    await ready(socket, identity | {"intents": intents})
    await socket.next()
    owner.say(town.general.id, "hello")
    server.world.add_channel(town.guild, "end")
    frame = await socket.next()
    if content is None:
        assert frame["t"] == "CHANNEL_CREATE"
    else:
        assert (frame["t"], frame["d"]["content"]) == ("MESSAGE_CREATE", content)


async def test_a_bot_hears_of_joining_and_leaving(connect, identity, server):
    socket = await connect()
    await ready(socket, identity)
    await socket.next()
    guild = server.world.add_guild("Second", server.world.owner)
    frames = [await socket.next()]
    while frames[-1]["t"] != "GUILD_CREATE":
        frames.append(await socket.next())
    assert frames[-1]["d"]["name"] == "Second"
    server.world.remove_bot(guild)
    assert (await socket.next())["t"] == "GUILD_DELETE"


async def test_a_bot_that_does_not_read_loses_its_line(connect, identity, server, town, owner):
    socket = await connect()
    await ready(socket, identity)
    for _ in range(BEHIND_AT_MOST + 1):
        server.world.set_overwrites(town.general, [])
    await owner.wait_bot(online=False)
