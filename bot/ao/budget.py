"""How one peer is left alone: what its `retry-after` demands, and a breaker that lets it rest.

Times are seconds of a monotonic timer, handed in, so that tests need no waiting.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar

from bot.errors import RateLimited

Timer = Callable[[], float]

_DEFAULT_REST = 60.0  # a 429 that does not say until when: HyperBEAM's own limit counts over 60 s
LONGEST_REST = 3600.0  # a peer may not silence itself for ever by one odd header


@dataclass(slots=True)
class Breaker:
    """Closed until `threshold` failures in a row; then open for a while that doubles, up to `longest` seconds.

    When that while is over it is half open: one request, the probe, may find out; the others still wait.
    """

    threshold: ClassVar[int] = 3
    shortest: ClassVar[float] = 5.0
    longest: ClassVar[float] = 300.0

    timer: Timer
    failures: int = 0
    _rest: float = 0.0
    _open_until: float | None = None
    _probing: bool = False

    @property
    def closed(self) -> bool:
        """Ordinary requests may go out."""
        return self._open_until is None

    @property
    def half_open(self) -> bool:
        """It was open long enough, and nobody is finding out yet."""
        return self._open_until is not None and not self._probing and self.timer() >= self._open_until

    def may_probe(self) -> bool:
        """Claim the one probe of a half-open breaker; `succeed`, `fail`, `open` or `abandon` must follow."""
        if not self.half_open:
            return False
        self._probing = True
        return True

    def succeed(self) -> None:
        """The peer answered."""
        self.failures = 0
        self._rest = 0.0
        self._open_until = None
        self._probing = False

    def fail(self) -> None:
        """The peer did not answer as a peer would."""
        self.failures += 1
        if self.failures >= self.threshold:
            self.open()

    def open(self) -> None:
        """Let the peer rest, longer each time, and not in step with other peers."""
        self._probing = False
        self._rest = min(self.longest, self._rest * 2 or self.shortest)
        self._open_until = self.timer() + self._rest * random.uniform(0.8, 1.2)

    def abandon(self) -> None:
        """The probe was cancelled: somebody else may make it."""
        self._probing = False


class Debt:
    """Until when a peer asked to be left alone."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._until = 0.0

    @property
    def remaining(self) -> float:
        """Seconds still to wait; 0 when free."""
        return max(0.0, self._until - self._timer())

    def owe(self, headers: Mapping[str, str], now: datetime) -> float:
        """Note a 429 or 503 with its `retry-after`, and give the seconds."""
        seconds = retry_after(headers, now)
        self._until = max(self._until, self._timer() + seconds)
        return self.remaining

    def check(self) -> None:
        """Raise RateLimited while in debt."""
        if self.remaining > 0:
            raise RateLimited("This peer asked us to wait.", retry_after=self.remaining)


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Read `retry-after`, in seconds or as an HTTP date (by the peer's own `date` where it says so).

    Between 1 second and 1 hour; 60 seconds where it is missing or makes no sense.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        until, today = _http_date(text), _http_date(headers.get("date", "")) or now
        seconds = (until - today).total_seconds() if until is not None else _DEFAULT_REST
    return min(LONGEST_REST, max(1.0, seconds))


def _http_date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
