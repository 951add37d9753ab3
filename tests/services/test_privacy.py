"""What is kept of people can be had and erased whole, ends by itself, and is shown to nobody else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.card import Role
from bot.domain.notices import Alarm, Announcement, Mention, Reminder
from bot.errors import NotYours, TicketEnded
from bot.services.registering import RegisterRequest
from bot.store import guilds, outbox, people, privacy
from bot.store.tables import metadata, migrations
from bot.store.tables import outbox as outbox_table
from bot.store.tables import people as people_table

pytestmark = pytest.mark.slow

ADA, BOB, MODERATOR, GUILD = 1001, 1002, 1003, 77


def request(user_id: int, text: str, **more: Any) -> RegisterRequest:
    return RegisterRequest(user_id=user_id, text=text, role=Role.MINE, display_name="Marianne", **more)


async def announced(app: Any, deadline: Any) -> int:
    draft = await app.announcing.draft(GUILD, 5, MODERATOR, "Permaville", deadline, "token")
    await app.announcing.post(draft.migration_id, MODERATOR)
    return draft.migration_id


async def everything(app: Any, user_id: int) -> dict[str, Any]:
    return json.loads(await app.privacy.export(user_id))["tables"]


async def fill(app: Any, world: Any, user_id: int) -> str:
    """Have a row about this person in every table that may hold one."""
    process = world.unpatched()
    await app.registering.register(request(user_id, process))
    await app.registering.cards(user_id)
    now = app.clock()
    async with app.database.write() as connection:
        await people.spend(connection, user_id, "wallet", day="2026-05-04", limit=9)
        await guilds.note_member(connection, GUILD, user_id, is_member=True, now=now)
        await outbox.owe(connection, Mention(user_id=user_id, guild_id=GUILD), now=now, channel_id=5)
    draft = await app.announcing.draft(GUILD, 5, user_id, "A draft", None, "token")
    posted = await app.announcing.draft(GUILD, 5, user_id, "Posted", None, "token")
    await app.announcing.post(posted.migration_id, user_id)
    assert draft.migration_id
    return process


def test_no_table_is_forgotten() -> None:
    """A new table must be put into `theirs` or, if no row of it is about a person, into `OF_NOBODY`."""
    covered = {table.name for table in privacy.theirs(ADA)}
    assert covered | privacy.OF_NOBODY == set(metadata.tables)
    assert not covered & privacy.OF_NOBODY
    for table in metadata.tables.values():
        names_a_person = [c.name for c in table.columns if "user" in c.name or c.name.endswith("_by")]
        hangs_on_a_person = [key for key in table.foreign_keys if key.column.table.name in covered - {"migrations"}]
        if names_a_person or hangs_on_a_person:
            assert table.name in covered


async def test_the_export_has_all_rows_and_no_link_that_works(app: Any, world: Any) -> None:
    await fill(app, world, BOB)
    process = await fill(app, world, ADA)
    file = await app.privacy.export(ADA)
    tables = json.loads(file)["tables"]
    assert set(tables) == {table.name for table in privacy.theirs(ADA)}
    assert {name for name, rows in tables.items() if not rows} <= {"ticket_messages"}
    assert process in file.decode()
    assert str(BOB) not in file.decode()
    async with app.database.read() as connection:
        owed = await outbox.of_person(connection, ADA)
    tickets = [ticket for each in owed if (ticket := getattr(each.notice, "ticket", None))]
    assert tickets
    assert not any(ticket in file.decode() for ticket in tickets)


async def test_the_export_tells_nothing_of_others(app: Any, world: Any, clock: Any) -> None:
    followed, fresh = world.patched(), world.patched()
    await app.registering.register(request(BOB, followed))
    for _ in range(3):
        clock.move(hours=60)
        await app.checking.sweep_once()
    await app.registering.register(request(ADA, f"{followed} {fresh}"))
    rows = {row.pop("process"): row for row in (await everything(app, ADA))["registrations"]}
    assert rows[followed].pop("id") != rows[fresh].pop("id")
    for row in rows.values():  # which nodes answered, and how fast, differs from look to look
        row["seen"] = (row["seen"]["at"], row["seen"]["judgement"]["verdict"], row["seen"]["requests"])
    assert rows[followed] == rows[fresh]


async def test_erasing_leaves_nothing_and_touches_nobody_else(app: Any, world: Any, sender: Any) -> None:
    shared = world.unpatched()
    alone = await fill(app, world, ADA)
    await app.registering.register(request(ADA, shared))
    await app.registering.register(request(BOB, shared))
    before = await everything(app, BOB)
    async with app.database.read() as connection:
        (first, *_) = [each for each in await outbox.of_person(connection, ADA) if each.kind == "first_dm"]
    await app.privacy.erase(ADA)
    tables = await everything(app, ADA)
    assert not any(tables.values())
    assert await everything(app, BOB) == before
    async with app.database.read() as connection:
        assert await stored(connection, "processes", "process", alone) == 0
        assert await stored(connection, "processes", "process", shared) == 1
        kept = (await connection.execute(select(migrations.c.title, migrations.c.created_by))).all()
        whole = (await connection.execute(select(outbox_table.c.notice))).scalars().all()
    assert [tuple(row) for row in kept] == [("Posted", privacy.NOBODY)]
    assert not [notice for notice in whole if getattr(notice, "user_id", None) == ADA]
    with pytest.raises(TicketEnded):
        await app.ticketing.open(first.notice.ticket)
    await app.delivering.deliver_due()
    assert {envelope.user_id for envelope in sender.envelopes} <= {BOB, None}
    assert not (await app.privacy.holding(ADA)).known
    await app.privacy.erase(ADA)  # twice is as good as once


async def test_erasing_while_a_message_is_sent_leaves_nothing_either(app: Any, world: Any, sender: Any) -> None:
    await app.registering.register(request(ADA, world.unpatched()))
    send = sender.send

    async def erase_meanwhile(envelope: Any) -> Any:
        sent = await send(envelope)
        await app.privacy.erase(ADA)
        return sent

    sender.send = erase_meanwhile
    assert await app.delivering.deliver_due() == 1
    assert len(sender.envelopes) == 1
    assert not any((await everything(app, ADA)).values())
    assert await app.delivering.deliver_due() == 0


async def stored(connection: AsyncConnection, table: str, column: str, value: object) -> int:
    of = metadata.tables[table]
    return await connection.scalar(select(func.count()).select_from(of).where(of.c[column] == value)) or 0


async def test_what_was_registered_for_a_migration_ends_some_time_after_its_date(
    app: Any, world: Any, clock: Any
) -> None:
    migration = await announced(app, clock.now + app.settings.privacy.keeps)
    both, only = world.unpatched(), world.unpatched()
    await app.registering.register(request(ADA, only, migration_id=migration))
    await app.registering.register(request(BOB, both, migration_id=migration))
    await app.registering.register(request(BOB, both))
    clock.move(days=2 * app.settings.privacy.retention_days - 1)
    assert await app.privacy.forget_older(clock.now) == 0
    clock.move(days=2)
    assert await app.privacy.forget_older(clock.now) == 2
    assert not any((await everything(app, ADA)).values())
    left = await everything(app, BOB)
    assert [row["migration_id"] for row in left["registrations"]] == [None]
    assert await app.announcing.progress(GUILD) == []
    async with app.database.read() as connection:
        assert await stored(connection, "processes", "process", only) == 0
        assert await stored(connection, "processes", "process", both) == 1
    assert await app.privacy.forget_older(clock.now) == 0


async def test_what_is_private_ends_once_it_is_patched_and_its_person_is_gone(app: Any, world: Any, clock: Any) -> None:
    done, waiting = world.patched(), world.unpatched()
    await app.registering.register(request(ADA, done))
    await app.registering.register(request(BOB, done))
    await app.registering.register(request(MODERATOR, waiting))
    clock.move(hours=2)
    await app.registering.register(request(ADA, done))
    keeps = app.settings.privacy.retention_days
    clock.move(days=keeps - 1)
    await app.registering.cards(BOB)
    clock.move(days=2)
    assert await app.privacy.forget_older(clock.now) == 1
    assert not any((await everything(app, ADA)).values())
    assert len((await everything(app, BOB))["registrations"]) == 1
    assert len((await everything(app, MODERATOR))["registrations"]) == 1
    clock.move(days=keeps + 1)
    assert await app.privacy.forget_older(clock.now) == 1
    assert not any((await everything(app, BOB)).values())


async def test_what_has_no_date_ends_after_the_last_reminder_and_act(
    app: Any, world: Any, clock: Any, sender: Any
) -> None:
    """Nothing is kept for ever because its owner never signs, or because nobody could ever read it."""
    await app.registering.register(request(ADA, world.unpatched()))
    await app.registering.register(request(BOB, world.nowhere()))
    keeps, last = app.settings.privacy.keeps, None
    while (due := (await app.registering.person(ADA)).next_reminder_at) is not None:
        clock.now = last = due
        await app.reminding.owe_due()
        await app.delivering.deliver_due()
        await app.privacy.forget_older(clock.now)
    assert sender.envelopes[-1].notice.last
    assert not (await app.privacy.holding(BOB)).known, "nothing ever reminded them: it ends after their last act"
    clock.now = last + keeps
    assert await app.privacy.forget_older(clock.now) == 0
    await app.registering.cards(ADA)
    clock.move(days=2)
    assert await app.privacy.forget_older(clock.now) == 0, "they asked how it stands"
    clock.move(days=keeps.days)
    assert await app.privacy.forget_older(clock.now) == 1
    assert not any((await everything(app, ADA)).values())


async def test_who_registers_long_after_the_date_is_kept_as_long_from_then_on(app: Any, world: Any, clock: Any) -> None:
    migration = await announced(app, clock.now + timedelta(days=1))
    keeps = app.settings.privacy.retention_days
    clock.move(days=1)
    await app.registering.register(request(BOB, world.unpatched(), migration_id=migration))
    clock.move(days=keeps - 0.5)
    await app.registering.register(request(ADA, world.unpatched(), migration_id=migration))
    clock.move(days=1)
    assert await app.privacy.forget_older(clock.now) == 1, "Bob"
    assert len((await everything(app, ADA))["registrations"]) == 1
    clock.move(days=keeps)
    assert await app.privacy.forget_older(clock.now) == 1
    assert not any((await everything(app, ADA)).values())
    assert await app.announcing.progress(GUILD) == []


async def test_who_follows_nothing_any_more_is_forgotten(app: Any, world: Any, clock: Any) -> None:
    process = world.unpatched()
    await app.registering.register(request(ADA, process))
    await app.registering.unregister(ADA, process)
    clock.move(days=1)
    assert await app.privacy.forget_older(clock.now) == 0
    clock.move(days=app.settings.privacy.retention_days)
    assert await app.privacy.forget_older(clock.now) == 1
    assert not any((await everything(app, ADA)).values())


async def test_who_is_behind_a_process_is_named_only_where_they_allow_it(app: Any, world: Any, clock: Any) -> None:
    migration = await announced(app, None)
    process = world.unpatched()
    for user_id in (ADA, BOB):
        await app.registering.register(request(user_id, process, migration_id=migration))
    clock.move(hours=2)
    await app.registering.register(request(BOB, process, migration_id=migration))

    async def named() -> list[tuple[str, tuple[int, ...]]]:
        return [(each.process, each.people) for each in await app.privacy.open_processes(GUILD, migration)]

    assert await named() == [(process, ())]
    await app.privacy.let_be_named(ADA, True)
    assert (await app.privacy.holding(ADA)).may_be_named
    assert await named() == [(process, (ADA,))]
    await app.privacy.let_be_named(ADA, False)
    assert await named() == [(process, ())]
    with pytest.raises(NotYours):
        await app.privacy.open_processes(GUILD + 1, migration)
    with pytest.raises(NotYours):
        await app.privacy.let_be_named(9, True)


async def test_retention_takes_many_people_in_batches(app: Any, clock: Any) -> None:
    rows = [
        {"user_id": 10**6 + n, "safe_word": "amber otter", "locale": "en", "created_at": clock.now} for n in range(60)
    ]
    async with app.database.write() as connection:
        await connection.execute(insert(people_table), rows)
    clock.move(days=app.settings.privacy.retention_days + 1)
    assert await app.privacy.forget_older(clock.now) == 60


async def test_a_migration_of_many_ends_in_batches(
    app: Any, world: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "_A_BATCH", 3)
    migration = await announced(app, clock.now + app.settings.privacy.keeps)
    for user_id in (ADA, BOB):
        text = " ".join(world.nowhere() for _ in range(2))
        await app.registering.register(request(user_id, text, migration_id=migration))
    clock.move(days=3 * app.settings.privacy.retention_days)
    assert await app.privacy.forget_older(clock.now) >= 2
    for user_id in (ADA, BOB):
        assert not any((await everything(app, user_id)).values())
    assert await app.announcing.progress(GUILD) == []


async def owed(app: Any, user_id: int | None, notice: Any, **values: Any) -> int:
    """Have a message in the outbox of which this became."""
    async with app.database.write() as connection:
        channel_id = 5 if user_id is None else None
        delivery_id = await outbox.owe(connection, notice, now=app.clock(), user_id=user_id, channel_id=channel_id)
    await became(app, delivery_id, **values)
    return delivery_id


async def became(app: Any, delivery_id: int, **values: Any) -> None:
    async with app.database.write() as connection:
        changed = update(outbox_table).where(outbox_table.c.id == delivery_id)
        await connection.execute(changed.values({"done_at": app.clock()} | values))


async def test_messages_are_kept_as_long_as_they_are_of_use(app: Any, clock: Any) -> None:
    reminder, alarm = Reminder(safe_word="amber otter", processes=()), Alarm(sentence="x")
    announcement = Announcement(migration_id=10**6, locale="en", title="Gone", deadline=None, keys=())
    old = [
        await owed(app, ADA, reminder, state="deleted"),
        await owed(app, ADA, reminder, state="withdrawn"),
        await owed(app, ADA, reminder, state="refused"),
        await owed(app, MODERATOR, alarm, state="sent"),
        await owed(app, None, announcement, state="sent"),
    ]
    useful = [
        await owed(app, ADA, reminder, state="owed", done_at=None),
        await owed(app, ADA, reminder, state="replaced"),
        await owed(app, ADA, reminder, state="sent", edition=1),
        await owed(app, ADA, reminder, state="sent"),
        await owed(app, MODERATOR, alarm, state="sent"),
    ]
    old.append(await owed(app, ADA, reminder, state="withdrawn"))
    migration = await app.announcing.migration(await announced(app, None))
    await became(app, migration.delivery_id, state="sent")
    useful.append(migration.delivery_id)
    clock.move(days=app.settings.privacy.retention_days - 1)
    useful.append(await owed(app, BOB, reminder, state="sent"))
    await app.privacy.forget_older(clock.now)
    assert await kept(app) >= {*old, *useful}
    clock.move(days=2)
    useful.append(await owed(app, BOB, reminder, state="sent"))
    await app.privacy.forget_older(clock.now)
    assert await kept(app) & {*old, *useful} == set(useful)
    assert await app.announcing.post(migration.id, MODERATOR) == migration.delivery_id, "and is not posted again"


async def kept(app: Any) -> set[int]:
    async with app.database.read() as connection:
        return set((await connection.scalars(select(outbox_table.c.id))).all())
