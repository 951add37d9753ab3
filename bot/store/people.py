"""People: their safe word, how they can be reached, and when they are reminded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.columns import build, upsert
from bot.store.gathering import newest_sent
from bot.store.outbox import REMINDS
from bot.store.tables import allowances, people

_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One row of `people`."""

    user_id: int
    safe_word: str
    locale: str
    name_hint: str
    created_at: datetime
    active_at: datetime | None
    may_be_named: bool
    dm_channel_id: int | None
    unreachable_code: int | None
    stopped_at: datetime | None
    snoozed_until: datetime | None
    reminders_sent: int
    last_reminder_at: datetime | None
    next_reminder_at: datetime | None
    zone: str | None
    hour: int | None
    quiet_from: int | None
    quiet_until: int | None
    apart_days: int | None
    stop_reason: str | None
    mention_guild_id: int | None


async def find(connection: AsyncConnection, user_id: int, *, lock: bool = False) -> Person | None:
    """Give the person, or None. With `lock`, nobody else changes what is theirs before this transaction ends."""
    return (await of(connection, [user_id], lock=lock)).get(user_id)


async def of(connection: AsyncConnection, user_ids: Sequence[int], *, lock: bool = False) -> dict[int, Person]:
    """Give those of these people that are known, by their id and in its order; with `lock`, as for one."""
    query = select(people).where(people.c.user_id.in_(user_ids)).order_by(people.c.user_id)
    rows = (await connection.execute(query.with_for_update() if lock else query)).mappings()
    return {row["user_id"]: build(Person, row) for row in rows}


async def remember(
    connection: AsyncConnection, user_id: int, *, safe_word: str, locale: str, name_hint: str, now: datetime
) -> Person:
    """Give the person, locked; made with this safe word where they are new. Their language is the newest they used."""
    newest = {"locale": locale, "active_at": now} | ({"name_hint": name_hint} if name_hint else {})
    await connection.execute(
        upsert(connection, people)
        .values(user_id=user_id, safe_word=safe_word, locale=locale, name_hint=name_hint, created_at=now)
        .on_conflict_do_update(index_elements=[people.c.user_id], set_=newest)
    )
    person = await find(connection, user_id, lock=True)
    if person is None:
        raise LookupError("a person vanished in the transaction that made them")
    return person


async def change(connection: AsyncConnection, user_id: int, **values: Any) -> None:
    """Set columns of one person."""
    await connection.execute(update(people).where(people.c.user_id == user_id).values(**values))


async def change_each(connection: AsyncConnection, values: Mapping[int, Mapping[str, Any]]) -> None:
    """Set the same columns of several people, for each to their own values."""
    if values:
        rows = [{"whose": user_id, **each} for user_id, each in values.items()]
        await connection.execute(update(people).where(people.c.user_id == bindparam("whose")), rows)


async def begin_again(connection: AsyncConnection, user_id: int) -> None:
    """Let this person's reminders begin anew, as by an act of theirs: whatever ended or silenced them is over.

    One that was withdrawn before it went keeps none away: the day counts from the newest that did go.
    """
    await change(
        connection,
        user_id,
        stopped_at=None,
        stop_reason=None,
        snoozed_until=None,
        unreachable_code=None,
        reminders_sent=0,
        last_reminder_at=await newest_sent(connection, user_id, *REMINDS, "regressed"),
    )


def in_portions(user_ids: Collection[int]) -> Iterator[list[int]]:
    """Give them in ascending order, a number at a time that one statement bears."""
    ascending = sorted(user_ids)
    for start in range(0, len(ascending), _AT_ONCE):
        yield ascending[start : start + _AT_ONCE]


async def are_due(connection: AsyncConnection, now: datetime, limit: int) -> list[int]:
    """Give whose reminder is due, unlocked."""
    query = select(people.c.user_id).where(people.c.next_reminder_at <= now)
    return list((await connection.scalars(query.order_by(people.c.next_reminder_at).limit(limit))).all())


async def due(connection: AsyncConnection, now: datetime, user_ids: Sequence[int]) -> Sequence[Person]:
    """Give, locked, those of these people whose reminder is due; those that another copy works on are skipped."""
    query = (
        select(people)
        .where(people.c.next_reminder_at <= now, people.c.user_id.in_(user_ids))
        .order_by(people.c.next_reminder_at)
        .with_for_update(skip_locked=True)
    )
    return [build(Person, row) for row in (await connection.execute(query)).mappings()]


async def next_due(connection: AsyncConnection) -> datetime | None:
    """Give when the next reminder is due, or None where none is planned."""
    return await connection.scalar(select(func.min(people.c.next_reminder_at)))


async def spend(connection: AsyncConnection, user_id: int, what: str, *, day: str, limit: int) -> bool:
    """Use one of a person's `limit` a day of something; False where none is left. Also for people not registered."""
    fresh = upsert(connection, allowances).values(user_id=user_id, what=what, day=day, used=0)
    await connection.execute(fresh.on_conflict_do_nothing())
    mine = (allowances.c.user_id == user_id) & (allowances.c.what == what)
    row = (await connection.execute(select(allowances).where(mine).with_for_update())).one()
    used = row.used if row.day == day else 0
    if used >= limit:
        return False
    await connection.execute(update(allowances).where(mine).values(day=day, used=used + 1))
    return True
