import discord
from discord.ext import commands

from sandbox.discord import Person
from sandbox.discord.fixtures import connected, running


class Bot(commands.AutoShardedBot):
    def __init__(self):
        super().__init__(
            "!", intents=discord.Intents(guilds=True), help_command=None, guild_ready_timeout=0.05, max_messages=None
        )

    async def setup_hook(self):
        @self.tree.command(description="Say hello")
        async def hello(interaction: discord.Interaction, name: str):
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.edit_original_response(content=f"hello {name}")
            await interaction.user.send("psst")

        await self.tree.sync()


async def test_it():
    async with running() as (server, town), connected(server, Bot()):
        owner = Person(server, town.owner.id)
        reply = await owner.slash(town.general.id, "hello", {"name": "x"})
        m = await reply.wait_final()
        assert m.text == "hello x"
        assert m.ephemeral
        assert (await owner.wait_dm()).text == "psst"
