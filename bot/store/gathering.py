"""What one person is being sent or was just sent: more of the same joins it, and is no second message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notices import Notice
from bot.store.outbox import State
from bot.store.tables import outbox


class Recent(NamedTuple):
    """A message to somebody; `waits` where nobody tried to send it yet."""

    delivery_id: int
    notice: Notice
    waits: bool


_NEVER_TRIED = and_(outbox.c.state == State.OWED, outbox.c.attempts == 0, outbox.c.lease_token.is_(None))


async def untried(connection: AsyncConnection, user_id: int, kind: str) -> Recent | None:
    """Give the newest message of this kind to this person that nobody tried to send yet, locked, or None."""
    return (await _newest(connection, [user_id], kind, _NEVER_TRIED)).get(user_id)


async def since(connection: AsyncConnection, user_ids: Sequence[int], kind: str, moment: datetime) -> dict[int, Recent]:
    """Give the newest of this kind that is on its way to each of these people or went after `moment`, locked."""
    went = and_(outbox.c.state == State.SENT, outbox.c.done_at > moment)
    return await _newest(connection, user_ids, kind, or_(outbox.c.state == State.OWED, went))


async def _newest(
    connection: AsyncConnection, user_ids: Sequence[int], kind: str, condition: ColumnElement[bool]
) -> dict[int, Recent]:
    query = (
        select(outbox.c.recipient_id, outbox.c.id, outbox.c.notice, _NEVER_TRIED.label("waits"))
        .where(outbox.c.recipient_id.in_(user_ids), outbox.c.kind == kind, condition)
        .order_by(outbox.c.id)
        .with_for_update()
    )
    rows = await connection.execute(query)
    return {row.recipient_id: Recent(row.id, row.notice, bool(row.waits)) for row in rows}


async def join(connection: AsyncConnection, delivery_id: int, notice: Notice, *, due: datetime | None = None) -> None:
    """Put a notice that says more into a message; one that was sent before is edited (`bot.store.arrived`).

    `due` is when to look at it next, where that is to change.
    """
    values = {"notice": notice, "edition": outbox.c.edition + 1} | ({} if due is None else {"next_try_at": due})
    await connection.execute(update(outbox).where(outbox.c.id == delivery_id).values(**values))


async def newest_sent(connection: AsyncConnection, user_id: int, *kinds: str) -> datetime | None:
    """Give when the newest message of these kinds to this person went, or None."""
    sent = (State.SENT, State.REPLACED, State.DELETED)
    query = select(func.max(outbox.c.done_at)).where(
        outbox.c.recipient_id == user_id, outbox.c.kind.in_(kinds), outbox.c.state.in_(sent)
    )
    return await connection.scalar(query)
