"""Opening the database, and the two ways into it: `read()` and `write()`.

SQLite runs in WAL with synchronous FULL, has one writer at a time, and every writing transaction begins IMMEDIATE: as
it comes, SQLAlchemy over aiosqlite begins late, and concurrent read-then-write transactions lose updates or fail.
PostgreSQL runs READ COMMITTED, where the same needs the row's lock. So one rule serves both: **a row that is read in
order to be written is read `.with_for_update()`**, which is the row's lock on PostgreSQL and nothing on SQLite.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

import stamina
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import ConfigurationError, DatabaseUnavailable

_WRITING = "patchbell_writing"
_WRITER_PATIENCE = 30.0  # seconds: a writer that waits longer is a fault, and says so instead of hanging
_POOL_PATIENCE = 300.0  # seconds: a crowd waits for connections; Discord lets a command be answered for 15 minutes
_REVISIONS = Path(__file__).parent / "revisions"
_DEADLOCK = "40P01"  # PostgreSQL's docs, appendix A
_UPGRADE_LOCK = 0x50_61_74_63_68  # two copies that start at once on PostgreSQL upgrade one after the other


class Database:
    """A database at an SQLAlchemy URL. Nothing connects before `open`, which must be the first thing called.

    Raises ConfigurationError where the URL is of no kind that we know.
    """

    def __init__(self, url: str) -> None:
        self._engine = _create_engine(parse_url(url))
        self._writing = self._engine.execution_options(**{_WRITING: True})
        self._one_writer = asyncio.Lock() if self.dialect == "sqlite" else None
        self._afterwards: WeakKeyDictionary[AsyncConnection, list[Callable[[], None]]] = WeakKeyDictionary()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    async def open(self, *, revision: str = "head") -> None:
        """Connect, and upgrade the schema to `revision` in one transaction. Raises DatabaseUnavailable."""
        with unavailable_in_words():
            await self._upgrade(revision)

    async def _upgrade(self, revision: str) -> None:
        async with self.write() as connection:
            if self.dialect == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
            await connection.run_sync(_upgrade, revision)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Give a connection for reading; nothing written on it is kept."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """Give a connection in a transaction: committed at the end, rolled back on any exception. Never nest two."""
        async with self._turn():
            afterwards: list[Callable[[], None]] = []
            async with self._writing.begin() as connection:
                self._afterwards[connection] = afterwards
                yield connection
            for act in afterwards:
                act()

    def after_commit(self, connection: AsyncConnection, act: Callable[[], None]) -> None:
        """Have `act` called once what `write` gave this connection for is committed; never, where it is rolled back."""
        self._afterwards[connection].append(act)

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        if self._one_writer is None:
            yield
            return
        async with asyncio.timeout(_WRITER_PATIENCE):
            await self._one_writer.acquire()
        try:
            yield
        finally:
            self._one_writer.release()

    async def close(self) -> None:
        """Close every connection. The last thing that a stopping program does."""
        await self._engine.dispose()


def is_deadlock(error: Exception) -> bool:
    """Whether PostgreSQL ended this transaction, of two that waited for each other; nothing of it was written."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _DEADLOCK


again_after_deadlock = stamina.retry(on=is_deadlock, attempts=5, timeout=_WRITER_PATIENCE, wait_initial=0.05)
"""For a method that is one transaction. Rows are locked in one order where that can be; where not, this mends it."""


@contextmanager
def unavailable_in_words() -> Generator[None]:
    """Raise DatabaseUnavailable, with one sentence, for whatever a database raises that can't be used."""
    try:
        yield
    except (SQLAlchemyError, CommandError, OSError) as error:
        told = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        reason = str(told.__cause__ or told) or type(told).__name__
        raise DatabaseUnavailable(f"The database can't be used: {reason.splitlines()[0].rstrip('.')}.") from error


async def open_database(url: str, *, revision: str = "head") -> Database:
    """Give an open database, upgraded to `revision`; nothing stays open where that fails."""
    database = Database(url)
    try:
        await database.open(revision=revision)
    except BaseException:
        await database.close()
        raise
    return database


def parse_url(url: str) -> URL:
    """Read a database URL. Raises ConfigurationError where it is of no kind that we know."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # a port that is no number is the latter
        raise ConfigurationError("database.url is not a URL such as sqlite+aiosqlite:///patchbell.db.") from error
    if parsed.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ConfigurationError(
            f"database.url must begin with sqlite+aiosqlite or postgresql+asyncpg, not {parsed.drivername}."
        )
    if parsed.drivername.startswith("sqlite"):
        if parsed.database in (None, "", ":memory:"):
            raise ConfigurationError("database.url must name a file: what is owed has to survive a restart.")
        if not Path(parsed.database).parent.is_dir():
            raise ConfigurationError(f"database.url names a folder that is not there: {Path(parsed.database).parent}.")
    return parsed


def _create_engine(url: URL) -> AsyncEngine:
    # Parameters are tickets, safe words and names: what an error says is logged.
    if url.get_backend_name() == "postgresql":
        engine = create_async_engine(url, hide_parameters=True, pool_pre_ping=True, pool_timeout=_POOL_PATIENCE)
        event.listen(engine.sync_engine, "handle_error", _hide_detail)
        return engine
    engine = create_async_engine(url, hide_parameters=True, pool_timeout=_POOL_PATIENCE)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _hide_detail(context: ExceptionContext) -> None:
    """Take PostgreSQL's DETAIL out of an error and what it was made of: it quotes the whole row."""
    error, translated = context.sqlalchemy_exception, context.original_exception
    for each in (error, translated):
        if each is not None:
            each.args = tuple(str(part).partition("\nDETAIL:")[0] for part in each.args)
    if hasattr(translated.__cause__, "detail"):
        setattr(translated.__cause__, "detail", None)  # noqa: B010 -- asyncpg has no types


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # or sqlite3 would begin transactions by itself, and late
    cursor = connection.cursor()
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
