"""Sending out of the outbox: a message is leased, and what became of it is written only while the lease is ours."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notices import Notice
from bot.store.outbox import Message, State
from bot.store.tables import outbox, people

LEASE = timedelta(minutes=3)
"""Longer than a look for it and a send may take together; a copy that died gives its messages back after it."""


async def claim(connection: AsyncConnection, now: datetime, *, new_conversations: bool) -> int | None:
    """Lease the message that is due and goes first, and give its id, or None.

    Without `new_conversations` only those go whose conversation is open. While one message to a person or channel is
    being sent no other to the same one is, so that they arrive in order.
    """
    free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
    busy = outbox.alias("busy")
    same = or_(
        busy.c.user_id == outbox.c.user_id, and_(busy.c.user_id.is_(None), busy.c.channel_id == outbox.c.channel_id)
    )
    # Only owed ones have a lease. Saying so again would make SQLite walk all that is owed, for each claim.
    in_flight = select(busy.c.id).where(busy.c.lease_until > now, busy.c.id != outbox.c.id, same)
    conditions = [outbox.c.state == State.OWED, outbox.c.next_try_at <= now, free, ~in_flight.exists()]
    if not new_conversations:
        opened = select(people.c.user_id).where(
            people.c.user_id == outbox.c.user_id, people.c.dm_channel_id.is_not(None)
        )
        conditions.append(or_(outbox.c.user_id.is_(None), opened.exists()))
    chosen = (
        select(outbox.c.id)
        .where(*conditions)
        .order_by(outbox.c.priority, outbox.c.next_try_at, outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(outbox)
        .where(outbox.c.id.in_(chosen.scalar_subquery()))
        .values(lease_until=now + LEASE, lease_token=secrets.token_hex(16), attempts=outbox.c.attempts + 1)
        .returning(outbox.c.id)
    )
    return await connection.scalar(taken)


async def begin_attempt(connection: AsyncConnection, message: Message, now: datetime) -> Message:
    """Write down, before the first byte goes, that from now on Discord may have it; give it as it is now.

    What is uncertain stays so, whatever later attempts are answered: only a look into the conversation ends it. Until
    then it may show the edition of the first attempt.
    """
    if message.uncertain_since is not None:
        return message
    await connection.execute(
        update(outbox).where(_ours(message)).values(uncertain_since=now, shown_edition=message.edition)
    )
    return replace(message, uncertain_since=now, shown_edition=message.edition)


async def is_certain(connection: AsyncConnection, message: Message) -> Message:
    """Write that Discord does not have it: it was looked for. Give it as it is now."""
    await connection.execute(update(outbox).where(_ours(message)).values(uncertain_since=None))
    return replace(message, uncertain_since=None)


async def rewrite(connection: AsyncConnection, message: Message, notice: Notice) -> Message:
    """Put another notice of the same kind into a message that was never tried; give it as it is now."""
    await connection.execute(update(outbox).where(_ours(message)).values(notice=notice))
    return replace(message, notice=notice)


async def settle(connection: AsyncConnection, message: Message, **values: Any) -> bool:
    """Write what became of an attempt and end its lease; False, and nothing written, where the lease is not ours."""
    changed = await connection.execute(
        update(outbox).where(_ours(message)).values(lease_until=None, lease_token=None, **values)
    )
    return changed.rowcount == 1


def _ours(message: Message) -> Any:
    return and_(outbox.c.id == message.id, outbox.c.lease_token == message.lease_token)


async def set_aside(connection: AsyncConnection, delivery_id: int, until: datetime, reason: str) -> None:
    """End the lease of a message that we cannot even look at, so that it does not keep the others waiting."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == delivery_id, outbox.c.state == State.OWED)
        .values(next_try_at=until, lease_until=None, lease_token=None, reason=reason)
    )


async def release_all(connection: AsyncConnection) -> None:
    """End every lease: for the only copy, at its start, when whoever held one is dead."""
    await connection.execute(
        update(outbox).where(outbox.c.lease_token.is_not(None)).values(lease_until=None, lease_token=None)
    )
