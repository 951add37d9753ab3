"""What is the same on SQLite and PostgreSQL: column types, inserts over what is there, and rows as typed values."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, RowMapping, String, Table, Text, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

RowId = BigInteger().with_variant(Integer, "sqlite")
"""A key that the database counts up. SQLite counts only columns that are declared INTEGER."""


class Instant(TypeDecorator[datetime]):
    """A moment: aware on its way in, aware and in UTC on its way out. SQLite keeps text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments: they would be read in the host's own zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say the zone that SQLite cannot keep."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[E]):
    """A StrEnum, kept as its word."""

    impl = String(32)
    cache_ok = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        """Give the word."""
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        """Give the member."""
        return None if value is None else self.kind(value)


class Typed(TypeDecorator[Any]):
    """Any type that pydantic can carry to JSON and back, kept as JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Give JSON."""
        return None if value is None else self._adapter.dump_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Give the value; raises pydantic's ValidationError where the stored JSON is not of this type."""
        return None if value is None else self._adapter.validate_json(value)


def upsert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Give an insert that can say what happens where such a row is there (`on_conflict_do_…`)."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def build(kind: type[T], row: RowMapping) -> T:
    """Make a dataclass from a row that has exactly its fields."""
    return kind(**{str(name): value for name, value in row.items()})
