"""A clock that can skip ahead: the sandbox's Discord, its AO network and the bot all live by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Gives the sandbox's time: this machine's, plus what was skipped. It never goes back."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        """Give the current time, aware and in UTC."""
        return datetime.now(UTC) + self.offset

    def skip(self, by: timedelta) -> None:
        """Go ahead. Raises ValueError for a step back, which no real clock would make."""
        if by < timedelta():
            raise ValueError("A clock only skips ahead.")
        self.offset += by
