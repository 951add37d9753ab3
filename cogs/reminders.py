"""/reminders: when a person's reminders come, as a panel that shows the next one after each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discord import app_commands, ui
from discord.app_commands import locale_str
from discord.ext import commands

from bot.application import Application
from bot.domain.hours import suggest_zones
from bot.errors import BadInput
from bot.services.wishing import Wishes
from cogs import following
from cogs.answering import Interaction, defer, defer_in_place, show
from cogs.controls import Press, chosen
from cogs.errors import Form
from cogs.messages import wishes
from cogs.messages.language import _

_NEARBY: Mapping[str, tuple[str, ...]] = {
    "bg": ("Europe/Sofia",),
    "cs": ("Europe/Prague",),
    "da": ("Europe/Copenhagen",),
    "de": ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich"),
    "el": ("Europe/Athens",),
    "en-GB": ("Europe/London",),
    "en-US": ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    "es-419": ("America/Mexico_City", "America/Bogota", "America/Argentina/Buenos_Aires"),
    "es-ES": ("Europe/Madrid",),
    "fi": ("Europe/Helsinki",),
    "fr": ("Europe/Paris", "America/Toronto"),
    "hi": ("Asia/Kolkata",),
    "hr": ("Europe/Zagreb",),
    "hu": ("Europe/Budapest",),
    "id": ("Asia/Jakarta",),
    "it": ("Europe/Rome",),
    "ja": ("Asia/Tokyo",),
    "ko": ("Asia/Seoul",),
    "lt": ("Europe/Vilnius",),
    "nl": ("Europe/Amsterdam",),
    "no": ("Europe/Oslo",),
    "pl": ("Europe/Warsaw",),
    "pt-BR": ("America/Sao_Paulo",),
    "ro": ("Europe/Bucharest",),
    "ru": ("Europe/Moscow",),
    "sv-SE": ("Europe/Stockholm",),
    "th": ("Asia/Bangkok",),
    "tr": ("Europe/Istanbul",),
    "uk": ("Europe/Kyiv",),
    "vi": ("Asia/Ho_Chi_Minh",),
    "zh-CN": ("Asia/Shanghai",),
    "zh-TW": ("Asia/Taipei",),
}
"""Where most people are who read Discord in a language: suggestions, never assumed."""


class Reminders(commands.Cog):
    """Shows and changes what the asker's own reminders depend on."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @app_commands.command(description=locale_str("When I remind you: hour, quiet hours, how often, pause, stop."))
    @app_commands.describe(zone=locale_str("Your time zone; begin to type its city"))
    async def reminders(self, interaction: Interaction, zone: str | None = None) -> None:
        """Show the panel; a zone is set first."""
        await defer(interaction)
        user_id = interaction.user.id
        await self._application.places.seen(interaction.guild_id, user_id)
        if zone is None:
            found = await self._application.wishing.wishes(user_id)
        else:
            found = await self._application.wishing.change(user_id, zone=zone)
        await show(interaction, wishes.panel(found, self._application.clock()))
        await following.tell_closed(interaction, self._application)

    @reminders.autocomplete("zone")
    async def suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest zones by what is typed, and with nothing typed those near to the person's language."""
        nearby = _NEARBY.get(interaction.locale.value, ())
        return [app_commands.Choice(name=name, value=name) for name in suggest_zones(typed, nearby)]


class Panel:
    """The controls of the panel: each changes one thing, and shows how it is then, in place."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._wishing = application.wishing

    def presses(self) -> dict[str, Press]:
        """Give the methods by verb. Verbs live as long as the messages that carry them: never reuse one."""
        return {
            "hour": self.hour,
            "quiet": self.quiet,
            "apart": self.apart,
            "pause": self.pause,
            "begin": self.begin,
            "zone": self.zone,
        }

    async def hour(self, interaction: Interaction, _all: str) -> None:
        """At which hour."""
        await defer_in_place(interaction)
        await self._show(interaction, await self._wishing.change(interaction.user.id, hour=_number(interaction)))

    async def quiet(self, interaction: Interaction, _all: str) -> None:
        """At which hours never."""
        await defer_in_place(interaction)
        start, _dash, end = "".join(chosen(interaction)).partition("-")
        if not (start.isdecimal() and end.isdecimal()):
            raise BadInput("Hours go from 0 to 23.")
        await self._show(interaction, await self._wishing.change(interaction.user.id, quiet=(int(start), int(end))))

    async def apart(self, interaction: Interaction, _all: str) -> None:
        """How often at most."""
        await defer_in_place(interaction)
        await self._show(interaction, await self._wishing.change(interaction.user.id, apart_days=_number(interaction)))

    async def pause(self, interaction: Interaction, _all: str) -> None:
        """Not before a day."""
        await defer_in_place(interaction)
        until = await self._wishing.when(interaction.user.id, "".join(chosen(interaction)))
        await self._wishing.pause(interaction.user.id, until)
        await self._show(interaction, await self._wishing.wishes(interaction.user.id))

    async def begin(self, interaction: Interaction, _all: str) -> None:
        """*Remind me again*."""
        await defer_in_place(interaction)
        await self._wishing.resume(interaction.user.id)
        await self._show(interaction, await self._wishing.wishes(interaction.user.id))

    async def zone(self, interaction: Interaction, _all: str) -> None:
        """*Time zone…*"""
        found = await self._wishing.wishes(interaction.user.id)
        await interaction.response.send_modal(ZoneForm(self._application, found, interaction.locale.value))

    async def _show(self, interaction: Interaction, found: Wishes) -> None:
        await show(interaction, wishes.panel(found, self._application.clock()))


class ZoneForm(Form):
    """The modal of *Time zone…*."""

    def __init__(self, application: Application, found: Wishes, locale: str) -> None:
        super().__init__(_("Your time zone"))
        self._application = application
        nearby = suggest_zones("", _NEARBY.get(locale, ()))[0]
        self._zone = ui.TextInput[Any](
            custom_id="zone", default=found.person.zone, placeholder=nearby, min_length=3, max_length=64
        )
        self.add_item(
            ui.Label[Any](
                text=_("Continent/City"),
                description=_("As in Europe/Berlin. The option zone of /reminders suggests them as you type."),
                component=self._zone,
            )
        )

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Set it, and show the panel anew in place."""
        typed = self._zone.value
        close = suggest_zones(typed, limit=2)
        zone = close[0] if len(close) == 1 else typed
        found = await self._application.wishing.change(interaction.user.id, zone=zone)
        await defer_in_place(interaction)
        await show(interaction, wishes.panel(found, self._application.clock()))


def _number(interaction: Interaction) -> int:
    value = "".join(chosen(interaction))
    if not value.isdecimal():
        raise BadInput("That choice is from an older version of me. Type /reminders for what there is now.")
    return int(value)
