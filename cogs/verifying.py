"""/verify and *Is this Patchbell?*: whether something really is from us."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.application import Application
from bot.client import PatchbellClient
from cogs.answering import Interaction, answer, defer, show
from cogs.messages.verifying import author_page, verified_page

_LONGEST = 4000


class Verifying(commands.Cog):
    """The message command works in any place where the app can be used, on anybody's message."""

    def __init__(self, client: PatchbellClient, application: Application) -> None:
        self._client = client
        self._application = application
        client.tree.add_command(
            app_commands.ContextMenu(name=locale_str("Is this Patchbell?"), callback=self._check_author)
        )

    @app_commands.command(description=locale_str("Whether a link or a message is really from me."))
    @app_commands.describe(what=locale_str("The link, or the whole text of the message"))
    async def verify(self, interaction: Interaction, what: app_commands.Range[str, 1, _LONGEST]) -> None:
        """Compare it with what was sent to the person who asks."""
        await defer(interaction)
        verified = await self._application.verifying.verify(interaction.user.id, what)
        await show(interaction, verified_page(verified, self._application.settings.web.public_url))

    async def _check_author(self, interaction: Interaction, message: discord.Message) -> None:
        """Tell by the author's id alone: names, pictures and texts can be copied, also by a webhook."""
        us = self._client.user
        ours = (
            us is not None and message.author.id == us.id and message.webhook_id in (None, interaction.application_id)
        )
        await answer(interaction, author_page(ours=ours))
