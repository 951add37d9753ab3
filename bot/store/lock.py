"""Keeping a second copy of the program from starting on the same database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import AlreadyRunning, ConfigurationError
from bot.store.database import parse_url, unavailable_in_words

StillHeld = Callable[[], Awaitable[bool]]

_RUNNING_LOCK = 0x62_65_6C_6C
PATIENCE = 20.0  # seconds: whoever hears nothing for so long of the server that has the lock can't count on it
_PAUSE = 0.5  # seconds
_IS_HELD = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    " AND classid = 0 AND objid = :key AND granted)"
)


@asynccontextmanager
async def only_copy(url: str) -> AsyncGenerator[StillHeld]:
    """Hold the lock beside the database. The system lets it go when the process dies, however it dies.

    SQLite: a locked file beside the database's own. PostgreSQL: an advisory lock of a session, which is over when its
    connection is, while we live: hence what is given, to be asked whether the lock is still ours. It takes the lock
    again where a restart of the server ended the session and nobody else has it.

    Raises AlreadyRunning and DatabaseUnavailable.
    """
    parsed = parse_url(url)
    holder = (
        _file_lock(Path(parsed.database or "")) if parsed.drivername.startswith("sqlite") else _session_lock(parsed)
    )
    async with holder as still_held:
        yield still_held


@asynccontextmanager
async def _file_lock(path: Path) -> AsyncGenerator[StillHeld]:
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise AlreadyRunning(f"Another copy of Patchbell is running on {path.name}; stop it first.") from None
    except OSError as error:
        raise ConfigurationError(f"I can't write beside the database {path}: {error.strerror}.") from error

    async def still_held() -> bool:
        return lock.is_locked

    try:
        yield still_held
    finally:
        lock.release()


@asynccontextmanager
async def _session_lock(url: URL) -> AsyncGenerator[StillHeld]:
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, isolation_level="AUTOCOMMIT")
    try:
        async with AsyncExitStack() as stack:
            with unavailable_in_words():
                connection = await _take(engine, stack)
            if connection is None:
                raise AlreadyRunning(f"Another copy of Patchbell is running on {url.database}; stop it first.")

            async def still_held() -> bool:
                nonlocal connection
                if connection is None or not await _is_held(connection):
                    connection = await _take_again(engine, stack)
                return connection is not None

            yield still_held
    finally:
        await engine.dispose()


async def _take(engine: AsyncEngine, stack: AsyncExitStack) -> AsyncConnection | None:
    """Take the lock on a new connection; None where another has it."""
    connection = await stack.enter_async_context(engine.connect())
    taken = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _RUNNING_LOCK})
    return connection if taken else None


async def _take_again(engine: AsyncEngine, stack: AsyncExitStack) -> AsyncConnection | None:
    """Take the lock as soon as the server takes connections again; None where another was first, or none does."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await _take(engine, stack)
                except (SQLAlchemyError, OSError):
                    await asyncio.sleep(_PAUSE)
    except TimeoutError:
        return None


async def _is_held(connection: AsyncConnection) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return bool(await connection.scalar(_IS_HELD, {"key": _RUNNING_LOCK}))
    except (SQLAlchemyError, OSError):  # a timeout is one of the latter
        return False
