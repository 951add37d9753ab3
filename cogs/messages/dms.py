"""The DMs. Each has the person's safe word, says why it came, and how to stop it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.notices import Alarm, FirstDm, Patched, ProcessLine, Regressed, Reminder, Unreadable
from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement, Reason
from cogs.messages import words
from cogs.messages.language import _, ngettext
from cogs.messages.page import AMBER, BLUE, GREEN, GREY, RED, Button, Page, lines, link, page, press, small
from cogs.messages.text import ago, clean, code, codes, date, joined, named, processes

NAMED_AT_MOST = 10
LATE = timedelta(days=7)
THIRD = 3


def never_asks() -> str:
    """Give what every DM with a link says of what is never asked for."""
    return _("I never ask for a seed phrase, a key or money, and no human from Patchbell will write to you.")


def first_dm(notice: FirstDm, delivery: int, sign_url: str | None, stamp: int | None = None) -> Page:
    """Give the DM that proves that DMs arrive."""
    what = _names(notice.processes, notice.more)
    return page(
        " ".join(
            [
                _("Safe word: **{safe_word}**.", safe_word=notice.safe_word),
                _added(what, notice.community),
                _(
                    "While a process of yours isn't patched I'll remind you here, never more than once a day, "
                    "and I'll tell you when it's done."
                ),
            ]
        ),
        f"{never_asks()} {_no_links()}",
        [*link(_("Sign"), sign_url), press(_("Later"), f"snooze:{delivery}:day"), press(_("Stop"), f"stop:{delivery}")],
        small(_("*Stop* ends my reminders; your processes stay registered.")),
        colour=BLUE,
        stamp=stamp,
    )


def _added(what: str, community: str | None) -> str:
    if community is None:
        return _("You added {processes} a moment ago, so I can reach you.", processes=what)
    return _(
        "You added {processes} in {community} a moment ago, so I can reach you.",
        processes=what,
        community=code(community),
    )


def _no_links() -> str:
    return _("Rather not click links in DMs? Type `/status` in the server.")


def reminder(notice: Reminder, delivery: int, sign_url: str | None, now: datetime, stamp: int | None = None) -> Page:
    """Give the digest of one person's open processes."""
    late = _is_late(notice, now)
    return page(
        f"{notice.safe_word} · {_opening(notice, now)}",
        lines(_open_line(each) for each in notice.processes[:NAMED_AT_MOST]) if _is_many(notice) else None,
        _more(notice),
        _deadline(notice, now),
        _("Something in the way? Press *I can't*, and I'll stop asking.") if late else None,
        _reminder_buttons(delivery, sign_url, late=late),
        small(
            " ".join(
                [
                    ngettext(
                        "You get this because you registered it as yours.",
                        "You get this because you registered them as yours.",
                        len(notice.processes) + notice.more,
                    ),
                    _stop_ends(),
                    never_asks(),
                    *([] if sign_url else [_("For a link to sign, type `/status`.")]),
                ]
            )
        ),
        colour=AMBER,
        stamp=stamp,
    )


def _stop_ends() -> str:
    return _("*Stop* ends my reminders.")


def _is_late(notice: Reminder, now: datetime) -> bool:
    """Tell whether it is time to ask what is in the way: this is the third, or the date is near or over."""
    return notice.number >= THIRD or (notice.deadline is not None and notice.deadline - now <= LATE)


def _reminder_buttons(delivery: int, sign_url: str | None, *, late: bool = False) -> list[Button]:
    """Give the row; Discord takes five buttons in one."""
    return [
        *link(_("Sign"), sign_url),
        press(_("Check now"), f"check:{delivery}"),
        press(_("Tomorrow"), f"snooze:{delivery}:day"),
        press(_("I can't"), f"cannot:{delivery}") if late else press(_("Next week"), f"snooze:{delivery}:week"),
        press(_("Stop"), f"stop:{delivery}"),
    ]


def _is_many(notice: Reminder) -> bool:
    return len(notice.processes) + notice.more > 1


def _opening(notice: Reminder, now: datetime) -> str:
    number = len(notice.processes) + notice.more
    left = notice.deadline - now if notice.deadline else None
    days = max(1, round(left / timedelta(days=1))) if left is not None and timedelta(0) < left <= LATE else None
    if _is_many(notice):
        return _opening_of_many(number, days)
    return _opening_of_one(notice.processes[0], days)


def _opening_of_many(number: int, days: int | None) -> str:
    if days is not None:
        asked = ngettext(
            "**{number:,} day left for {processes}.**", "**{number:,} days left for {processes}.**", days,
            processes=processes(number),
        )  # fmt: skip
    else:
        asked = ngettext(
            "**{number:,} process is waiting for you.**", "**{number:,} processes are waiting for you.**", number
        )
    how = _("They aren't patched yet. It takes about a minute for each, on the computer where your wallet is.")
    return f"{asked} {how}"


def _opening_of_one(one: ProcessLine, days: int | None) -> str:
    name = _named(one)
    how = _("It takes about a minute, on the computer where your wallet is.")
    if days is None:
        waiting = _("**One process is waiting for you.** {process} isn't patched yet.", process=name)
        return f"{waiting} {how}"
    left = ngettext(
        "**{number:,} day left for** {process}.", "**{number:,} days left for** {process}.", days, process=name
    )
    since = [_("Not patched since {when}.", when=ago(one.since))] if one.since else []
    return " ".join([left, *since, how])


def _open_line(each: ProcessLine) -> str:
    if each.since is None:
        return _named(each)
    return _("{process}, not patched since {when}", process=_named(each), when=ago(each.since))


def _more(notice: Reminder) -> str | None:
    rest = notice.more + max(0, len(notice.processes) - NAMED_AT_MOST)
    if not rest:
        return None
    return ngettext("and {number:,} more: `/status` lists it.", "and {number:,} more: `/status` lists them.", rest)


def _deadline(notice: Reminder, now: datetime) -> str | None:
    if notice.deadline is None:
        return None
    who = code(notice.community) if notice.community else _("Your community")
    by = date(notice.deadline)
    if notice.deadline <= now:
        return _(
            "{community} asked for it by {date}. You can still sign; your tokens stay where they are.",
            community=who,
            date=by,
        )
    if notice.deadline - now > LATE:
        return _("{community} asks for it by {date} ({when}).", community=who, date=by, when=ago(notice.deadline))
    return _(
        "After {date} ({when}) apps may not be able to show its state. Your tokens stay where they are, "
        "and you can still sign later.",
        date=by,
        when=ago(notice.deadline),
    )


def patched(notice: Patched, stamp: int | None = None) -> Page:
    """Give the good news, told once."""
    buttons = link(_("See it live"), notice.node_url)
    if notice.open_processes:
        others = ngettext("Show my others ({number:,})", "Show my others ({number:,})", notice.open_processes)
        buttons.append(press(others, "mine:0"))
    what = codes(notice.shown) if notice.shown else _("its state")
    done = _("**Done:** {process} is patched.", process=_named(notice.process))
    over = _("Nothing more to do for this one; I'll write only if it breaks.")
    return page(
        f"{notice.safe_word} · {done} {words.nodes_can_read(notice.nodes, what)} {over}",
        buttons,
        small(_("You get this because you follow it. `/unregister` ends that.")),
        colour=GREEN,
        stamp=stamp,
    )


def regressed(notice: Regressed, delivery: int, sign_url: str | None, stamp: int | None = None) -> Page:
    """Give the news that a patched process stopped showing its keys."""
    news = _(
        "**Not patched any more:** {process}. It was, and now nodes don't find what it exposed. "
        "Signing once more usually brings it back. Your tokens stay where they are.",
        process=_named(notice.process),
    )
    why = _("You get this because you registered it as yours.")
    return page(
        f"{notice.safe_word} · {news}",
        _reminder_buttons(delivery, sign_url),
        small(f"{why} {_stop_ends()} {never_asks()}"),
        colour=AMBER,
        stamp=stamp,
    )


def unreadable(notice: Unreadable, delivery: int, stamp: int | None = None) -> Page:
    """Give the news that no node can read a process, told once."""
    news = _(
        "**No node can read** {process}, so apps can't either. I have tried for three days: {reason}. You can do "
        "nothing wrong here: its app's developers may know more. I go on looking, and won't remind you meanwhile.",
        process=_named(notice.process),
        reason=_reason(notice.reason),
    )
    why = _("You get this once, because you registered it as yours.")
    return page(
        f"{notice.safe_word} · {news}",
        [press(_("Check now"), f"check:{delivery}"), press(_("Stop"), f"stop:{delivery}")],
        small(f"{why} {_stop_ends()}"),
        colour=GREY,
        stamp=stamp,
    )


def _reason(reason: str) -> str:
    try:
        return words.why_unknown(Judgement(verdict=Verdict.UNKNOWN, reason=Reason(reason)))
    except ValueError:
        return words.no_conclusion()


def alarm(notice: Alarm, stamp: int | None = None) -> Page:
    """Give one sentence for an operator, in English as logs are. It is ours, but may name a peer: cleaned, not code."""
    return page(
        _("**Patchbell, for its operators.** {sentence}", sentence=clean(notice.sentence, 1500)),
        small(_("You get this because `operators` in my configuration has your id. Take it out there to stop it.")),
        colour=RED,
        stamp=stamp,
    )


def _names(named_ones: Sequence[ProcessLine], more: int) -> str:
    return joined([_named(each) for each in named_ones], more, at_most=3)


def _named(line: ProcessLine) -> str:
    return named(line.process, line.label, line.name)
