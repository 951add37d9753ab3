"""Migrations: the campaigns of communities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Subquery, case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.card import FOR_DEVELOPERS, Role
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.store.columns import build
from bot.store.tables import migrations, registrations, targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One row of `migrations`. A draft has no `posted_at`."""

    id: int
    guild_id: int
    guild_name: str | None
    channel_id: int
    created_by: int
    created_at: datetime
    locale: str
    title: str
    deadline: datetime | None
    preset: str
    required: tuple[StateKey, ...]
    action: str
    posted_at: datetime | None
    delivery_id: int | None


async def add(connection: AsyncConnection, **values: Any) -> int:
    """Add a draft and give its id."""
    return (await connection.execute(insert(migrations).values(**values).returning(migrations.c.id))).scalar_one()


async def find(connection: AsyncConnection, migration_id: int, *, lock: bool = False) -> Migration | None:
    """Give a migration, draft or not, or None."""
    query = select(migrations).where(migrations.c.id == migration_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else build(Migration, row)


async def of_guild(connection: AsyncConnection, guild_id: int, limit: int = 25) -> list[Migration]:
    """Give a guild's posted migrations, newest first."""
    query = select(migrations).where(migrations.c.guild_id == guild_id, migrations.c.posted_at.is_not(None))
    rows = (await connection.execute(query.order_by(migrations.c.id.desc()).limit(limit))).mappings()
    return [build(Migration, row) for row in rows]


async def change(connection: AsyncConnection, migration_id: int, **values: Any) -> None:
    """Set columns of one migration."""
    await connection.execute(update(migrations).where(migrations.c.id == migration_id).values(**values))


async def counts(connection: AsyncConnection, migration_id: int) -> dict[tuple[Verdict, bool, bool], int]:
    """Count distinct processes registered as *Mine*, by (confirmed status, blocked, told to be unreadable), each once.

    A process that several people registered counts as blocked only where it is for all of them, and by its status as
    soon as one of them may know it.
    """
    each = _each(migration_id)
    told = each.c.told > 0
    query = select(each.c.verdict, each.c.blocked, told.label("told"), func.count().label("number"))
    rows = await connection.execute(query.group_by(each.c.verdict, each.c.blocked, told))
    return {(Verdict(row.verdict), bool(row.blocked), bool(row.told)): row.number for row in rows}


async def count_for_developers(connection: AsyncConnection, migration_id: int) -> int:
    """Count those that are blocked, not patched, and only an app's developers can help."""
    each = _each(migration_id)
    query = select(func.count()).where(each.c.blocked, each.c.developers > 0, each.c.verdict != Verdict.PATCHED)
    return await connection.scalar(query.select_from(each)) or 0


def _each(migration_id: int) -> Subquery:
    """Give one row for each process that somebody registered as *Mine*."""
    nobody_may_know = func.count(registrations.c.own) == func.count()
    for_developers = registrations.c.blocked.in_(reason.value for reason in FOR_DEVELOPERS)
    return (
        select(
            registrations.c.process,
            case((nobody_may_know, Verdict.UNKNOWN.value), else_=func.max(targets.c.verdict)).label("verdict"),
            (func.count(registrations.c.blocked) == func.count()).label("blocked"),
            func.count(case((registrations.c.told_unreadable, 1))).label("told"),
            func.count(case((for_developers, 1))).label("developers"),
        )
        .join(targets, targets.c.id == registrations.c.target_id)
        .where(registrations.c.migration_id == migration_id, registrations.c.role == Role.MINE)
        .group_by(registrations.c.process)
        .subquery()
    )
