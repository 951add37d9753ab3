from datetime import UTC, datetime, timedelta

from bot.domain.digest import NAMED_AT_MOST, OpenProcess, digest

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def opened(process: str, days: int = 0, **values) -> OpenProcess:
    registered = NOW - timedelta(days=days)
    return OpenProcess(**{"process": process, "label": None, "since": None, "registered_at": registered} | values)


def make(*each: OpenProcess):
    return digest(each, safe_word="amber otter", number=3, now=NOW, ticket="t")


def test_each_process_is_named_once_and_the_most_pressing_first():
    deadline = NOW + timedelta(days=3)
    reminder = make(opened("a", 5), opened("b", 9), opened("a", 1, deadline=deadline))
    assert [line.process for line in reminder.processes] == ["a", "b"]
    assert (reminder.deadline, reminder.number, reminder.ticket) == (deadline, 3, "t")


def test_what_is_too_much_for_one_message_is_counted():
    reminder = make(*(opened(f"p{number}", number) for number in range(NAMED_AT_MOST + 7)))
    assert (len(reminder.processes), reminder.more) == (NAMED_AT_MOST, 7)


def test_a_community_is_named_where_it_is_the_only_one():
    assert make(opened("a", community="P"), opened("b", community="P")).community == "P"
    assert make(opened("a", community="P"), opened("b", community="Q")).community is None
    assert make(opened("a", community="P"), opened("b")).community is None


def test_the_date_is_the_next_one_or_the_newest_past():
    past, older = NOW - timedelta(days=1), NOW - timedelta(days=9)
    soon, later = NOW + timedelta(days=2), NOW + timedelta(days=20)
    four = [opened(name, deadline=date) for name, date in zip("abcd", (past, later, soon, older), strict=True)]
    assert make(*four).deadline == soon
    assert make(four[0], four[3]).deadline == past
    assert make(opened("a")).deadline is None


def test_what_has_the_date_comes_first_and_is_counted_and_its_community_named():
    past, soon = NOW - timedelta(days=2), NOW + timedelta(days=3)
    due = [opened(name, 1, deadline=soon, community="P") for name in "ab"]
    others = [opened("c", 9), opened("d", 5, deadline=past, community="Q"), opened("a", 7, community="R")]
    reminder = make(*others, *due)
    assert [line.process for line in reminder.processes] == ["a", "b", "d", "c"]
    assert (reminder.deadline, reminder.due, reminder.community) == (soon, 2, "P")
    assert make(others[0]).due == 0


def test_since_when_is_never_older_than_the_registration():
    reminder = make(opened("a", 2, since=NOW - timedelta(days=50)), opened("b", 5, since=NOW - timedelta(days=1)))
    since = {line.process: line.since for line in reminder.processes}
    assert since == {"a": NOW - timedelta(days=2), "b": NOW - timedelta(days=1)}
