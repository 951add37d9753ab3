"""Confirmation: what turns a status, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.observation import Verdict
from bot.domain.status import TargetStatus, advance
from bot.domain.verdict import Judgement, Reason

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def said(verdict: Verdict, *operators: str, reason: Reason = Reason.SHOWN) -> Judgement:
    return Judgement(verdict=verdict, reason=reason, operators=operators, nodes=operators)


PATCHED, MISSING = Verdict.PATCHED, Verdict.NOT_PATCHED
UNKNOWN = said(Verdict.UNKNOWN, reason=Reason.NO_ANSWER)
DISAGREE = said(Verdict.UNKNOWN, "amber", "birch", reason=Reason.DISAGREE)


def after(*looks: tuple[float, Judgement], operators: int = 2, status: TargetStatus | None = None) -> TargetStatus:
    """Give the status after looks at so many hours."""
    status = status or TargetStatus()
    for hours, judgement in looks:
        now = START + hours * HOUR
        status = advance(status, judgement, now=now, operators=operators, confirm_after=HOUR)
    return status


def test_two_operators_at_one_look_turn_it():
    status = after((0, said(MISSING, "amber", "birch")))
    assert (status.verdict, status.since, status.confirmed_by) == (MISSING, START, ("amber", "birch"))


def test_two_operators_at_two_looks_do_not():
    status = after((0, said(MISSING, "amber")), (0.1, said(MISSING, "birch")))
    assert (status.verdict, status.candidate, status.tries) == (Verdict.UNKNOWN, MISSING, 2)


def test_one_operator_turns_it_after_three_tries_over_a_day():
    looks = [(hours, said(PATCHED, "amber")) for hours in (0, 8, 16)]
    assert after(*looks).verdict == Verdict.UNKNOWN
    status = after(*looks, (24, said(PATCHED, "amber")))
    assert (status.verdict, status.confirmed_by, status.candidate, status.tries) == (PATCHED, ("amber",), None, 0)


def test_a_day_without_three_tries_is_not_enough():
    assert after((0, said(PATCHED, "amber")), (30, said(PATCHED, "amber"))).verdict == Verdict.UNKNOWN


def test_the_only_operator_turns_it_an_hour_later():
    assert after((0, said(PATCHED, "amber")), (0.9, said(PATCHED, "amber")), operators=1).verdict == Verdict.UNKNOWN
    assert after((0, said(PATCHED, "amber")), (1, said(PATCHED, "amber")), operators=1).verdict == PATCHED


@pytest.mark.parametrize("contrary", [DISAGREE, said(MISSING, "birch")])
def test_a_contrary_word_ends_the_waiting(contrary):
    kept = after((0, said(MISSING, "amber", "birch")))
    looks = [(1, said(PATCHED, "amber")), (13, contrary), (20, said(PATCHED, "amber")), (28, said(PATCHED, "amber"))]
    status = after(*looks, status=kept)
    assert (status.verdict, status.tries) == (MISSING, 2)


def test_unknown_moves_nothing_and_is_counted():
    status = after((0, said(PATCHED, "amber", "birch")), (1, UNKNOWN), (2, UNKNOWN))
    assert (status.verdict, status.since) == (PATCHED, START)
    assert (status.unknown_since, status.unknown_looks) == (START + HOUR, 2)
    status = after((3, said(PATCHED, "birch")), status=status)
    assert (status.unknown_since, status.unknown_looks) == (None, 0)
    assert (status.since, status.confirmed_by) == (START, ("amber", "birch"))


def test_one_word_keeps_it_and_a_second_operator_is_noted():
    status = after((0, said(PATCHED, "amber")), (1, said(PATCHED, "amber")), operators=1)
    assert after((2, said(PATCHED, "birch")), status=status).confirmed_by == ("amber",)
    assert after((2, said(PATCHED, "amber", "birch")), status=status).confirmed_by == ("amber", "birch")


def test_an_id_is_not_found_after_a_day():
    nowhere = said(Verdict.NOT_FOUND, "amber", "birch", reason=Reason.NOT_A_PROCESS)
    assert after((0, nowhere), (23, nowhere)).verdict == Verdict.UNKNOWN
    assert after((0, nowhere), (24, nowhere)).verdict == Verdict.NOT_FOUND
    found_later = after((0, nowhere), (24, nowhere), (30, said(MISSING, "amber", "birch")))
    assert found_later.verdict == MISSING


def test_what_was_found_stays_found():
    nowhere = said(Verdict.NOT_FOUND, "amber", "birch", reason=Reason.NOT_A_PROCESS)
    status = after((0, said(MISSING, "amber", "birch")), (1, nowhere), (30, nowhere))
    assert (status.verdict, status.unknown_looks) == (MISSING, 2)


def test_it_goes_to_json_and_back():
    status = after((0, said(PATCHED, "amber")), (1, UNKNOWN))
    assert TargetStatus.model_validate_json(status.model_dump_json()) == status
