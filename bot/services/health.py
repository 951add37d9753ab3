"""How a loop shows that it moves: silence is an alarm (design.md, rule 9). `bot.web.health` judges it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock


@dataclass(slots=True)
class Pulse:
    """One loop: `beat` is called after every round, also one without work; `failures` are rounds that raised."""

    name: str
    interval: timedelta
    clock: Clock
    moved_at: datetime | None = None
    failures: int = 0

    def beat(self) -> None:
        """Say that it was started, or that a round was finished."""
        self.moved_at = self.clock()
