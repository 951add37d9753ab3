"""How often one person may have nodes asked, by commands and buttons together: public nodes are shared by everybody."""

from __future__ import annotations

from collections import OrderedDict

from discord import app_commands

from bot.errors import BadInput
from cogs.messages.language import ngettext

LOOKS, WITHIN = 10, 30.0
"""So many looks of one person within so many seconds."""
_PEOPLE_KEPT = 10_000


class Pace:
    """Counts the looks of each person; in memory, since a restart hurts nobody here."""

    def __init__(self) -> None:
        self._people: OrderedDict[int, app_commands.Cooldown] = OrderedDict()

    def take(self, user_id: int) -> None:
        """Count one look. Raises BadInput with how long to wait."""
        looks = self._people.setdefault(user_id, app_commands.Cooldown(LOOKS, WITHIN))
        self._people.move_to_end(user_id)
        if len(self._people) > _PEOPLE_KEPT:
            self._people.popitem(last=False)
        wait = looks.update_rate_limit()
        if wait is not None:
            raise BadInput(
                ngettext(
                    "**One at a time, please.** Try again in {number:,} second.",
                    "**One at a time, please.** Try again in {number:,} seconds.",
                    int(wait) + 1,
                )
            )
