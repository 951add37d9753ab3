"""The line of those who wait for a look: so many at once, the others in turn, told which number they are.

The first look at a process costs some six requests, and our budget for a node is ten a second as shipped. Without a
line a thousand people who register within a minute share it so thinly that it is spent before anybody has an answer,
and most read that their process could not be read, when it is we who asked too much of ourselves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

from bot.ao.asking import Progress, say
from bot.ao.budget import Timer
from bot.clock import Clock, utc_now
from bot.domain.sentence import Sentence

AT_ONCE = 24
"""Looks; over three nodes that leaves each of them fewer claims to compute than it allows at once, as shipped (15)."""
LONGEST_WAIT = 600.0
"""Seconds, for one command; then its looks go on out of turn: an interaction can be answered for 15 minutes only."""
_TOLD_AFTER = 2.0
_TOLD_EVERY = 60.0  # the moment that is told counts down by itself on people's screens
_FIRST_GUESS = 0.2  # seconds from one who leaves to the next
_NEWEST = 0.1  # how much the newest of them counts


class Line:
    """First come, first served. Made for one event loop."""

    def __init__(self, *, at_once: int = AT_ONCE, clock: Clock = utc_now, timer: Timer = monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._timer = timer
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._pace = _FIRST_GUESS
        self._left_at: float | None = None

    def latest(self) -> float:
        """Give until when one command may wait in all, however many turns it takes (`turn`)."""
        return self._timer() + LONGEST_WAIT

    @asynccontextmanager
    async def turn(self, progress: Progress | None = None, *, latest: float | None = None) -> AsyncGenerator[None]:
        """Wait for a turn, until `latest` at most (as it comes: `LONGEST_WAIT` from now), and give it on at the end."""
        if self._inside < self._at_once:
            self._inside += 1
        else:
            await self._wait(progress, self.latest() if latest is None else latest)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, progress: Progress | None, latest: float) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        patience = _TOLD_AFTER
        try:
            while not place.done() and (left := latest - self._timer()) > 0:
                await asyncio.wait({place}, timeout=min(patience, left))
                if not place.done():
                    await say(progress, self._how_long(place))
                patience = _TOLD_EVERY
        except BaseException:  # a cancellation: whoever gave the turn must not have given it in vain
            if place.done():
                self._leave()
            else:
                self._waiting.remove(place)
            raise
        if not place.done():
            self._waiting.remove(place)
            self._inside += 1

    def _how_long(self, place: asyncio.Future[None]) -> Sentence:
        number = self._waiting.index(place) + 1
        return Sentence(
            "Many people ask at this moment: you are number {number} in line. Your turn comes {turn}.",
            number=number,
            turn=self._clock() + timedelta(seconds=number * self._pace),
        )

    def _leave(self) -> None:
        now = self._timer()
        if self._waiting and self._left_at is not None:
            self._pace += _NEWEST * (now - self._left_at - self._pace)
        self._inside -= 1
        self._left_at = now if self._waiting else None
        if self._waiting and self._inside < self._at_once:
            self._inside += 1
            self._waiting.popleft().set_result(None)
