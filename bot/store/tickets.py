"""Tickets, by the hash of their raw value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import ticket_registrations, tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One row of `tickets`, and the registrations on it that still exist."""

    hash: str
    user_id: int
    expires_at: datetime
    registration_ids: tuple[int, ...]


async def add(
    connection: AsyncConnection,
    hashed: str,
    user_id: int,
    registration_ids: Sequence[int],
    *,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Store a new ticket."""
    await connection.execute(
        insert(tickets).values(hash=hashed, user_id=user_id, created_at=now, expires_at=expires_at)
    )
    if registration_ids:
        rows = [{"hash": hashed, "registration_id": registration_id} for registration_id in registration_ids]
        await connection.execute(insert(ticket_registrations), rows)


async def find(connection: AsyncConnection, hashed: str, now: datetime) -> Ticket | None:
    """Give a ticket that has not expired, or None."""
    query = select(tickets).where(tickets.c.hash == hashed, tickets.c.expires_at > now)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    ids = select(ticket_registrations.c.registration_id).where(ticket_registrations.c.hash == hashed)
    listed = (await connection.scalars(ids.order_by(ticket_registrations.c.registration_id))).all()
    return Ticket(
        hash=row["hash"], user_id=row["user_id"], expires_at=row["expires_at"], registration_ids=tuple(listed)
    )


async def end_for(connection: AsyncConnection, user_id: int) -> None:
    """End every ticket of a person."""
    await connection.execute(delete(tickets).where(tickets.c.user_id == user_id))


async def end_expired(connection: AsyncConnection, now: datetime) -> None:
    """Delete tickets that have expired."""
    await connection.execute(delete(tickets).where(tickets.c.expires_at <= now))
