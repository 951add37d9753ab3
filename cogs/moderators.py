"""For moderators: /announce with its preview, and /progress. Counts of their own server, never who is behind one."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import discord
from discord import app_commands, ui
from discord.app_commands import locale_str
from discord.ext import commands

from bot.application import Application
from bot.domain.presets import DEFAULT_PRESET
from bot.errors import BadInput
from cogs.answering import Interaction, defer, show
from cogs.errors import Form
from cogs.messages.campaign import preview, progress_page
from cogs.messages.language import _
from cogs.messages.page import MOST_OPTIONS
from cogs.messages.text import clean
from cogs.messages.wishes import channel_chosen


class Moderators(commands.Cog):
    """In servers only, for those who may manage the server: Discord hides the commands, and we check again."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @app_commands.command(
        description=locale_str("Announce a migration here, with a button to register. You see it first.")
    )
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def announce(self, interaction: Interaction) -> None:
        """Open the modal; what it makes only the moderator sees until *Post*."""
        in_thread = isinstance(interaction.channel, discord.Thread)
        if not _may_write(interaction.app_permissions, in_thread=in_thread):
            if in_thread:
                raise BadInput(
                    "I can't write into this thread: please give me *View Channel* and *Send Messages in Threads* here."
                )
            raise BadInput("I can't write into this channel: please give me *View Channel* and *Send Messages* here.")
        await interaction.response.send_modal(AnnounceForm(self._application))

    @app_commands.command(description=locale_str("How far this server's migrations are."))
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def progress(self, interaction: Interaction) -> None:
        """Show the counts."""
        await defer(interaction)
        guild_id, places = interaction.guild_id or 0, self._application.places
        found = await self._application.announcing.progress(guild_id)
        guild, reached = await places.guild(guild_id), await places.reached(guild_id)
        signing = _can_sign(self._application)
        paused_at, place = (None, None) if guild is None else (guild.paused_at, guild.channel_id)
        await show(
            interaction,
            progress_page(found, signing=signing, reached=reached, mentions_in=place, paused_at=paused_at),
        )

    @app_commands.command(
        name="mentions",
        description=locale_str("Where people whose DMs are closed may be mentioned, if they agree to it."),
    )
    @app_commands.describe(channel=locale_str("A channel or thread (leave it out for: nowhere)"))
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def mentions(
        self, interaction: Interaction, channel: discord.TextChannel | discord.Thread | None = None
    ) -> None:
        """Choose the one channel."""
        await defer(interaction)
        if channel is not None:
            _check_place(channel)
        chosen = None if channel is None else channel.id
        await self._application.places.choose_channel(interaction.guild_id or 0, chosen)
        await show(interaction, channel_chosen(chosen))


def _check_place(channel: discord.TextChannel | discord.Thread) -> None:
    """Raise BadInput where the bot may not write: a lock lets only those through who may manage threads."""
    if isinstance(channel, discord.Thread) and channel.parent is None:
        raise BadInput("I can't see the channel of that thread: please give me *View Channel* there first.")
    allowed = channel.permissions_for(channel.guild.me)
    if isinstance(channel, discord.Thread):
        if channel.locked and not allowed.manage_threads:
            raise BadInput("That thread is locked. Please unlock it first, or choose another place.")
        if not _may_write(allowed, in_thread=True):
            raise BadInput(
                "I can't write there: please give me *View Channel* and *Send Messages in Threads* there first."
            )
    elif not _may_write(allowed, in_thread=False):
        raise BadInput("I can't write there: please give me *View Channel* and *Send Messages* there first.")


def _may_write(allowed: discord.Permissions, *, in_thread: bool) -> bool:
    """Tell whether a message may go there: in threads *Send Messages* counts for nothing."""
    return allowed.view_channel and (allowed.send_messages_in_threads if in_thread else allowed.send_messages)


def _can_sign(application: Application) -> bool:
    return application.settings.sign_origin is not None


class AnnounceForm(Form):
    """The modal of /announce: title, date, and what sort of process it is about."""

    def __init__(self, application: Application) -> None:
        super().__init__(_("Announce a migration"))
        self._application = application
        self._title = ui.TextInput[Any](custom_id="title", min_length=1, max_length=80)
        self._date = ui.TextInput[Any](custom_id="date", required=False, max_length=10, placeholder="2027-06-30")
        presets = list(application.presets.values())
        presets.sort(key=lambda preset: (preset.name != DEFAULT_PRESET, preset.name))
        self._preset = ui.Select[Any](
            custom_id="preset",
            options=[
                discord.SelectOption(label=each.title, value=each.name, default=each.name == DEFAULT_PRESET)
                for each in presets[:MOST_OPTIONS]
            ],
        )
        self.add_item(ui.Label[Any](text=_("Title"), description=_("Shown as it is typed."), component=self._title))
        self.add_item(
            ui.Label[Any](
                text=_("Asked for by"),
                description=_("Optional: year-month-day. That day still counts."),
                component=self._date,
            )
        )
        self.add_item(ui.Label[Any](text=_("What sort of process?"), component=self._preset))

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Draft it, and show the moderator what it will look like."""
        await defer(interaction)
        if interaction.guild_id is None or interaction.channel_id is None:
            raise BadInput("Announcements work in a server only.")
        draft = await self._application.announcing.draft(
            interaction.guild_id,
            interaction.channel_id,
            interaction.user.id,
            clean(self._title.value, 80),
            read_date(self._date.value),
            self._preset.values[0] if self._preset.values else DEFAULT_PRESET,
            guild_name=interaction.guild.name if interaction.guild is not None else None,
            locale=interaction.guild_locale.value if interaction.guild_locale is not None else "en",
        )
        await show(interaction, preview(draft.notice, interaction.channel_id, signing=_can_sign(self._application)))


def read_date(text: str) -> datetime | None:
    """Give the end of the day that `text` names (year-month-day, in UTC), or None for nothing. Raises BadInput."""
    text = text.strip()
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("I could not read that date. Write it as year-month-day, such as 2027-06-30.") from None
    return datetime.combine(day, time(23, 59), tzinfo=UTC)
