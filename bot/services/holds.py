"""Holds: something is not done before a moment, across restarts. Each further one is longer, until a success."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import memos

_PREFIX = "hold:"

CHECKS = "hold:checks"
"""Many checks failed at once: it is our node. Nothing is concluded, nobody is reminded."""
NEW_CONVERSATIONS = "hold:new-conversations"
"""Discord lets us open no new DM (40003, 20026); open conversations go on."""
MAINTENANCE = "hold:maintenance"
"""An operator works on something: nobody is reminded (`python -m bot reminders hold`)."""
SENDS = "hold:sends"
"""Discord takes no message at all (a global limit, Cloudflare, a refused token)."""


ALL = (CHECKS, MAINTENANCE, NEW_CONVERSATIONS, SENDS)


class _Hold(BaseModel):
    until: datetime
    strikes: int


def shown(name: str) -> str:
    """Give a hold's name as operators read it: `new-conversations`."""
    return name.removeprefix(_PREFIX)


async def held_until(connection: AsyncConnection, name: str, now: datetime) -> datetime | None:
    """Give when the hold ends, or None where nothing is held."""
    hold = await _read(connection, name)
    return hold.until if hold is not None and hold.until > now else None


async def all_held(connection: AsyncConnection, now: datetime) -> dict[str, datetime]:
    """Give the names of what is held now, each with when that ends."""
    return still_on(await standing(connection), now)


async def standing(connection: AsyncConnection) -> dict[str, datetime]:
    """Give the same also of what is over, and on trial: no success has ended it yet."""
    named = await memos.recall_all(connection, _PREFIX)
    return {name: _Hold.model_validate_json(value).until for name, value in named.items()}


def still_on(standing: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """Leave out what is over."""
    return {name: until for name, until in standing.items() if until > now}


async def hold(
    connection: AsyncConnection, name: str, *, now: datetime, first: timedelta, longest: timedelta
) -> datetime:
    """Hold from now on, for `first` doubled by every hold since the last success; give when it ends.

    What arrives while it is held already (several sends were in flight) does not make it longer.
    """
    before = await _read(connection, name, lock=True)
    if before is not None and before.until > now:
        return before.until
    strikes = 0 if before is None else before.strikes + 1
    until = now + min(first * 2 ** min(strikes, 20), longest)
    await memos.remember(connection, name, _Hold(until=until, strikes=strikes).model_dump_json())
    return until


async def hold_until(connection: AsyncConnection, name: str, until: datetime) -> None:
    """Hold until then by somebody's decision, whatever was held before."""
    await memos.remember(connection, name, _Hold(until=until, strikes=0).model_dump_json())


async def end(connection: AsyncConnection, name: str) -> None:
    """End a hold by somebody's decision."""
    await memos.forget(connection, name)


async def on_trial(connection: AsyncConnection, name: str) -> bool:
    """Tell whether there was a hold, over by now, that no success has ended yet."""
    return await _read(connection, name) is not None


async def release(connection: AsyncConnection, name: str, now: datetime) -> None:
    """Forget a hold that is over, and its strikes: what it held back has succeeded.

    While it lasts it stays: what succeeds then was on its way before, and tells nothing of what comes after.
    """
    hold = await _read(connection, name, lock=True)
    if hold is not None and hold.until <= now:
        await memos.forget(connection, name)


async def _read(connection: AsyncConnection, name: str, *, lock: bool = False) -> _Hold | None:
    value = await memos.recall(connection, name, lock=lock)
    return None if value is None else _Hold.model_validate_json(value)
