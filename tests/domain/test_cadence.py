from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cadence import CadenceRule, Standing, after_quiet, is_quiet, next_reminder

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RULE = CadenceRule(
    interval=timedelta(days=3), deadline_days=(30, 14, 7, 3, 1), at_most=20, quiet_from=22, quiet_until=8
)


def walk(standing: Standing, rule: CadenceRule, days: int = 365) -> list[datetime]:
    """Give every reminder that a person would get who never acts: each is sent when it is due."""
    sent: list[datetime] = []
    now = standing.opened_at
    while (due := next_reminder(standing, rule, now)) is not None and due < standing.opened_at + timedelta(days=days):
        sent.append(due)
        now = due
        standing = Standing(
            user_id=standing.user_id,
            opened_at=standing.opened_at,
            last=due,
            sent=standing.sent + 1,
            deadlines=standing.deadlines,
        )
    return sent


def test_without_a_deadline_it_goes_by_the_interval_and_ends():
    sent = walk(Standing(user_id=1, opened_at=NOON), RULE)
    assert sent[:2] == [NOON + timedelta(days=3), NOON + timedelta(days=6)]
    assert len(sent) == RULE.at_most


def test_a_far_deadline_keeps_its_own_reminders_in_reserve():
    deadline = NOON + timedelta(days=200)
    sent = walk(Standing(user_id=1, opened_at=NOON, deadlines=(deadline,)), RULE)
    last_five = [(deadline - each).days for each in sent[-5:]]
    assert len(sent) == RULE.at_most
    assert last_five == [29, 13, 6, 2, 0]  # within the hour after each point


def test_the_last_day_before_a_deadline_is_not_missed_for_the_interval():
    deadline = NOON + timedelta(days=3, hours=6)
    sent = walk(Standing(user_id=1, opened_at=NOON, deadlines=(deadline,)), RULE)
    assert any(timedelta(0) < deadline - each <= timedelta(days=1) for each in sent)


def test_a_snooze_is_kept_and_then_it_goes_on():
    until = NOON + timedelta(days=10)
    standing = Standing(user_id=1, opened_at=NOON, last=NOON, snoozed_until=until)
    assert next_reminder(standing, RULE, NOON) == until
    assert next_reminder(standing, RULE, until + timedelta(minutes=1)) == until + timedelta(minutes=1)


def test_what_was_held_up_comes_at_once():
    standing = Standing(user_id=1, opened_at=NOON - timedelta(days=40), last=NOON - timedelta(days=30))
    assert next_reminder(standing, RULE, NOON) == NOON


def test_nothing_reminds_for_ever():
    assert next_reminder(Standing(user_id=1, opened_at=NOON, sent=20), RULE, NOON) is None


@pytest.mark.parametrize(
    ("hour", "quiet"), [(21, False), (22, True), (23, True), (0, True), (7, True), (8, False), (12, False)]
)
def test_quiet_hours_over_midnight(hour: int, quiet: bool):
    assert is_quiet(NOON.replace(hour=hour), RULE) is quiet


def test_quiet_hours_end_on_the_right_day():
    evening, morning = NOON.replace(hour=23), NOON.replace(hour=6)
    assert after_quiet(evening, RULE) == NOON.replace(hour=8) + timedelta(days=1)
    assert after_quiet(morning, RULE) == NOON.replace(hour=8)
    assert after_quiet(NOON, RULE) == NOON


def test_equal_hours_mean_that_none_is_quiet():
    rule = CadenceRule(interval=timedelta(days=1), deadline_days=(), at_most=1, quiet_from=5, quiet_until=5)
    assert not any(is_quiet(NOON.replace(hour=hour), rule) for hour in range(24))


def test_a_morning_does_not_make_everybody_due_at_once():
    night = NOON.replace(hour=2)
    due = {next_reminder(Standing(user_id=n, opened_at=night), RULE, night) for n in range(100)}
    assert len(due) > 90


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- zone given
rules = st.builds(
    CadenceRule,
    interval=st.timedeltas(timedelta(hours=1), timedelta(days=40)),
    deadline_days=st.lists(st.integers(0, 60), max_size=6).map(tuple),
    at_most=st.integers(1, 30),
    quiet_from=st.integers(0, 23),
    quiet_until=st.integers(0, 23),
)


@given(
    opened_at=moments, rule=rules, user_id=st.integers(1, 2**63 - 1), deadlines=st.lists(moments, max_size=3).map(tuple)
)
def test_over_a_year_never_twice_in_a_day_never_in_the_night_and_it_ends(opened_at, rule, user_id, deadlines):
    sent = walk(Standing(user_id=user_id, opened_at=opened_at, deadlines=deadlines), rule, days=3650)
    assert len(sent) <= rule.at_most
    assert all(later - earlier >= timedelta(hours=24) for earlier, later in pairwise([opened_at, *sent]))
    assert not any(is_quiet(each, rule) for each in sent)
    assert sent, "somebody who is open is reminded at least once"


@given(
    opened_at=moments,
    last=st.none() | moments,
    sent=st.integers(0, 40),
    now=moments,
    snoozed=st.none() | moments,
    rule=rules,
)
def test_it_is_never_in_the_past_nor_before_the_end_of_a_snooze(opened_at, last, sent, now, snoozed, rule):
    standing = Standing(user_id=7, opened_at=opened_at, last=last, sent=sent, snoozed_until=snoozed)
    due = next_reminder(standing, rule, now)
    assert (due is None) == (sent >= rule.at_most)
    if due is not None:
        assert due >= now
        assert snoozed is None or snoozed <= now or due >= snoozed
