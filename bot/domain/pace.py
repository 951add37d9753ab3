"""When a process is looked at next: the sooner, the likelier it is that something changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.observation import Verdict
from bot.domain.status import LONG_ENOUGH, TargetStatus
from bot.domain.verdict import Judgement

FIRST_RETRY = timedelta(minutes=5)
LATER_CONFIRMATION = timedelta(hours=8)
YOUNG_RETRY = timedelta(hours=2)
_SPREAD = 0.2
_MOST_DOUBLINGS = 16  # beyond it any sensible interval is reached, and the arithmetic stays small


class Intervals(Protocol):
    """The operator's durations, as `[checks]` of the configuration has them."""

    @property
    def unpatched_interval(self) -> timedelta:
        """Between looks at what is not patched."""
        ...

    @property
    def patched_interval(self) -> timedelta:
        """Between looks at what has long been patched."""
        ...

    @property
    def after_signature(self) -> timedelta:
        """From a signature to the first look."""
        ...

    @property
    def confirm_after(self) -> timedelta:
        """For how long a lone operator's word must stand."""
        ...


def next_look(
    status: TargetStatus,
    judgement: Judgement,
    *,
    now: datetime,
    settings: Intervals,
    jitter: float,
    signed_at: datetime | None = None,
) -> datetime:
    """Give when to look again, after `judgement` moved a target to `status`. `jitter` is random, from 0 to 1.

    * After a signature: `after_signature`, and from then on each gap half as long as the time since it, until that is
      longer than what follows.
    * Not decided: 5 minutes, doubled with each such look, up to a day.
    * A change waits for its confirmation: `confirm_after`, later every 8 hours; an id that is not found yet: 2 hours.
    * Patched: as long as it has been so, at least `unpatched_interval` and at most `patched_interval`.
    * Not patched: `unpatched_interval`. Not found: `patched_interval`.

    All but the first are put off by up to a fifth, so that what came together does not stay together.
    """
    usual = _usual(status, judgement, now, settings) * (1 + _SPREAD * jitter)
    if signed_at is not None and status.verdict != Verdict.PATCHED:
        return now + min(usual, max(settings.after_signature, (now - signed_at) / 2))
    return now + usual


def _usual(status: TargetStatus, judgement: Judgement, now: datetime, settings: Intervals) -> timedelta:
    if judgement.verdict == Verdict.UNKNOWN:
        doublings = min(max(status.unknown_looks - 1, 0), _MOST_DOUBLINGS)
        return min(FIRST_RETRY * 2**doublings, LONG_ENOUGH)
    if status.candidate == Verdict.NOT_FOUND:
        return YOUNG_RETRY
    if status.candidate is not None:
        return settings.confirm_after if status.tries <= 1 else LATER_CONFIRMATION
    if status.verdict == Verdict.PATCHED:
        return min(settings.patched_interval, max(settings.unpatched_interval, now - (status.since or now)))
    return settings.patched_interval if status.verdict == Verdict.NOT_FOUND else settings.unpatched_interval
