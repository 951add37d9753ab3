"""/guide, and the handler as a file for owners who work in aos."""

from __future__ import annotations

import io

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.application import Application
from bot.domain.handler import HANDLER_FILE, OFF_FILE, fingerprint, render_off
from bot.domain.presets import DEFAULT_PRESET
from bot.domain.process_id import parse_process_id
from bot.errors import BadInput
from cogs.answering import Interaction, defer
from cogs.controls import Press
from cogs.messages.guide import guide_page, key_file_page


class Guide(commands.Cog):
    """Everything in here is a file with a few words around it, for the person who asked."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def presses(self) -> dict[str, Press]:
        """Give the buttons by verb."""
        return {"aos": self.key_file}

    @app_commands.command(description=locale_str("What patching is, the code for it, and how to do it by hand."))
    async def guide(self, interaction: Interaction) -> None:
        """Show the guide with the code for a token."""
        lua = self._application.presets[DEFAULT_PRESET].handler
        if lua is None:
            raise BadInput("Whoever runs me publishes no code of mine: ask them for theirs.")
        await interaction.response.send_message(
            view=guide_page(fingerprint(lua)),
            files=[_file(HANDLER_FILE, lua), _file(OFF_FILE, render_off())],
            ephemeral=True,
        )

    async def key_file(self, interaction: Interaction, process: str) -> None:
        """*I use aos* on a card."""
        await defer(interaction)
        wanted = parse_process_id(process)
        lua = await self._application.handing.lua_for(interaction.user.id, wanted)
        await interaction.edit_original_response(
            view=key_file_page(wanted, fingerprint(lua)), attachments=[_file(HANDLER_FILE, lua)]
        )


def _file(name: str, lua: str) -> discord.File:
    return discord.File(io.BytesIO(lua.encode()), filename=name)
