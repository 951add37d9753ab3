"""A token bucket: so many a second, and after a pause a few at once."""

from __future__ import annotations

import asyncio


class TokenBucket:
    """Hands out `rate` tokens a second, at most `burst` at once. Made for one event loop; time is monotonic."""

    def __init__(self, rate: float, *, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = burst if burst is not None else max(1.0, rate)
        self._tokens = self._burst
        self._filled_at: float | None = None

    async def take(self) -> None:
        """Wait for a token and take it. The wait is at most 1/rate seconds for each taker before."""
        self._fill()
        self._tokens -= 1
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)

    def give_back(self) -> None:
        """Return a token that was not used."""
        self._tokens = min(self._burst, self._tokens + 1)

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._filled_at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
