"""One contract, two databases."""

import asyncio
import traceback
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from bot.domain.card import Role
from bot.domain.notices import Alarm, Announcement, Mention
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.status import TargetStatus
from bot.errors import AlreadyRunning, ConfigurationError
from bot.store import memos, outbox, people, processes, registrations, revisions
from bot.store.database import Database, open_database
from bot.store.lock import only_copy
from bot.store.tables import metadata
from tests.databases import another_copy_waiting, end_the_session_with_the_lock

REVISIONS = Path(revisions.__path__[0])


async def test_concurrent_read_then_write_loses_nothing(database: Database):
    async with database.write() as connection:
        await memos.remember(connection, "count", "0")

    async def increment() -> None:
        async with database.write() as connection:
            count = int(await memos.recall(connection, "count", lock=True) or "0")
            await asyncio.sleep(0)
            await memos.remember(connection, "count", str(count + 1))

    await asyncio.gather(*(increment() for _ in range(240)))
    async with database.read() as connection:
        assert await memos.recall(connection, "count") == "240"


async def test_two_open_databases_lose_nothing_either(upgraded_url: str, database: Database):
    """Two programs have no lock of asyncio in common: here the database itself must hold."""
    other = await open_database(upgraded_url)
    try:
        async with database.write() as connection:
            await memos.remember(connection, "count", "0")

        async def increment(where: Database) -> None:
            async with where.write() as connection:
                count = int(await memos.recall(connection, "count", lock=True) or "0")
                await asyncio.sleep(0.001)
                await memos.remember(connection, "count", str(count + 1))

        await asyncio.gather(*(increment(where) for where in (database, other) * 40))
        async with database.read() as connection:
            assert await memos.recall(connection, "count") == "80"
    finally:
        await other.close()


async def test_an_exception_rolls_back(database: Database):
    async def fail() -> None:
        async with database.write() as connection:
            await memos.remember(connection, "name", "value")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.read() as connection:
        assert await memos.recall(connection, "name") is None


async def test_a_cancelled_writer_keeps_nobody_out(database: Database):
    async def write_for_ever() -> None:
        async with database.write() as connection:
            await memos.remember(connection, "name", "half")
            await asyncio.sleep(3600)

    task = asyncio.create_task(write_for_ever())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5), database.write() as connection:
        assert await memos.recall(connection, "name") is None
        await memos.remember(connection, "name", "whole")


async def test_readers_do_not_wait_for_the_writer(database: Database):
    async with database.write() as writer:
        await memos.remember(writer, "name", "value")
        async with asyncio.timeout(5), database.read() as reader:
            assert await memos.recall(reader, "name") is None


async def test_the_revisions_make_exactly_the_tables(database: Database):
    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_older_schema_is_upgraded_and_keeps_its_rows(database_url: str, now: datetime):
    old = await open_database(database_url, revision="0001")
    async with old.write() as connection:
        await connection.execute(
            text("INSERT INTO people (user_id, safe_word, locale, created_at) VALUES (7, 'amber otter', 'de', :now)"),
            {"now": now.replace(tzinfo=None) if old.dialect == "sqlite" else now},
        )
    await old.close()
    new = await open_database(database_url)
    async with new.read() as connection:
        person = await people.find(connection, 7)
    await new.close()
    assert person is not None
    assert (person.safe_word, person.name_hint, person.created_at) == ("amber otter", "", now)


async def test_an_upgrade_keeps_what_people_were_shown(database_url: str, now: datetime):
    old = await open_database(database_url, revision="0004")
    sighting = '{"node":"https://a","path":"/x","status":200,"reason":"slot 1","elapsed_ms":3}'
    async with old.write() as connection:
        await connection.execute(
            text(
                "INSERT INTO processes (process, created_at, checked_at, next_look_at, evidence, requests)"
                " VALUES ('looked', :now, :now, :now, :evidence, 4), ('new', :now, NULL, :now, '[]', 0)"
            ),
            {"now": now.replace(tzinfo=None) if old.dialect == "sqlite" else now, "evidence": f"[{sighting}]"},
        )
        judgement = """'{"verdict":"not_patched","reason":"missing","missing":["balances"]}'"""
        columns = "process, required, status, verdict, latest"
        rows = f"('looked', '[]', '{{}}', 'unknown', {judgement}), ('new', '[]', '{{}}', 'unknown', NULL)"
        await connection.exec_driver_sql(f"INSERT INTO targets ({columns}) VALUES {rows}")
    await old.close()
    new = await open_database(database_url)
    async with new.read() as connection:
        found = await processes.targets_of(connection, [ProcessId("looked"), ProcessId("new")])
    await new.close()
    (looked,), (fresh,) = found.values()
    assert fresh.seen is None
    assert looked.seen is not None
    assert (looked.seen.at, looked.seen.requests, looked.seen.evidence[0].reason) == (now, 4, "slot 1")
    assert (looked.seen.judgement.verdict, looked.seen.judgement.missing) == (Verdict.NOT_PATCHED, ("balances",))


async def test_an_upgrade_knows_whom_each_message_is_for(database_url: str, now: datetime):
    old = await open_database(database_url, revision="0004")
    at = now.replace(tzinfo=None) if old.dialect == "sqlite" else now
    notices = {
        "mention": (Mention(user_id=2**62 + 1, guild_id=5), None, 9),
        "alarm": (Alarm(sentence="x"), 7, None),
        "announcement": (Announcement(migration_id=1, title="Move"), None, 9),
    }
    async with old.write() as connection:
        for kind, (notice, user_id, channel_id) in notices.items():
            values = {"kind": kind, "notice": notice.model_dump_json(), "user": user_id, "channel": channel_id}
            await connection.execute(
                text(
                    "INSERT INTO outbox (kind, notice, nonce, user_id, channel_id, priority, state, created_at,"
                    " next_try_at) VALUES (:kind, :notice, :kind, :user, :channel, 1, 'sent', :at, :at)"
                ),
                values | {"at": at},
            )
    await old.close()
    new = await open_database(database_url)
    async with new.read() as connection:
        found = [[each.kind for each in await outbox.of_person(connection, of)] for of in (2**62 + 1, 7, 9)]
    await new.close()
    assert found == [["mention"], ["alarm"], []]


async def test_an_upgrade_that_fails_leaves_the_old_schema(database_url: str):
    old = await open_database(database_url, revision="0001")
    async with old.write() as connection:
        await connection.execute(text("CREATE TABLE allowances (in_the_way INTEGER)"))
    await old.close()
    with pytest.raises(Exception, match="allowances"):
        await open_database(database_url)
    again = await open_database(database_url, revision="0001")
    async with again.read() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"
    await again.close()


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_copies_that_open_at_once_upgrade_once(database_url: str):
    opened = await asyncio.gather(*(open_database(database_url) for _ in range(4)))
    for database in opened:
        await database.close()


async def test_moments_come_back_as_they_went_in(database: Database, now: datetime):
    moment = now + timedelta(microseconds=123456)
    async with database.write() as connection:
        await people.remember(connection, 2**63 - 1, safe_word="a b", locale="en", name_hint="", now=moment)
    async with database.read() as connection:
        person = await people.find(connection, 2**63 - 1)
    assert person is not None
    assert person.created_at == moment
    assert person.created_at.utcoffset() == timedelta(0)


async def test_naive_moments_are_refused(database: Database, now: datetime):
    with pytest.raises(Exception, match="without a time zone"):
        async with database.write() as connection:
            await people.remember(
                connection, 1, safe_word="a b", locale="en", name_hint="", now=now.replace(tzinfo=None)
            )


async def test_an_error_says_nothing_of_what_was_to_be_written(database: Database, now: datetime):
    with pytest.raises(IntegrityError) as error:
        async with database.write() as connection:
            await connection.execute(
                text("INSERT INTO people (user_id, safe_word) VALUES (1, :word)"),
                {"word": "-".join(("amber", "otter"))},
            )
    told = "".join(traceback.format_exception(error.value))
    assert "INSERT INTO people" in told
    assert "amber-otter" not in told


async def test_references_are_enforced(database: Database, now: datetime):
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(
                text("INSERT INTO ticket_registrations (hash, registration_id) VALUES ('none', 1)")
            )


async def test_a_second_copy_is_kept_out_until_the_first_ends(database_url: str):
    async with only_copy(database_url):
        with pytest.raises(AlreadyRunning):
            async with only_copy(database_url):
                pass
    async with only_copy(database_url):
        pass


async def test_whoever_holds_the_lock_can_tell(database_url: str):
    async with only_copy(database_url) as still_held:
        assert await still_held()
        assert await still_held()


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_a_lock_whose_session_ended_is_taken_again(database_url: str):
    async with only_copy(database_url) as still_held:
        await end_the_session_with_the_lock(database_url)
        assert await still_held()
        with pytest.raises(AlreadyRunning):
            async with only_copy(database_url):
                pass


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_a_lock_that_another_took_is_lost(database_url: str):
    async with only_copy(database_url) as still_held, another_copy_waiting(database_url):
        assert not await still_held()


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://host/x", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "sqlite:///x.db"]
)
def test_a_url_of_no_kind_we_know_is_refused_in_one_sentence(url: str):
    with pytest.raises(ConfigurationError, match=r"database\.url .*\.$"):
        Database(url)


def test_a_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="folder that is not there"):
        Database(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'where.db'}")


async def test_going_back_takes_nothing_along(database: Database, now: datetime):
    process = ProcessId("p" * 43)
    async with database.write() as connection:
        await people.remember(connection, 7, safe_word="amber otter", locale="en", name_hint="", now=now)
        await processes.remember(connection, process, now=now)
        target = await processes.remember_target(connection, process, (), TargetStatus())
        await registrations.add(
            connection, user_id=7, process=process, target_id=target.id, role=Role.MINE, created_at=now
        )
        for go in (command.downgrade, command.upgrade):
            await connection.run_sync(_go, go, "0003" if go is command.downgrade else "head")
        (kept,) = await registrations.of_person(connection, 7)
    assert (kept.process, kept.created_at) == (process, now)


def _go(connection: Connection, go: Any, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(REVISIONS))
    config.attributes["connection"] = connection
    go(config, revision)
