"""What people see who decide about their reminders: the panel of `/reminders`, and the short answers around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from discord import SelectOption, ui

from bot.domain.card import Blocked
from bot.domain.notices import ProcessLine
from bot.domain.unreachable import NO_MUTUAL_SERVER
from bot.services.wishing import Wishes
from cogs.messages.language import _, ngettext
from cogs.messages.page import BLUE, GREY, MOST_OPTIONS, Button, Item, Page, choose, lines, page, press, small
from cogs.messages.resting import why_resting
from cogs.messages.text import ago, at, code, plain

_QUIET = ((22, 8), (21, 7), (20, 8), (22, 10), (0, 8), (0, 10), (9, 17), (18, 9), (0, 0))
_NEXT_DAYS = 21
_LATER_DAYS = (30, 60, 89)
_PAUSES = (7, 14, 30, 60, 89)


def panel(wishes: Wishes, now: datetime, *note: str | None) -> Page:
    """Give the panel: when the next reminder comes, and a control for each thing that decides about it."""
    return page(
        lines([*note, next_line(wishes), _how_it_is(wishes)]),
        _hours(wishes),
        _quiet(wishes),
        _apart(wishes),
        choose(_("Pause them until…"), "pause:0", _days(wishes, now, _PAUSES)),
        _buttons(wishes),
        small(
            _(
                "Reminders follow your community's date: before it, at growing distances, then for a while after it, "
                "and then they end. Never more than one a day, unless you ask for one tonight."
            )
        ),
        colour=BLUE,
    )


def next_line(wishes: Wishes) -> str:
    """Say when the next reminder comes, or why none does."""
    person = wishes.person
    if person.stopped_at is not None:
        return _("**No reminders:** you stopped them {when}.", when=ago(person.stopped_at))
    if wishes.rest is not None:
        return _("**My reminders rest for now:** {reason}.", reason=why_resting(wishes.rest))
    if person.next_reminder_at is not None:
        when = at(person.next_reminder_at)
        if person.unreachable_code is not None:
            return _(
                "**Next mention {ago}**, at {when}: I can't send you DMs.", ago=ago(person.next_reminder_at), when=when
            )
        return _("**Next reminder {ago}**, at {when}.", ago=ago(person.next_reminder_at), when=when)
    if not wishes.open:
        return _("**No reminder is due:** nothing of yours is waiting.")
    if person.unreachable_code is not None and person.mention_guild_id is None:
        return closed(person.unreachable_code)
    if wishes.elsewhere:
        return _("**No reminder is due:** your community's reminders are paused, or one of us has left it.")
    return _("**No more reminders:** you had the last one. *Remind me again* starts them anew.")


def closed(code: int) -> str:
    """Say that DMs do not arrive, and exactly what changes that."""
    if code == NO_MUTUAL_SERVER:
        return _("**I can't send you DMs:** we share no server. Join one where I am, then press *Try again*.")
    return _(
        "**I can't send you DMs.** Tap the server's name → *Privacy Settings* → switch on *Direct Messages*, then "
        "press *Try again*."
    )


def ways_in(delivery: int = 0, *, mention: bool = False) -> list[Button]:
    """Give what can be done where DMs don't arrive; `mention` where this server's moderators chose a channel."""
    there = [press(_("Mention me there"), "mention:0")] if mention else []
    return [press(_("Try again"), f"retry:{delivery}"), *there, press(_("No reminders"), "quit:0")]


def may_mention(channel_id: int) -> str:
    """Say what *Mention me there* does."""
    return _("Or let me mention you in {channel}: others see your name, not your process.", channel=f"<#{channel_id}>")


def closed_page(code: int, channel_id: int | None) -> Page:
    """Tell it to somebody who asked for something else."""
    there = may_mention(channel_id) if channel_id is not None else None
    return page(lines([closed(code), there]), ways_in(mention=channel_id is not None), colour=GREY)


def mentioned(channel_id: int, wishes: Wishes) -> Page:
    """Say that reminders come as mentions now, and when the next one does, or why none."""
    said = _(
        "**I'll mention you in {channel}** as long as your DMs are closed. Others see your name there, not your "
        "process.",
        channel=f"<#{channel_id}>",
    )
    return page(lines([said, next_line(wishes)]), colour=GREY)


def _how_it_is(wishes: Wishes) -> str:
    person, hours = wishes.person, wishes.hours
    zone = code(person.zone or "UTC")
    first, end = hours.usual()
    then = {"hour": _clock(first), "end": _clock(end), "zone": zone}
    if person.hour is not None and first == hours.hour:
        hour = _("Between {hour} and {end} ({zone}).", **then)
    elif person.hour is not None:
        hour = _("Between {hour} and {end} ({zone}): {quiet} is in your quiet hours.", **then, quiet=_clock(hours.hour))
    elif hours.is_quiet_at(hours.hour):
        hour = _("Between {hour} and {end} ({zone}): you registered in your quiet hours.", **then)
    else:
        hour = _("Around {hour}, as when you registered ({zone}).", hour=_clock(hours.hour), zone=zone)
    unknown = [] if person.zone else [_("Tell me your time zone, and these are hours of your day.")]
    return " ".join([hour, *unknown])


def _clock(hour: int) -> str:
    return f"{hour % 24:02}:00"


def _select(placeholder: str, custom_id: str, options: Iterable[tuple[str, str, bool]]) -> list[Item]:
    """Give a row with a select of (label, value, whether it is what holds now)."""
    made = [SelectOption(label=label, value=value, default=now) for label, value, now in options][:MOST_OPTIONS]
    return [ui.Select[Any](placeholder=placeholder, custom_id=custom_id, options=made)]


def _hours(wishes: Wishes) -> list[Item]:
    chosen = wishes.person.hour
    options = ((_("At {hour}", hour=_clock(hour)), str(hour), hour == chosen) for hour in range(24))
    return _select(_("At which hour?"), "hour:0", options)


def _quiet(wishes: Wishes) -> list[Item]:
    holds = (wishes.hours.quiet_from, wishes.hours.quiet_until)
    spans = dict.fromkeys([holds, *_QUIET])
    options = ((_span(*span), f"{span[0]}-{span[1]}", span == holds) for span in spans)
    return _select(_("At which hours never?"), "quiet:0", options)


def _span(start: int, end: int) -> str:
    if start == end:
        return _("Quiet hours: none")
    return _("Quiet from {start} to {end}", start=_clock(start), end=_clock(end))


def _apart(wishes: Wishes) -> list[Item]:
    chosen = wishes.person.apart_days or 0
    planned = (_("As often as the date asks for"), "0", chosen == 0)
    others = (
        (ngettext("At most once a day", "At most once in {number} days", days), str(days), chosen == days)
        for days in wishes.choices
    )
    return _select(_("How often?"), "apart:0", [planned, *others])


def _buttons(wishes: Wishes) -> list[Button]:
    ended = wishes.person.next_reminder_at is None and bool(wishes.open)
    again = [press(_("Remind me again"), "begin:0")] if ended else []
    stop = [press(_("Stop"), "quit:0")] if wishes.person.stopped_at is None else []
    return [press(_("Time zone…"), "zone:0"), *again, *stop]


def _days(wishes: Wishes, now: datetime, days: Iterable[int]) -> list[tuple[str, str, str | None]]:
    today = now.astimezone(wishes.hours.zone).date()
    weekdays = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    chosen = [(number, today + timedelta(days=number)) for number in days]
    return [
        (
            _("{weekday}, {date}", weekday=weekdays[day.weekday()], date=day.isoformat()),
            day.isoformat(),
            ngettext("in {number} day", "in {number} days", number),
        )
        for number, day in chosen
    ]


def which_day(wishes: Wishes, delivery: int, now: datetime) -> Page:
    """Ask on which day the next reminder shall come."""
    days = _days(wishes, now, (*range(1, _NEXT_DAYS + 1), *_LATER_DAYS))
    return page(
        _("**On which day?** Until then it is quiet; I go on checking."),
        choose(_("On which day?"), f"until:{delivery}", days),
        colour=GREY,
    )


def stopped() -> Page:
    """Say that reminders have ended, and ask why, which nobody need say."""
    return page(
        _(
            "**No more reminders.** Your processes stay registered, I go on checking, and the links I sent you have "
            "ended. I'll write once if one turns patched. *Remind me again* in `/reminders` or `/status` starts them "
            "again."
        ),
        choose(_("Why? Only if you like"), "whystop:0", [(label, value, None) for value, label in why_stopped()]),
        colour=GREY,
    )


def why_stopped() -> list[tuple[str, str]]:
    """Give the reasons that somebody may have (`STOP_REASONS` of the service), each with its words."""
    return [
        ("too-many", _("Too many messages")),
        ("not-mine", _("It isn't mine")),
        ("will-not", _("I don't want it patched")),
        ("by-myself", _("I'll do it by myself")),
        ("other", _("Something else")),
    ]


def thanks() -> Page:
    """Say who gets to see the reason, and of whom they don't."""
    return page(
        _(
            "**Thank you.** Moderators, and whoever runs this bot, see how many gave which reason once a few did, and "
            "never who."
        ),
        colour=GREY,
    )


def which_processes(reason: Blocked, named_ones: Sequence[ProcessLine]) -> Page:
    """Ask which of several processes something is in the way of."""
    options = [(plain(each.process, each.label, each.name), each.process, None) for each in named_ones[:MOST_OPTIONS]]
    select = choose(_("Choose one or more"), f"which:{reason.value}", options)
    for item in select:
        item.max_values = len(options)  # pyright: ignore[reportAttributeAccessIssue] -- a select, the only item of its row
    rest = len(named_ones) - len(options)
    more = ngettext("{number:,} more is in `/status`.", "{number:,} more are in `/status`.", rest)
    return page(
        _("**Which of them?** The others stay as they are."),
        select,
        small(more) if rest else None,
        colour=GREY,
    )


def resumed_server(guild_id: int) -> Page:
    """Tell an operator that a server's reminders go on."""
    return page(_("**The reminders of the server {server} go on.**", server=str(guild_id)), colour=GREY)


def channel_chosen(channel_id: int | None) -> Page:
    """Tell a moderator where people whose DMs are closed may be mentioned."""
    if channel_id is None:
        return page(_("**Nobody is mentioned in this server.** Who takes no DMs sees it at their next command."))
    return page(
        _(
            "**People whose DMs are closed, and who agree to it, are mentioned in {channel}.** Never with a process; "
            "each at most once a day. Whoever agreed to another channel is asked anew, at their next command.",
            channel=f"<#{channel_id}>",
        ),
        colour=GREY,
    )
