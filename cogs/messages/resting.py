"""Why nobody is reminded for now, as a reason to follow a colon."""

from __future__ import annotations

from bot.domain.card import Rest
from cogs.messages.language import _


def why_resting(rest: Rest) -> str:
    """Give the reason."""
    return {
        Rest.MAINTENANCE: _("whoever runs this bot is working on it"),
        Rest.OUTAGE: _("my nodes are out, and without them I can't be sure"),
        Rest.UNREADABLE: _("no node can read what waits for you, and I go on looking"),
    }[rest]
