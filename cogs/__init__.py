"""What people see on Discord: commands, buttons, modals, and messages as pure functions of data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.application import Application
from bot.client import PatchbellClient
from cogs.buttons import add_buttons
from cogs.delivery import DiscordSender
from cogs.errors import Errors
from cogs.guide import Guide
from cogs.moderators import Moderators
from cogs.owners import Owners
from cogs.pace import Pace
from cogs.places import Servers
from cogs.privacy import PrivacyCog
from cogs.reminders import Reminders
from cogs.verifying import Verifying
from cogs.wallets import Wallets

Setup = Callable[[PatchbellClient], Awaitable[None]]


def setups(application: Application) -> list[Setup]:
    """Give the functions that add each part to a client; the application may be started later."""
    wallets, pace = Wallets(application), Pace()

    async def errors(client: PatchbellClient) -> None:
        await client.add_cog(Errors(client))

    async def owners(client: PatchbellClient) -> None:
        await client.add_cog(Owners(client, application, wallets, pace))

    async def reminders(client: PatchbellClient) -> None:
        await client.add_cog(Reminders(application))
        await client.add_cog(Servers(client, application))

    async def trust(client: PatchbellClient) -> None:
        await client.add_cog(PrivacyCog(application))
        await client.add_cog(Verifying(client, application))

    async def moderators(client: PatchbellClient) -> None:
        await client.add_cog(Moderators(application))

    async def guide(client: PatchbellClient) -> None:
        await client.add_cog(Guide(application))

    async def buttons(client: PatchbellClient) -> None:
        add_buttons(client, application, wallets, pace)

    return [errors, owners, reminders, trust, moderators, guide, buttons]


def sender(application: Application, client: PatchbellClient) -> DiscordSender:
    """Give what renders and sends messages."""
    sender = DiscordSender(client, application.ticketing.url, clock=application.clock)
    application.places.members = sender
    return sender
