"""A Discord for tests, and the unmodified discord.py client on it. For a conftest.py:

    @pytest.fixture
    async def discord_server():
        async with running() as (server, town):
            yield server, town

    async with connected(server, MyBot(...)) as bot:
        owner = Person(server, town.owner.id)
        reply = await owner.slash(town.general.id, "register", {"process": pid})
        assert "patched" in (await reply.wait_final()).text

Leaving `running` fails the test if the bot asked for something that the server does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.clock import Clock, utc_now
from sandbox.discord.models import Channel, ChannelType, Guild, Role, User
from sandbox.discord.permissions import Can
from sandbox.discord.server import DiscordServer
from sandbox.discord.world import World

READY = 10.0
GUILD_READY_TIMEOUT = 0.05
"""Seconds that discord.py waits after the last GUILD_CREATE; 2 as it comes. For `guild_ready_timeout=` of a bot."""


@dataclass(frozen=True, slots=True)
class Town:
    """A small community: two channels, two owners, a moderator with Manage Server, and a stranger of no guild."""

    guild: Guild
    general: Channel
    announcements: Channel
    owner: User
    holder: User
    moderator: User
    stranger: User
    moderators: Role


def furnish(world: World) -> Town:
    """Make the town."""
    guild = world.add_guild("Town", world.owner)
    moderators = world.add_role(guild, "Moderators", Can.MANAGE_GUILD | Can.MANAGE_MESSAGES)
    owner, holder = world.add_user("olive", "Olive"), world.add_user("hugo", "Hugo", locale="de")
    moderator, stranger = world.add_user("mona", "Mona"), world.add_user("stan", "Stan")
    world.add_member(guild, owner)
    world.add_member(guild, holder)
    world.add_member(guild, moderator, [moderators])
    return Town(
        guild=guild,
        general=world.add_channel(guild, "general"),
        announcements=world.add_channel(guild, "announcements", type=ChannelType.ANNOUNCEMENT),
        owner=owner,
        holder=holder,
        moderator=moderator,
        stranger=stranger,
        moderators=moderators,
    )


@asynccontextmanager
async def running(clock: Clock = utc_now) -> AsyncIterator[tuple[DiscordServer, Town]]:
    """Start a Discord with a town in it, and stop it. Rate limits are on, as on the real one."""
    server = DiscordServer(clock)
    town = furnish(server.world)
    await server.start()
    try:
        yield server, town
    finally:
        await server.stop()
    if server.unknown_requests:
        raise AssertionError(f"the bot asked for what this server does not know: {list(server.unknown_requests)}")


@contextmanager
def pointed_at(server: DiscordServer) -> Iterator[None]:
    """Let discord.py speak to a server, by the two seams that it has, and put them back afterwards."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = server.api_url, URL(server.gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@asynccontextmanager
async def connected(server: DiscordServer, bot: discord.Client) -> AsyncIterator[discord.Client]:
    """Run a discord.py client until it is ready, and close it at the end. What it dies of is raised."""
    with pointed_at(server):
        await bot.login(server.token)
        running_bot = asyncio.create_task(bot.connect())
        ready = asyncio.create_task(bot.wait_until_ready())
        try:
            async with asyncio.timeout(READY):
                await asyncio.wait((running_bot, ready), return_when=asyncio.FIRST_COMPLETED)
            if running_bot.done():
                running_bot.result()
            yield bot
        finally:
            ready.cancel()
            await bot.close()
            await asyncio.gather(running_bot, return_exceptions=True)
