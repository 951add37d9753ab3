"""Which nonces Discord surely remembers still, told by a clock that nobody sets: the wall's may step back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

NONCE_REMEMBERED = timedelta(seconds=60)  # "the past few minutes" (discord-facts.md, section 1), kept well within


class Nonces:
    """Knows whose first attempt this process began within the last minute. After a restart it knows of none."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._began: dict[int, float] = {}  # by delivery id, oldest first

    def note(self, delivery_id: int) -> None:
        """Take note that a first attempt begins now."""
        self._forget_old()
        self._began.pop(delivery_id, None)
        self._began[delivery_id] = self._seconds()

    def remembered(self, delivery_id: int) -> bool:
        """Tell whether Discord surely remembers it."""
        self._forget_old()
        return delivery_id in self._began

    def _forget_old(self) -> None:
        before = self._seconds() - NONCE_REMEMBERED.total_seconds()
        while self._began and next(iter(self._began.values())) < before:
            del self._began[next(iter(self._began))]
