"""What became of the messages to a person, one line each, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from bot.services.history import Delivered, Fate
from cogs.messages.language import _
from cogs.messages.page import lines
from cogs.messages.text import ago


def history(messages: Sequence[Delivered]) -> str | None:
    """Give the lines, newest first, or None where nothing was ever sent."""
    if not messages:
        return None
    return lines([_("**What I sent you**"), *(_line(each) for each in messages)])


def _line(each: Delivered) -> str:
    return _("{what}: {fate}", what=_kind(each.kind), fate=_fate(each))


def _kind(kind: str) -> str:
    return {
        "first_dm": _("First DM"),
        "reminder": _("Reminder"),
        "mention": _("Mention in the server"),
        "patched": _("*Patched*"),
        "regressed": _("*Not patched any more*"),
        "unreadable": _("*No node can read it*"),
    }.get(kind, _("Message"))


def _fate(each: Delivered) -> str:
    when, until = ago(each.at), ago(each.until) if each.until else ""
    return {
        Fate.SENT: _("sent {when}.", when=when),
        Fate.CLOSED: _("refused {when}: you take no DMs from me.", when=when),
        Fate.NO_MUTUAL_SERVER: _("refused {when}: we shared no server.", when=when),
        Fate.REFUSED: _("Discord refused it {when}.", when=when),
        Fate.NOT_NEEDED: _("taken back {when}, as it was not needed any more.", when=when),
        Fate.HELD_BY_DISCORD: _("waiting, as Discord takes no message for now. I go on {until}.", until=until),
        Fate.NO_NEW_DMS: _("waiting, as Discord lets me open no new DM for now. I try again {until}.", until=until),
        Fate.NODES_OUT: _("waiting, as my nodes are out and I can't be sure. I look again {until}.", until=until),
        Fate.MAINTENANCE: _("waiting, as whoever runs this bot is working on it."),
        Fate.QUIET: _("waiting for your quiet hours to end, {until}.", until=until),
        Fate.TRYING_AGAIN: _("Discord did not take it. I try again {until}.", until=until),
        Fate.PLANNED: _("goes out {until}.", until=until),
        Fate.ON_ITS_WAY: _("on its way."),
    }[each.fate]
