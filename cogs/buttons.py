"""What the buttons and selects do. Each is found by the verb in its custom_id, after a restart too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord
from discord import ui

from bot.application import Application
from bot.client import PatchbellClient
from bot.domain.card import Role
from bot.domain.process_id import parse_process_id
from bot.errors import BadInput, NotYours
from cogs import following
from cogs.answering import Interaction, Progress, defer, defer_in_place, show
from cogs.controls import Press, chosen, make_control
from cogs.errors import Form
from cogs.guide import Guide
from cogs.messages import answers
from cogs.messages.card import status_page
from cogs.messages.language import _
from cogs.messages.privacy import erased_page
from cogs.messages.registered import first_dm_page
from cogs.pace import Pace
from cogs.privacy import PrivacyCog
from cogs.reminders import Panel
from cogs.silencing import Silencing
from cogs.wallets import Wallets


def add_buttons(client: PatchbellClient, application: Application, wallets: Wallets, pace: Pace) -> None:
    """Have the client answer every button and select of ours."""
    buttons, silencing, panel = Buttons(application, wallets, pace), Silencing(application), Panel(application)
    presses = buttons.presses() | silencing.presses() | panel.presses() | Guide(application).presses()
    client.add_dynamic_items(make_control(presses | PrivacyCog(application).presses()))


class Buttons:
    """One method for each verb; each answers the one who pressed, and nobody else sees it."""

    def __init__(self, application: Application, wallets: Wallets, pace: Pace) -> None:
        self._application = application
        self._wallets = wallets
        self._pace = pace

    def presses(self) -> dict[str, Press]:
        """Give the methods by verb. Verbs live as long as the messages that carry them: never reuse one."""
        return {
            "check": self.check,
            "retry": self.retry,
            "mine": self.mine,
            "look": self.look,
            "peek": self.peek,
            "drop": self.drop,
            "leaf": self.leaf,
            "pick": self.pick,
            "adopt": self.adopt,
            "wallet": self.wallet,
            "register": self.register,
            "post": self.post,
        }

    async def check(self, interaction: Interaction, _delivery: str) -> None:
        """*Check now* under a DM or a list: all that the person has open."""
        self._pace.take(interaction.user.id)
        await defer(interaction)
        await show(interaction, await following.check_open(interaction, self._application))

    async def retry(self, interaction: Interaction, _delivery: str) -> None:
        """*Try again*, after the person opened their DMs."""
        await defer(interaction)
        delivery = await self._application.registering.try_again(interaction.user.id)
        if delivery is None:
            raise NotYours("You follow no process as its owner any more; /register adds one.")
        try:
            state, turn = await following.first_dm_state(self._application, delivery)
        except LookupError:
            await show(interaction, erased_page())
            return
        channel = await following.mention_channel(interaction, self._application)
        await show(interaction, first_dm_page(delivery, state, channel, turn))

    async def mine(self, interaction: Interaction, number: str) -> None:
        """*Show my others*."""
        await defer(interaction)
        cards = await self._application.registering.cards(interaction.user.id)
        await show(interaction, following.cards_page(cards, int(number)))

    async def look(self, interaction: Interaction, process: str) -> None:
        """*Check now* on a card."""
        self._pace.take(interaction.user.id)
        await defer(interaction)
        await show(interaction, await following.check_one(interaction, self._application, parse_process_id(process)))

    async def peek(self, interaction: Interaction, process: str) -> None:
        """*Look again* on a card that nothing was kept of."""
        self._pace.take(interaction.user.id)
        await defer(interaction)
        say = Progress(interaction).say
        card = await self._application.checking.look(interaction.user.id, parse_process_id(process), progress=say)
        await show(interaction, status_page(card))

    async def drop(self, interaction: Interaction, process: str) -> None:
        """*Not mine* and *Stop watching*."""
        await defer(interaction)
        card = await self._application.registering.unregister(interaction.user.id, parse_process_id(process))
        await show(interaction, answers.unregistered(card.process, card.label, card.metadata and card.metadata.name))

    async def leaf(self, interaction: Interaction, number: str) -> None:
        """Turn a page of the person's list, in place."""
        await defer_in_place(interaction)
        cards = await self._application.registering.cards(interaction.user.id)
        await show(interaction, following.cards_page(cards, int(number)))

    async def pick(self, interaction: Interaction, _number: str) -> None:
        """Open one of a list."""
        await defer(interaction)
        wanted = chosen(interaction)
        cards = await self._application.registering.cards(interaction.user.id)
        card = next((each for each in cards if str(each.registration_id) in wanted), None)
        if card is None:
            raise NotYours("You don't follow that process any more.")
        await show(interaction, status_page(card))

    async def adopt(self, interaction: Interaction, _number: str) -> None:
        """Register what was chosen of a wallet's processes."""
        self._pace.take(interaction.user.id)
        await defer(interaction)
        request = following.request_of(interaction, " ".join(chosen(interaction)), Role.MINE)
        await following.register(interaction, self._application, request)

    async def wallet(self, interaction: Interaction, address: str, number: str) -> None:
        """Turn a page of a wallet's processes, in place."""
        await defer_in_place(interaction)
        await self._wallets.turn(interaction, address, int(number))

    async def register(self, interaction: Interaction, migration: str) -> None:
        """*Register my process* on an announcement."""
        await interaction.response.send_modal(RegisterForm(self._application, int(migration)))

    async def post(self, interaction: Interaction, migration: str) -> None:
        """*Post* under a preview."""
        if not interaction.permissions.manage_guild:
            raise BadInput("That is for moderators: it needs the permission Manage Server.")
        await defer(interaction)
        delivery = await self._application.announcing.post(int(migration), interaction.user.id)
        self._application.delivering.wake()
        outcome = await self._application.delivering.outcome(delivery, following.FIRST_DM_PATIENCE)
        if outcome.state == "refused":
            raise BadInput("Discord did not let me post there. Please give me *View Channel* and *Send Messages*.")
        channel = interaction.channel_id or 0
        await show(interaction, answers.posted(channel, arrived=outcome.state == "sent"))


class RegisterForm(Form):
    """The modal of *Register my process*."""

    def __init__(self, application: Application, migration_id: int) -> None:
        super().__init__(_("Register my process"))
        self._application = application
        self._migration_id = migration_id
        self._processes = ui.TextInput[Any](
            style=discord.TextStyle.paragraph, custom_id="processes", min_length=1, max_length=4000
        )
        self._label = ui.TextInput[Any](custom_id="label", required=False, max_length=60)
        self.add_item(
            ui.Label[Any](
                text=_("Process id, or several"),
                description=_("43 letters and digits each. I never need a private key."),
                component=self._processes,
            )
        )
        self.add_item(ui.Label[Any](text=_("A name you know it by"), description=_("Optional."), component=self._label))

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Register within the migration."""
        await defer(interaction)
        request = following.request_of(interaction, self._processes.value, Role.MINE)
        request = replace(request, label=self._label.value or None, migration_id=self._migration_id)
        await following.register(interaction, self._application, request)
