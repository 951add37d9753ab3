"""Tickets, by the hash of their raw value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.process_id import ProcessId
from bot.store.tables import ticket_messages, ticket_registrations, tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMessage:
    """A message that was signed for a process: its id, and whether it installs the handler or only enables it."""

    process: ProcessId
    message: str
    installs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One row of `tickets`, the registrations on it that still exist, and what was signed last for each process."""

    hash: str
    user_id: int
    expires_at: datetime
    registration_ids: tuple[int, ...]
    signed: Mapping[ProcessId, SignedMessage]


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
    messages = select(ticket_messages).where(ticket_messages.c.hash == hashed)
    signed = [
        SignedMessage(process=each["process"], message=each["message"], installs=each["installs"])
        for each in (await connection.execute(messages)).mappings()
    ]
    return Ticket(
        hash=row["hash"],
        user_id=row["user_id"],
        expires_at=row["expires_at"],
        registration_ids=tuple(listed),
        signed={each.process: each for each in signed},
    )


async def opens_for(connection: AsyncConnection, hashed: str, registration_ids: Collection[int], now: datetime) -> bool:
    """Tell whether a ticket has not expired, and all of these registrations are on it."""
    query = (
        select(func.count())
        .select_from(tickets.join(ticket_registrations, ticket_registrations.c.hash == tickets.c.hash))
        .where(
            tickets.c.hash == hashed,
            tickets.c.expires_at > now,
            ticket_registrations.c.registration_id.in_(registration_ids),
        )
    )
    return await connection.scalar(query) == len(registration_ids)


async def keep_signed(connection: AsyncConnection, hashed: str, messages: Sequence[SignedMessage]) -> None:
    """Keep these messages with a ticket, each in place of what was signed for its process before."""
    await forget_signed(connection, hashed, [each.process for each in messages])
    rows = [
        {"hash": hashed, "process": each.process, "message": each.message, "installs": each.installs}
        for each in messages
    ]
    if rows:
        await connection.execute(insert(ticket_messages), rows)


async def forget_signed(connection: AsyncConnection, hashed: str, processes: Sequence[ProcessId]) -> None:
    """Forget what was signed for these: the network never took it."""
    await connection.execute(
        delete(ticket_messages).where(ticket_messages.c.hash == hashed, ticket_messages.c.process.in_(processes))
    )


async def end_for(connection: AsyncConnection, user_id: int) -> None:
    """End every ticket of a person."""
    await connection.execute(delete(tickets).where(tickets.c.user_id == user_id))


async def end_expired(connection: AsyncConnection, now: datetime) -> None:
    """Delete tickets that have expired."""
    await connection.execute(delete(tickets).where(tickets.c.expires_at <= now))
