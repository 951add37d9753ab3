"""For owners: /register, /unregister, /status, /check, and *Check this process* on any message."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.application import Application
from bot.client import PatchbellClient
from bot.domain.card import Role, StatusCard
from bot.domain.process_id import ProcessId, read_process_ids
from bot.errors import BadInput, MalformedProcessId, NothingToRegister
from cogs import following
from cogs.answering import Interaction, Progress, chosen_process, defer, show
from cogs.messages import answers
from cogs.messages.card import status_page
from cogs.messages.history import history
from cogs.messages.language import _
from cogs.messages.listing import list_page
from cogs.messages.page import lines
from cogs.messages.registered import safe_word
from cogs.pace import Pace
from cogs.wallets import Wallets

LARGEST_FILE = 2 * 1024 * 1024  # bytes: 10,000 ids with a lot around them
MOST_LOOKED_AT = 10


class Owners(commands.Cog):
    """A command defers, calls one service, and renders the result."""

    def __init__(self, client: PatchbellClient, application: Application, wallets: Wallets, pace: Pace) -> None:
        self._application = application
        self._wallets = wallets
        self._pace = pace
        self._menu = app_commands.ContextMenu(name=locale_str("Check this process"), callback=self._check_message)
        client.tree.add_command(self._menu)

    @app_commands.command(
        description=locale_str("Have me check your AO processes and remind you until they are patched.")
    )
    @app_commands.describe(
        process=locale_str("One process id, or many with anything between them"),
        file=locale_str("A text file with process ids"),
        yours=locale_str("Is this yours?"),
        label=locale_str("A name that you know it by"),
        keys=locale_str("Keys it should expose, with commas between (most leave this out)"),
        wallet=locale_str("A wallet address: choose among the processes that it spawned"),
    )
    @app_commands.choices(
        yours=[
            app_commands.Choice(name=locale_str("Mine"), value=Role.MINE.value),
            app_commands.Choice(name=locale_str("Just watching"), value=Role.WATCHING.value),
        ]
    )
    async def register(
        self,
        interaction: Interaction,
        process: str | None = None,
        file: discord.Attachment | None = None,
        yours: str = Role.MINE.value,
        label: app_commands.Range[str, 1, 60] | None = None,
        keys: app_commands.Range[str, 1, 200] | None = None,
        wallet: str | None = None,
    ) -> None:
        """Register what is pasted and what the file holds; a wallet is listed first."""
        self._pace.take(interaction.user.id)
        await defer(interaction)
        if wallet is not None and process is None and file is None:
            await self._wallets.look_up(interaction, wallet)
            return
        text = "\n".join([process or "", await _read_file(file) if file is not None else ""])
        if not text.strip():
            raise NothingToRegister("Give me a process id, a file with some, or a wallet address.")
        request = following.request_of(interaction, text, Role(yours))
        await following.register(
            interaction, self._application, replace(request, label=label, keys=tuple(_split(keys or "")))
        )

    @app_commands.command(description=locale_str("Have me forget a process: no checks, no reminders, no links."))
    @app_commands.describe(process=locale_str("Which of yours"))
    async def unregister(self, interaction: Interaction, process: str) -> None:
        """End what this person follows of a process."""
        await defer(interaction)
        card = await self._application.registering.unregister(interaction.user.id, chosen_process(process))
        await show(interaction, answers.unregistered(card.process, card.label, card.metadata and card.metadata.name))
        await following.tell_closed(interaction, self._application)

    @app_commands.command(description=locale_str("How your processes are, when I look next, and a link to sign."))
    @app_commands.describe(process=locale_str("Which of yours (leave it out for all)"))
    async def status(self, interaction: Interaction, process: str | None = None) -> None:
        """Show one card or all."""
        await defer(interaction)
        wanted = chosen_process(process) if process else None
        cards = await self._application.registering.cards(interaction.user.id, wanted)
        if wanted is not None and not cards:
            raise BadInput("You don't follow that process. /check looks at any; /register follows it.")
        await show(interaction, following.cards_page(cards, after=await self._about(interaction.user.id)))
        await following.tell_closed(interaction, self._application)

    async def _about(self, user_id: int) -> str:
        """Give what stands below a person's cards: their safe word, and what they were sent."""
        person = await self._application.registering.person(user_id)
        sent = history(await self._application.history.of_person(user_id))
        return lines([safe_word(person.safe_word) if person is not None else None, sent])

    @unregister.autocomplete("process")
    @status.autocomplete("process")
    async def suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest the person's own processes only."""
        suggested = await self._application.registering.suggest(interaction.user.id, typed)
        return [app_commands.Choice(name=name, value=process) for name, process in suggested]

    @app_commands.command(description=locale_str("Look at any process now. I keep nothing of it."))
    @app_commands.describe(
        process=locale_str("One process id, or a few"),
        keys=locale_str("Keys that it should expose, with commas between"),
    )
    async def check(
        self, interaction: Interaction, process: str, keys: app_commands.Range[str, 1, 200] | None = None
    ) -> None:
        """Look at processes that need not be followed."""
        self._pace.take(interaction.user.id)
        await defer(interaction)
        await self._look(interaction, process, tuple(_split(keys or "")))
        await following.tell_closed(interaction, self._application)

    async def _check_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Look at the processes whose ids a message holds."""
        self._pace.take(interaction.user.id)
        await defer(interaction)
        text = "\n".join(_texts_of(message))
        if not read_process_ids(text).valid:
            raise NothingToRegister("I found no process id in that message. An id has 43 letters, digits, - and _.")
        await self._look(interaction, text, ())

    async def _look(self, interaction: Interaction, text: str, keys: tuple[str, ...]) -> None:
        pasted = read_process_ids(text)
        if not pasted.valid:
            raise MalformedProcessId("That is no process id: an id has exactly 43 letters, digits, - and _.")
        wanted = pasted.valid[:MOST_LOOKED_AT]
        progress, done = Progress(interaction), 0

        async def look(process: ProcessId) -> StatusCard:
            nonlocal done
            told = progress.say if process == wanted[0] else None
            card = await self._application.checking.look(interaction.user.id, process, keys, told)
            done += 1
            await progress.count(done, len(wanted))
            return card

        cards = await asyncio.gather(*(look(process) for process in wanted))
        if len(cards) == 1:
            await show(interaction, status_page(cards[0]))
            return
        rest = len(pasted.valid) - len(wanted)
        first = _("I looked at the first {looked}; {left} more are left.", looked=MOST_LOOKED_AT, left=rest)
        await show(interaction, list_page(cards, 0, first if rest else None))


async def _read_file(file: discord.Attachment) -> str:
    if file.size > LARGEST_FILE:
        raise BadInput("That file is too large: 2 MB of text is the most. Nothing was saved.")
    try:
        content = await file.read()
    except discord.HTTPException as error:
        raise BadInput("I could not fetch that file from Discord. Please attach it again.") from error
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return content.decode(encoding, errors="replace")


def _split(keys: str) -> list[str]:
    return [key for key in keys.replace(",", " ").split() if key]


def _texts_of(message: discord.Message) -> Iterator[str]:
    """Yield everything in a message that people read, embeds and components among it."""
    yield message.content
    for embed in message.embeds:
        yield from (text for text in (embed.title, embed.description, embed.url) if text)
        yield from (field.value for field in embed.fields if field.value)
    pending: list[Any] = list(message.components)
    while pending:
        component = pending.pop(0)
        if isinstance(component, discord.TextDisplay):
            yield component.content
        pending.extend(getattr(component, "children", ()))
