"""Who is shown which look: everybody those that they were to expect, and nobody that somebody else looked.

When a process was looked at would tell that others follow it, and when they ask (design.md, rule 6). So a look that was
not due yet by what a person was shown before is not shown to them, unless it turned the status: that they are told
anyway. Who looked by their own act is shown that look. What one look found is shown whole, with its own time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ao.reader import Reading
from bot.domain.card import Seen, Sighting
from bot.domain.evidence import LISTING
from bot.domain.keys import CACHE, StateKey, candidate_paths
from bot.domain.pace import next_look
from bot.domain.status import TargetStatus
from bot.settings import CheckSettings
from bot.store import registrations
from bot.store.registrations import Registration

View = tuple[TargetStatus, Seen]
"""What somebody knows, and the look that they are shown with it."""


def seen_in(reading: Reading, required: Sequence[Sequence[StateKey]], now: datetime) -> list[Seen]:
    """Give a reading as people are shown it, once for each set of keys that was asked for, without the others' keys."""
    return [
        Seen(at=now, judgement=judgement, evidence=_of_keys(reading.evidence, keys), requests=reading.requests)
        for judgement, keys in zip(reading.judgements, required, strict=True)
    ]


def _of_keys(evidence: Sequence[Sighting], keys: Sequence[StateKey]) -> tuple[Sighting, ...]:
    """Leave out the listings of tables that only others' keys are in."""
    tables = {CACHE, "", *(path.rpartition("/")[0] for key in keys for path in candidate_paths(key))}
    return tuple(each for each in evidence if (table := _listed(each.path)) is None or table in tables)


def _listed(path: str) -> str | None:
    _, _, rest = path.partition("~process@1.0/compute/")
    return rest.removesuffix(LISTING).rstrip("/") if rest.endswith(LISTING) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeing:
    """A new look at one target. `signed`: it follows a signature, and that the network shows to everybody."""

    look: Seen
    signed: bool
    signed_at: datetime | None
    settings: CheckSettings

    def shown(self, before: Seen | None, known: TargetStatus, status: TargetStatus) -> Seen:
        """Give what somebody is shown from now on, who was shown `before`, knew `known` and now may know `status`."""
        if before is None or self.signed or status.verdict is not known.verdict:
            return self.look
        due = min(self._due(known, before), self._due(status, before))
        return self.look if due <= self.look.at else before

    def _due(self, status: TargetStatus, seen: Seen) -> datetime:
        """Give when the next look was to be expected at the earliest."""
        return next_look(
            status, seen.judgement, now=seen.at, settings=self.settings, jitter=0.0, signed_at=self.signed_at
        )

    async def let_see(
        self,
        connection: AsyncConnection,
        before: Sequence[Registration],
        after: Sequence[Registration],
        shared: Seen,
    ) -> list[View]:
        """Write what those who are not shown the same as all others see now; give what each knows and sees.

        Who has followed the process as long as it takes to know no less than anybody is shown the `shared` look again.
        """
        views: list[View] = []
        new: list[int] = []
        as_all: list[int] = []
        for was, each in zip(before, after, strict=True):
            seen = self.shown(was.seen, was.status, each.status)
            old = each.own is None and each.created_at <= self.look.at - self.settings.patched_interval
            if old and shared is self.look:
                as_all.append(each.id)
            elif seen is not was.seen:
                new.append(each.id)
            views.append((each.status, seen))
        for ids, seen in ((new, self.look), (as_all, None)):
            if ids:
                await registrations.change(connection, ids, seen=seen)
        return views
