"""Fixtures of the two databases: SQLite in a file, and a private cluster of the real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from bot.store.database import Database, open_database

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
        options = ["-c", "fsync=off", "-c", "max_connections=60"]
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
    server = request.getfixturevalue("postgresql_url")
    name = f"t{uuid.uuid4().hex}"
    admin = await asyncpg.connect(user="patchbell", database="postgres", host=server.split("host=")[1])
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with this program's schema."""
    database = await open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
def now() -> datetime:
    return NOW
