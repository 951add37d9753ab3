"""What keeps us within Discord's limits: a stop before too many of our requests were refused."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from bot.clock import Clock


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
