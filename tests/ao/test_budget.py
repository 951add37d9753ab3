from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ao.budget import Breaker, Debt, retry_after
from bot.errors import RateLimited

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


class Hand:
    """A timer that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Hand:
    return Hand()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "99999999999999999999"}, 3600),
        ({"retry-after": "Tue, 24 Nov 2026 12:01:30 GMT"}, 90),
        ({"retry-after": "Tue, 24 Nov 2026 12:01:30 GMT", "date": "Tue, 24 Nov 2026 12:01:00 GMT"}, 30),
        ({"retry-after": "Tuesday, 24-Nov-26 12:01:30 GMT"}, 90),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 1),
        ({"retry-after": "soon"}, 60),
        ({"retry-after": "-5"}, 60),
        ({"retry-after": "1.5"}, 60),
        ({"retry-after": "Tue, 99 Nov 2026 12:01:30 GMT"}, 60),
        ({}, 60),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(headers, seconds):
    assert retry_after(headers, NOW) == seconds


@given(st.text(), st.text())
def test_no_retry_after_is_too_odd(value, date):
    assert 1 <= retry_after({"retry-after": value, "date": date}, NOW) <= 3600


def test_a_breaker_opens_after_failures_in_a_row_only(timer):
    breaker = Breaker(timer)
    breaker.fail(), breaker.fail(), breaker.succeed(), breaker.fail(), breaker.fail()
    assert breaker.closed
    breaker.fail()
    assert not breaker.closed


def test_half_open_lets_one_probe_through(timer):
    breaker = Breaker(timer)
    breaker.open()
    assert not breaker.may_probe()
    timer.now += breaker.shortest * 1.2
    assert [breaker.may_probe(), breaker.may_probe()] == [True, False]
    breaker.abandon()
    assert breaker.may_probe()
    breaker.succeed()
    assert breaker.closed


def test_a_breaker_rests_longer_each_time_but_not_for_ever(timer):
    breaker = Breaker(timer)
    rests = []
    for _ in range(12):
        breaker.open()
        rest = 0.0
        while not breaker.may_probe():
            timer.now += 1
            rest += 1
        rests.append(rest)
    assert rests[0] < rests[2] < rests[4]
    assert max(rests) <= breaker.longest * 1.2 + 1


def test_debt_ends_by_itself(timer):
    debt = Debt(timer)
    debt.owe({"retry-after": "30"}, NOW)
    debt.owe({"retry-after": "5"}, NOW)
    with pytest.raises(RateLimited) as raised:
        debt.check()
    assert raised.value.retry_after == 30
    timer.now += 30
    debt.check()
