from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cadence import CadenceRule, Open, Standing, next_reminder
from bot.domain.hours import Hours

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
RULE = CadenceRule(
    before_days=(30, 14, 7, 3, 1),
    after_days=(1, 2, 3, 10, 17, 24, 31, 38),
    gap_days=(7, 7, 7, 7, 14, 14, 30, 30, 30),
    at_least_apart=DAY,
    at_most_apart=timedelta(days=30),
    at_most=40,
)
HOURS = Hours(user_id=1, hour=12, spread=timedelta(seconds=1), quiet_from=22, quiet_until=8)


def standing(*deadlines: datetime | None, since: datetime = NOON, **values) -> Standing:
    opened = tuple(Open(since=since, deadline=each) for each in deadlines or (None,))
    return Standing(**{"hours": HOURS, "opened": opened} | values)


def walk(standing: Standing, rule: CadenceRule = RULE, days: int = 3650) -> list[datetime]:
    """Give every reminder that a person would get who never acts: each is sent when it is due.

    What is opened later is known from then on, and all is planned anew, as the agenda does.
    """
    sent: list[datetime] = []
    openings = sorted({each.since for each in standing.opened})
    start = now = openings[0]
    while True:
        known = tuple(each for each in standing.opened if each.since <= now)
        due = next_reminder(replace(standing, opened=known), rule, now)
        opening = next((each for each in openings if each > now), None)
        if opening is not None and (due is None or due > opening):
            now, standing = opening, replace(standing, promised=due)
        elif due is None or due >= start + timedelta(days=days):
            return sent
        else:
            sent.append(due)
            now, standing = due, replace(standing, last=due, sent=standing.sent + 1, silent_until=None, promised=None)


def walk_on(standing: Standing, now: datetime) -> list[datetime]:
    """Give every reminder that is still to come."""
    sent: list[datetime] = []
    while (due := next_reminder(standing, RULE, now)) is not None:
        sent.append(due)
        now, standing = due, replace(standing, last=due, sent=standing.sent + 1, promised=None)
    return sent


def days_after(start: datetime, moments: list[datetime]) -> list[int]:
    return [round((each - start) / DAY) for each in moments]


def test_without_a_date_it_goes_from_weekly_to_monthly_and_then_there_is_silence():
    sent = walk(standing())
    assert days_after(NOON, sent) == [7, 14, 21, 28, 42, 56, 86, 116, 146]


def test_a_date_is_reminded_of_before_and_after_it_and_then_there_is_silence():
    deadline = NOON + 40 * DAY
    sent = walk(standing(deadline))
    assert days_after(deadline, sent) == [-30, -14, -7, -3, -1, 1, 2, 3, 10, 17, 24, 31, 38]


def test_a_far_date_is_reminded_of_calmly_until_it_is_near():
    deadline = NOON + 200 * DAY
    sent = walk(standing(deadline))
    assert days_after(NOON, sent)[:9] == [7, 14, 21, 28, 42, 56, 86, 116, 146]
    assert days_after(deadline, sent)[-13:] == [-30, -14, -7, -3, -1, 1, 2, 3, 10, 17, 24, 31, 38]
    assert max(b - a for a, b in pairwise(sent)) <= 30 * DAY


def test_calm_ones_use_up_none_of_those_that_a_date_asks_for():
    deadline = NOON + 200 * DAY
    sent = walk(standing(deadline), replace(RULE, at_most=14))
    assert days_after(NOON, sent)[:9] == [7, 14, 21, 28, 42, 56, 86, 116, 146]
    assert days_after(deadline, sent)[9:] == [-30, -14, -7, -3, -1, 1, 2, 3, 10, 17]
    few = walk(standing(deadline), replace(RULE, at_most=6))
    assert days_after(NOON, few)[:2] == [7, 170], "one calm one, and the five before the date are kept"
    assert days_after(deadline, few)[1:] == [-30, -14, -7, -3, -1, 1, 2, 3, 10]


def test_many_far_dates_are_no_reason_for_months_of_silence():
    dates = [NOON + days * DAY for days in (200, 230, 260, 290)]
    sent = walk(standing(*dates))
    assert days_after(NOON, sent)[:3] == [7, 14, 21]
    assert max(b - a for a, b in pairwise([NOON, *(each for each in sent if each < dates[-1])])) <= 31 * DAY


def test_each_of_many_dates_is_reminded_of_however_many_there_were_before():
    dates = [NOON + days * DAY for days in (40, 80, 120, 160, 200)]
    sent = walk(standing(*dates))
    for date in dates:
        near = days_after(date, [each for each in sent if abs(each - date) <= 8 * DAY])
        assert {-7, -3, -1, 1, 2, 3} <= set(near)
    assert days_after(dates[-1], sent)[-8:] == [1, 2, 3, 10, 17, 24, 31, 38]
    assert len(sent) > RULE.at_most


def test_what_a_date_asked_for_uses_up_nothing_of_what_has_none():
    undated = replace(standing(), last=NOON + 44 * DAY, sent=12)  # with one whose date was on day 20, patched on day 45
    left = walk_on(undated, NOON + 45 * DAY)
    assert days_after(NOON, left) == [58, 88, 118, 148]


def test_what_is_opened_after_the_last_one_is_reminded_as_if_it_were_alone():
    late = NOON + 65 * DAY
    state = Standing(hours=HOURS, opened=(Open(since=late),), last=NOON + 58 * DAY, sent=RULE.at_most + 5)
    assert days_after(late, walk_on(state, late))[:3] == [7, 14, 21]
    beside = replace(state, opened=(Open(since=NOON), Open(since=late)))
    assert days_after(late, walk_on(beside, late))[:3] == [7, 14, 21]


def test_what_was_promised_comes_though_what_it_was_for_is_done():
    promised = NOON + 250 * DAY
    over = standing(last=NOON + 238 * DAY, sent=22, promised=promised)
    assert next_reminder(over, RULE, NOON + 245 * DAY) == promised
    assert next_reminder(over, RULE, promised) is None, "that was the last"
    assert next_reminder(replace(over, promised=None), RULE, NOON + 245 * DAY) is None


def test_who_wants_to_be_reminded_again_of_what_is_long_over_is_so_once():
    again = standing(NOON + 40 * DAY, last=NOON + 78 * DAY, sent=0)
    asked = NOON + 100 * DAY
    assert days_after(asked, walk_on(again, asked)) == [0]


def test_who_comes_after_the_date_is_reminded_too_and_not_for_ever():
    sent = walk(standing(NOON - 400 * DAY))
    assert days_after(NOON, sent) == [1, 2, 3, 10, 17, 24, 31, 38]


def test_what_was_opened_after_a_point_is_not_reminded_by_it():
    deadline = NOON + 6 * DAY
    assert days_after(deadline, walk(standing(deadline)))[:2] == [-3, -1]


def test_what_came_later_is_not_reminded_by_a_point_before_it_came():
    later = Open(since=NOON + 20 * DAY, deadline=NOON + 33 * DAY)  # 14 days before that date it was not theirs yet
    both = replace(standing(last=NOON + 18 * DAY, sent=5), opened=(Open(since=NOON), later))
    due = next_reminder(both, RULE, NOON + 20 * DAY)
    assert due is not None
    assert days_after(NOON, [due]) == [26]


def test_two_dates_and_none_are_one_series():
    one, other = NOON + 20 * DAY, NOON + 21 * DAY
    sent = walk(standing(one, other, None))
    assert all(later - earlier >= DAY for earlier, later in pairwise(sent))
    assert len([each for each in sent if each <= one]) < 9


def test_a_person_may_want_them_further_apart():
    deadline = NOON + 40 * DAY
    sent = walk(standing(deadline, apart=7 * DAY))
    assert min(b - a for a, b in pairwise(sent)) >= 7 * DAY
    assert walk(standing(apart=30 * DAY))[1] - walk(standing(apart=30 * DAY))[0] >= 30 * DAY


def test_the_operators_bounds_hold():
    rule = replace(RULE, at_least_apart=2 * DAY, at_most_apart=10 * DAY)
    sent = walk(standing(NOON + 200 * DAY), rule)
    assert min(b - a for a, b in pairwise(sent)) >= 2 * DAY
    assert max(b - a for a, b in pairwise(sent[:10])) <= 10 * DAY


def test_it_comes_at_their_hour_in_their_zone_also_when_the_clock_changes():
    tokyo = replace(HOURS, zone=ZoneInfo("Asia/Tokyo"), hour=19)
    assert {each.astimezone(tokyo.zone).hour for each in walk(standing(hours=tokyo))} == {19}
    berlin = replace(HOURS, zone=ZoneInfo("Europe/Berlin"), hour=9)
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    sent = walk(standing(since=start, hours=berlin))
    assert {each.astimezone(berlin.zone).hour for each in sent} == {9}
    assert {each.hour for each in sent} == {8, 7}


def test_a_silence_is_kept_to_the_moment_and_then_it_goes_on():
    until = NOON + 10 * DAY + timedelta(hours=5)
    silent = standing(last=NOON, silent_until=until)
    assert next_reminder(silent, RULE, NOON) == until
    assert next_reminder(silent, RULE, until + timedelta(minutes=1)) == until + timedelta(minutes=1)
    assert next_reminder(replace(silent, last=until, sent=1), RULE, until) == until.replace(hour=12) + 7 * DAY + DAY


def test_tonight_is_tonight_though_one_came_today():
    tonight = HOURS.tonight(NOON)
    assert tonight.date() == NOON.date()
    assert next_reminder(standing(last=NOON, sent=3, silent_until=tonight), RULE, NOON) == tonight


def test_a_silence_after_the_last_one_brings_one_more():
    until = NOON + 300 * DAY
    assert next_reminder(standing(last=NOON + 200 * DAY, sent=40, silent_until=until), RULE, NOON) == until


def test_what_was_held_up_for_days_waits_for_their_hour():
    held = standing(since=NOON - 40 * DAY, last=NOON - 30 * DAY)
    assert next_reminder(held, RULE, NOON + timedelta(hours=2)) == HOURS.next_slot(NOON + timedelta(hours=2))


def test_a_late_one_does_not_cost_a_day_but_ten_hours_do():
    deadline = NOON + 2 * DAY
    late = standing(deadline, last=deadline + DAY + timedelta(minutes=3), sent=2)
    due = next_reminder(late, RULE, late.last)
    assert due is not None
    assert timedelta(hours=24) <= due - late.last <= timedelta(hours=25)
    night = replace(late, last=deadline + DAY + timedelta(hours=9))
    assert next_reminder(night, RULE, night.last) == HOURS.slot_on((deadline + 3 * DAY).date())


def test_seconds_of_delay_cost_no_day():
    sent: list[datetime] = []
    now, state = NOON, standing(since=NOON + timedelta(minutes=53))
    while (due := next_reminder(state, RULE, now)) is not None:
        now = due + timedelta(seconds=7)
        sent.append(now)
        state = replace(state, last=now, sent=state.sent + 1)
    assert days_after(NOON, sent) == [7, 14, 21, 28, 42, 56, 86, 116, 146]


def test_nothing_reminds_for_ever():
    assert next_reminder(standing(last=NOON + 50 * DAY, sent=40), RULE, NOON + 50 * DAY) is None


zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- zone given
days = st.lists(st.integers(0, 60), max_size=6).map(tuple)
rules = st.builds(
    CadenceRule,
    before_days=days,
    after_days=st.lists(st.integers(1, 60), min_size=1, max_size=6).map(tuple),
    gap_days=st.lists(st.integers(1, 40), min_size=1, max_size=9).map(tuple),
    at_least_apart=st.timedeltas(DAY, 3 * DAY),
    at_most_apart=st.timedeltas(7 * DAY, 40 * DAY),
    at_most=st.integers(1, 30),
)
hours = st.builds(
    Hours,
    user_id=st.integers(1, 2**63 - 1),
    zone=zones.map(ZoneInfo),
    hour=st.integers(0, 23),
    spread=st.timedeltas(timedelta(0), DAY),
    quiet_from=st.integers(0, 23),
    quiet_until=st.integers(0, 23),
)
opened = st.lists(st.builds(Open, since=moments, deadline=st.none() | moments), min_size=1, max_size=4).map(tuple)


@given(opened=opened, rule=rules, hours=hours, apart=st.timedeltas(DAY, 30 * DAY))
def test_never_twice_in_a_day_never_in_their_night_always_once_and_it_ends(opened, rule, hours, apart):
    sent = walk(Standing(hours=hours, opened=opened, apart=apart), rule)
    assert sent, "somebody who is open is reminded at least once"
    begin = min(each.since for each in opened)
    ahead = max([each.since for each in opened] + [each.deadline for each in opened if each.deadline is not None])
    assert len([each for each in sent if each > ahead]) <= rule.at_most, "as many as that where no date is ahead"
    assert all(later - earlier >= timedelta(hours=24) for earlier, later in pairwise([begin, *sent]))
    assert all(later - earlier >= apart for earlier, later in pairwise(sent))
    assert not any(hours.is_quiet(each) for each in sent)


@given(opened=opened, hours=hours)
def test_nobody_open_gets_none_in_a_month_before_it_ends(opened, hours):
    """Up to its date, or to the end of the gaps, with a few days for the hour and for what falls together."""
    sent = walk(Standing(hours=hours, opened=opened), replace(RULE, at_most=1000))
    for each in opened:
        end = each.deadline or each.since + 116 * DAY
        within = [each.since, *(moment for moment in sent if each.since < moment < end), end]
        assert all(later - earlier <= 36 * DAY for earlier, later in pairwise(within))
        assert sent[-1] > end, "the date itself is not the end"


@given(
    standing=st.builds(
        Standing,
        hours=hours,
        opened=opened,
        last=st.none() | moments,
        sent=st.integers(0, 40),
        silent_until=st.none() | moments,
    ),
    now=moments,
)
def test_it_is_never_in_the_past_nor_before_the_end_of_a_silence(standing, now):
    due = next_reminder(standing, RULE, now)
    if due is not None:
        assert due >= now
        assert not standing.hours.is_quiet(due)
        silent_until = standing.silent_until
        assert silent_until is None or silent_until <= (standing.last or silent_until) or due >= silent_until
