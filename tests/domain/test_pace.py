"""When a process is looked at next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.observation import Verdict
from bot.domain.pace import next_look
from bot.domain.status import TargetStatus
from bot.domain.verdict import Judgement, Reason
from bot.settings import CheckSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = CheckSettings()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def wait(said: Verdict = Verdict.NOT_PATCHED, *, jitter: float = 0.0, signed: timedelta | None = None, **status):
    """Give how long after `NOW` the next look is."""
    judgement = Judgement(verdict=said, reason=Reason.SHOWN)
    status = TargetStatus(**({"verdict": said} | status))
    signed_at = None if signed is None else NOW - signed
    return next_look(status, judgement, now=NOW, settings=SETTINGS, jitter=jitter, signed_at=signed_at) - NOW


def test_not_patched_is_looked_at_every_few_hours():
    assert wait() == SETTINGS.unpatched_interval


@pytest.mark.parametrize(("age", "expected"), [(HOUR, 6 * HOUR), (10 * HOUR, 10 * HOUR), (30 * DAY, DAY)])
def test_patched_is_looked_at_the_less_the_longer_it_lasts(age, expected):
    assert wait(Verdict.PATCHED, since=NOW - age) == expected


@pytest.mark.parametrize(("looks", "expected"), [(1, 5 * MINUTE), (2, 10 * MINUTE), (4, 40 * MINUTE), (99, DAY)])
def test_unknown_backs_off(looks, expected):
    assert wait(Verdict.UNKNOWN, unknown_looks=looks) == expected


def test_a_candidate_waits_for_its_confirmation():
    assert wait(Verdict.PATCHED, verdict=Verdict.NOT_PATCHED, candidate=Verdict.PATCHED, tries=1) == HOUR
    assert wait(Verdict.PATCHED, verdict=Verdict.NOT_PATCHED, candidate=Verdict.PATCHED, tries=2) == 8 * HOUR
    assert wait(Verdict.NOT_FOUND, verdict=Verdict.UNKNOWN, candidate=Verdict.NOT_FOUND, tries=1) == 2 * HOUR
    assert wait(Verdict.NOT_FOUND) == DAY


def test_after_a_signature_it_is_a_matter_of_seconds_that_grow():
    waits = [wait(signed=signed) for signed in (timedelta(), 20 * timedelta(seconds=1), HOUR, 3 * DAY)]
    assert waits == [SETTINGS.after_signature, timedelta(seconds=10), HOUR / 2, SETTINGS.unpatched_interval]
    assert wait(Verdict.PATCHED, signed=timedelta()) >= SETTINGS.unpatched_interval
    assert wait(Verdict.UNKNOWN, unknown_looks=50, signed=timedelta()) == SETTINGS.after_signature


@given(
    verdict=st.sampled_from(Verdict),
    standing=st.sampled_from(Verdict),
    candidate=st.none() | st.sampled_from(Verdict),
    age=st.timedeltas(timedelta(), timedelta(days=4000)),
    looks=st.integers(0, 10**9),
    signed=st.none() | st.timedeltas(timedelta(), timedelta(days=4000)),
    jitter=st.floats(0, 1),
)
def test_there_is_always_a_next_look_and_it_is_within_bounds(verdict, standing, candidate, age, looks, signed, jitter):
    status = {"verdict": standing, "candidate": candidate, "since": NOW - age, "unknown_looks": looks, "tries": looks}
    found = wait(verdict, jitter=jitter, signed=signed, **status)
    assert SETTINGS.after_signature <= found <= 1.2 * DAY
