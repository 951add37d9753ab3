"""What is owed to messages that arrived: an edit where they have more to say since, or their deletion.

Neither is leased: done twice, by a crash in between, is as good as once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.outbox import REMINDS, Message, State, find
from bot.store.tables import outbox


async def replace_older(connection: AsyncConnection, message: Message, now: datetime) -> None:
    """Owe the deletion of the reminders, and mentions instead of one, that this person was sent before this one."""
    await connection.execute(
        update(outbox)
        .where(
            outbox.c.recipient_id == message.recipient_id,
            outbox.c.kind.in_(REMINDS),
            outbox.c.state == State.SENT,
            outbox.c.id < message.id,
        )
        .values(state=State.REPLACED.value, next_try_at=now, attempts=0)
    )


async def next_to_edit(connection: AsyncConnection, now: datetime) -> Message | None:
    """Give the one that first shows less than it has to say."""
    return await _first(connection, now, outbox.c.state == State.SENT, outbox.c.shown_edition < outbox.c.edition)


async def next_to_delete(connection: AsyncConnection, now: datetime) -> Message | None:
    """Give the replaced one whose deletion is due first."""
    return await _first(connection, now, outbox.c.state == State.REPLACED)


async def _first(connection: AsyncConnection, now: datetime, *conditions: Any) -> Message | None:
    due = (
        select(outbox.c.id)
        .where(*conditions, outbox.c.next_try_at <= now)
        .order_by(outbox.c.next_try_at, outbox.c.id)
        .limit(1)
    )
    delivery_id = await connection.scalar(due)
    return None if delivery_id is None else await find(connection, delivery_id)


async def put_off(connection: AsyncConnection, message: Message, until: datetime) -> None:
    """Try it again later."""
    await connection.execute(
        update(outbox).where(outbox.c.id == message.id).values(next_try_at=until, attempts=outbox.c.attempts + 1)
    )


async def edited(connection: AsyncConnection, message: Message) -> bool:
    """Write that it shows what it had to say when it was given to us; what joined since is still owed.

    False where it is known no more: somebody had everything about them erased meanwhile.
    """
    changed = await connection.execute(
        update(outbox).where(outbox.c.id == message.id).values(shown_edition=message.edition)
    )
    return changed.rowcount == 1


async def deleted(connection: AsyncConnection, message: Message) -> None:
    """Write that it is gone, or that it cannot be deleted."""
    await connection.execute(update(outbox).where(outbox.c.id == message.id).values(state=State.DELETED.value))
