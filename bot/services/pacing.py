"""What keeps us within Discord's limits: so many requests a second, and a stop before too many were refused."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime, timedelta

from bot.clock import Clock


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

    def wait(self, tokens: int = 1) -> float:
        """Give the seconds until so many tokens are there, if nobody takes one meanwhile."""
        self._fill()
        return max(0.0, (tokens - self._tokens) / self._rate)

    def give_back(self) -> None:
        """Return a token that was not used."""
        self._tokens = min(self._burst, self._tokens + 1)

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._filled_at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now


class Refusals:
    """Counts what Discord counts against an address: 10,000 answers 401, 403 or 429 within 10 minutes are a ban.

    A 429 of scope `shared` is somebody else's, and does not count (docs: topics/rate-limits.mdx, "Invalid Request
    Limit"). `spent` at a tenth of that: whatever goes wrong then is not mended by going on.
    """

    AT_MOST = 1_000
    WITHIN = timedelta(minutes=10)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: deque[datetime] = deque(maxlen=self.AT_MOST)

    def hear(self, status: int, scope: str | None) -> None:
        """Take note of one answer. `scope` is its header `X-RateLimit-Scope`."""
        if status in (401, 403) or (status == 429 and scope != "shared"):
            self._at.append(self._clock())

    @property
    def counted(self) -> int:
        """How many of the last ten minutes count, up to `AT_MOST`."""
        since = self._clock() - self.WITHIN
        while self._at and self._at[0] <= since:
            self._at.popleft()
        return len(self._at)

    @property
    def spent(self) -> bool:
        """Whether to stop sending."""
        return self.counted >= self.AT_MOST
