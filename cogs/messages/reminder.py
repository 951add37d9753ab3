"""The reminder: one DM for everything that is open, and what stands under every DM.

It says how long it has been and how long is left, as Discord's own times, which stay true however old the message is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.digest import NAMED_AT_MOST
from bot.domain.notices import Mention, ProcessLine, Reminder
from cogs.messages.language import _, ngettext
from cogs.messages.page import AMBER, Item, Page, choose, lines, link, page, press, small
from cogs.messages.text import ago, code, date, named, processes

LATE = timedelta(days=7)
THIRD = 3


def never_asks() -> str:
    """Give what every DM with a link says of what is never asked for."""
    return _("I never ask for a seed phrase, a key or money, and no human from Patchbell will write to you.")


def ways_to_end() -> str:
    """Give where *Stop* is."""
    return _("*Stop*, in the list under the buttons, ends my reminders; `/reminders` sets when they come.")


def under_dm(delivery: int, sign_url: str | None = None, *, reminds: bool = True) -> list[Sequence[Item]]:
    """Give the rows that every DM about something to do has: what to do now or later, and the ways out.

    Where it `reminds` of nothing, there is no *Tonight* either.
    """
    later = [
        press(_("Tonight"), f"snooze:{delivery}:tonight"),
        press(_("Next week"), f"snooze:{delivery}:week"),
    ]
    row = [*link(_("Sign"), sign_url), press(_("Check now"), f"check:{delivery}"), *(later if reminds else [])]
    ways_out = [
        (_("On another day…"), "date", _("You choose which; until then it is quiet")),
        (_("I can't…"), "cannot", _("Something is in the way: say what, and I stop asking")),
        (_("Stop"), "stop", _("No more reminders")),
    ]
    return [row, choose(_("Another day, I can't, or Stop"), f"more:{delivery}", ways_out)]


def reminder(notice: Reminder, delivery: int, sign_url: str | None, now: datetime, stamp: int | None = None) -> Page:
    """Give the digest of one person's open processes."""
    return page(
        f"{notice.safe_word} · {_opening(notice, now)}",
        lines(_open_line(each) for each in notice.processes[:NAMED_AT_MOST]) if _number(notice) > 1 else None,
        _more(notice),
        lines([_deadline(notice, now), _how()]),
        lines([_in_the_way() if _is_late(notice, now) else None, _last() if notice.last else None]),
        *under_dm(delivery, sign_url),
        small(" ".join(_small_print(notice, sign_url))),
        colour=AMBER,
        stamp=stamp,
    )


def _number(notice: Reminder) -> int:
    return len(notice.processes) + notice.more


def _is_late(notice: Reminder, now: datetime) -> bool:
    """Tell whether it is time to ask what is in the way: this is the third, or the date is near or over."""
    return notice.number >= THIRD or (notice.deadline is not None and notice.deadline - now <= LATE)


def _is_near(notice: Reminder, now: datetime) -> bool:
    return notice.deadline is not None and timedelta(0) < notice.deadline - now <= LATE


def _opening(notice: Reminder, now: datetime) -> str:
    number = _number(notice)
    if number > 1:
        return _opening_of_many(notice, now, number)
    one = notice.processes[0]
    if _is_near(notice, now) and notice.deadline is not None:
        waiting = _("**Due {when}:** {process} isn't patched yet.", when=ago(notice.deadline), process=_named(one))
    elif notice.number >= THIRD:
        waiting = _("**Still waiting for you:** {process} isn't patched yet.", process=_named(one))
    else:
        waiting = _("**One process is waiting for you.** {process} isn't patched yet.", process=_named(one))
    return " ".join([waiting, *([_("I first saw that {when}.", when=ago(one.since))] if one.since else [])])


def _opening_of_many(notice: Reminder, now: datetime, number: int) -> str:
    if _is_near(notice, now) and notice.deadline is not None:
        return _opening_of_due(notice, notice.deadline, _due(notice), number)
    if notice.number >= THIRD:
        return ngettext(
            "**{number:,} process is still waiting for you.** It isn't patched yet.",
            "**{number:,} processes are still waiting for you.** They aren't patched yet.",
            number,
        )
    return ngettext(
        "**{number:,} process is waiting for you.** It isn't patched yet.",
        "**{number:,} processes are waiting for you.** They aren't patched yet.",
        number,
    )


def _opening_of_due(notice: Reminder, deadline: datetime, due: int, number: int) -> str:
    """Say what is due by that date, and that there is more, which is not."""
    if due == 1:
        asked = _(
            "**Due {when}:** {process} isn't patched yet.", when=ago(deadline), process=_named(notice.processes[0])
        )
    else:
        asked = _(
            "**Due {when}:** {processes} of yours aren't patched yet.", when=ago(deadline), processes=processes(due)
        )
    if due == number:
        return asked
    others = ngettext(
        "{number:,} more is waiting too, with another date or none.",
        "{number:,} more are waiting too, with another date or none.",
        number - due,
    )
    return f"{asked} {others}"


def _due(notice: Reminder) -> int:
    """Count what the date is of: the first of what is named."""
    return notice.due or _number(notice)


def _open_line(each: ProcessLine) -> str:
    if each.since is None:
        return _named(each)
    return _("{process}, first seen {when}", process=_named(each), when=ago(each.since))


def _more(notice: Reminder) -> str | None:
    rest = notice.more + max(0, len(notice.processes) - NAMED_AT_MOST)
    if not rest:
        return None
    return ngettext("and {number:,} more: `/status` lists it.", "and {number:,} more: `/status` lists them.", rest)


def _how() -> str:
    return _("Signing takes about a minute, on the computer where your wallet is.")


def _deadline(notice: Reminder, now: datetime) -> str | None:
    if notice.deadline is None:
        return None
    who = code(notice.community) if notice.community else _("Your community")
    what = _("it")
    if _due(notice) < _number(notice):
        what = ngettext("the first of them", "the first {number:,} of them", _due(notice))
    by, when = date(notice.deadline), ago(notice.deadline)
    if notice.deadline <= now:
        return _(
            "{community} asked for {what} by {date}, {when}. Until it is signed, apps may not be able to show its "
            "state. Your tokens stay where they are, and you can still sign.",
            community=who,
            what=what,
            date=by,
            when=when,
        )
    if not _is_near(notice, now):
        return _("{community} asks for {what} by {date} ({when}).", community=who, what=what, date=by, when=when)
    return _(
        "{community} asks for {what} by {date}. After that apps may not be able to show its state. Your tokens stay "
        "where they are, and you can still sign later.",
        community=who,
        what=what,
        date=by,
    )


def _in_the_way() -> str:
    return _("Something in the way? Choose *I can't* in the list below, and I'll stop asking.")


def _last() -> str:
    return _("This is my last reminder: none follows unless you ask for one. `/reminders` starts them again.")


def _small_print(notice: Reminder, sign_url: str | None) -> list[str]:
    why = ngettext(
        "You get this because you registered it as yours.",
        "You get this because you registered them as yours.",
        _number(notice),
    )
    to_sign = [] if sign_url else [_("For a link to sign, type `/status`.")]
    return [why, ways_to_end(), never_asks(), *to_sign]


def mention(notice: Mention, delivery: int, stamp: int | None = None) -> Page:
    """Give what stands in a server's channel for one who agreed to it: others learn no more than the name."""
    return page(
        _("{person}, something is waiting for you. Only you see what, with *Show me*.", person=f"<@{notice.user_id}>"),
        [
            press(_("Show me"), "mine:0"),
            press(_("Tonight"), f"snooze:{delivery}:tonight"),
            press(_("Next week"), f"snooze:{delivery}:week"),
            press(_("Stop"), f"stop:{delivery}"),
        ],
        small(_("I can't send you DMs, and you agreed to be mentioned here. *Stop* ends that.")),
        colour=AMBER,
        stamp=stamp,
    )


def _named(line: ProcessLine) -> str:
    return named(line.process, line.label, line.name)
