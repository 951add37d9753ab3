"""What became of a message, for those who wait to see it arrive, and when its turn comes where it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.bucket import Bucket
from bot.clock import Clock
from bot.services import holds
from bot.store import outbox
from bot.store.database import Database
from bot.store.outbox import Message, State


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message so far; `withdrawn`: it was not wanted any more. `code` is Discord's newest refusal.

    Only while waiting: `next_try_at`, and `expected_at`, when its turn comes as things are. `in_line`: it waits only
    because others who open a conversation go first; nothing was tried, and Discord holds nothing back.
    """

    state: Literal["sent", "refused", "withdrawn", "waiting"]
    code: int | None = None
    next_try_at: datetime | None = None
    expected_at: datetime | None = None
    in_line: bool = False


class Outcomes:
    """Reads the outbox. `opening` paces the conversations that are opened."""

    def __init__(self, database: Database, clock: Clock, opening: Bucket) -> None:
        self._database = database
        self._clock = clock
        self._opening = opening
        self._settled = asyncio.Condition()

    async def announce(self) -> None:
        """Have everybody who waits look again: something was settled."""
        async with self._settled:
            self._settled.notify_all()

    async def wait_for(self, delivery_id: int, timeout: float, *, stopping: Callable[[], bool]) -> Outcome:  # noqa: ASYNC109 -- as in `Delivering.outcome`
        """Do as `Delivering.outcome` says, and give what is so by then at a stop."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            outcome = await self._outcome_now(delivery_id)
            left = deadline - asyncio.get_running_loop().time()
            if outcome.state != "waiting" or left <= 0 or stopping() or self._comes_later(outcome, left):
                return outcome
            try:
                async with asyncio.timeout(min(left, 0.5)), self._settled:
                    await self._settled.wait()
            except TimeoutError:
                continue

    async def _outcome_now(self, delivery_id: int) -> Outcome:
        async with self._database.read() as connection:
            message = await outbox.find(connection, delivery_id)
            if message is None:
                raise LookupError(f"there is no delivery {delivery_id}")
            if message.state == State.OWED:
                return await self._waiting(connection, message)
        if message.state == State.WITHDRAWN:
            return Outcome("withdrawn")
        return Outcome("sent" if message.was_sent else "refused", message.code)

    async def _waiting(self, connection: AsyncConnection, message: Message) -> Outcome:
        """Say when its turn comes: what holds it, and who opens a conversation before it."""
        now = self._clock()
        held = await holds.all_held(connection, now)
        moments = [now, message.next_try_at, held.get(holds.SENDS, now)]
        paced = now
        if message.opens_a_conversation:
            before = await outbox.opening_before(connection, message)
            paced = now + timedelta(seconds=self._opening.wait(before + 1))
            moments += [paced, held.get(holds.NEW_CONVERSATIONS, now)]
        in_line = message.attempts == 0 and max(moments) == paced > now
        return Outcome("waiting", message.code, message.next_try_at, max(moments), in_line)

    def _comes_later(self, outcome: Outcome, seconds: float) -> bool:
        return outcome.expected_at is not None and outcome.expected_at - self._clock() > timedelta(seconds=seconds)
