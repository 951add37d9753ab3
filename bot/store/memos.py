"""Small things to remember by name: a command fingerprint, when an alarm last rang, how long something is held."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.columns import upsert
from bot.store.tables import memos


async def recall(connection: AsyncConnection, name: str, *, lock: bool = False) -> str | None:
    """Give what was remembered under this name, or None. With `lock` nobody else recalls it so before we are done."""
    query = select(memos.c.value).where(memos.c.name == name)
    if lock:  # what is not there cannot be locked
        await connection.execute(upsert(connection, memos).values(name=name, value="").on_conflict_do_nothing())
        query = query.with_for_update()
    return await connection.scalar(query) or None


async def recall_all(connection: AsyncConnection, prefix: str) -> dict[str, str]:
    """Give all that was remembered under names that begin so."""
    query = select(memos.c.name, memos.c.value).where(memos.c.name.startswith(prefix, autoescape=True))
    return {row.name: row.value for row in await connection.execute(query) if row.value}


async def remember(connection: AsyncConnection, name: str, value: str) -> None:
    """Remember a value under this name, over any that was there."""
    await connection.execute(
        upsert(connection, memos)
        .values(name=name, value=value)
        .on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )


async def forget(connection: AsyncConnection, name: str) -> None:
    """Forget the name."""
    await connection.execute(delete(memos).where(memos.c.name == name))
