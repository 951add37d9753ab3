"""/privacy: what is kept of the person who asks, as a file, and the end of it."""

from __future__ import annotations

import io

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.application import Application
from bot.errors import BadInput
from bot.services.privacy import LISTED
from cogs.answering import Interaction, defer, defer_in_place, show
from cogs.controls import Press
from cogs.messages.campaign import open_page
from cogs.messages.privacy import EXPORT, erase_page, erased_page, export_page, kept_page, privacy_page


class PrivacyCog(commands.Cog, name="Privacy"):
    """Everybody reaches their own rows and nobody else's: who asks is who Discord says presses."""

    def __init__(self, application: Application) -> None:
        self._privacy = application.privacy

    def presses(self) -> dict[str, Press]:
        """Give the buttons by verb."""
        return {
            "export": self.export,
            "named": self.let_be_named,
            "erase": self.erase,
            "eraseall": self.erase_all,
            "keepall": self.keep_all,
            "opened": self.opened,
        }

    @app_commands.command(description=locale_str("What I keep of you: see it, take it with you, or erase it."))
    async def privacy(self, interaction: Interaction) -> None:
        """Say what is kept."""
        await defer(interaction)
        await show(interaction, privacy_page(await self._privacy.holding(interaction.user.id)))

    async def export(self, interaction: Interaction, _all: str) -> None:
        """*Send me all of it*."""
        await defer(interaction)
        content = await self._privacy.export(interaction.user.id)
        await interaction.edit_original_response(
            view=export_page(), attachments=[discord.File(io.BytesIO(content), filename=EXPORT)]
        )

    async def let_be_named(self, interaction: Interaction, choice: str) -> None:
        """*Let moderators see my name*, and back: the answer is the page as it is then, in place."""
        await defer_in_place(interaction)
        await self._privacy.let_be_named(interaction.user.id, choice == "yes")
        await show(interaction, privacy_page(await self._privacy.holding(interaction.user.id)))

    async def erase(self, interaction: Interaction, _all: str) -> None:
        """*Erase all of it*: ask first."""
        await defer(interaction)
        await show(interaction, erase_page(await self._privacy.holding(interaction.user.id)))

    async def erase_all(self, interaction: Interaction, _all: str) -> None:
        """*Yes, erase it*, in place of the question."""
        await defer_in_place(interaction)
        await self._privacy.erase(interaction.user.id)
        await show(interaction, erased_page())

    async def keep_all(self, interaction: Interaction, _all: str) -> None:
        """*Keep it*, in place of the question."""
        await defer_in_place(interaction)
        await show(interaction, kept_page())

    async def opened(self, interaction: Interaction, migration: str) -> None:
        """*What is still open* under a server's progress: process ids, and who allowed moderators to see them."""
        if not interaction.permissions.manage_guild:
            raise BadInput("That is for moderators: it needs the permission Manage Server.")
        await defer(interaction)
        found = await self._privacy.open_processes(interaction.guild_id or 0, int(migration))
        await show(interaction, open_page(found, more=len(found) == LISTED))
