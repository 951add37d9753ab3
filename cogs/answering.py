"""How every command and button answers: within three seconds first, then by editing that answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import aiohttp
import discord
import stamina
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
_SILENCE = 60.0  # seconds; discord.py's own tries at a server in trouble take half of it
_ACKNOWLEDGED = 40060  # already
_EXPIRED = frozenset({10015, 50027})  # unknown webhook, invalid webhook token: the 15 minutes are over


LOST = (aiohttp.ClientError, OSError, TimeoutError)
"""Discord gave no answer, and may have carried out what was asked, or not. discord.py hands these on."""


@stamina.retry(on=LOST, attempts=4, wait_jitter=0.2)
async def _until_heard(ask: Callable[[], Awaitable[object]]) -> None:
    """Ask what does no harm when it is carried out twice, until Discord answers."""
    async with asyncio.timeout(_SILENCE):
        await ask()


async def defer(interaction: Interaction) -> None:
    """Tell Discord that an answer comes, which only the person will see."""
    await _acknowledge(interaction, ephemeral=True, thinking=True)


async def defer_in_place(interaction: Interaction) -> None:
    """Tell Discord that the message with the pressed button will change."""
    await _acknowledge(interaction)


async def _acknowledge(interaction: Interaction, **how: bool) -> None:
    lost = False

    async def ask() -> None:
        nonlocal lost
        try:
            await interaction.response.defer(**how)
        except LOST:
            lost = True
            raise
        except discord.HTTPException as error:
            if not (lost and error.code == _ACKNOWLEDGED):  # it was heard the first time
                raise

    await _until_heard(ask)


async def show(interaction: Interaction, page: Page) -> None:
    """Put `page` into the answer that `defer` promised. After 15 minutes nothing can be said there any more."""
    try:
        await _until_heard(lambda: interaction.edit_original_response(view=page))
    except discord.HTTPException as error:
        if error.code not in _EXPIRED:
            raise
        log.info("answer came too late", command=interaction.command and interaction.command.qualified_name)


async def answer(interaction: Interaction, page: Page) -> None:
    """Say something to the person alone, whether or not the interaction was answered before."""
    if not interaction.response.is_done():
        try:
            await interaction.response.send_message(view=page, ephemeral=True)
            return
        except discord.HTTPException as error:
            if error.code != _ACKNOWLEDGED:  # discord.py does not know it, where the acknowledgement's answer was lost
                raise
    await interaction.followup.send(view=page, ephemeral=True)


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
        except (discord.HTTPException, *LOST) as error:  # the work goes on; its result will be shown, or not
            log.info("progress not shown", error=type(error).__name__)


def chosen_process(text: str) -> ProcessId:
    """Give the process that an autocompleted option names. Raises BadInput with what to do instead."""
    try:
        return parse_process_id(text)
    except MalformedProcessId as error:
        raise BadInput("{problem} Choose one from the suggestions, or paste a whole id.", problem=error) from error
