"""What the running program says of itself: which of its parts still move (design.md, rule 9: silence is an alarm)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SILENT_AFTER = 3
"""A part that has not moved for this many of its own intervals is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part that must keep moving: the sweep, the sender, the gateway connection.

    `moved_at` is when it last finished a round, or when it was started. `down` is a short sentence for a part that
    knows that it does not work (a gateway that is not connected); it makes the part silent whenever it moved.
    """

    name: str
    moved_at: datetime
    interval: timedelta
    down: str | None = None

    def silent(self, now: datetime) -> str | None:
        """Say in one sentence why this part counts as silent at `now`, or give None where it does not."""
        if self.down is not None:
            return self.down
        still = now - self.moved_at
        if still <= self.interval * SILENT_AFTER:
            return None
        return (
            f"has not moved for {int(still.total_seconds())} s, where {int(self.interval.total_seconds())} s are usual"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All parts, as seen at `at`, and what is held back until when: that is no fault that a restart would mend."""

    at: datetime
    parts: tuple[Part, ...]
    held: Mapping[str, datetime] = field(default_factory=dict[str, datetime])

    def as_json(self) -> dict[str, object]:
        """Give `{"ok", "parts": [{"name", "ok", "note"}], "held": {name: until}}`; nothing names a person."""
        notes = [(part.name, part.silent(self.at)) for part in self.parts]
        parts = [{"name": name, "ok": note is None, "note": note or "moves"} for name, note in notes]
        held = {name: until.isoformat() for name, until in self.held.items()}
        return {"ok": all(note is None for _, note in notes), "parts": parts, "held": held}
