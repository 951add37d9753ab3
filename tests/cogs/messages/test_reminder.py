"""What a reminder of several says: the date and the community are those of what they ask for, and of nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.notices import ProcessLine, Reminder
from cogs.messages.reminder import reminder

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
IN_3_DAYS = NOW + timedelta(days=3)
LINES = tuple(ProcessLine(process=letter * 43, label=letter) for letter in "ABCD")


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (1, ("`A` · `AAAA…AAAA` isn't patched yet. 3 more are waiting too", "`Perma` asks for the first of them by")),
        (3, ("3 processes of yours aren't patched yet. 1 more is waiting too", "asks for the first 3 of them by")),
        (4, ("4 processes of yours aren't patched yet.", "`Perma` asks for it by")),
        (0, ("4 processes of yours aren't patched yet.", "`Perma` asks for it by")),
    ],
)
def test_only_what_has_the_date_is_due(fits, due: int, said: tuple[str, ...]):
    notice = Reminder(safe_word="amber otter", processes=LINES, community="Perma", deadline=IN_3_DAYS, due=due)
    text = fits(reminder(notice, 1, None, NOW))
    for each in said:
        assert each in text
    assert ("waiting too" in text) == (0 < due < 4)


@pytest.mark.parametrize("days", [-3, 30])
def test_far_or_over_it_is_asked_for_of_some_only(fits, days: int):
    deadline = NOW + timedelta(days=days)
    notice = Reminder(safe_word="amber otter", processes=LINES, community="Perma", deadline=deadline, due=2)
    text = fits(reminder(notice, 1, None, NOW))
    assert "the first 2 of them by" in text
    assert "4 processes are waiting for you" in text
