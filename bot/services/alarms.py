"""Alarms: one sentence to the operators, by DM and webhook, at most once an hour for each key."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import httpx
import stamina
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.notices import Alarm
from bot.settings import Settings
from bot.store import memos, outbox
from bot.store.database import Database

log = structlog.get_logger()

AT_MOST_EVERY = timedelta(hours=1)
_WEBHOOK_TIMEOUT = 10.0


class _NotTaken(Exception):
    """The webhook did not take it. Names the kind of error alone: the URL is a secret, and httpx's own words have it.

    stamina logs what it tries again for.
    """


class Alarms:
    """Rings. Each operator's DM goes through the outbox; the webhook is posted to in the background."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._operators = settings.operators
        self._webhook = settings.alerts.webhook_url
        self._clock = clock
        self._posts: set[asyncio.Task[None]] = set()

    async def ring(self, key: str, sentence: str) -> bool:
        """Ring unless the same key rang within the hour; tell whether it did."""
        async with self._database.write() as connection:
            return await self.ring_in(connection, key, sentence, self._clock())

    async def ring_in(
        self, connection: AsyncConnection, key: str, sentence: str, now: datetime, *, guild_id: int | None = None
    ) -> bool:
        """Do the same in the transaction that found the reason. `guild_id`: the server that they may resume."""
        name = f"alarm:{key}"
        last = await memos.recall(connection, name, lock=True)
        if last is not None and now - datetime.fromisoformat(last) < AT_MOST_EVERY:
            return False
        await memos.remember(connection, name, now.isoformat())
        log.error("alarm", key=key, sentence=sentence)
        for operator in self._operators:
            await outbox.owe(connection, Alarm(sentence=sentence, guild_id=guild_id), now=now, user_id=operator)
        if self._webhook is not None:
            url = self._webhook.get_secret_value()
            self._database.after_commit(connection, lambda: self._post_beside(url, sentence))
        return True

    async def close(self) -> None:
        """Let posts that are under way end; each has its own timeout."""
        await asyncio.gather(*self._posts)

    def _post_beside(self, url: str, sentence: str) -> None:
        task = asyncio.create_task(self._post(url, sentence))
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def _post(self, url: str, sentence: str) -> None:
        """POST `{"content": …}`, thrice at most."""
        try:
            async for attempt in stamina.retry_context(on=_NotTaken, attempts=3, timeout=3 * _WEBHOOK_TIMEOUT):
                with attempt:
                    await _post_once(url, sentence)
        except _NotTaken as error:
            log.error("alarm webhook failed", error=str(error))


async def _post_once(url: str, sentence: str) -> None:
    try:
        async with httpx.AsyncClient(timeout=_WEBHOOK_TIMEOUT) as client:
            (await client.post(url, json={"content": sentence})).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _NotTaken(type(error).__name__) from None
