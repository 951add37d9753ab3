"""Servers: what moderators chose there, whether the bot is still in them, and who was when Discord was last asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.card import Reached, Role
from bot.domain.unreachable import NO_MUTUAL_SERVER
from bot.store.columns import build, upsert
from bot.store.tables import guilds, memberships, migrations, people, registrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Guild:
    """One row of `guilds`."""

    guild_id: int
    channel_id: int | None
    left_at: datetime | None
    paused_at: datetime | None
    forgiven: int


async def find(connection: AsyncConnection, guild_id: int, *, lock: bool = False) -> Guild | None:
    """Give what is known of a server, or None. With `lock`, nobody else changes it before this transaction ends."""
    query = select(guilds).where(guilds.c.guild_id == guild_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else build(Guild, row)


async def change(connection: AsyncConnection, guild_id: int, **values: Any) -> None:
    """Set columns of a server, which need not be known yet."""
    row = upsert(connection, guilds).values(guild_id=guild_id, **values)
    await connection.execute(row.on_conflict_do_update(index_elements=[guilds.c.guild_id], set_=values))


async def paused(connection: AsyncConnection) -> list[Guild]:
    """Give the servers whose reminders are paused, the longest first."""
    query = select(guilds).where(guilds.c.paused_at.is_not(None)).order_by(guilds.c.paused_at)
    return [build(Guild, row) for row in (await connection.execute(query)).mappings()]


async def paused_among(connection: AsyncConnection, guild_ids: Collection[int]) -> set[int]:
    """Give those of these servers whose reminders are paused."""
    query = select(guilds.c.guild_id).where(guilds.c.guild_id.in_(guild_ids), guilds.c.paused_at.is_not(None))
    return set((await connection.scalars(query)).all()) if guild_ids else set()


async def with_migrations(connection: AsyncConnection) -> dict[int, bool]:
    """Give every server that has a migration, and whether the bot was known to be in it."""
    query = (
        select(migrations.c.guild_id, guilds.c.left_at)
        .outerjoin(guilds, guilds.c.guild_id == migrations.c.guild_id)
        .distinct()
    )
    return {guild_id: left_at is None for guild_id, left_at in (await connection.execute(query)).all()}


async def is_stranger(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    """Tell whether a person was not in a server when Discord was last asked."""
    theirs = (memberships.c.guild_id == guild_id) & (memberships.c.user_id == user_id)
    return await connection.scalar(select(memberships.c.is_member).where(theirs)) is False


async def forget_stranger(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    """Forget that a person was not in a server; tell whether that was known."""
    where = (memberships.c.guild_id == guild_id, memberships.c.user_id == user_id, memberships.c.is_member.is_(False))
    return (await connection.execute(delete(memberships).where(*where))).rowcount > 0


async def who_agreed(connection: AsyncConnection, guild_id: int) -> list[int]:
    """Give everybody who agreed to be mentioned in this server."""
    return list((await connection.scalars(_agreed(guild_id).order_by(people.c.user_id))).all())


def _agreed(guild_id: int) -> Select[int]:
    return select(people.c.user_id).where(people.c.mention_guild_id == guild_id)


async def people_of(connection: AsyncConnection, guild_id: int) -> list[int]:
    """Give everybody whom this server can remind: of something of theirs in its migrations, or by a mention in it."""
    query = (
        select(registrations.c.user_id)
        .distinct()
        .join(migrations, migrations.c.id == registrations.c.migration_id)
        .where(migrations.c.guild_id == guild_id, registrations.c.role == Role.MINE)
    )
    return sorted({*(await connection.scalars(query)).all(), *(await connection.scalars(_agreed(guild_id))).all()})


async def guilds_of(connection: AsyncConnection, user_ids: Sequence[int]) -> list[int]:
    """Give the servers in whose migrations these people have something of theirs."""
    query = (
        select(migrations.c.guild_id)
        .distinct()
        .join(registrations, registrations.c.migration_id == migrations.c.id)
        .where(registrations.c.user_id.in_(user_ids), registrations.c.role == Role.MINE)
    )
    return list((await connection.scalars(query)).all())


async def reached(connection: AsyncConnection, guild_id: int) -> Reached:
    """Count how the people of a server can be reached. Who stopped counts as that, whatever else is so."""
    theirs = (
        select(registrations.c.user_id)
        .distinct()
        .join(migrations, migrations.c.id == registrations.c.migration_id)
        .where(migrations.c.guild_id == guild_id, registrations.c.role == Role.MINE)
    )
    going = people.c.stopped_at.is_(None)
    unreachable = people.c.unreachable_code
    query = select(
        func.count(),
        func.count(people.c.stopped_at),
        func.count().filter(and_(going, unreachable.is_not(None), unreachable != NO_MUTUAL_SERVER)),
        func.count().filter(and_(going, unreachable == NO_MUTUAL_SERVER)),
    ).where(people.c.user_id.in_(theirs))
    number, stopped, closed, strangers = (await connection.execute(query)).one()
    why = (
        select(people.c.stop_reason, func.count())
        .where(people.c.user_id.in_(theirs), people.c.stopped_at.is_not(None), people.c.stop_reason.is_not(None))
        .group_by(people.c.stop_reason)
        .order_by(func.count().desc(), people.c.stop_reason)
    )
    reasons = tuple((reason, count) for reason, count in (await connection.execute(why)).all())
    return Reached(people=number, stopped=stopped, closed=closed, strangers=strangers, reasons=reasons)


async def to_ask(connection: AsyncConnection, user_ids: Sequence[int], since: datetime) -> list[tuple[int, int]]:
    """Give (server, person) of these people's migrations, and of where they would be mentioned, to ask Discord about.

    Those are left out of whom it was asked since that moment. Person by person: each answer locks its person.
    """
    of_migrations = (
        select(registrations.c.user_id, migrations.c.guild_id)
        .join(migrations, migrations.c.id == registrations.c.migration_id)
        .where(registrations.c.user_id.in_(user_ids), registrations.c.role == Role.MINE)
    )
    of_mentions = select(people.c.user_id, people.c.mention_guild_id.label("guild_id")).where(
        people.c.user_id.in_(user_ids), people.c.mention_guild_id.is_not(None), people.c.unreachable_code.is_not(None)
    )
    each = of_migrations.union(of_mentions).subquery()
    same = and_(memberships.c.guild_id == each.c.guild_id, memberships.c.user_id == each.c.user_id)
    query = (
        select(each.c.guild_id, each.c.user_id)
        .outerjoin(memberships, same)
        .where(or_(memberships.c.asked_at.is_(None), memberships.c.asked_at < since))
        .order_by(each.c.user_id, each.c.guild_id)
    )
    return [(guild_id, user_id) for guild_id, user_id in (await connection.execute(query)).all()]


async def note_member(
    connection: AsyncConnection, guild_id: int, user_id: int, *, is_member: bool, now: datetime
) -> None:
    """Write what Discord said of a person in a server."""
    values = {"is_member": is_member, "asked_at": now}
    row = upsert(connection, memberships).values(guild_id=guild_id, user_id=user_id, **values)
    keys = [memberships.c.guild_id, memberships.c.user_id]
    await connection.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
