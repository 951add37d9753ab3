"""How every command and button answers: within three seconds first, then by editing that answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import discord
import structlog

from bot.domain.process_id import ProcessId, parse_process_id
from bot.domain.sentence import Sentence
from bot.errors import BadInput, MalformedProcessId
from cogs.messages.answers import doing, found_so_far, working
from cogs.messages.language import _
from cogs.messages.page import Page
from cogs.messages.text import ago

log = structlog.get_logger()

Interaction = discord.Interaction[Any]

_EDIT_AT_MOST_EVERY = 1.5  # seconds
_EXPIRED = frozenset({10015, 50027})  # unknown webhook, invalid webhook token: the 15 minutes are over


async def defer(interaction: Interaction) -> None:
    """Tell Discord that an answer comes, which only the person will see."""
    await interaction.response.defer(ephemeral=True, thinking=True)


async def show(interaction: Interaction, page: Page) -> None:
    """Put `page` into the answer that `defer` promised. After 15 minutes nothing can be said there any more."""
    try:
        await interaction.edit_original_response(view=page)
    except discord.HTTPException as error:
        if error.code not in _EXPIRED:
            raise
        log.info("answer came too late", command=interaction.command and interaction.command.qualified_name)


async def answer(interaction: Interaction, page: Page) -> None:
    """Say something to the person alone, whether or not the interaction was answered before."""
    if interaction.response.is_done():
        await interaction.followup.send(view=page, ephemeral=True)
    else:
        await interaction.response.send_message(view=page, ephemeral=True)


class Progress:
    """Shows how far long work is, in the answer, at most every one and a half seconds."""

    def __init__(self, interaction: Interaction) -> None:
        self._interaction = interaction
        self._next = time.monotonic() + _EDIT_AT_MOST_EVERY

    async def count(self, done: int, of: int) -> None:
        """Show numbers, unless the work is done."""
        if done < of:
            await self._edit(lambda: working(done, of))

    async def say(self, sentence: Sentence) -> None:
        """Show what is being done."""
        values = {name: ago(each) if isinstance(each, datetime) else each for name, each in sentence.values.items()}
        said = _(sentence.template, **values)
        await self._edit(lambda: doing(said))

    async def found(self, done: int, _of: int) -> None:
        """Show how many were found so far."""
        await self._edit(lambda: found_so_far(done))

    async def _edit(self, make: Callable[[], Page]) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EDIT_AT_MOST_EVERY
        try:
            await show(self._interaction, make())
        except discord.HTTPException as error:  # the work goes on; its result will be shown, or not
            log.info("progress not shown", status=error.status, code=error.code)


def chosen_process(text: str) -> ProcessId:
    """Give the process that an autocompleted option names. Raises BadInput with what to do instead."""
    try:
        return parse_process_id(text)
    except MalformedProcessId as error:
        raise BadInput("{problem} Choose one from the suggestions, or paste a whole id.", problem=error) from error
