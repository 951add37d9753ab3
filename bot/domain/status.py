"""The confirmed state of a target: only proven judgements move it, and only when they are confirmed."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement, Reason

ENOUGH_TRIES = 3
LONG_ENOUGH = timedelta(hours=24)
"""How long a second operator may fail to answer before one is believed, and how long an unknown id may be too young."""


class Voice(BaseModel):
    """An operator that spoke for the candidate, and when it did so first."""

    model_config = ConfigDict(frozen=True)

    operator: str
    since: datetime


class TargetStatus(BaseModel):
    """What is confirmed about one process and one set of keys, and what waits for its confirmation.

    `since` is when `verdict` was confirmed first, `confirmed_by` the operators that did it. A `candidate` is another
    verdict that one operator gave at `tries` looks in a row, the first at `candidate_since`. `unknown_since` and
    `unknown_looks` tell of the looks since the last one that proved anything.
    """

    model_config = ConfigDict(frozen=True)

    verdict: Verdict = Verdict.UNKNOWN
    since: datetime | None = None
    confirmed_by: tuple[str, ...] = ()
    candidate: Verdict | None = None
    candidate_since: datetime | None = None
    voices: tuple[Voice, ...] = ()
    tries: int = 0
    unknown_since: datetime | None = None
    unknown_looks: int = 0

    def unread_for(self, after: timedelta, now: datetime) -> bool:
        """Tell whether for so long no look has proven anything: owners are told, and not reminded meanwhile."""
        return self.unknown_since is not None and now - self.unknown_since >= after


# THE RULE (ao-facts.md, "Confirmation"). UNKNOWN moves nothing. A proven word for the status that stands keeps it, one
# operator's is enough. A proven word for another status turns it
#   - at once, if two operators gave it at the same look. Words of different looks are not added up: what was true at
#     the first may have ended before the second, and then one liar would decide;
#   - else, if only one operator is configured, when the same one gives it again `confirm_after` later;
#   - else, when no second operator could answer at three looks over 24 hours, and the same one gives it again.
# Any proven word to the contrary ends the waiting. An id is NOT FOUND after 24 hours, for the just spawned is found
# later; and what was once found stays found, whatever nodes and gateways forget.
def advance(
    status: TargetStatus, judgement: Judgement, *, now: datetime, operators: int, confirm_after: timedelta
) -> TargetStatus:
    """Give the status after one more look. `operators` is how many are configured."""
    found_before = status.verdict in (Verdict.PATCHED, Verdict.NOT_PATCHED)
    if judgement.verdict == Verdict.UNKNOWN or (judgement.verdict == Verdict.NOT_FOUND and found_before):
        return _unproven(status, judgement, now)
    known = status.model_copy(update={"unknown_since": None, "unknown_looks": 0})
    if judgement.verdict == status.verdict:
        return _kept(known, judgement)
    waiting = _heard(known, judgement, now)
    if _is_confirmed(waiting, judgement, now, operators, confirm_after):
        return known.model_copy(
            update={
                "verdict": judgement.verdict,
                "since": now,
                "confirmed_by": judgement.operators,
                **_NO_CANDIDATE,
            }
        )
    return waiting


_NO_CANDIDATE = {"candidate": None, "candidate_since": None, "voices": (), "tries": 0}


def _unproven(status: TargetStatus, judgement: Judgement, now: datetime) -> TargetStatus:
    contradicted = judgement.reason == Reason.DISAGREE
    return status.model_copy(
        update={
            "unknown_since": status.unknown_since or now,
            "unknown_looks": status.unknown_looks + 1,
            **(_NO_CANDIDATE if contradicted else {}),
        }
    )


def _kept(status: TargetStatus, judgement: Judgement) -> TargetStatus:
    more = len(judgement.operators) > len(status.confirmed_by)
    return status.model_copy(
        update={**_NO_CANDIDATE, "confirmed_by": judgement.operators if more else status.confirmed_by}
    )


def _heard(status: TargetStatus, judgement: Judgement, now: datetime) -> TargetStatus:
    """Note one more look that gave the candidate."""
    if status.candidate != judgement.verdict:
        status = status.model_copy(
            update={"candidate": judgement.verdict, "candidate_since": now, "voices": (), "tries": 0}
        )
    heard = {voice.operator for voice in status.voices}
    new = tuple(Voice(operator=operator, since=now) for operator in judgement.operators if operator not in heard)
    return status.model_copy(update={"voices": status.voices + new, "tries": status.tries + 1})


def _is_confirmed(
    status: TargetStatus, judgement: Judgement, now: datetime, operators: int, confirm_after: timedelta
) -> bool:
    waited = now - (status.candidate_since or now)
    if judgement.verdict == Verdict.NOT_FOUND:
        return waited >= LONG_ENOUGH
    if len(judgement.operators) >= 2:
        return True
    again = any(voice.operator in judgement.operators and now - voice.since >= confirm_after for voice in status.voices)
    if operators <= 1:
        return again
    return again and status.tries >= ENOUGH_TRIES and waited >= LONG_ENOUGH
