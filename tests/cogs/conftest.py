"""The unmodified client and the real services, between a Discord and an AO network on loopback."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

import cogs
from bot.application import Application
from bot.client import PatchbellClient
from bot.clock import Clock, utc_now
from bot.settings import (
    AoSettings,
    DatabaseSettings,
    DiscordSettings,
    NodeSettings,
    ReminderSettings,
    Settings,
    WebSettings,
)
from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import random_id
from sandbox.discord.models import Channel, Guild
from sandbox.discord.people import Person
from sandbox.discord.permissions import Can
from sandbox.discord.server import TOKEN, DiscordServer

LUA = """
Balances = { alice = "100" }
Handlers.add("EnableStatePatch", Handlers.utils.hasMatchingTag("Action", "EnableStatePatch"), function(msg)
  ao.send({ device = "patch@1.0", cache = { balances = Balances } })
end)
"""


class Stage:
    """All that a test plays with. `start` and `restart` the bot; the two networks stay."""

    def __init__(self, discord: DiscordServer, network: AoNetwork, database: Path) -> None:
        self.discord = discord
        self.network = network
        self.database = database
        self.wallet = random_id()
        world = discord.world
        self.guild: Guild = world.add_guild("Permaville", world.owner)
        self.channel: Channel = world.add_channel(self.guild, "patch-help")
        self.ada = self.person("ada")
        self.application: Application
        self.client: PatchbellClient
        self._serving: asyncio.Task[None] | None = None
        self.changes: dict[str, object] = {}
        self.clock: Clock = utc_now
        self.prepare: Callable[[PatchbellClient], None] = lambda _client: None

    def person(self, name: str, permissions: int = 0) -> Person:
        """A member of the guild."""
        user = self.discord.world.add_user(name)
        roles = [self.discord.world.add_role(self.guild, f"of-{name}", permissions)] if permissions else []
        self.discord.world.add_member(self.guild, user, roles)
        return Person(self.discord, user.id)

    def moderator(self) -> Person:
        """A member who may manage the guild."""
        return self.person("mo", int(Can.MANAGE_GUILD))

    def unpatched(self, name: str = "Vault") -> str:
        """A process with a handler that was never called."""
        return self.network.spawn(self.wallet, LUA, {"Name": name})

    def patched(self) -> str:
        """A process that shows its balances."""
        return self.network.spawn(self.wallet, patches=[{"cache": {"balances": {"alice": "100"}}}])

    def settings(self) -> Settings:
        values: dict[str, object] = {
            "discord": DiscordSettings(token=TOKEN, api_url=self.discord.api_url),
            "database": DatabaseSettings(url=f"sqlite+aiosqlite:///{self.database}"),
            "web": WebSettings(port=0, public_url="http://127.0.0.1:9"),
            "ao": AoSettings(
                nodes=tuple(NodeSettings(url=node.url, operator=node.operator) for node in self.network.nodes),
                gateways=(self.network.gateway_url,),
            ),
            "reminders": ReminderSettings(quiet_from=0, quiet_until=0),  # a test runs at any hour
        }
        return Settings(**values | self.changes)

    async def start(self) -> None:
        """Start the bot, and wait until its gateway session is there."""
        self.application = Application(self.settings(), clock=self.clock)
        self.client = PatchbellClient(
            self.application.settings.discord,
            memos=self.application,
            setups=cogs.setups(self.application),
            hear=self.application.hear_discord,
        )
        await self.application.start(cogs.sender(self.application, self.client))
        self.prepare(self.client)
        self._serving = asyncio.create_task(self.client.serve())
        await self.online()

    async def online(self, patience: float = 10.0) -> None:
        """Wait until the bot is connected."""
        async with asyncio.timeout(patience):
            while not self.discord.gateway.online:
                if self._serving is not None and self._serving.done():
                    await self._serving
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop the bot as `python -m bot run` does."""
        if self._serving is None:
            return
        await self.client.close()
        await asyncio.gather(self._serving, return_exceptions=True)
        self._serving = None
        await self.application.stop()

    async def restart(self) -> None:
        """Stop, and start a new one on the same database."""
        await self.stop()
        await self.start()


@pytest.fixture
async def discord_server() -> AsyncIterator[DiscordServer]:
    server = DiscordServer()
    await server.start()
    yield server
    await server.stop()
    assert not server.unknown_requests


@pytest.fixture
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork() as network:
        yield network


@pytest.fixture
async def off_stage(
    discord_server: DiscordServer, network: AoNetwork, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[Stage]:
    """Everything but the bot, which the test starts."""
    database = tmp_path / "patchbell.db"
    shutil.copy(sqlite_template, database)
    stage = Stage(discord_server, network, database)
    yield stage
    await stage.stop()


@pytest.fixture
async def stage(off_stage: Stage) -> Stage:
    """Everything, and the bot online."""
    await off_stage.start()
    return off_stage
