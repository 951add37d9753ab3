"""Writing down what a look found: statuses, the next look, and the messages that it causes, in one transaction."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ao.memory import MEMORY
from bot.ao.reader import Reading
from bot.clock import Clock
from bot.domain.card import Seen
from bot.domain.observation import Verdict
from bot.domain.pace import next_look
from bot.domain.status import TargetStatus, advance
from bot.domain.verdict import Judgement, Reason
from bot.services.agenda import Agenda
from bot.services.seeing import Seeing, seen_in
from bot.services.turning import Turn, Turning
from bot.settings import Settings
from bot.store import processes, registrations
from bot.store.database import Database
from bot.store.processes import Claim, Target
from bot.store.registrations import Registration, seen_from

log = structlog.get_logger()

AFTER_A_FAULT = timedelta(hours=1)
_FAILED = frozenset({Reason.NO_ANSWER, Reason.NODES_DOWN})


@dataclass(frozen=True, slots=True)
class Look:
    """A claimed process and what was read of it, one judgement for each of the claim's targets.

    `asker` looked by their own act. `signed`: it follows a signature (see `bot.services.seeing`).
    """

    claim: Claim
    reading: Reading
    asker: int | None = None
    signed: bool = False

    @property
    def failed(self) -> bool:
        """Whether no node gave any usable answer."""
        judgements = self.reading.judgements
        return bool(judgements) and all(judgement.reason in _FAILED for judgement in judgements)


class Recording:
    """Writes looks. Only here does a status move."""

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, *, turning: Turning, agenda: Agenda
    ) -> None:
        self._database = database
        self._settings = settings.checks
        self._operators = len({node.voice for node in settings.ao.nodes})
        self._clock = clock
        self._turning = turning
        self._agenda = agenda

    def advance(self, status: TargetStatus, judgement: Judgement, now: datetime) -> TargetStatus:
        """Give the status after one more judgement, by the rule of `bot.domain.status` for the configured nodes."""
        return advance(
            status, judgement, now=now, operators=self._operators, confirm_after=self._settings.confirm_after
        )

    def advance_own(
        self, own: TargetStatus, shared: TargetStatus, judgement: Judgement, now: datetime
    ) -> TargetStatus | None:
        """Give what a newcomer may know after one more look; None once that is what everybody knows.

        It is what they would know if nobody else followed the process.
        """
        status = self.advance(own, judgement, now)
        settled = status.verdict is shared.verdict is not Verdict.UNKNOWN
        return None if settled or status == shared else status

    async def record(self, looks: Sequence[Look]) -> None:
        """Write those looks whose lease is still ours, in one transaction.

        Where a fault of ours makes that fail each is written by itself, so that one cannot keep the others from it.
        """
        try:
            await self._record_together(looks)
        except Exception:
            log.exception("looks could not be written together", looks=len(looks))
            for look in looks:
                await self._record_alone(look)

    async def _record_alone(self, look: Look) -> None:
        try:
            await self._record_together([look])
        except Exception:
            log.exception("a look could not be written", process=look.claim.process.process)
            async with self._database.write() as connection:
                await processes.put_back(connection, [look.claim], self._clock() + AFTER_A_FAULT)

    async def _record_together(self, looks: Sequence[Look]) -> None:
        now = self._clock()
        async with self._database.write() as connection:
            turns: list[Turn] = []
            for look in sorted(looks, key=lambda look: look.claim.process.process):
                if await processes.keep_lease(connection, look.claim):
                    targets = look.claim.targets
                    turns += await self.write(connection, look.reading, targets, now, signed=look.signed)
                if look.asker is not None:
                    await self._show_asker(connection, look, look.asker, now)
            await self._agenda.plan(connection, await self.tell(connection, turns, now), now)

    async def _show_asker(self, connection: AsyncConnection, look: Look, asker: int, now: datetime) -> None:
        """Show it to who asked for it, also where another's was written in between."""
        seen = by_target(look.reading, look.claim.targets, now)
        for each in await registrations.of_person(connection, asker, look.reading.process):
            if (theirs := seen.get(each.target_id)) is not None:
                await self.show(connection, each, theirs)

    async def show(self, connection: AsyncConnection, registration: Registration, seen: Seen) -> None:
        """Show somebody a look of their own, and look again when it lets them expect that."""
        await registrations.change(connection, [registration.id], seen=seen)
        due = self.next_look(registration.status, seen)
        await processes.look_sooner(connection, {registration.process: due}, seen.at)

    async def write(
        self,
        connection: AsyncConnection,
        reading: Reading,
        asked: Sequence[Target],
        now: datetime,
        *,
        signed: bool = False,
    ) -> list[Turn]:
        """Write a reading of `asked`, one judgement each, and give what has to be told (`tell`, same transaction).

        A target that was not asked about is looked at when it was due, at once if it never was.
        """
        known = await processes.find(connection, reading.process)
        signed_at = None if known is None else known.signed_at
        targets = (await processes.targets_of(connection, [reading.process], lock=True))[reading.process]
        judged = by_target(reading, asked, now)
        newcomers = await registrations.newcomers(
            connection, [target.id for target in targets], now - self._settings.patched_interval
        )
        turns: list[Turn] = []
        others = [target for target in targets if target.id not in judged]
        next_looks = [now if known is None or other.seen is None else known.next_look_at for other in others]
        for target in targets:
            if (look := judged.get(target.id)) is None:
                continue
            status = self.advance(target.status, look.judgement, now)
            seeing = Seeing(look=look, signed=signed, signed_at=signed_at, settings=self._settings)
            shared = seeing.shown(target.seen, target.status, status)
            await processes.record_target(connection, target.id, status, shared)
            turned = replace(target, status=status, verdict=status.verdict, seen=shared)
            theirs = [each for each in newcomers if each.target_id == target.id]
            followers, caught_up = await self._let_catch_up(connection, theirs, status, look.judgement, now)
            shown = await seeing.let_see(connection, theirs, followers, shared)
            views = [(status, look), (status, shared), *shown]  # look again as it says, and as people expect
            next_looks += [self.next_look(view, seen, signed_at=signed_at) for view, seen in views]
            unread = target.status.unread_for(self._settings.unreadable_after, now)
            turns.append(
                Turn(
                    target=turned,
                    before=target.verdict,
                    judgement=look.judgement,
                    caught_up=caught_up,
                    readable_again=unread and status.unknown_since is None,
                )
            )
        await processes.record(
            connection,
            reading.process,
            metadata=reading.metadata,
            memory=MEMORY.dump_json(reading.memory).decode(),
            now=now,
            next_look_at=min(next_looks, default=now + self._settings.unpatched_interval),
        )
        return turns

    async def tell(self, connection: AsyncConnection, turns: Sequence[Turn], now: datetime) -> set[int]:
        """Owe what was written causes, at once for all: people are locked last and in one order. Give whose agenda."""
        return await self._turning.tell(connection, turns, now)

    def next_look(self, status: TargetStatus, seen: Seen, *, signed_at: datetime | None = None) -> datetime:
        """Give when to look again for who is shown that, with the jitter that keeps apart what came together."""
        jitter = random.random()
        return next_look(
            status, seen.judgement, now=seen.at, settings=self._settings, jitter=jitter, signed_at=signed_at
        )

    async def _let_catch_up(
        self,
        connection: AsyncConnection,
        newcomers: Sequence[Registration],
        shared: TargetStatus,
        judgement: Judgement,
        now: datetime,
    ) -> tuple[list[Registration], dict[int, Verdict]]:
        """Give newcomers with what they may know now; and of those who know it all by now, what they knew before."""
        followers: list[Registration] = []
        caught_up: dict[int, Verdict] = {}
        for each in newcomers:
            if each.own is None:
                followers.append(replace(each, shared=shared))
                continue
            own = self.advance_own(each.own, shared, judgement, now)
            at = now if own is None else None
            followers.append(replace(each, shared=shared, own=own, caught_up_at=at))
            if own is None:
                caught_up[each.id] = each.verdict
        moved = [after for before, after in zip(newcomers, followers, strict=True) if before.own != after.own]
        await registrations.let_know(connection, moved)
        return followers, caught_up

    async def begin(self, connection: AsyncConnection, target: Target, seen: Seen) -> TargetStatus | None:
        """Give what somebody who registers now may know (None: all), and look again as soon as they would wait for."""
        own = self.advance_own(TargetStatus(), target.status, seen.judgement, seen.at)
        due = self.next_look(seen_from(seen.at, own or target.status), seen)
        await processes.look_sooner(connection, {target.process: due}, seen.at)
        return own


def by_target(reading: Reading, asked: Sequence[Target], now: datetime) -> dict[int, Seen]:
    """Give what is shown of a reading, by the id of the target."""
    seen = seen_in(reading, [target.required for target in asked], now)
    return {target.id: each for target, each in zip(asked, seen, strict=True)}
