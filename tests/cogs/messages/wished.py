"""People's reminders as the panel may find them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from discord import ui

from bot.domain.card import Blocked, Rest
from bot.domain.hours import Hours
from bot.domain.notices import Mention, ProcessLine
from bot.services.history import Delivered, Fate
from bot.services.wishing import Wishes
from bot.store.people import Person
from cogs.messages import reminder, wishes
from cogs.messages.history import history
from cogs.messages.page import page

KINDS = ("first_dm", "reminder", "mention", "patched", "regressed", "unreadable", "of another version")


def wishes_of(
    now: datetime, *, open_processes: int = 1, elsewhere: bool = False, rest: Rest | None = None, **values: object
) -> Wishes:
    columns = dict.fromkeys(Person.__dataclass_fields__) | {
        "user_id": 1,
        "safe_word": "amber otter",
        "locale": "en-US",
        "name_hint": "",
        "created_at": now - timedelta(days=40),
        "reminders_sent": 0,
    }
    person = Person(**(columns | values))  # type: ignore[arg-type] -- columns by their names
    hours = Hours(
        user_id=1,
        zone=ZoneInfo("Europe/Berlin"),
        hour=person.hour or person.created_at.hour,
        quiet_from=22,
        quiet_until=8,
    )
    return Wishes(
        person=person, hours=hours, choices=(3, 7, 14, 30), open=open_processes, elsewhere=elsewhere, rest=rest
    )


def panels(now: datetime) -> Iterator[ui.LayoutView]:
    """The panel in each of its states."""
    later = now + timedelta(days=9)
    yield wishes.panel(wishes_of(now, next_reminder_at=later), now)
    yield wishes.panel(wishes_of(now, next_reminder_at=later, hour=23, zone="Europe/Berlin", apart_days=30), now)
    yield wishes.panel(wishes_of(now, next_reminder_at=later, unreachable_code=50007, mention_guild_id=5), now)
    yield wishes.panel(wishes_of(now, next_reminder_at=later, hour=12), now)
    yield wishes.panel(wishes_of(now, next_reminder_at=later, created_at=now.replace(hour=23)), now)
    yield wishes.panel(wishes_of(now, stopped_at=now), now)
    yield from (wishes.panel(wishes_of(now, next_reminder_at=later, rest=rest), now) for rest in Rest)
    yield wishes.panel(wishes_of(now, open_processes=0), now)
    yield wishes.panel(wishes_of(now, elsewhere=True), now)
    yield wishes.panel(wishes_of(now, reminders_sent=9), now)
    yield from (wishes.panel(wishes_of(now, unreachable_code=code), now) for code in (50007, 50278))


def around(now: datetime, lines: tuple[ProcessLine, ...]) -> Iterator[ui.LayoutView]:
    """What is answered around it."""
    later = now + timedelta(days=9)
    yield wishes.which_day(wishes_of(now), (1 << 63) - 1, now)
    yield wishes.stopped()
    yield wishes.thanks()
    yield from (wishes.which_processes(reason, lines) for reason in Blocked)
    for then in ({"next_reminder_at": later}, {"open_processes": 0}, {"elsewhere": True}):
        yield wishes.mentioned(7, wishes_of(now, unreachable_code=50007, mention_guild_id=5, **then))  # type: ignore[arg-type] -- each by its name
    yield from (wishes.channel_chosen(channel) for channel in (None, 7))
    yield from (wishes.closed_page(code, channel) for code in (50007, 50278) for channel in (None, 7))
    yield wishes.resumed_server(7)
    yield reminder.mention(Mention(user_id=7, guild_id=8), 9, 1 << 30)
    for kind in KINDS:
        yield page(history([Delivered(kind=kind, fate=fate, at=now, until=later) for fate in Fate]))
