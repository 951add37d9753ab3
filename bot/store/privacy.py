"""What is kept of people, table by table: to be given to them, and to be erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, Text, and_, delete, exists, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.card import Role
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.store import processes
from bot.store import registrations as registrations_of
from bot.store.outbox import State
from bot.store.tables import (
    allowances,
    guilds,
    memberships,
    memos,
    migrations,
    outbox,
    people,
    registrations,
    targets,
    ticket_messages,
    ticket_registrations,
    tickets,
)

OF_NOBODY = frozenset({"processes", "targets", guilds.name, memos.name})
"""Tables in which no row is about one person."""

TELLS_OF_OTHERS = frozenset({"target_id", "own", "caught_up_at"})
"""Columns of registrations by which one could tell that the process was followed before (design.md, rule 6)."""

_A_BATCH = 25
"""People or registrations in one transaction: on SQLite nobody else writes meanwhile, and a person takes about 7 ms."""
_MESSAGES_AT_ONCE = 500
NOBODY = 0


def theirs(user_id: int) -> Mapping[Table, ColumnElement[bool]]:
    """Give the condition for one person's rows in each table, what hangs on another before that."""
    their_tickets = select(tickets.c.hash).where(tickets.c.user_id == user_id)
    return {
        ticket_messages: ticket_messages.c.hash.in_(their_tickets),
        ticket_registrations: ticket_registrations.c.hash.in_(their_tickets),
        tickets: tickets.c.user_id == user_id,
        registrations: registrations.c.user_id == user_id,
        outbox: outbox.c.recipient_id == user_id,
        allowances: allowances.c.user_id == user_id,
        memberships: memberships.c.user_id == user_id,
        migrations: migrations.c.created_by == user_id,
        people: people.c.user_id == user_id,
    }


async def held(connection: AsyncConnection, user_id: int) -> dict[str, list[dict[str, Any]]]:
    """Give every row about a person, by table, as the tables have it, but for what would tell of others.

    Of a registration there is what this person may know in place of that: its keys, and its status and since when.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for table, condition in theirs(user_id).items():
        columns = [column for column in table.columns if column.name not in TELLS_OF_OTHERS]
        rows = (await connection.execute(select(*columns).where(condition))).mappings()
        found[table.name] = [{str(name): value for name, value in row.items()} for row in rows]
    known = {each.id: each for each in await registrations_of.of_person(connection, user_id)}
    for row in found["registrations"]:
        each = known[row["id"]]
        row |= {"keys": each.keys, "status": each.verdict, "since": each.status.since}
    return dict(sorted(found.items()))


async def erase(connection: AsyncConnection, user_id: int) -> None:
    """Delete every row about a person, and the processes that nobody follows any more.

    A migration that was posted belongs to its server: it stays, made by nobody.
    """
    followed = select(registrations.c.process).where(registrations.c.user_id == user_id).distinct()
    before = sorted((await connection.scalars(followed)).all())
    for table, condition in theirs(user_id).items():
        if table is migrations:
            await connection.execute(delete(table).where(condition, migrations.c.posted_at.is_(None)))
            await connection.execute(update(table).where(condition).values(created_by=NOBODY))
        else:
            await connection.execute(delete(table).where(condition))
    await forget_processes(connection, before)


async def forget_processes(connection: AsyncConnection, names: Sequence[ProcessId]) -> None:
    """Forget those of these processes that nobody follows any more."""
    for process in sorted(set(names)):  # in one order, so that two that lock the same rows never cross
        await processes.forget_unfollowed(connection, process)


async def end_migrations(connection: AsyncConnection, before: datetime) -> list[int]:
    """Forget a batch of what was registered for migrations whose date is older than that; give whose it was.

    What was registered after the date, or whose person was seen after it, stays as long from then on. A migration goes
    with the last of it, also a draft as old that was never posted.
    """
    over = or_(migrations.c.deadline < before, and_(migrations.c.posted_at.is_(None), migrations.c.created_at < before))
    ids = select(migrations.c.id).where(over)
    theirs_of_it = (
        select(registrations.c.id)
        .join(people, people.c.user_id == registrations.c.user_id)
        .where(registrations.c.migration_id.in_(ids), registrations.c.created_at < before, _not_seen_since(before))
        .order_by(registrations.c.id)
    )
    touched = await _remove(connection, theirs_of_it.limit(_A_BATCH))
    has_some = exists().where(registrations.c.migration_id == migrations.c.id)
    await connection.execute(delete(migrations).where(over, ~has_some))
    return touched


async def end_undated(connection: AsyncConnection, before: datetime) -> list[int]:
    """Forget a batch of registrations without a date, of people who were not seen since then; give whose it was.

    They end where they were patched before then, or where nothing reminds of them any more: none is planned, and the
    last was before then.
    """
    over = and_(
        people.c.next_reminder_at.is_(None),
        or_(people.c.last_reminder_at.is_(None), people.c.last_reminder_at < before),
    )
    settled = and_(type_coerce(registrations.c.own, Text).is_(None), targets.c.verdict == Verdict.PATCHED)
    query = (
        select(registrations.c.id, targets.c.status, over.label("is_over"))
        .join(people, people.c.user_id == registrations.c.user_id)
        .join(targets, targets.c.id == registrations.c.target_id)
        .outerjoin(migrations, migrations.c.id == registrations.c.migration_id)
        .where(
            or_(registrations.c.migration_id.is_(None), migrations.c.deadline.is_(None)),
            or_(over, settled),
            registrations.c.created_at < before,
            _not_seen_since(before),
        )
        .order_by(registrations.c.id)
    )
    ended = [
        row.id
        for row in await connection.execute(query)
        if row.is_over or (row.status.since is not None and row.status.since < before)
    ]
    return await _remove(connection, select(registrations.c.id).where(registrations.c.id.in_(ended[:_A_BATCH])))


async def left_over(connection: AsyncConnection, before: datetime) -> list[int]:
    """Give people who follow nothing and were not seen since then."""
    follows = exists().where(registrations.c.user_id == people.c.user_id)
    query = select(people.c.user_id).where(~follows, _not_seen_since(before)).order_by(people.c.user_id)
    return list((await connection.scalars(query.limit(_A_BATCH))).all())


async def follow_nothing(connection: AsyncConnection, user_ids: Sequence[int]) -> list[int]:
    """Give those of these people who follow nothing."""
    follows = exists().where(registrations.c.user_id == people.c.user_id)
    query = select(people.c.user_id).where(people.c.user_id.in_(user_ids), ~follows).order_by(people.c.user_id)
    return list((await connection.scalars(query)).all())


async def end_messages(connection: AsyncConnection, before: datetime) -> int:
    """Forget a batch of messages that were settled before then; give how many.

    The newest of each kind that a person was sent stays: it tells when the next may come, and a newer one replaces it.
    So does the announcement of a migration that is kept, or pressing *Post* again would post it again.
    """
    newer = outbox.alias("newer")
    followed = exists().where(
        newer.c.recipient_id == outbox.c.recipient_id,
        newer.c.kind == outbox.c.kind,
        newer.c.id > outbox.c.id,
        newer.c.state.in_((State.SENT, State.REPLACED, State.DELETED)),
    )
    announces = exists().where(migrations.c.delivery_id == outbox.c.id)
    is_said = or_(
        outbox.c.state == State.DELETED,
        and_(outbox.c.state == State.SENT, outbox.c.shown_edition >= outbox.c.edition),
    )
    over = or_(
        outbox.c.state.in_((State.REFUSED, State.WITHDRAWN)),
        and_(is_said, or_(outbox.c.recipient_id.is_(None), followed)),
    )
    old = (
        select(outbox.c.id)
        .where(outbox.c.done_at < before, over, ~announces)
        .order_by(outbox.c.id)
        .limit(_MESSAGES_AT_ONCE)
    )
    chosen = (await connection.scalars(old)).all()
    await connection.execute(delete(outbox).where(outbox.c.id.in_(chosen)))
    return len(chosen)


async def end_allowances(connection: AsyncConnection, day: str) -> None:
    """Forget what was used up on days before that one."""
    await connection.execute(delete(allowances).where(allowances.c.day < day))


async def note_seen(connection: AsyncConnection, user_id: int, now: datetime) -> None:
    """Write that a person asked for something now."""
    await connection.execute(update(people).where(people.c.user_id == user_id).values(active_at=now))


async def open_processes(
    connection: AsyncConnection, migration_id: int, limit: int
) -> list[tuple[ProcessId, tuple[int, ...]]]:
    """Give the open processes of a migration, each with those of its people who allow to be named.

    That others are behind it too is not told, and a process that only newcomers registered is not open yet.
    """
    opened = (
        select(registrations.c.process)
        .join(targets, targets.c.id == registrations.c.target_id)
        .where(
            registrations.c.migration_id == migration_id,
            registrations.c.role == Role.MINE,
            registrations.c.own.is_(None),
            targets.c.verdict == Verdict.NOT_PATCHED,
        )
        .distinct()
    )
    listed = (await connection.scalars(opened.order_by(registrations.c.process).limit(limit))).all()
    names: dict[ProcessId, list[int]] = {process: [] for process in listed}
    query = (
        select(registrations.c.process, registrations.c.user_id)
        .join(people, people.c.user_id == registrations.c.user_id)
        .where(
            registrations.c.migration_id == migration_id,
            registrations.c.role == Role.MINE,
            registrations.c.process.in_(listed),
            people.c.may_be_named,
        )
        .order_by(registrations.c.id)
    )
    for process, user_id in (await connection.execute(query)).all():
        names[process].append(user_id)
    return [(process, tuple(of)) for process, of in names.items()]


def _not_seen_since(moment: datetime) -> ColumnElement[bool]:
    return or_(people.c.active_at < moment, and_(people.c.active_at.is_(None), people.c.created_at < moment))


async def _remove(connection: AsyncConnection, ids: Select[tuple[int]]) -> list[int]:
    """Delete these registrations and the processes that only they held; give whose they were."""
    chosen = list((await connection.scalars(ids)).all())
    query = select(registrations.c.user_id, registrations.c.process).where(registrations.c.id.in_(chosen))
    rows = (await connection.execute(query)).all()
    await connection.execute(delete(registrations).where(registrations.c.id.in_(chosen)))
    await forget_processes(connection, [row.process for row in rows])
    return sorted({row.user_id for row in rows})
