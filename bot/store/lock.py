"""Keeping a second copy of the program from starting on the same database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import AlreadyRunning, ConfigurationError
from bot.store.database import parse_url, unavailable_in_words

_RUNNING_LOCK = 0x62_65_6C_6C


@asynccontextmanager
async def only_copy(url: str) -> AsyncGenerator[None]:
    """Hold the lock beside the database. The system lets it go when the process dies, however it dies.

    SQLite: a locked file beside the database's own. PostgreSQL: an advisory lock of a session.

    Raises AlreadyRunning and DatabaseUnavailable.
    """
    parsed = parse_url(url)
    holder = (
        _file_lock(Path(parsed.database or "")) if parsed.drivername.startswith("sqlite") else _session_lock(parsed)
    )
    async with holder:
        yield


@asynccontextmanager
async def _file_lock(path: Path) -> AsyncGenerator[None]:
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise AlreadyRunning(f"Another copy of Patchbell is running on {path.name}; stop it first.") from None
    except OSError as error:
        raise ConfigurationError(f"I can't write beside the database {path}: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def _session_lock(url: URL) -> AsyncGenerator[None]:
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, isolation_level="AUTOCOMMIT")
    try:
        async with AsyncExitStack() as stack:
            with unavailable_in_words():
                connection = await stack.enter_async_context(engine.connect())
                taken = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _RUNNING_LOCK})
            if not taken:
                raise AlreadyRunning(f"Another copy of Patchbell is running on {url.database}; stop it first.")
            yield
    finally:
        await engine.dispose()
