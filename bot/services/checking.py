"""Checking: the sweep over everything that is due, and the looks that people ask for.

A process is leased, observed without any lock, and written only while the lease is still ours, in one transaction with
the messages that the look causes. Where many checks fail at once it is our node: nothing is concluded from them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.ao.memory import MEMORY, Memory
from bot.ao.reader import Reader, Urgency
from bot.clock import Clock
from bot.domain.card import NoSignLink, Role, StatusCard
from bot.domain.keys import StateKey, parse_key
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.sentence import Sentence
from bot.domain.status import TargetStatus
from bot.domain.together import one_each
from bot.errors import BadInput, NotYours
from bot.services import holds
from bot.services.alarms import Alarms
from bot.services.cards import make_card
from bot.services.explaining import Explaining
from bot.services.health import Pulse
from bot.services.recording import AFTER_A_FAULT, Look, Recording, by_target
from bot.services.resting import resting
from bot.services.supervising import Loop, seconds_until
from bot.settings import Settings
from bot.store import people, privacy, processes, registrations
from bot.store.database import Database
from bot.store.processes import Claim, Process, Target

log = structlog.get_logger()

Say = Callable[[Sentence], Awaitable[None]]

MANY = 5
"""So many failed checks at once, and half of all, are our node's fault."""
_FIRST_HOLD, _LONGEST_HOLD = timedelta(minutes=2), timedelta(minutes=30)
_POLL = 5.0
_AFTER_SIGNATURE = (0, 1, 1, 2, 2, 3, 3)
"""Pauses between looks, in `checks.after_signature`: about a minute as it comes."""
_KEYS_AT_MOST = 10


class Checking(Loop):
    """Observes processes and keeps their statuses."""

    def __init__(
        self,
        database: Database,
        reader: Reader,
        settings: Settings,
        clock: Clock,
        *,
        recording: Recording,
        alarms: Alarms,
        explaining: Explaining,
    ) -> None:
        super().__init__(Pulse("sweep", settings.checks.now_timeout + timedelta(seconds=60), clock), self._round)
        self._database = database
        self._reader = reader
        self._settings = settings.checks
        self._reminders = settings.reminders
        self._clock = clock
        self._recording = recording
        self._alarms = alarms
        self._explaining = explaining
        self._slots = asyncio.Semaphore(settings.checks.concurrency)

    async def _round(self) -> float:
        if await self.sweep_once() == self._settings.batch:
            return 0.0
        async with self._database.read() as connection:
            due = await processes.next_due(connection)
        return max(0.2, seconds_until(due, self._clock, at_most=_POLL))

    async def sweep_once(self) -> int:
        """Look at one batch of what is due; give how many. While checks are held it looks at nothing."""
        now = self._clock()
        async with self._database.write() as connection:
            if await holds.held_until(connection, holds.CHECKS, now):
                return 0
            trial = await holds.on_trial(connection, holds.CHECKS)  # after an outage a few go first
            claims = await processes.claim_due(connection, now, MANY if trial else self._settings.batch)
        if not claims:
            return 0
        looks = await self._look_at_all(claims)
        failed = [look for look in looks if look.failed]
        if await self._is_our_node(failed, looks):
            await self._hold(claims, len(failed))
            return len(claims)
        if trial:
            async with self._database.write() as connection:
                await holds.release(connection, holds.CHECKS, now)
        await self._recording.record(looks)
        return len(claims)

    async def _look_at_all(self, claims: Sequence[Claim]) -> list[Look]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._look_or_put_back(claim)) for claim in claims]
        return [look for task in tasks if (look := task.result()) is not None]

    async def _look_or_put_back(self, claim: Claim) -> Look | None:
        """Look; a fault of ours with one process must not end the looks at all the others."""
        try:
            return await self._look_at(claim, Urgency.SWEEP)
        except Exception:
            log.exception("a look failed", process=claim.process.process)
            async with self._database.write() as connection:
                await processes.put_back(connection, [claim], self._clock() + AFTER_A_FAULT)
            return None

    async def _look_at(self, claim: Claim, urgency: Urgency, say: Say | None = None) -> Look:
        async with self._slots if urgency is Urgency.SWEEP else nullcontext():  # people have a line of their own
            reading = await self._reader.read(
                claim.process.process,
                required_of(claim.targets),
                memory=recall(claim.process),
                status=claim.known,
                urgency=urgency,
                progress=say,
            )
            self.pulse.beat()
        return Look(claim, reading)

    async def _is_our_node(self, failed: Sequence[Look], looks: Sequence[Look]) -> bool:
        if not failed:
            return False
        if len(failed) >= MANY and 2 * len(failed) >= len(looks):
            return True
        return not any(node.healthy for node in await self._reader.healthy_nodes())

    async def _hold(self, claims: Sequence[Claim], failed: int) -> None:
        now = self._clock()
        async with self._database.write() as connection:
            until = await holds.hold(connection, holds.CHECKS, now=now, first=_FIRST_HOLD, longest=_LONGEST_HOLD)
            await processes.put_back(connection, claims, until)
            await self._alarms.ring_in(
                connection,
                "nodes",
                f"{failed} of {len(claims)} checks failed at once: I take it that our nodes are at fault. No status "
                f"changes and nobody is reminded before <t:{int(until.timestamp())}:t>; then I try again.",
                now,
            )

    async def check_now(
        self, user_id: int, process: ProcessId, progress: Say | None = None, *, latest: float | None = None
    ) -> StatusCard:
        """Look at a process that this person follows, and give its card. Raises NotYours; never a PeerError.

        `latest`: of `patience`, where one command looks at several.
        """
        async with self._database.read() as connection:
            if not await registrations.of_person(connection, user_id, process):
                raise NotYours("You don't follow that process. /register adds it.")
        async with self._reader.line.turn(progress, latest=latest):  # before the lease, which would run out meanwhile
            look = await self._look_now(process, Urgency.REGISTERED, progress, asker=user_id)
        async with self._database.read() as connection:
            mine = await registrations.of_person(connection, user_id, process)
            known = await processes.find(connection, process)
            targets = (await processes.targets_of(connection, [process]))[process]
            person = await people.find(connection, user_id)
            rest = await resting(connection, self._reminders, now := self._clock())
        if not mine or known is None or person is None:
            raise NotYours("You don't follow that process any more.")
        by_id = {target.id: target for target in targets}
        if look is not None:  # shown also where nothing is concluded from it
            seen = by_target(look.reading, look.claim.targets, now)
            mine = [replace(each, seen=seen.get(each.target_id, each.seen)) for each in mine]
        cards = [
            make_card(each, known, by_id[each.target_id], person, checks=self._settings, now=now, resting=rest)
            for each in mine
        ]
        return (await self._explaining.explain(one_each(cards)))[0]

    def patience(self) -> float:
        """Give until when a command that begins now may wait for all the looks it asks for."""
        return self._reader.line.latest()

    async def _look_now(
        self, process: ProcessId, urgency: Urgency, say: Say | None = None, *, asker: int | None = None
    ) -> Look | None:
        """Take the process over, look and write. None where nobody follows it."""
        async with self._database.write() as connection:
            claims = await processes.claim(connection, [process], self._clock())
            if asker is not None:
                await privacy.note_seen(connection, asker, self._clock())
        if not claims:
            return None
        look = await self._look_at(claims[0], urgency, say)
        if look.failed and not any(node.healthy for node in await self._reader.healthy_nodes()):
            async with self._database.write() as connection:
                await processes.put_back(connection, claims, self._clock() + _FIRST_HOLD)
        else:
            await self._recording.record([replace(look, asker=asker, signed=urgency is Urgency.SIGNED)])
        return look

    async def look(
        self, user_id: int, process: ProcessId, keys: Sequence[str] = (), progress: Say | None = None
    ) -> StatusCard:
        """Look at any process; nothing is stored. Raises MalformedKey; never a PeerError."""
        required = parse_keys(keys)
        async with self._reader.line.turn(progress):
            reading = await self._reader.read(process, (required,), urgency=Urgency.REGISTERED, progress=progress)
        judgement = reading.judgements[0]
        now = self._clock()
        status = self._recording.advance(TargetStatus(), judgement, now)
        card = StatusCard(
            registration_id=0,
            process=process,
            role=Role.WATCHING,
            status=status.verdict,
            metadata=reading.metadata,
            keys=required,
            latest=judgement,
            checked_at=now,
            evidence=reading.evidence,
            requests=reading.requests,
            no_sign_link=NoSignLink.PATCHED if status.verdict is Verdict.PATCHED else NoSignLink.WATCHING,
        )
        return (await self._explaining.explain([card]))[0]

    async def signed(self, process: ProcessId) -> StatusCard | None:
        """Look again and again through `now`, for about a minute, until the process is patched; then give `standing`.

        None where nobody follows it. The caller (`bot.web.watches`) bounds how many run, and how often for one process.
        """
        async with self._database.write() as connection:
            await processes.note_signature(connection, process, self._clock())
        for pause in _AFTER_SIGNATURE:
            await asyncio.sleep(pause * self._settings.after_signature.total_seconds())
            if self.stopping or await self._look_now(process, Urgency.SIGNED) is None:
                break
            card = await self.standing(process)
            if card is None or card.status is Verdict.PATCHED:
                break
        return await self.standing(process)

    async def standing(self, process: ProcessId) -> StatusCard | None:
        """Give what is known of a process without asking anybody, and nothing of who follows it; None if nobody does.

        Where it is judged by several sets of keys the one that is furthest from patched is shown.
        """
        async with self._database.read() as connection:
            known = await processes.find(connection, process)
            targets = (await processes.targets_of(connection, [process]))[process]
        if known is None or not targets:
            return None
        target = next((each for each in targets if each.status.verdict is not Verdict.PATCHED), targets[0])
        seen = target.seen
        return StatusCard(
            registration_id=0,
            process=process,
            role=Role.MINE,
            status=target.status.verdict,
            metadata=known.metadata,
            keys=target.required,
            latest=seen.judgement if seen else None,
            checked_at=seen.at if seen else None,
            evidence=seen.evidence if seen else (),
            requests=seen.requests if seen else 0,
            next_check=known.next_look_at,
        )


def required_of(targets: Sequence[Target]) -> list[tuple[StateKey, ...]]:
    """Give the sets of keys to ask for, in the order of the targets."""
    return [target.required for target in targets]


def recall(process: Process) -> Memory | None:
    """Give what the last look left for this one; None, and a slower look, where an older version wrote it."""
    if process.memory is None:
        return None
    try:
        return MEMORY.validate_json(process.memory)
    except ValueError:
        log.warning("memory of another version", process=process.process)
        return None


def parse_keys(keys: Sequence[str]) -> tuple[StateKey, ...]:
    """Give the keys sorted, each once. Raises MalformedKey, and BadInput for more than ten."""
    if len(keys) > _KEYS_AT_MOST:
        raise BadInput("At most {most} keys, please; these are {number}.", most=_KEYS_AT_MOST, number=len(keys))
    return tuple(sorted({parse_key(key) for key in keys}))
