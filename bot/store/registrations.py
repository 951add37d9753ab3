"""Registrations: who follows which process, in which migration, and what they were told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.card import Role, Seen
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.status import TargetStatus
from bot.store.columns import build
from bot.store.tables import guilds, memberships, migrations, registrations, targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One row of `registrations` with what it is judged by: its target's keys and status, its migration's deadline.

    `left_at` and `paused_at` are the server's whose migration it is in; `is_member` is None where nobody asked.
    """

    id: int
    user_id: int
    process: ProcessId
    target_id: int
    migration_id: int | None
    role: Role
    label: str | None
    guild_id: int | None
    guild_name: str | None
    created_at: datetime
    blocked: str | None
    told: Verdict | None
    told_unreadable: bool
    own: TargetStatus | None
    caught_up_at: datetime | None
    seen: Seen | None
    keys: tuple[StateKey, ...]
    shared: TargetStatus
    deadline: datetime | None
    preset: str | None
    action: str | None  # of its migration: what enables patching there
    left_at: datetime | None
    paused_at: datetime | None
    is_member: bool | None

    @property
    def status(self) -> TargetStatus:
        """What this person may know: the target's status once the looks since they registered have come to it.

        Anything older would tell them that somebody else follows the process, and since when (design.md, rule 6).
        """
        return seen_from(self.caught_up_at or self.created_at, self.shared) if self.own is None else self.own

    @property
    def verdict(self) -> Verdict:
        """The confirmed verdict, as far as this person may know it."""
        return self.status.verdict

    @property
    def open(self) -> bool:
        """Whether there is something for this person to do: theirs, confirmed not patched, not blocked."""
        return self.role is Role.MINE and self.verdict is Verdict.NOT_PATCHED and self.blocked is None

    @property
    def remindable(self) -> bool:
        """Whether it is open and its owner may be reminded of it.

        Not where it is a server's migration that the bot or the person left, or whose reminders are paused.
        """
        return self.open and self.left_at is None and self.paused_at is None and self.is_member is not False


def counting(same: Sequence[Registration]) -> Sequence[Registration]:
    """Give those of one person's registrations of one process that say how it stands: theirs, else those watched."""
    return [each for each in same if each.role is Role.MINE] or same


def seen_from(moment: datetime, status: TargetStatus) -> TargetStatus:
    """Give the status as it is to somebody who has followed the process from that moment on."""
    if status.since is None or status.since >= moment:
        return status
    return status.model_copy(update={"since": moment})


def _query() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *registrations.c,
            targets.c.required.label("keys"),
            targets.c.status.label("shared"),
            migrations.c.deadline.label("deadline"),
            migrations.c.preset.label("preset"),
            migrations.c.action.label("action"),
            guilds.c.left_at.label("left_at"),
            guilds.c.paused_at.label("paused_at"),
            memberships.c.is_member.label("is_member"),
        )
        .join(targets, targets.c.id == registrations.c.target_id)
        .outerjoin(migrations, migrations.c.id == registrations.c.migration_id)
        .outerjoin(guilds, guilds.c.guild_id == migrations.c.guild_id)
        .outerjoin(
            memberships,
            and_(memberships.c.guild_id == migrations.c.guild_id, memberships.c.user_id == registrations.c.user_id),
        )
        .order_by(registrations.c.id)
    )


async def _all(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> list[Registration]:
    return [build(Registration, row) for row in (await connection.execute(query)).mappings()]


async def of_person(connection: AsyncConnection, user_id: int, process: ProcessId | None = None) -> list[Registration]:
    """Give a person's registrations, oldest first; of one process only, where one is given."""
    query = _query().where(registrations.c.user_id == user_id)
    return await _all(connection, query if process is None else query.where(registrations.c.process == process))


async def of_people(connection: AsyncConnection, user_ids: Sequence[int]) -> dict[int, list[Registration]]:
    """Give the registrations of each of these people, oldest first."""
    found: dict[int, list[Registration]] = {user_id: [] for user_id in user_ids}
    for registration in await _all(connection, _query().where(registrations.c.user_id.in_(user_ids))):
        found[registration.user_id].append(registration)
    return found


async def concerned(
    connection: AsyncConnection, *, all_of: Sequence[int], ids: Sequence[int], untold_of: Sequence[int]
) -> set[int]:
    """Give whom a look concerns.

    Everybody judged by the targets `all_of`, those with these registrations, and the owners judged by `untold_of` who
    were not told that it cannot be read.
    """
    untold = and_(
        registrations.c.target_id.in_(untold_of),
        registrations.c.told_unreadable.is_(False),
        registrations.c.role == Role.MINE,
    )
    which = or_(registrations.c.target_id.in_(all_of), registrations.c.id.in_(ids), untold)
    return set((await connection.scalars(select(registrations.c.user_id).where(which).distinct())).all())


async def newcomers(connection: AsyncConnection, target_ids: Sequence[int], since: datetime) -> list[Registration]:
    """Give those registrations by these targets that are younger than `since`, or differ from them in what they see."""
    differs = or_(
        registrations.c.own.is_not(None), registrations.c.seen.is_not(None), registrations.c.created_at > since
    )
    return await _all(connection, _query().where(registrations.c.target_id.in_(target_ids), differs))


async def by_ids(connection: AsyncConnection, ids: Sequence[int]) -> list[Registration]:
    """Give those registrations that (still) exist."""
    return await _all(connection, _query().where(registrations.c.id.in_(ids)))


async def count(connection: AsyncConnection, user_id: int) -> int:
    """Count the distinct processes that a person follows."""
    query = select(func.count(registrations.c.process.distinct())).where(registrations.c.user_id == user_id)
    return await connection.scalar(query) or 0


async def add(connection: AsyncConnection, **values: Any) -> int:
    """Add a registration and give its id."""
    return (await connection.execute(insert(registrations).values(**values).returning(registrations.c.id))).scalar_one()


async def change(connection: AsyncConnection, ids: Sequence[int], **values: Any) -> None:
    """Set columns of these registrations."""
    if not ids:
        return
    await connection.execute(update(registrations).where(registrations.c.id.in_(ids)).values(**values))


async def let_know(connection: AsyncConnection, changed: Sequence[Registration]) -> None:
    """Write what each of these newcomers may know by now. One statement: a crowd may have come at once."""
    if not changed:
        return
    rows = [{"whose": each.id, "own": each.own, "caught_up_at": each.caught_up_at} for each in changed]
    await connection.execute(update(registrations).where(registrations.c.id == bindparam("whose")), rows)


async def remove(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Delete these registrations, and with them their places on tickets."""
    await connection.execute(delete(registrations).where(registrations.c.id.in_(ids)))
