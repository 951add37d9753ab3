"""What waits in the outbox for one person, so that more of the same joins it instead of being a second message."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, func, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notices import Notice
from bot.store.outbox import Message, State, find
from bot.store.tables import outbox


async def untried(connection: AsyncConnection, user_id: int, kind: str) -> tuple[int, Notice] | None:
    """Give the newest message of this kind to this person that nobody tried to send yet, locked, or None."""
    query = (
        select(outbox.c.id, outbox.c.notice)
        .where(
            outbox.c.user_id == user_id,
            outbox.c.kind == kind,
            outbox.c.state == State.OWED,
            outbox.c.attempts == 0,
            outbox.c.lease_token.is_(None),
        )
        .order_by(outbox.c.id.desc())
        .limit(1)
        .with_for_update()
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row.id, row.notice)


async def join(connection: AsyncConnection, delivery_id: int, notice: Notice) -> None:
    """Put a notice that says more into a message that `untried` gave."""
    await connection.execute(update(outbox).where(outbox.c.id == delivery_id).values(notice=notice))


async def newest_sent(connection: AsyncConnection, user_id: int, *kinds: str) -> datetime | None:
    """Give when the newest message of these kinds to this person went, or None."""
    sent = (State.SENT, State.REPLACED, State.DELETED)
    query = select(func.max(outbox.c.done_at)).where(
        outbox.c.user_id == user_id, outbox.c.kind.in_(kinds), outbox.c.state.in_(sent)
    )
    return await connection.scalar(query)


async def mentions_of(connection: AsyncConnection, user_id: int, limit: int = 25) -> list[Message]:
    """Give the newest mentions of a person: they went to a channel, and have the person in the notice only."""
    query = (
        select(outbox.c.id)
        .where(
            outbox.c.kind == "mention",
            outbox.c.user_id.is_(None),
            type_coerce(outbox.c.notice, Text).like(f'%"user_id":{user_id},%'),
        )
        .order_by(outbox.c.id.desc())
        .limit(limit)
    )
    found = [await find(connection, delivery_id) for delivery_id in (await connection.scalars(query)).all()]
    return [message for message in found if message is not None]
