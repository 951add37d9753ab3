"""Short answers: one sentence or two, for the person who asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.card import Blocked
from bot.domain.notices import ProcessLine
from cogs.messages.language import _, ngettext
from cogs.messages.page import GREY, RED, Button, Page, choose, page
from cogs.messages.text import ago, at, code, joined, named


def say(text: str, buttons: Sequence[Button] = (), *, colour: int | None = None) -> Page:
    """Give a message of our own words."""
    return page(text, buttons, colour=colour)


def refused(sentence: str) -> Page:
    """Give one clear sentence about what cannot be done as asked. It is ours; what it quotes is shown as code in it."""
    return page(sentence, colour=GREY)


def failed(reference: str) -> Page:
    """Give an apology with the reference under which the log has the reason."""
    return page(
        _(
            "**That went wrong, and it is my fault.** Nothing you own was touched. Please try again in a minute; if it "
            "goes on, tell whoever runs this bot the reference {reference}.",
            reference=code(reference, 12),
        ),
        colour=RED,
    )


def working(done: int, of: int) -> Page:
    """Give how far long work is."""
    if of <= 1:
        return page(_("Looking…"), colour=GREY)
    counted = ngettext(
        "Looking… {done:,} of {number:,} process done.",
        "Looking… {done:,} of {number:,} processes done.",
        of,
        done=done,
    )
    return page(counted, colour=GREY)


def found_so_far(number: int) -> Page:
    """Give how many a search has found by now."""
    return page(ngettext("Looking… {number:,} found so far.", "Looking… {number:,} found so far.", number), colour=GREY)


def doing(sentence: str) -> Page:
    """Give what is being done at the moment."""
    return page(sentence, colour=GREY)


def unregistered(process: str, label: str | None, name: str | None) -> Page:
    """Say that a process is no longer followed."""
    return page(
        _(
            "**I no longer follow** {process} for you. No reminders for it, and its signing links have ended. "
            "`/register` takes it back.",
            process=named(process, label, name),
        ),
        colour=GREY,
    )


def nothing_followed() -> Page:
    """Say what somebody sees who follows nothing."""
    return page(_("**You follow no process yet.** `/register` with its id adds one."), colour=GREY)


def snoozed(until: datetime, next_reminder: datetime | None, *, zone_known: bool = True) -> Page:
    """Say until when it is quiet."""
    quiet = _("**No reminders until {date}.**", date=at(until))
    then = _next_one(next_reminder) or _("Nothing is due after that.")
    go_on = _("I go on checking.")
    zone = "" if zone_known else _("I don't know your time zone: `/reminders` sets it.")
    return page(f"{quiet} {then} {go_on} {zone}".rstrip(), colour=GREY)


def _next_one(when: datetime | None) -> str | None:
    return _("The next one comes {when}.", when=ago(when)) if when else None


def resumed(next_reminder: datetime | None) -> Page:
    """Say that reminders begin again."""
    again, then = _("**I'll remind you again.**"), _next_one(next_reminder) or _("Nothing is due at the moment.")
    return page(f"{again} {then}", colour=GREY)


def _reasons() -> list[tuple[str, str, str | None]]:
    """Give what may be in the way, as the options of a select."""
    return [
        (_("I lost the wallet"), Blocked.LOST_WALLET.value, None),
        (_("It isn't mine to sign"), Blocked.NOT_MINE_TO_SIGN.value, None),
        (_("An app owns it"), Blocked.OWNED_BY_APP.value, _("No wallet of mine can sign for it")),
        (_("The network refused it"), Blocked.REFUSED.value, _("I signed, and it was not taken")),
        (_("Something else"), Blocked.OTHER.value, None),
    ]


def what_is_in_the_way(custom_id: str, lines: Sequence[ProcessLine]) -> Page:
    """Ask why nothing can be done about what a reminder named."""
    if not lines:
        return nothing_is_open()
    return page(
        ngettext(
            "**What is in the way?** It is about {processes}. Choose, and I won't remind you of it any more; I go on "
            "checking.",
            "**What is in the way?** It is about {processes}. Choose, and I won't remind you of them any more; I go on "
            "checking.",
            len(lines),
            processes=_listed(lines),
        ),
        _("Then you choose which of them.") if len(lines) > 1 else None,
        choose(_("What is in the way?"), custom_id, _reasons()),
        colour=GREY,
    )


def blocked(reason: Blocked, lines: Sequence[ProcessLine]) -> Page:
    """Say what is not reminded of any more, and how that is taken back."""
    if not lines:
        return nothing_is_open()
    done = _("**No more reminders** of {processes}.", processes=_listed(lines))
    hint = {
        Blocked.LOST_WALLET: _("Nobody but its wallet can sign; its app's developers may know a way."),
        Blocked.NOT_MINE_TO_SIGN: _("Then it waits for whoever can, and your community sees that it waits."),
        Blocked.OWNED_BY_APP: _("Then it is work for its app's developers, and your community sees that it waits."),
        Blocked.NO_HANDLER: _("Then it is work for its app's developers, who have to bring the code for it."),
        Blocked.REFUSED: _("Its app's developers must have it admitted to the network, or move it."),
        Blocked.OTHER: _("Your community sees that it waits, not whose it is."),
    }[reason]
    again = ngettext(
        "*Remind me again* in `/status` takes that back.",
        "*Remind me again* in `/status` takes that back, for each by itself.",
        len(lines),
    )
    return page(f"{done} {hint} {again}", colour=GREY)


def nothing_is_open() -> Page:
    """Say that what a reminder named needs nothing any more."""
    return page(_("**Nothing of that is waiting for you any more.** `/status` shows how all is."), colour=GREY)


def _listed(lines: Sequence[ProcessLine]) -> str:
    return joined([named(each.process, each.label, each.name) for each in lines], at_most=3)


def posted(channel_id: int, *, arrived: bool) -> Page:
    """Say that an announcement is there, or goes out as soon as Discord takes it."""
    channel = f"<#{channel_id}>"
    done = (
        _("**Posted into {channel}.**", channel=channel)
        if arrived
        else _("**It goes into {channel} as soon as Discord takes it.**", channel=channel)
    )
    look = _("`/progress` shows how far it is.")
    return page(f"{done} {look}", colour=GREY)
