"""Errors get an answer: our own sentences as they are, anything else an apology with a reference that the log has."""

from __future__ import annotations

import secrets
from typing import ClassVar
from weakref import WeakValueDictionary

import discord
import structlog
from discord import app_commands, ui
from discord.ext import commands

from bot.client import PatchbellClient
from bot.errors import PatchbellError
from cogs.answering import LOST, Interaction, answer
from cogs.messages import answers
from cogs.messages.language import CommandTranslator, _, speak, speaking
from cogs.messages.page import Page
from cogs.messages.text import code

log = structlog.get_logger()

_GONE = frozenset({10062, 40060})  # unknown interaction (too late), already acknowledged
MODAL_TIMEOUT = 900.0


async def answer_error(interaction: Interaction, error: BaseException) -> None:
    """Answer an error of a command, button or modal. Never raises: what cannot be said is logged."""
    try:
        with speaking(interaction.locale):  # whatever failed may have failed before it spoke
            await answer(interaction, _page_for(interaction, error))
    except (discord.HTTPException, *LOST) as failure:
        log.warning("error not answered", error=type(failure).__name__, code=getattr(failure, "code", None))


def _page_for(interaction: Interaction, error: BaseException) -> Page:
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    match error:
        case PatchbellError():
            log.info("refused", error=type(error).__name__)
            return answers.refused(said(error))
        case app_commands.MissingPermissions():
            return answers.refused(_("**That is for moderators:** it needs the permission *Manage Server*."))
        case app_commands.TransformerError(type=discord.AppCommandOptionType.channel):
            return answers.refused(
                _(
                    "**I don't see that place.** A thread must be open, not archived; into a private one somebody must "
                    "invite me. Otherwise give me *View Channel* there."
                )
            )
        case app_commands.NoPrivateMessage():
            return answers.refused(_("**That works in a server only.**"))
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            return answers.refused(_("**My commands have just changed.** Please try again in a minute."))
        case _:
            return _unforeseen(interaction, error)


def said(error: PatchbellError) -> str:
    """Give the error's sentence in the language that is spoken; what it quotes is shown as code."""
    return _(error.template, **{name: _quoted(value) for name, value in error.values.items()})


def _quoted(value: object) -> object:
    if isinstance(value, PatchbellError):
        return said(value)
    return code(value) if isinstance(value, str) else value


def _unforeseen(interaction: Interaction, error: BaseException) -> Page:
    reference = secrets.token_hex(4)
    command = interaction.command.qualified_name if interaction.command else None
    late = isinstance(error, discord.HTTPException) and error.code in _GONE
    log.error("interaction failed", reference=reference, command=command, late=late, exc_info=error)
    return answers.failed(reference)


class Form(ui.Modal):
    """A modal. discord.py keeps it in memory alone; `Errors` answers for one that is no longer there."""

    waiting: ClassVar[WeakValueDictionary[str, Form]] = WeakValueDictionary()

    def __init__(self, title: str) -> None:
        super().__init__(title=title[:45], timeout=MODAL_TIMEOUT)
        self.waiting[self.custom_id] = self

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Speak the person's language from here on; discord.py asks this first."""
        speak(interaction.locale)
        return True

    async def on_error(self, interaction: Interaction, error: Exception, /) -> None:
        """Answer what went wrong."""
        await answer_error(interaction, error)


class Errors(commands.Cog):
    """The one error handler of all commands, and the answer to modals from before a restart."""

    def __init__(self, client: PatchbellClient) -> None:
        self._client = client
        client.tree.error(self.on_command_error)
        client.tree.interaction_check = self._begin

    async def cog_load(self) -> None:
        """Give Discord the commands' names in other languages, too."""
        await self._client.tree.set_translator(CommandTranslator())

    async def _begin(self, interaction: Interaction, /) -> bool:
        """Speak the person's language in the task of this command; discord.py asks this before any command."""
        speak(interaction.locale)
        return True

    async def on_command_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        """Answer; and where Discord's commands are not ours, send ours again."""
        if interaction.type is discord.InteractionType.autocomplete:
            log.warning("autocomplete failed", error=type(error).__name__)
            return
        await answer_error(interaction, error)
        if isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
            log.warning("commands differ from Discord's", error=str(error))
            await self._client.resync()

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """Answer a modal that was opened before a restart, or a quarter of an hour ago: nobody else would.

        discord.py starts a modal's own task first, so one that waits is still waiting when this runs.
        """
        if interaction.type is not discord.InteractionType.modal_submit or interaction.data is None:
            return
        form = Form.waiting.get(str(interaction.data.get("custom_id")))
        if form is None or form.is_finished():
            await answer_error(
                interaction,
                Forgotten(
                    "**I restarted since you opened this.** Nothing was saved. "
                    "Please press again, or type the command again."
                ),
            )


class Forgotten(PatchbellError):
    """A modal of which nothing is known any more."""
