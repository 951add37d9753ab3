"""Hears in which servers the bot is: where it was removed, that server's reminders stop at once."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.application import Application
from bot.client import PatchbellClient


class Servers(commands.Cog):
    """Gateway events only. Without the members intent nobody tells who leaves: that is asked before a reminder."""

    def __init__(self, client: PatchbellClient, application: Application) -> None:
        self._client = client
        self._places = application.places

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was removed, or the server is no more. An outage of Discord's is another event."""
        await self._places.left(guild.id)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """The bot was added, perhaps again."""
        await self._places.joined(guild.id)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """The server is there (again): discord.py tells so instead, where Discord says that it is not unavailable."""
        await self._places.joined(guild.id)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Compare what happened while the bot was away; every new session begins so."""
        await self._places.compare({guild.id for guild in self._client.guilds})
