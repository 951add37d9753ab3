"""How a message names a person's processes: by their own label, wherever they gave it, else by the gateway's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notices import ProcessLine
from bot.domain.process_id import ProcessId
from bot.store import processes
from bot.store.registrations import Registration

NAME_AT_MOST = 200
"""Characters that a message keeps of a stranger's name; what is shown of it is less."""


@dataclass(frozen=True, slots=True)
class Names:
    """The labels of one or several people, by person and process, and what gateways call the processes."""

    labels: Mapping[tuple[int, ProcessId], str]
    called: Mapping[ProcessId, str]

    def label(self, registration: Registration) -> str | None:
        """Give what this person calls the process, also where they said so in another registration of it."""
        return registration.label or self.labels.get((registration.user_id, registration.process))

    def name(self, process: ProcessId) -> str | None:
        """Give what gateways call it: a stranger's text, cut."""
        return self.called.get(process, "")[:NAME_AT_MOST] or None

    def line(self, registration: Registration, since: datetime | None = None) -> ProcessLine:
        """Name a registration's process in a message."""
        process = registration.process
        return ProcessLine(process=process, label=self.label(registration), name=self.name(process), since=since)


async def names_of(connection: AsyncConnection, followed: Sequence[Registration]) -> Names:
    """Read the names of what these people follow: `followed` has all of it, so that every label is known."""
    labels = {(each.user_id, each.process): each.label for each in reversed(followed) if each.label}
    return Names(labels, await processes.names(connection, sorted({each.process for each in followed})))
