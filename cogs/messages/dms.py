"""The DMs. Each has the person's safe word, says why it came, and how to stop it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.notices import Alarm, FirstDm, Patched, ProcessLine, Regressed, Reminder, Unreadable
from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement, Reason
from cogs.messages import words
from cogs.messages.page import AMBER, BLUE, GREEN, GREY, RED, Button, Page, lines, link, page, press, small
from cogs.messages.text import ago, clean, code, codes, count, date, named

NAMED_AT_MOST = 10
LATE = timedelta(days=7)
THIRD = 3
NEVER_ASKS = "I never ask for a seed phrase, a key or money, and no human from Patchbell will write to you."
NO_LINKS = "Rather not click links in DMs? Type `/status` in the server."


def first_dm(notice: FirstDm, delivery: int, sign_url: str | None, stamp: int | None = None) -> Page:
    """Give the DM that proves that DMs arrive."""
    where = f" in {code(notice.community)}" if notice.community else ""
    what = _names(notice.processes, notice.more)
    return page(
        f"Safe word: **{notice.safe_word}**. You added {what}{where} a moment ago, so I can reach you. While a process "
        "of yours isn't patched I'll remind you here, never more than once a day, and I'll tell you when it's done.",
        f"{NEVER_ASKS} {NO_LINKS}",
        [*link("Sign", sign_url), press("Later", f"snooze:{delivery}:day"), press("Stop", f"stop:{delivery}")],
        small("*Stop* ends my reminders; your processes stay registered."),
        colour=BLUE,
        stamp=stamp,
    )


def reminder(notice: Reminder, delivery: int, sign_url: str | None, now: datetime, stamp: int | None = None) -> Page:
    """Give the digest of one person's open processes."""
    late = _is_late(notice, now)
    return page(
        f"{notice.safe_word} · {_opening(notice, now)}",
        lines(_open_line(each) for each in notice.processes[:NAMED_AT_MOST]) if _is_many(notice) else None,
        _more(notice),
        _deadline(notice, now),
        _IN_THE_WAY if late else None,
        _reminder_buttons(delivery, sign_url, late=late),
        small(
            f"You get this because you registered {'them' if _is_many(notice) else 'it'} as yours. *Stop* ends my "
            f"reminders. {NEVER_ASKS}" + ("" if sign_url else " For a link to sign, type `/status`.")
        ),
        colour=AMBER,
        stamp=stamp,
    )


_IN_THE_WAY = "Something in the way? Press *I can't*, and I'll stop asking."


def _is_late(notice: Reminder, now: datetime) -> bool:
    """Tell whether it is time to ask what is in the way: this is the third, or the date is near or over."""
    return notice.number >= THIRD or (notice.deadline is not None and notice.deadline - now <= LATE)


def _reminder_buttons(delivery: int, sign_url: str | None, *, late: bool = False) -> list[Button]:
    """Give the row; Discord takes five buttons in one."""
    return [
        *link("Sign", sign_url),
        press("Check now", f"check:{delivery}"),
        press("Tomorrow", f"snooze:{delivery}:day"),
        press("I can't", f"cannot:{delivery}") if late else press("Next week", f"snooze:{delivery}:week"),
        press("Stop", f"stop:{delivery}"),
    ]


def _is_many(notice: Reminder) -> bool:
    return len(notice.processes) + notice.more > 1


def _opening(notice: Reminder, now: datetime) -> str:
    number = len(notice.processes) + notice.more
    left = notice.deadline - now if notice.deadline else None
    late = left is not None and timedelta(0) < left <= LATE
    days = f"{count(max(1, round(left / timedelta(days=1))), 'day')} left for" if left is not None and late else ""
    if _is_many(notice):
        asked = f"{days} {number} processes" if days else f"{number} processes are waiting for you"
        return f"**{asked}.** They aren't patched yet. It takes about a minute for each, {_WHERE}"
    one = notice.processes[0]
    name = _named(one)
    since = f"Not patched since {ago(one.since)}. " if one.since else ""
    if days:
        return f"**{days}** {name}. {since}It takes about a minute, {_WHERE}"
    return f"**One process is waiting for you.** {name} isn't patched yet. It takes about a minute, {_WHERE}"


_WHERE = "on the computer where your wallet is."


def _open_line(each: ProcessLine) -> str:
    return _named(each) + (f", not patched since {ago(each.since)}" if each.since else "")


def _more(notice: Reminder) -> str | None:
    rest = notice.more + max(0, len(notice.processes) - NAMED_AT_MOST)
    return f"and {rest} more: `/status` lists them." if rest else None


def _deadline(notice: Reminder, now: datetime) -> str | None:
    if notice.deadline is None:
        return None
    who = code(notice.community) if notice.community else "Your community"
    by = date(notice.deadline)
    if notice.deadline <= now:
        return f"{who} asked for it by {by}. You can still sign; your tokens stay where they are."
    if notice.deadline - now > LATE:
        return f"{who} asks for it by {by} ({ago(notice.deadline)})."
    return (
        f"After {by} ({ago(notice.deadline)}) apps may not be able to show its state. Your tokens stay where they are, "
        "and you can still sign later."
    )


def patched(notice: Patched, stamp: int | None = None) -> Page:
    """Give the good news, told once."""
    buttons = link("See it live", notice.node_url)
    if notice.open_processes:
        buttons.append(press(f"Show my others ({notice.open_processes})", "mine:0"))
    what = codes(notice.shown) if notice.shown else "its state"
    name = _named(notice.process)
    return page(
        f"{notice.safe_word} · **Done:** {name} is patched. {words.nodes_in_number(notice.nodes)} can read {what}. "
        "Nothing more to do for this one; I'll write only if it breaks.",
        buttons,
        small("You get this because you follow it. `/unregister` ends that."),
        colour=GREEN,
        stamp=stamp,
    )


def regressed(notice: Regressed, delivery: int, sign_url: str | None, stamp: int | None = None) -> Page:
    """Give the news that a patched process stopped showing its keys."""
    name = _named(notice.process)
    return page(
        f"{notice.safe_word} · **Not patched any more:** {name}. It was, and now nodes don't find what it exposed. "
        "Signing once more usually brings it back. Your tokens stay where they are.",
        _reminder_buttons(delivery, sign_url),
        small(f"You get this because you registered it as yours. *Stop* ends my reminders. {NEVER_ASKS}"),
        colour=AMBER,
        stamp=stamp,
    )


def unreadable(notice: Unreadable, delivery: int, stamp: int | None = None) -> Page:
    """Give the news that no node can read a process, told once."""
    name = _named(notice.process)
    return page(
        f"{notice.safe_word} · **No node can read** {name}, so apps can't either. I have tried for three days: "
        f"{_reason(notice.reason)}. You can do nothing wrong here: its app's developers may know more. I go on "
        "looking, and won't remind you meanwhile.",
        [press("Check now", f"check:{delivery}"), press("Stop", f"stop:{delivery}")],
        small("You get this once, because you registered it as yours. *Stop* ends my reminders."),
        colour=GREY,
        stamp=stamp,
    )


def _reason(reason: str) -> str:
    try:
        return words.why_unknown(Judgement(verdict=Verdict.UNKNOWN, reason=Reason(reason)))
    except ValueError:
        return "the answers did not allow a conclusion"


def alarm(notice: Alarm, stamp: int | None = None) -> Page:
    """Give one sentence for an operator. It is ours, but may name a peer: cleaned, and not code."""
    return page(
        f"**Patchbell, for its operators.** {clean(notice.sentence, 1500)}",
        small("You get this because `operators` in my configuration has your id. Take it out there to stop it."),
        colour=RED,
        stamp=stamp,
    )


def _names(processes: Sequence[ProcessLine], more: int) -> str:
    shown = [_named(each) for each in processes[:3]]
    rest = len(processes) - len(shown) + more
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _named(line: ProcessLine) -> str:
    return named(line.process, line.label, line.name)
