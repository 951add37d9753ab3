"""What `/register` answers, and whether the first DM arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.card import Role, StatusCard
from bot.domain.process_id import ProcessId
from cogs.messages.card import status_page
from cogs.messages.language import _, ngettext
from cogs.messages.listing import list_page
from cogs.messages.page import Button, Page, lines, page
from cogs.messages.text import ago, codes, joined, named, processes
from cogs.messages.wishes import may_mention, ways_in


class FirstDmState(StrEnum):
    """What is known of the first DM."""

    ON_ITS_WAY = "on its way"
    SENT = "sent"
    CLOSED = "closed"
    NO_MUTUAL_SERVER = "no mutual server"
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What was registered, as `RegisterOutcome` has it, and the first DM, if one was owed.

    `dm_at`: when the first DM's turn comes, where it waits for that.
    `channel`: where this server's moderators let people be mentioned whose DMs are closed.
    """

    cards: Sequence[StatusCard]
    malformed: Sequence[str]
    already: Sequence[ProcessId]
    safe_word: str
    delivery: int | None = None
    dm: FirstDmState | None = None
    dm_at: datetime | None = None
    channel: int | None = None


def registered_page(outcome: Registered) -> Page:
    """Give the answer: the card, or a list of them, between what was saved and what became of the first DM."""
    before = [_saved(outcome), _refused(outcome)]
    there = _there(outcome.dm, outcome.channel)
    after, extra = lines([safe_word(outcome.safe_word), first_dm(outcome.dm, outcome.dm_at), there]), _ways_on(outcome)
    if len(outcome.cards) == 1:
        return status_page(outcome.cards[0], *before, after=after, extra=extra)
    return list_page(outcome.cards, 0, *before, after=after, extra=extra)


def _saved(outcome: Registered) -> str | None:
    already = set(outcome.already)
    new = [card for card in outcome.cards if card.process not in already]
    mine = any(card.role is Role.MINE for card in new)
    return " ".join([*([_new(len(new), mine=mine)] if new else []), *([_known(outcome.already)] if already else [])])


def _new(number: int, *, mine: bool) -> str:
    if number == 1:
        return _("**Saved.**") if mine else _("**Watching.**")
    if mine:
        return ngettext("**Saved {number:,} process.**", "**Saved {number:,} processes.**", number)
    return ngettext("**Watching {number:,} process.**", "**Watching {number:,} processes.**", number)


def _known(already: Sequence[ProcessId]) -> str:
    listed = joined([named(each) for each in already]) if len(already) <= 3 else processes(len(already))
    return _("You had {processes} already; I checked anew.", processes=listed)


def _refused(outcome: Registered) -> str | None:
    if not outcome.malformed:
        return None
    return ngettext(
        "{ids} is no process id: an id has exactly 43 letters, digits, - and _.",
        "{ids} are no process ids: an id has exactly 43 letters, digits, - and _.",
        len(outcome.malformed),
        ids=codes(outcome.malformed, limit=60, at_most=3),
    )


def safe_word(words: str) -> str:
    """Tell somebody their safe word."""
    return _("Your safe word is **{safe_word}**. A DM without it isn't from me.", safe_word=words)


def first_dm(state: FirstDmState | None, turn: datetime | None = None) -> str | None:
    """Say what became of the first DM, and exactly which switch to change where it did not arrive."""
    match state:
        case None:
            return None
        case FirstDmState.ON_ITS_WAY:
            return _("I'm sending you a first DM, to see that I can reach you.")
        case FirstDmState.SENT:
            return _("I've just sent you a first DM: please check that it arrived.")
        case FirstDmState.WAITING if turn is not None:
            return _("Your first DM comes {when}: I write to few new people at once. Nothing is lost.", when=ago(turn))
        case FirstDmState.WAITING:
            return _("Discord lets me send no DM at the moment. Yours goes out by itself later; nothing is lost.")
        case FirstDmState.WITHDRAWN:
            return _(
                "I sent no first DM after all: you stopped my reminders, or follow none of these any more. "
                "`/reminders` starts them again."
            )
        case FirstDmState.CLOSED:
            switch = _(
                "Tap the server's name → *Privacy Settings* → switch on *Direct Messages*, then press *Try again*."
            )
            return f"{_cannot()} {switch}"
        case FirstDmState.NO_MUTUAL_SERVER:
            join = _("We share no server: join one where I am, then press *Try again*.")
            return f"{_cannot()} {join}"


def _cannot() -> str:
    return _("**I can't send you DMs.** What you registered is saved and being checked, but reminders won't reach you.")


def _ways_on(outcome: Registered) -> list[Button]:
    return try_again(outcome.delivery, outcome.dm, outcome.channel) if outcome.delivery is not None else []


_CLOSED = (FirstDmState.CLOSED, FirstDmState.NO_MUTUAL_SERVER)


def try_again(delivery: int, state: FirstDmState | None, channel: int | None = None) -> list[Button]:
    """Give the ways on where DMs don't arrive."""
    return ways_in(delivery, mention=channel is not None) if state in _CLOSED else []


def first_dm_page(delivery: int, state: FirstDmState, channel: int | None = None, turn: datetime | None = None) -> Page:
    """Give what became of a first DM that was tried again."""
    return page(lines([first_dm(state, turn), _there(state, channel)]), try_again(delivery, state, channel))


def _there(state: FirstDmState | None, channel: int | None) -> str | None:
    return may_mention(channel) if channel is not None and state in _CLOSED else None
