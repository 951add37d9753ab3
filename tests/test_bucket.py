"""The token bucket that nodes, Discord and visitors are paced by."""

from __future__ import annotations

import math
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bucket import Bucket


class Hand:
    """A timer that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Hand:
    return Hand()


def test_its_burst_at_once_and_then_its_rate(timer: Hand) -> None:
    bucket = Bucket(rate=2, burst=3, timer=timer)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.wait() == 0.5
    timer.now += 0.5
    assert (bucket.wait(), bucket.take(), bucket.wait()) == (0, 0, 0.5)


def test_what_is_not_there_yet_is_owed_in_turn(timer: Hand) -> None:
    bucket = Bucket(rate=2, burst=1, timer=timer)
    assert [bucket.take() for _ in range(5)] == [0, 0.5, 1, 1.5, 2]
    assert bucket.wait(2) == 3


def test_it_never_holds_more_than_its_burst(timer: Hand) -> None:
    bucket = Bucket(rate=2, burst=3, timer=timer)
    bucket.give_back()
    timer.now += 60
    assert bucket.take(3) == 0
    assert bucket.wait() == 0.5
    bucket.give_back()
    assert bucket.wait() == 0


def test_more_than_its_burst_takes_longer(timer: Hand) -> None:
    assert Bucket(rate=1, burst=3, timer=timer).wait(5) == 2


def test_without_a_rate_nothing_comes_back(timer: Hand) -> None:
    assert Bucket(rate=0, burst=0, timer=timer).wait() == math.inf
    once = Bucket(rate=0, burst=1, timer=timer)
    assert once.take() == 0
    timer.now += 1e9
    assert once.wait() == math.inf


async def test_a_turn_is_waited_for() -> None:
    bucket = Bucket(rate=50, burst=1)
    began = monotonic()
    for _ in range(3):
        await bucket.turn()
    assert monotonic() - began > 0.03


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 5)), max_size=60))
def test_never_more_than_the_rate_allows(steps: list[tuple[float, float]]) -> None:
    timer = Hand()
    bucket = Bucket(rate=2, burst=5, timer=timer)
    used: list[float] = []
    for pause, patience in steps:
        timer.now += pause
        if bucket.wait() <= patience:
            used.append(timer.now + bucket.take())
    used.sort()
    for first in range(len(used)):
        for last in range(first, len(used)):
            assert last - first + 1 <= 5 + 2 * (used[last] - used[first]) + 1e-6
