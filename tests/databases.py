"""Fixtures of the two databases: SQLite in a file, and a private cluster of the real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from bot.store.database import Database, open_database
from bot.store.lock import _RUNNING_LOCK

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


def _as_postgres(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: give the prefix that runs it as its own user."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@pytest.fixture(scope="session")
def postgresql_url(postgresql_bin: str) -> Iterator[str]:
    """URL of a cluster's first database. It listens on a socket in its own folder only, and dies with the session."""
    with tempfile.TemporaryDirectory(prefix="patchbell-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        prefix = _as_postgres(folder)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        initdb = [
            *prefix,
            f"{postgresql_bin}/initdb",
            "-D",
            f"{name}/data",
            "-U",
            "patchbell",
            "--no-sync",
            "-A",
            "trust",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", env=environment)
        server = [*prefix, f"{postgresql_bin}/postgres", "-D", f"{name}/data", "-k", name, "-c", "listen_addresses="]
        # Whoever waits so long is ended in a deadlock: the time that a test has on a busy machine to make one.
        options = ["-c", "fsync=off", "-c", "max_connections=60", "-c", "deadlock_timeout=3s"]
        with (
            open(folder / "log", "wb") as log,
            subprocess.Popen([*server, *options], stdout=log, stderr=log, cwd="/", env=environment) as process,
        ):
            try:
                ready = [f"{postgresql_bin}/pg_isready", "-h", name, "-U", "patchbell", "-t", "10"]
                while subprocess.run(ready, capture_output=True, check=False).returncode != 0:
                    assert process.poll() is None, (folder / "log").read_text()
                yield f"postgresql+asyncpg://patchbell@/postgres?host={name}"
            finally:
                process.terminate()
                process.wait(timeout=20)


@pytest.fixture(params=BACKENDS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
        return
    async with _new_database(request.getfixturevalue("postgresql_url"), template="template1") as url:
        yield url


@pytest.fixture(params=BACKENDS)
def template(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A database that has this program's schema and no rows: its file, or its name; and where PostgreSQL is."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_template")), ""
    return request.getfixturevalue("postgresql_template"), request.getfixturevalue("postgresql_url")


@pytest.fixture
async def upgraded_url(template: tuple[str, str], tmp_path: Path) -> AsyncIterator[str]:
    """URL of a copy of that database, which is quicker than making it for each test."""
    name, server = template
    if not server:
        shutil.copy(name, tmp_path / "test.db")
        yield f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
        return
    async with _new_database(server, template=name) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema in it."""
    path = tmp_path_factory.mktemp("upgraded") / "template.db"
    asyncio.run(_upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str) -> str:
    """Name of a database with the schema in it, to make others from."""
    asyncio.run(_make_template(postgresql_url))
    return "patchbell_template"


async def _make_template(server: str) -> None:
    admin = await _connect(server)
    await admin.execute("CREATE DATABASE patchbell_template")
    await admin.close()
    await _upgrade(server.replace("/postgres?", "/patchbell_template?"))


async def _upgrade(url: str) -> None:
    await (await open_database(url)).close()


@asynccontextmanager
async def _new_database(server: str, *, template: str) -> AsyncIterator[str]:
    name = f"t{uuid.uuid4().hex}"
    admin = await _connect(server)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def _connect(url: str) -> asyncpg.Connection:
    database, host = url.split("/", 3)[3].split("?host=")
    return await asyncpg.connect(user="patchbell", database=database, host=host)


@asynccontextmanager
async def another_copy_waiting(url: str) -> AsyncIterator[None]:
    """Have the lock go to somebody else once its session ends, who was in the queue for it."""
    waiter, watcher = await _connect(url), await _connect(url)
    waiting = asyncio.create_task(waiter.execute(f"SELECT pg_advisory_lock({_RUNNING_LOCK})"))
    try:
        async with asyncio.timeout(30):
            while not await watcher.fetchval(  # noqa: ASYNC110 -- the server tells nobody
                "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted", waiter.get_server_pid()
            ):
                await asyncio.sleep(0.01)
        await end_the_session_with_the_lock(url)
        await waiting
        yield
    finally:
        waiting.cancel()
        await waiter.close()
        await watcher.close()


async def end_the_session_with_the_lock(url: str) -> None:
    """Do what an administrator, a proxy or a restart of PostgreSQL does."""
    database = Database(url)
    async with database.read() as connection:
        here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
        ended = await connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                f" WHERE locktype = 'advisory' AND granted AND database = {here}"
            )
        )
        assert list(ended) == [True]
    await database.close()


@pytest.fixture
async def database(upgraded_url: str) -> AsyncIterator[Database]:
    """An open database with this program's schema."""
    database = await open_database(upgraded_url)
    yield database
    await database.close()


@pytest.fixture
def now() -> datetime:
    return NOW
