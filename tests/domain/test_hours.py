import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.hours import Hours, read_zone, suggest_zones, zone_of
from bot.errors import BadInput

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def hours(user_id: int = 1, **values) -> Hours:
    return Hours(**{"user_id": user_id, "hour": 12, "quiet_from": 22, "quiet_until": 8} | values)


@pytest.mark.parametrize(
    ("hour", "quiet"), [(21, False), (22, True), (23, True), (0, True), (7, True), (8, False), (12, False)]
)
def test_quiet_hours_over_midnight(hour: int, quiet: bool):
    assert hours().is_quiet(NOON.replace(hour=hour)) is quiet


def test_quiet_hours_are_in_their_zone():
    there = hours(zone=ZoneInfo("Asia/Tokyo"))
    assert there.is_quiet(NOON.replace(hour=14))  # 23 o'clock there
    assert there.after_quiet(NOON.replace(hour=14)).astimezone(there.zone).hour == 8


def test_quiet_hours_end_on_the_right_day():
    assert hours().after_quiet(NOON.replace(hour=23)).date() == NOON.date() + timedelta(days=1)
    assert hours().after_quiet(NOON.replace(hour=6)).date() == NOON.date()
    assert hours().after_quiet(NOON) == NOON


def test_equal_hours_mean_that_none_is_quiet():
    assert not any(hours(quiet_from=5, quiet_until=5).is_quiet(NOON.replace(hour=hour)) for hour in range(24))


def test_ten_thousand_are_spread_and_none_is_in_the_night():
    due = [hours(n, hour=21, spread=timedelta(hours=4)).next_slot(NOON) for n in range(10_000)]
    assert {each.hour for each in due} == {18, 19, 20, 21}
    busiest = max(Counter(each.replace(second=0) for each in due).values())
    assert busiest < 80  # 42 a minute, and what chance adds


def test_ten_thousand_of_one_hour_share_the_whole_day_where_the_operator_wants_it():
    due = [hours(n, hour=23, spread=timedelta(days=1)).next_slot(NOON) for n in range(10_000)]
    of_hour = Counter(each.hour for each in due)
    assert set(of_hour) == set(range(8, 22)), "all that are not quiet"
    assert max(of_hour.values()) < 830  # 714 an hour, and what chance adds
    assert max(due) - min(due) < timedelta(days=1), "each of them within a day"


@pytest.mark.parametrize("hour", range(8, 22))
def test_the_hour_at_which_they_registered_is_among_those_that_they_share(hour: int):
    due = {hours(n, hour=hour, spread=timedelta(hours=4)).next_slot(NOON).hour for n in range(500)}
    assert hour in due
    assert len(due) == 4
    assert max(due) - min(due) == 3


def test_a_morning_does_not_make_everybody_due_at_once():
    assert len({hours(n).after_quiet(NOON.replace(hour=2)) for n in range(100)}) > 90


def test_between_which_hours_they_are_usually_written_to():
    assert hours(hour=21).usual() == (21, 22)
    assert hours(hour=23).usual() == (8, 9), "when the quiet hours end"
    assert hours(hour=23, spread=timedelta(hours=4)).usual() == (18, 22)
    assert hours(hour=12, spread=timedelta(days=1)).usual() == (8, 22)


def test_tonight_is_this_evening_or_later_this_evening():
    assert hours().tonight(NOON).replace(minute=0, second=0) == NOON.replace(hour=20)
    assert hours(quiet_from=19).tonight(NOON).hour == 18
    for hour, minute in ((20, 0), (20, 59), (21, 20)):
        pressed = NOON.replace(hour=hour, minute=minute)
        assert timedelta(minutes=30) <= hours().tonight(pressed) - pressed <= timedelta(hours=1)
        assert not hours().is_quiet(hours().tonight(pressed))
    assert hours().tonight(NOON.replace(hour=21, minute=45)).date() == NOON.date() + timedelta(days=1)
    assert hours(quiet_from=0, quiet_until=0).tonight(NOON.replace(hour=23, minute=30)).hour == 0


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll"])
def test_whatever_hours_are_quiet_there_is_a_moment(zone: str):
    """Also where one hour of the day is left, and in the nights in which clocks change."""
    nights = (datetime(2026, 3, 28, 0, 10, tzinfo=UTC), datetime(2026, 10, 3, 0, 10, tzinfo=UTC))
    moments = [night + timedelta(minutes=47 * number) for night in nights for number in range(0, 62, 3)]
    for start, end in itertools.product(range(0, 24, 3), range(24)):
        some = hours(7, zone=ZoneInfo(zone), quiet_from=start, quiet_until=end)
        for moment, give in itertools.product(moments, (some.after_quiet, some.next_slot, some.tonight)):
            given = give(moment)
            assert given >= moment
            assert not some.is_quiet(given)


def test_the_hour_that_a_summer_leaves_out():
    berlin = hours(zone=ZoneInfo("Europe/Berlin"), hour=2, quiet_from=3, quiet_until=2)
    slot = berlin.next_slot(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert not berlin.is_quiet(slot)


def test_zones_are_read_in_any_case_and_suggested_by_what_is_typed():
    assert read_zone(" europe/berlin ") == "Europe/Berlin"
    assert read_zone("America/New York") == "America/New_York"
    assert read_zone("utc") == "UTC"
    for text in ("", "Nowhere", "../etc/passwd", "Europe/Berlin\0"):
        with pytest.raises(BadInput):
            read_zone(text)
    assert suggest_zones("berl") == ["Europe/Berlin"]
    assert suggest_zones("", ("Asia/Tokyo",))[0] == "Asia/Tokyo"
    assert suggest_zones("york")[0] == "America/New_York"
    assert len(suggest_zones("a")) == 25
    assert zone_of(None) is UTC
    assert zone_of("Nowhere/At_All") is UTC
