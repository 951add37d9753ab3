"""What owners' commands and buttons share: registering with its first DM, and showing one person's cards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from bot.application import Application
from bot.domain.card import Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.unreachable import NO_MUTUAL_SERVER
from bot.errors import NotYours
from bot.services.outcomes import Outcome
from bot.services.registering import RegisterRequest
from cogs.answering import LOST, Interaction, Progress, show
from cogs.messages import answers
from cogs.messages.card import status_page
from cogs.messages.listing import list_page
from cogs.messages.page import Page
from cogs.messages.privacy import erased_page
from cogs.messages.registered import FirstDmState, Registered, registered_page
from cogs.messages.wishes import closed_page

log = structlog.get_logger()

FIRST_DM_PATIENCE = 20.0  # seconds
CHECKED_AT_ONCE = 4
MOST_CHECKED = 25


async def register(interaction: Interaction, application: Application, request: RegisterRequest) -> None:
    """Register, show the cards, then say whether the first DM arrived. The interaction is deferred already."""
    progress = Progress(interaction)
    outcome = await application.registering.register(request, progress.count, progress.say)
    sending = FirstDmState.ON_ITS_WAY if outcome.first_dm is not None else None
    registered = Registered(
        cards=outcome.cards,
        malformed=outcome.malformed,
        already=outcome.already,
        safe_word=outcome.safe_word,
        delivery=outcome.first_dm,
        dm=sending,
    )
    await show(interaction, registered_page(registered))
    if outcome.first_dm is not None:
        try:
            state, turn = await first_dm_state(application, outcome.first_dm)
        except LookupError:
            await show(interaction, erased_page())
            return
        channel = await mention_channel(interaction, application)
        await show(interaction, registered_page(replace(registered, dm=state, dm_at=turn, channel=channel)))
    else:
        await tell_closed(interaction, application)


async def first_dm_state(application: Application, delivery: int) -> tuple[FirstDmState, datetime | None]:
    """Wait for what becomes of a first DM; give that, and when its turn comes where it waits for nothing else.

    Raises LookupError where the person had all of theirs erased meanwhile.
    """
    application.delivering.wake()
    outcome: Outcome = await application.delivering.outcome(delivery, FIRST_DM_PATIENCE)
    if outcome.state == "sent":
        return FirstDmState.SENT, None
    if outcome.state == "withdrawn":
        return FirstDmState.WITHDRAWN, None
    if outcome.state == "waiting" and outcome.expected_at is not None and outcome.expected_at <= application.clock():
        return FirstDmState.ON_ITS_WAY, None  # nothing holds it; it is we who are slow
    if outcome.state == "waiting":
        return FirstDmState.WAITING, outcome.expected_at if outcome.in_line else None
    closed = FirstDmState.NO_MUTUAL_SERVER if outcome.code == NO_MUTUAL_SERVER else FirstDmState.CLOSED
    return closed, None


async def tell_closed(interaction: Interaction, application: Application) -> None:
    """Tell it to somebody whose DMs don't arrive, after what they asked for, at their next command."""
    await application.places.seen(interaction.guild_id, interaction.user.id)
    person = await application.registering.person(interaction.user.id)
    if person is None or person.unreachable_code is None or person.stopped_at is not None:
        return
    if person.mention_guild_id is not None and person.mention_guild_id == interaction.guild_id:
        return
    channel = await mention_channel(interaction, application)
    try:
        await interaction.followup.send(view=closed_page(person.unreachable_code, channel), ephemeral=True)
    except LOST as error:  # what they asked for is answered, and this is said at the next command, too
        log.info("closed DMs not told", error=type(error).__name__)


async def mention_channel(interaction: Interaction, application: Application) -> int | None:
    """Give the channel of this server in which people may agree to be mentioned, or None."""
    guild = await application.places.guild(interaction.guild_id) if interaction.guild_id is not None else None
    return None if guild is None else guild.channel_id


def request_of(interaction: Interaction, text: str, role: Role) -> RegisterRequest:
    """Give a request of this person, from this place."""
    guild = interaction.guild
    return RegisterRequest(
        user_id=interaction.user.id,
        text=text,
        role=role,
        locale=interaction.locale.value,
        guild_id=interaction.guild_id,
        guild_name=guild.name if guild is not None else None,
        display_name=interaction.user.display_name,
    )


def cards_page(cards: Sequence[StatusCard], number: int = 0, *, after: str | None = None) -> Page:
    """Give one card, or a list of them, or what to do where there is none; `after` stands below what was seen."""
    if not cards:
        return answers.nothing_followed()
    return status_page(cards[0], after=after) if len(cards) == 1 else list_page(cards, number, after=after)


async def check_open(interaction: Interaction, application: Application) -> Page:
    """Look anew at what this person has open (or, where nothing is, at all of theirs), and give it."""
    user_id = interaction.user.id
    mine = await application.registering.cards(user_id, link=False)
    opened = [card.process for card in mine if card.role is Role.MINE and card.status is not Verdict.PATCHED]
    wanted = list(dict.fromkeys(opened or [card.process for card in mine]))[:MOST_CHECKED]
    await _check_all(interaction, application, wanted)
    cards = await application.registering.cards(user_id)
    return cards_page([card for card in cards if card.process in wanted])


async def _check_all(interaction: Interaction, application: Application, wanted: Sequence[ProcessId]) -> None:
    progress, slots, done = Progress(interaction), asyncio.Semaphore(CHECKED_AT_ONCE), 0
    latest = application.checking.patience()  # for all together: an interaction can be answered for 15 minutes only

    async def check(process: ProcessId) -> None:
        nonlocal done
        async with slots:
            try:
                told = progress.say if process == wanted[0] else None
                await application.checking.check_now(interaction.user.id, process, told, latest=latest)
            except NotYours:
                return  # unregistered meanwhile: there is nothing to show of it
        done += 1
        await progress.count(done, len(wanted))

    async with asyncio.TaskGroup() as group:
        for process in wanted:
            group.create_task(check(process))


async def check_one(interaction: Interaction, application: Application, process: ProcessId) -> Page:
    """Look anew at one process of this person's, and give its card with a link to sign. Raises NotYours."""
    looked = await application.checking.check_now(interaction.user.id, process, Progress(interaction).say)
    cards = await application.registering.cards(interaction.user.id, process)
    if not cards:
        raise NotYours("You don't follow that process any more.")
    (link,) = cards
    return status_page(replace(looked, sign_url=link.sign_url, no_sign_link=link.no_sign_link))
