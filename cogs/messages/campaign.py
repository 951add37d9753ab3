"""For communities: the announcement, its preview, and how far a migration is. The words are ours; titles are data."""

from __future__ import annotations

from collections.abc import Sequence

from discord import ButtonStyle

from bot.domain.card import MigrationProgress
from bot.domain.notices import Announcement
from cogs.messages.page import BLUE, GREY, Item, Page, line, lines, page, press, small
from cogs.messages.text import ago, code, codes, count, date

_BAR = 20
MOST_MIGRATIONS = 8


def announcement(notice: Announcement, stamp: int | None = None) -> Page:
    """Give the message that a migration is announced with."""
    return page(
        *_announced(notice),
        [press("Register my process", f"register:{notice.migration_id}", style=ButtonStyle.primary)],
        small(_PROMISE),
        colour=BLUE,
        stamp=stamp,
    )


_PROMISE = (
    "I need no key and never ask for a seed phrase, a key or money. Only you see what I say of your processes. "
    "*Stop* in any DM ends my reminders."
)


def _announced(notice: Announcement) -> list[str | Item]:
    by = f"It is asked for by {date(notice.deadline)} ({ago(notice.deadline)})." if notice.deadline else None
    keys = f"Expected to be readable: {codes(notice.keys)}." if notice.keys else None
    return [
        f"### Migration: {code(notice.title, 80)}",
        "Do you own an AO process of this community? Apps can read its state through HyperBEAM once you have signed "
        "one message. That takes about a minute and moves no tokens. Register it here: I check it, and remind you by "
        "DM until it is patched.",
        lines([by, keys]),
    ]


NO_SIGNING = (
    "**No reminder can carry a link to sign yet:** whoever runs this bot has to set `web.public_url` "
    "to an https address."
)


def preview(notice: Announcement, channel_id: int, *, signing: bool) -> Page:
    """Give what only the moderator sees before posting; without `signing` it says what is missing."""
    return page(
        f"**Preview: only you see this.** *Post* puts it into <#{channel_id}>, for everybody there.",
        None if signing else NO_SIGNING,
        line(),
        *_announced(notice),
        line(),
        [press("Post", f"post:{notice.migration_id}", style=ButtonStyle.primary)],
        small("Not right? Type /announce again; what isn't posted, nobody sees."),
        colour=GREY,
    )


def progress_page(migrations: Sequence[MigrationProgress], *, signing: bool) -> Page:
    """Give how far each migration of a server is: counts of distinct processes, never who is behind one."""
    note = None if signing else NO_SIGNING
    if not migrations:
        return page("**Nothing is announced here yet.** `/announce` starts a migration.", note, colour=GREY)
    parts = [_progress(each) for each in migrations[:MOST_MIGRATIONS]]
    rest = len(migrations) - len(parts)
    return page(
        note,
        *parts,
        f"and {count(rest, 'older migration')}" if rest else None,
        small("Each process counts once, if somebody registered it as theirs. Who that is stays private."),
        colour=BLUE,
    )


def _progress(migration: MigrationProgress) -> str:
    by = f" · by {date(migration.deadline)} ({ago(migration.deadline)})" if migration.deadline else ""
    heading = f"**Migration** {code(migration.title, 80)}{by}"
    if migration.total == 0:
        return f"{heading}\nNobody has registered a process yet."
    share = migration.patched / migration.total
    filled = int(share * _BAR)
    counts = [
        f"{migration.patched:,} patched",
        f"{migration.not_patched:,} not patched",
        f"{migration.unknown:,} unknown",
        *([f"{migration.unreadable:,} that no node can read"] if migration.unreadable else []),
        *([f"{migration.blocked:,} blocked"] if migration.blocked else []),
    ]
    return (
        f"{heading}\n`{'█' * filled}{'░' * (_BAR - filled)}` {int(share * 100)} %\n"
        f"{count(migration.total, 'process', 'processes')} registered: {', '.join(counts)}."
    )
