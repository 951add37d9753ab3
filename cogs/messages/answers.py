"""Short answers: one sentence or two, for the person who asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.card import Blocked
from bot.domain.notices import ProcessLine
from cogs.messages.page import GREY, RED, Button, Page, choose, page
from cogs.messages.text import ago, code, count, date, named


def say(text: str, buttons: Sequence[Button] = (), *, colour: int | None = None) -> Page:
    """Give a message of our own words."""
    return page(text, buttons, colour=colour)


def refused(sentence: str) -> Page:
    """Give one clear sentence about what cannot be done as asked. It is ours; what it quotes is shown as code in it."""
    return page(sentence, colour=GREY)


def failed(reference: str) -> Page:
    """Give an apology with the reference under which the log has the reason."""
    return page(
        f"**That went wrong, and it is my fault.** Nothing you own was touched. Please try again in a minute; if it "
        f"goes on, tell whoever runs this bot the reference {code(reference, 12)}.",
        colour=RED,
    )


def working(done: int, of: int) -> Page:
    """Give how far long work is."""
    return page(
        f"Looking… {done:,} of {count(of, 'process', 'processes')} done." if of > 1 else "Looking…", colour=GREY
    )


def doing(sentence: str) -> Page:
    """Give what is being done at the moment."""
    return page(sentence, colour=GREY)


def unregistered(process: str, label: str | None, name: str | None) -> Page:
    """Say that a process is no longer followed."""
    return page(
        f"**I no longer follow** {named(process, label, name)} for you. No reminders for it, and its signing links "
        "have ended. `/register` takes it back.",
        colour=GREY,
    )


def nothing_followed() -> Page:
    """Say what somebody sees who follows nothing."""
    return page("**You follow no process yet.** `/register` with its id adds one.", colour=GREY)


def snoozed(until: datetime, next_reminder: datetime | None) -> Page:
    """Say until when it is quiet."""
    then = f"The next one comes {ago(next_reminder)}." if next_reminder else "Nothing is due after that."
    return page(f"**No reminders until {date(until)}.** {then} I go on checking.", colour=GREY)


def stopped() -> Page:
    """Say that reminders have ended, and how they begin again."""
    return page(
        "**No more reminders.** Your processes stay registered, I go on checking, and the links I sent you have ended. "
        "I'll write once if one turns patched. *Remind me again* in `/status` starts reminders again.",
        colour=GREY,
    )


def resumed(next_reminder: datetime | None) -> Page:
    """Say that reminders begin again."""
    then = f"The next one comes {ago(next_reminder)}." if next_reminder else "Nothing is due at the moment."
    return page(f"**I'll remind you again.** {then}", colour=GREY)


_REASONS = (
    (Blocked.LOST_WALLET, "I lost the wallet", None),
    (Blocked.NOT_MINE_TO_SIGN, "It isn't mine to sign", None),
    (Blocked.OWNED_BY_APP, "An app owns it", "No wallet of mine can sign for it"),
    (Blocked.REFUSED, "The network refused it", "I signed, and it was not taken"),
    (Blocked.OTHER, "Something else", None),
)


def what_is_in_the_way(custom_id: str, lines: Sequence[ProcessLine]) -> Page:
    """Ask why nothing can be done about what a reminder named."""
    if not lines:
        return nothing_is_open()
    return page(
        f"**What is in the way?** It is about {_listed(lines)}. Choose, and I won't remind you of "
        f"{'it' if len(lines) == 1 else 'them'} any more; I go on checking.",
        "Only one of them? Look at it in `/status`, and press *I can't* there." if len(lines) > 1 else None,
        choose("What is in the way?", custom_id, [(label, each.value, more) for each, label, more in _REASONS]),
        colour=GREY,
    )


def blocked(reason: Blocked, lines: Sequence[ProcessLine]) -> Page:
    """Say what is not reminded of any more, and how that is taken back."""
    if not lines:
        return nothing_is_open()
    again = "*Remind me again* in `/status` takes that back" + ("." if len(lines) == 1 else ", for each by itself.")
    hint = {
        Blocked.LOST_WALLET: "Nobody but its wallet can sign; its app's developers may know a way.",
        Blocked.NOT_MINE_TO_SIGN: "Then it waits for whoever can, and your community sees that it waits.",
        Blocked.OWNED_BY_APP: "Then it is work for its app's developers, and your community sees that it waits.",
        Blocked.REFUSED: "Its app's developers must have it admitted to the network, or move it.",
        Blocked.OTHER: "Your community sees that it waits, not whose it is.",
    }[reason]
    return page(f"**No more reminders** of {_listed(lines)}. {hint} {again}", colour=GREY)


def nothing_is_open() -> Page:
    """Say that what a reminder named needs nothing any more."""
    return page("**Nothing of that is waiting for you any more.** `/status` shows how all is.", colour=GREY)


def _listed(lines: Sequence[ProcessLine]) -> str:
    shown = ", ".join(named(each.process, each.label, each.name) for each in lines[:3])
    return shown + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")


def posted(channel_id: int, *, arrived: bool) -> Page:
    """Say that an announcement is there, or goes out as soon as Discord takes it."""
    done = f"Posted into <#{channel_id}>." if arrived else f"It goes into <#{channel_id}> as soon as Discord takes it."
    return page(f"**{done}** `/progress` shows how far it is.", colour=GREY)
