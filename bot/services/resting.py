"""Whether reminders rest for everybody: in maintenance, and in an outage of our nodes until a look succeeds again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.card import Rest
from bot.services import holds
from bot.settings import ReminderSettings
from bot.store import processes

LOOK_AGAIN = timedelta(hours=1)
TRIAL = timedelta(hours=1)
"""How long a look may fail to come after a hold, where nothing is due that could be looked at."""
_A_MOMENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Resting:
    """Why nobody is reminded, and until when at least."""

    why: Rest
    until: datetime

    def covers(self, moment: datetime) -> bool:
        """Tell whether a reminder that is planned for then will not come then."""
        return moment <= self.until


async def resting(connection: AsyncConnection, settings: ReminderSettings, now: datetime) -> Resting | None:
    """Give why reminders rest now, or None: they don't.

    A hold of the checks that is over tells nothing yet: the outage goes on until a look has succeeded.
    """
    if settings.maintenance:
        return Resting(Rest.MAINTENANCE, now + LOOK_AGAIN)
    standing = await holds.standing(connection)
    maintenance, checks = standing.get(holds.MAINTENANCE), standing.get(holds.CHECKS)
    if maintenance is not None and maintenance > now:
        return Resting(Rest.MAINTENANCE, maintenance)
    if checks is None or checks > now:
        return None if checks is None else Resting(Rest.OUTAGE, checks)
    due = await processes.next_due(connection)
    waits_for_a_look = now < checks + TRIAL or (due is not None and due <= now)
    return Resting(Rest.OUTAGE, now + _A_MOMENT) if waits_for_a_look else None
