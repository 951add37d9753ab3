"""For communities: the announcement, its preview, and how far a migration is. The words are ours; titles are data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from discord import ButtonStyle

from bot.domain.card import MigrationProgress, Reached
from bot.domain.notices import Announcement
from bot.services.privacy import OpenProcess
from cogs.messages.language import _, ngettext, speaking
from cogs.messages.page import BLUE, GREY, Item, Page, line, lines, page, press, small
from cogs.messages.text import ago, code, codes, date
from cogs.messages.wishes import why_stopped

_BAR = 20
MOST_MIGRATIONS = 8


def announcement(notice: Announcement, stamp: int | None = None) -> Page:
    """Give the message that a migration is announced with."""
    with speaking(notice.locale):
        return page(
            *_announced(notice),
            [press(_("Register my process"), f"register:{notice.migration_id}", style=ButtonStyle.primary)],
            small(_promise()),
            colour=BLUE,
            stamp=stamp,
        )


def _promise() -> str:
    return _(
        "I need no key and never ask for a seed phrase, a key or money. Only you see what I say of your processes. "
        "*Stop* in any DM ends my reminders."
    )


def _announced(notice: Announcement) -> list[str | Item]:
    keys = _("Expected to be readable: {keys}.", keys=codes(notice.keys)) if notice.keys else None
    title = _("Migration: {title}", title=code(notice.title, 80))
    return [
        f"### {title}",
        _(
            "Do you own an AO process of this community? Apps can read its state through HyperBEAM once you have "
            "signed one message. That takes about a minute and moves no tokens. Register it here: I check it, and "
            "remind you by DM until it is patched."
        ),
        lines([_asked_by(notice), keys]),
    ]


def _asked_by(notice: Announcement) -> str | None:
    if notice.deadline is None:
        return None
    return _("It is asked for by {date} ({when}).", date=date(notice.deadline), when=ago(notice.deadline))


def _no_signing() -> str:
    return _(
        "**No reminder can carry a link to sign yet:** whoever runs this bot has to set `web.public_url` "
        "to an https address."
    )


def preview(notice: Announcement, channel_id: int, *, signing: bool) -> Page:
    """Give what only the moderator sees before posting; without `signing` it says what is missing."""
    channel = f"<#{channel_id}>"
    with speaking(notice.locale):
        announced = _announced(notice)
    return page(
        _("**Preview: only you see this.** *Post* puts it into {channel}, for everybody there.", channel=channel),
        None if signing else _no_signing(),
        line(),
        *announced,
        line(),
        [press(_("Post"), f"post:{notice.migration_id}", style=ButtonStyle.primary)],
        small(_("Not right? Type `/announce` again; what isn't posted, nobody sees.")),
        colour=GREY,
    )


def progress_page(
    migrations: Sequence[MigrationProgress],
    *,
    signing: bool,
    reached: Reached | None = None,
    mentions_in: int | None = None,
    paused_at: datetime | None = None,
) -> Page:
    """Give how far each migration of a server is: counts of distinct processes, never who is behind one."""
    note = None if signing else _no_signing()
    if not migrations:
        return page(_("**Nothing is announced here yet.** `/announce` starts a migration."), note, colour=GREY)
    parts = [_progress(each) for each in migrations[:MOST_MIGRATIONS]]
    rest = len(migrations) - len(parts)
    return page(
        note,
        *parts,
        ngettext("and {number:,} older migration", "and {number:,} older migrations", rest) if rest else None,
        lines([_reached(reached), _reasons(reached), _nowhere(reached, mentions_in), _paused(paused_at)]),
        _what_is_open(migrations),
        small(
            _(
                "Each process counts once, if somebody registered it as theirs. Who that is stays private, unless they "
                "allow it in `/privacy`."
            )
        ),
        colour=BLUE,
    )


def _what_is_open(migrations: Sequence[MigrationProgress]) -> list[Item]:
    """Give the button for the newest migration that has something open."""
    found = next((each for each in migrations if each.not_patched), None)
    return [] if found is None else [press(_("What is still open"), f"opened:{found.migration_id}")]


def open_page(listed: Sequence[OpenProcess], *, more: bool) -> Page:
    """Give the open processes of a migration to its moderators, with the names of those alone who allowed it."""
    if not listed:
        return page(_("**Nothing is open** at the moment."), colour=GREY)
    return page(
        _("**Still open:** these processes are not patched yet. A name is there where its person allowed it."),
        lines(" · ".join([code(each.process), *(f"<@{one}>" for one in each.people[:3])]) for each in listed),
        _("There are more; these come first by their ids.") if more else None,
        colour=BLUE,
    )


def _reached(reached: Reached | None) -> str | None:
    """Say how many people reminders don't reach, and why."""
    if reached is None or not reached.people:
        return None
    reasons = [
        (reached.closed, ngettext("{number:,} takes no DMs from me", "{number:,} take no DMs from me", reached.closed)),
        (
            reached.strangers,
            ngettext("{number:,} shares no server with me", "{number:,} share no server with me", reached.strangers),
        ),
        (reached.stopped, ngettext("{number:,} pressed *Stop*", "{number:,} pressed *Stop*", reached.stopped)),
    ]
    why = [sentence for number, sentence in reasons if number]
    if not why:
        return ngettext(
            "Reminders reach the one person behind them.",
            "Reminders reach all {number:,} people behind them.",
            reached.people,
        )
    return ngettext(
        "Reminders don't reach everybody. Of {number:,} person: {reasons}.",
        "Reminders don't reach everybody. Of {number:,} people: {reasons}.",
        reached.people,
        reasons=", ".join(why),
    )


def _reasons(reached: Reached | None) -> str | None:
    """Say why people stopped, as far as they told it."""
    if reached is None or not reached.told_reasons:
        return None
    words = dict(why_stopped())
    given = [f"{words.get(reason, reason)} ({number:,})" for reason, number in reached.told_reasons]
    return _("Why they pressed *Stop*, if they said so: {reasons}.", reasons=", ".join(given))


def _nowhere(reached: Reached | None, mentions_in: int | None) -> str | None:
    """Say what moderators can do for those who take no DMs, where they chose no place, or one that Discord refused."""
    if reached is None or not reached.closed or mentions_in is not None:
        return None
    return _("Nobody is mentioned in this server: `/mentions` chooses a place for those who agree to it.")


def _paused(paused_at: datetime | None) -> str | None:
    if paused_at is None:
        return None
    return _(
        "**This server's reminders are paused** since {when}: too many people pressed *Stop* or take no DMs. Whoever "
        "runs this bot can resume them.",
        when=ago(paused_at),
    )


def _progress(migration: MigrationProgress) -> str:
    heading = _heading(migration)
    if migration.total == 0:
        nobody = _("Nobody has registered a process yet.")
        return f"{heading}\n{nobody}"
    share = migration.patched / migration.total
    filled = int(share * _BAR)
    registered = ngettext(
        "{number:,} process registered: {counts}.",
        "{number:,} processes registered: {counts}.",
        migration.total,
        counts=", ".join(_counts(migration)),
    )
    return f"{heading}\n`{'█' * filled}{'░' * (_BAR - filled)}` {int(share * 100)} %\n{registered}"


def _heading(migration: MigrationProgress) -> str:
    title = code(migration.title, 80)
    if migration.deadline is None:
        return _("**Migration** {title}", title=title)
    by, when = date(migration.deadline), ago(migration.deadline)
    return _("**Migration** {title} · by {date} ({when})", title=title, date=by, when=when)


def _counts(migration: MigrationProgress) -> list[str]:
    unreadable, blocked = migration.unreadable, migration.blocked
    return [
        ngettext("{number:,} patched", "{number:,} patched", migration.patched),
        ngettext("{number:,} not patched", "{number:,} not patched", migration.not_patched),
        ngettext("{number:,} unknown", "{number:,} unknown", migration.unknown),
        *(
            [ngettext("{number:,} that no node can read", "{number:,} that no node can read", unreadable)]
            if unreadable
            else []
        ),
        *([_blocked(blocked, migration.for_developers)] if blocked else []),
    ]


def _blocked(blocked: int, for_developers: int) -> str:
    if not for_developers:
        return ngettext("{number:,} blocked", "{number:,} blocked", blocked)
    return ngettext(
        "{number:,} blocked ({developers:,} for the app's developers)",
        "{number:,} blocked ({developers:,} for the app's developers)",
        blocked,
        developers=for_developers,
    )
