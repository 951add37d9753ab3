"""Never wrong: the state machine, and the planted mistakes that it must find."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.domain.mutants import MUTANTS
from tests.domain.rules import Rules

EASY = settings(stateful_step_count=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))


ALIKE = settings(EASY, max_examples=1000, phases=(Phase.generate,), derandomize=True, report_multiple_bugs=False)


def test_no_status_is_ever_wrong_and_none_flaps():
    run_state_machine_as_test(Rules, settings=settings(EASY, max_examples=40))


@pytest.mark.slow
def test_no_status_is_ever_wrong_and_none_flaps_at_length():
    """The same examples as for the mistakes: what is found there is the mistake's."""
    run_state_machine_as_test(Rules, settings=ALIKE)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_mistake_is_found(mutant):
    with mutant.planted(), pytest.raises(AssertionError):
        run_state_machine_as_test(Rules, settings=ALIKE)
