"""Short answers: one sentence or two, for the person who asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cogs.messages.page import GREY, RED, Button, Page, page
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


RESTARTED = "**I restarted since you opened this.** Nothing was saved. Please press again, or type the command again."
COMMANDS_CHANGED = "**My commands have just changed.** Please try again in a minute."


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


def posted(channel_id: int, *, arrived: bool) -> Page:
    """Say that an announcement is there, or goes out as soon as Discord takes it."""
    done = f"Posted into <#{channel_id}>." if arrived else f"It goes into <#{channel_id}> as soon as Discord takes it."
    return page(f"**{done}** `/progress` shows how far it is.", colour=GREY)
