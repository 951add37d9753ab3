from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ao.budget import Breaker, Bucket, Debt, retry_after
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


def test_a_bucket_gives_its_capacity_at_once_and_then_its_rate(timer):
    bucket = Bucket(rate=2, capacity=3, timer=timer)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    with pytest.raises(RateLimited) as raised:
        bucket.take()
    assert raised.value.retry_after == 0.5
    timer.now += 0.5
    assert bucket.take() == 0


def test_those_who_wait_are_served_in_turn(timer):
    bucket = Bucket(rate=2, capacity=1, timer=timer)
    assert [bucket.take(patience=2) for _ in range(5)] == [0, 0.5, 1, 1.5, 2]
    with pytest.raises(RateLimited):
        bucket.take(patience=2)


def test_a_reserve_is_kept_for_people(timer):
    bucket = Bucket(rate=1, capacity=4, timer=timer)
    assert [bucket.take(reserve=2) for _ in range(2)] == [0, 0]
    with pytest.raises(RateLimited):
        bucket.take(reserve=2)
    assert bucket.take() == 0


def test_a_bucket_of_nothing_gives_nothing(timer):
    bucket = Bucket(rate=0, capacity=0, timer=timer)
    with pytest.raises(RateLimited):
        bucket.take(patience=1e9)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 5), st.floats(0, 3)), max_size=60))
def test_never_more_than_the_rate_allows(steps):
    timer = Hand()
    bucket = Bucket(rate=2, capacity=5, timer=timer)
    used: list[float] = []
    for pause, patience, reserve in steps:
        timer.now += pause
        try:
            used.append(timer.now + bucket.take(patience=patience, reserve=reserve))
        except RateLimited:
            continue
    used.sort()
    for first in range(len(used)):
        for last in range(first, len(used)):
            assert last - first + 1 <= 5 + 2 * (used[last] - used[first]) + 1e-6


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
