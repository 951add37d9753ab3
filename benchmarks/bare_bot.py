"""The smallest discord.py bot that answers a slash command: what the shipped program is measured against."""

from __future__ import annotations

import sys

import discord
from discord.ext import commands
from discord.http import Route


class BareBot(commands.AutoShardedBot):
    """One command, `/status`, that defers."""

    async def setup_hook(self) -> None:
        @self.tree.command(name="status", description="Answers at once.")
        async def status(interaction: discord.Interaction) -> None:
            await interaction.response.defer(ephemeral=True, thinking=True)

        await self.tree.sync()


if __name__ == "__main__":
    Route.BASE = sys.argv[1]
    bot = BareBot(
        commands.when_mentioned,
        intents=discord.Intents(guilds=True),
        # Given, because a bare bot falls back to Discord's own gateway; bot/client.py says more.
        shard_count=None,
        allowed_contexts=discord.app_commands.AppCommandContext(guild=True),
        allowed_installs=discord.app_commands.AppInstallationType(guild=True),
    )
    bot.run(sys.argv[2], log_level=40)
