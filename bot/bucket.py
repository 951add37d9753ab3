"""A token bucket: so much at once, and a steady rate in the long run. Nodes, Discord and visitors are paced by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic


class Bucket:
    """Holds at most `burst` tokens, full at first, and gets `rate` more a second. For one event loop.

    `timer` gives seconds that only grow; it is handed in, so that tests need no waiting.
    """

    def __init__(self, *, rate: float, burst: float, timer: Callable[[], float] = monotonic) -> None:
        self._burst = burst
        self._rate = rate
        self._timer = timer
        self._tokens = burst
        self._filled_at = timer()

    def wait(self, tokens: float = 1) -> float:
        """Give the seconds until so many tokens are there, if nobody takes one meanwhile; infinite without a rate."""
        now = self._timer()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        missing = tokens - self._tokens
        if missing <= 0:
            return 0.0
        return missing / self._rate if self._rate > 0 else float("inf")

    def take(self, tokens: float = 1) -> float:
        """Take them, and give the seconds to wait before they are used: what is not there yet is owed, in turn."""
        wait = self.wait(tokens)
        self._tokens -= tokens
        return wait

    async def turn(self) -> None:
        """Take a token and wait for it: at most 1/rate seconds for each who took one before."""
        if (wait := self.take()) > 0:
            await asyncio.sleep(wait)

    def give_back(self) -> None:
        """Return a token that was not used."""
        self._tokens = min(self._burst, self._tokens + 1)
