"""Sent reminders that a newer one replaced: their deletion is owed, in the transaction that records the newer one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.outbox import Message, State, find
from bot.store.tables import outbox


async def replace_older(connection: AsyncConnection, message: Message, now: datetime) -> None:
    """Owe the deletion of those of its kind that this person was sent before this one."""
    await connection.execute(
        update(outbox)
        .where(
            outbox.c.user_id == message.user_id,
            outbox.c.kind == message.kind,
            outbox.c.state == State.SENT,
            outbox.c.id < message.id,
        )
        .values(state=State.REPLACED.value, next_try_at=now, attempts=0)
    )


async def next_to_delete(connection: AsyncConnection, now: datetime) -> Message | None:
    """Give the one whose deletion is due first. It is not leased: deleting twice does no harm."""
    due = (
        select(outbox.c.id)
        .where(outbox.c.state == State.REPLACED, outbox.c.next_try_at <= now)
        .order_by(outbox.c.next_try_at)
        .limit(1)
    )
    delivery_id = await connection.scalar(due)
    return None if delivery_id is None else await find(connection, delivery_id)


async def put_off(connection: AsyncConnection, message: Message, until: datetime) -> None:
    """Try to delete it later."""
    await connection.execute(
        update(outbox).where(outbox.c.id == message.id).values(next_try_at=until, attempts=outbox.c.attempts + 1)
    )


async def settle(connection: AsyncConnection, message: Message) -> None:
    """Write that it is gone, or that it cannot be deleted."""
    await connection.execute(update(outbox).where(outbox.c.id == message.id).values(state=State.DELETED.value))
