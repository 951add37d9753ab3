"""Processes, observed once each, and their targets: what is judged of them, for each set of required keys."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.card import Metadata, Seen
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.status import TargetStatus
from bot.store.columns import build, upsert
from bot.store.tables import processes, registrations, targets

LEASE = timedelta(minutes=10)
"""Longer than any look at one process; a copy that died gives its work back after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One row of `processes`. `memory` is JSON of `bot.ao`'s own."""

    process: ProcessId
    created_at: datetime
    metadata: Metadata | None
    memory: str | None
    checked_at: datetime | None
    next_look_at: datetime
    signed_at: datetime | None
    lease_until: datetime | None
    lease_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One row of `targets`: a process judged by a set of required keys (sorted; none: any exposed key will do).

    `seen` is the newest look that all who follow it may see. There may have been others since.
    """

    id: int
    process: ProcessId
    required: tuple[StateKey, ...]
    status: TargetStatus
    verdict: Verdict
    seen: Seen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A process that is ours to look at until `LEASE` is over, and all that is judged of it."""

    process: Process
    targets: tuple[Target, ...]
    token: str
    anew: frozenset[int] = frozenset()

    @property
    def known(self) -> list[TargetStatus]:
        """The status of each target, blank where it must be proven to somebody anew (`anew`: the ids of these)."""
        return [TargetStatus() if target.id in self.anew else target.status for target in self.targets]


async def find(connection: AsyncConnection, process: ProcessId) -> Process | None:
    """Give a process that somebody follows, or None."""
    row = (await connection.execute(select(processes).where(processes.c.process == process))).mappings().one_or_none()
    return None if row is None else build(Process, row)


async def find_many(connection: AsyncConnection, wanted: Sequence[ProcessId]) -> dict[ProcessId, Process]:
    """Give those of these processes that somebody follows."""
    rows = (await connection.execute(select(processes).where(processes.c.process.in_(wanted)))).mappings()
    return {process.process: process for process in (build(Process, row) for row in rows)}


async def names(connection: AsyncConnection, wanted: Sequence[ProcessId]) -> dict[ProcessId, str]:
    """Give what gateways call those of these processes that have a name."""
    query = select(processes.c.process, processes.c.metadata).where(processes.c.process.in_(wanted))
    rows = (await connection.execute(query)).all()
    return {row.process: row.metadata.name for row in rows if row.metadata is not None and row.metadata.name}


async def remember(connection: AsyncConnection, process: ProcessId, *, now: datetime) -> None:
    """Make the process where it is new; its first look is due at once."""
    made = upsert(connection, processes).values(process=process, created_at=now, next_look_at=now)
    await connection.execute(made.on_conflict_do_nothing())


async def remember_target(
    connection: AsyncConnection, process: ProcessId, required: tuple[StateKey, ...], fresh: TargetStatus
) -> Target:
    """Give the target, locked; made with the status `fresh` where it is new."""
    made = upsert(connection, targets).values(process=process, required=required, status=fresh, verdict=fresh.verdict)
    await connection.execute(made.on_conflict_do_nothing())
    query = select(targets).where(targets.c.process == process, targets.c.required == required).with_for_update()
    return build(Target, (await connection.execute(query)).mappings().one())


async def targets_of(
    connection: AsyncConnection, wanted: Sequence[ProcessId], *, lock: bool = False
) -> dict[ProcessId, list[Target]]:
    """Give what is judged of each of these processes."""
    query = select(targets).where(targets.c.process.in_(wanted)).order_by(targets.c.id)
    found: dict[ProcessId, list[Target]] = {process: [] for process in wanted}
    for row in (await connection.execute(query.with_for_update() if lock else query)).mappings():
        target = build(Target, row)
        found[target.process].append(target)
    return found


async def claim_due(connection: AsyncConnection, now: datetime, limit: int) -> list[Claim]:
    """Lease up to `limit` processes whose look is due, the longest due first."""
    free = or_(processes.c.lease_until.is_(None), processes.c.lease_until <= now)
    chosen = (
        select(processes.c.process)
        .where(processes.c.next_look_at <= now, free)
        .order_by(processes.c.next_look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return await _lease(connection, processes.c.process.in_(chosen.scalar_subquery()), now)


async def claim(connection: AsyncConnection, wanted: Sequence[ProcessId], now: datetime) -> list[Claim]:
    """Lease these, even from somebody who is looking: a look that a person waits for wins, the other's is void."""
    return await _lease(connection, processes.c.process.in_(wanted), now)


async def _lease(connection: AsyncConnection, condition: object, now: datetime) -> list[Claim]:
    token = secrets.token_hex(16)
    taken = (
        update(processes)
        .where(condition)  # pyright: ignore[reportArgumentType] -- a column expression; SQLAlchemy has no public name for both kinds
        .values(lease_until=now + LEASE, lease_token=token)
        .returning(*processes.c)
    )
    rows = [build(Process, row) for row in (await connection.execute(taken)).mappings()]
    judged = await targets_of(connection, [row.process for row in rows])
    rows.sort(key=lambda row: row.next_look_at)
    newcomers = select(registrations.c.target_id).where(
        registrations.c.process.in_([row.process for row in rows]), registrations.c.own.is_not(None)
    )
    anew = frozenset(await connection.scalars(newcomers))
    return [Claim(process=row, targets=tuple(judged[row.process]), token=token, anew=anew) for row in rows]


async def lock(connection: AsyncConnection, process: ProcessId) -> None:
    """Let nobody else write this process before the transaction ends."""
    await connection.execute(select(processes.c.process).where(processes.c.process == process).with_for_update())


async def keep_lease(connection: AsyncConnection, claim: Claim) -> bool:
    """Lock the process and tell whether it is still ours. Nothing of a look is written before this said yes."""
    query = select(processes.c.lease_token).where(processes.c.process == claim.process.process).with_for_update()
    return (await connection.scalar(query)) == claim.token


async def record(
    connection: AsyncConnection,
    process: ProcessId,
    *,
    metadata: Metadata | None,
    memory: str,
    now: datetime,
    next_look_at: datetime,
) -> None:
    """Write a look and end its lease. Metadata that could not be had this time is kept as it was."""
    kept = {} if metadata is None else {"metadata": metadata}
    await connection.execute(
        update(processes)
        .where(processes.c.process == process)
        .values(
            memory=memory,
            checked_at=now,
            next_look_at=next_look_at,
            lease_until=None,
            lease_token=None,
            **kept,
        )
    )


async def record_target(connection: AsyncConnection, target_id: int, status: TargetStatus, seen: Seen) -> None:
    """Write what a look came to for one target, and which look people are shown."""
    await connection.execute(
        update(targets).where(targets.c.id == target_id).values(status=status, verdict=status.verdict, seen=seen)
    )


async def note_signature(connection: AsyncConnection, process: ProcessId, now: datetime) -> None:
    """Remember that its owner says that they signed: looks come quickly for a while."""
    await connection.execute(
        update(processes).where(processes.c.process == process).values(signed_at=now, next_look_at=now)
    )


async def put_back(connection: AsyncConnection, claims: Sequence[Claim], next_look_at: datetime) -> None:
    """End these leases with nothing learned; look again then."""
    for token in {claim.token for claim in claims}:
        names = [claim.process.process for claim in claims if claim.token == token]
        await connection.execute(
            update(processes)
            .where(processes.c.process.in_(names), processes.c.lease_token == token)
            .values(next_look_at=next_look_at, lease_until=None, lease_token=None)
        )


async def release_all(connection: AsyncConnection) -> None:
    """End every lease: for the only copy, at its start, when whoever held one is dead."""
    await connection.execute(update(processes).values(lease_until=None, lease_token=None))


async def forget_unfollowed(connection: AsyncConnection, process: ProcessId) -> None:
    """Delete the process's targets that nobody follows any more, and the process with its last."""
    followed = exists().where(registrations.c.target_id == targets.c.id)
    await connection.execute(delete(targets).where(targets.c.process == process, ~followed))
    known = exists().where(registrations.c.process == processes.c.process)
    await connection.execute(delete(processes).where(processes.c.process == process, ~known))


async def next_due(connection: AsyncConnection) -> datetime | None:
    """Give when the next look is due, or None where nothing is followed."""
    return await connection.scalar(select(func.min(processes.c.next_look_at)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """When a process was looked at last and when it will be next."""

    process: ProcessId
    checked_at: datetime
    next_look_at: datetime


async def waiting_unpatched(
    connection: AsyncConnection, *, due_after: datetime, now: datetime, after: str, limit: int
) -> list[Waiting]:
    """Give, in the order of their ids, processes behind `after` that are not patched and wait idly for a later look."""
    idle = or_(processes.c.lease_until.is_(None), processes.c.lease_until <= now)
    unpatched = exists().where(targets.c.process == processes.c.process, targets.c.verdict != Verdict.PATCHED)
    query = (
        select(processes.c.process, processes.c.checked_at, processes.c.next_look_at)
        .where(processes.c.process > after, processes.c.next_look_at > due_after, processes.c.checked_at.is_not(None))
        .where(idle, unpatched)
        .order_by(processes.c.process)
        .limit(limit)
    )
    return [build(Waiting, row) for row in (await connection.execute(query)).mappings()]


async def look_sooner(connection: AsyncConnection, moments: Mapping[ProcessId, datetime], now: datetime) -> None:
    """Move the next look at each of these forward to its moment; one that is due before, or being looked at, stays."""
    idle = or_(processes.c.lease_until.is_(None), processes.c.lease_until <= now)
    for process, moment in sorted(moments.items()):  # in one order, so that two that lock the same rows never cross
        await connection.execute(
            update(processes)
            .where(processes.c.process == process, processes.c.next_look_at > moment, idle)
            .values(next_look_at=moment)
        )
