"""Every message, made of the longest there is, is one that Discord takes, in a voice that is ours."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from discord import ui

from bot.domain.card import (
    Arrival,
    Blocked,
    Metadata,
    MigrationProgress,
    NoSignLink,
    Outcome,
    Reached,
    Role,
    StatusCard,
)
from bot.domain.notices import (
    Alarm,
    Announcement,
    FirstDm,
    Patched,
    ProcessLine,
    Regressed,
    Reminder,
    Unreadable,
)
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement, Reason
from bot.services.wishing import STOP_REASONS
from cogs.messages import answers, campaign, dms, reminder
from cogs.messages.card import status_page
from cogs.messages.listing import PER_PAGE, list_page, wallet_page
from cogs.messages.registered import FirstDmState, Registered, first_dm_page, registered_page
from tests.cogs.messages.wished import around, panels

Make = Callable[..., StatusCard]
Fits = Callable[[ui.LayoutView], str]

WIDE = "𝕎ide `label` @everyone **bold** [x](https://evil.example) <@1> " * 5
URL = "https://patchbell.example.org/sign#" + "t" * 22
NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=29)
SNOWFLAKE = (1 << 63) - 1
PID = "0syT1JlMtv5R7X7Gt7NQAxKIhT7iCc5YXZKmZ0dLSrc"
LINE = ProcessLine(process=PID, label=WIDE, since=NOW - timedelta(days=27))
MANY = tuple(LINE for _ in range(30))
CALLED = ProcessLine(process=PID, name=WIDE, since=NOW - timedelta(days=27))
CODE = re.compile(r"`[^`\n]*`")


def replace_id(number: int) -> ProcessLine:
    return LINE.model_copy(update={"process": f"{number:02}{PID[2:]}"})


def outside_code(text: str) -> str:
    assert text.count("`") % 2 == 0
    return CODE.sub("", text)


def assert_code_is_never_in_bold(text: str) -> None:
    """Discord reads bold before the code in it, and ends it at the first `**`, also at a stranger's."""
    position = 0
    while position < len(text):
        if text[position] == "`":
            position = text.index("`", position + 1)
        elif text.startswith("**", position):
            end = text.index("**", position + 2)
            assert "`" not in text[position:end]
            position = end + 1
        position += 1


def assert_harmless(text: str) -> None:
    """Nothing of a stranger's text is read as anything: all of it is inside code style."""
    assert_code_is_never_in_bold(text)
    rest = outside_code(text)
    assert "evil" not in rest
    assert "@everyone" not in rest
    assert "<@1>" not in rest


@pytest.mark.parametrize(("status", "reason"), list(itertools.product(Verdict, Reason)))
def test_every_card_fits(make_card: Make, fits: Fits, status: Verdict, reason: Reason) -> None:
    text = fits(status_page(make_card(status=status, reason=reason)))
    assert_harmless(text)
    assert make_card().process in text


@pytest.mark.parametrize("link", list(NoSignLink))
@pytest.mark.parametrize("role", list(Role))
def test_cards_without_a_link_fit(make_card: Make, fits: Fits, link: NoSignLink, role: Role) -> None:
    fits(status_page(make_card(sign_url=None, no_sign_link=link, role=role, stopped=True)))


@pytest.mark.parametrize("latest", list(Verdict))
@pytest.mark.parametrize("status", list(Verdict))
def test_a_change_that_waits_for_its_confirmation_fits(
    make_card: Make, fits: Fits, status: Verdict, latest: Verdict
) -> None:
    card = make_card(status=status)
    assert card.latest is not None
    text = fits(status_page(replace(card, latest=replace(card.latest, verdict=latest))))
    if latest not in (Verdict.UNKNOWN, status):
        assert ("known it for a day" if latest is Verdict.NOT_FOUND else "nodes of two operators") in text
        assert "in an hour" not in text, "with three operators one is not believed so soon"


@pytest.mark.parametrize("dm", [None, *FirstDmState])
@pytest.mark.parametrize("number", [1, 2, 200])
def test_every_answer_to_registering_fits(make_card: Make, fits: Fits, number: int, dm: FirstDmState | None) -> None:
    cards = [make_card(n) for n in range(1, number + 1)]
    outcome = Registered(
        cards=cards,
        malformed=tuple(WIDE for _ in range(500)),
        already=tuple(card.process for card in cards[: number // 2]),
        safe_word="mellow lighthouse",
        delivery=SNOWFLAKE,
        dm=dm,
    )
    text = fits(registered_page(outcome))
    assert "mellow lighthouse" in text
    assert_harmless(text)
    if dm is FirstDmState.CLOSED:
        assert "Direct Messages" in text


def test_two_hundred_cards_are_pages_of_one_list(make_card: Make, fits: Fits) -> None:
    cards = [make_card(n, list(Verdict)[n % 4]) for n in range(1, 201)]
    options: list[str] = []
    for number in range(len(cards) // PER_PAGE):
        page = list_page(cards, number)
        assert_harmless(fits(page))
        select = next(item for item in page.walk_children() if isinstance(item, ui.Select))
        options += [option.value for option in select.options]
    assert sorted(options, key=int) == [str(card.registration_id) for card in cards]
    assert "200 processes" in fits(list_page(cards, 10_000))


def test_looked_at_only_lists_carry_no_controls(make_card: Make, fits: Fits) -> None:
    page = list_page([replace(make_card(n), registration_id=0) for n in range(1, 11)])
    fits(page)
    assert not [item for item in page.walk_children() if isinstance(item, ui.Button | ui.Select)]


@pytest.mark.parametrize("number", [0, 1, 24, 25, 26, 3000])
def test_wallets_fit(fits: Fits, make_pid: Callable[[int], ProcessId], number: int) -> None:
    owned = [Metadata(process=make_pid(n), owner=PID, name=WIDE, variant=WIDE, spawned_at=NOW) for n in range(number)]
    for leaf in (0, 1, number // 25, 10_000):
        assert_harmless(fits(wallet_page(PID, owned, leaf)))


@pytest.mark.parametrize("url", [URL, None])
@pytest.mark.parametrize("days", [None, -3, 1, 3, 8, 30])
@pytest.mark.parametrize("number", [1, 3, 9])
@pytest.mark.parametrize("lines", [(LINE,), (CALLED,), MANY])
def test_reminders_fit(
    fits: Fits, lines: tuple[ProcessLine, ...], number: int, days: int | None, url: str | None
) -> None:
    deadline = NOW + timedelta(days=days) if days is not None else None
    notice = Reminder(
        safe_word="mellow lighthouse",
        processes=lines,
        more=len(lines) // 2,
        community=WIDE,
        deadline=deadline,
        number=number,
        last=number == 9,
    )
    text = fits(reminder.reminder(notice, SNOWFLAKE, url, NOW, 1 << 30))
    assert_harmless(text)
    assert "𝕎ide" in text, "named by the label, or by what gateways call it"
    late = number >= 3 or (days is not None and days <= 7)
    assert ("*I can't*" in text) == late
    assert ("This is my last reminder" in text) == notice.last
    assert days is None or f"<t:{int(deadline.timestamp())}:R>" in text, "how long is left, or how long ago it was"
    assert f"<t:{int(LINE.since.timestamp())}:R>" in text, "how long it has been"
    assert text.startswith("mellow lighthouse")
    assert "*Stop*" in text
    assert "because you registered" in text


@pytest.mark.parametrize("url", [URL, None])
def test_other_dms_fit_and_carry_the_safe_word_and_the_way_out(fits: Fits, url: str | None) -> None:
    word = "mellow lighthouse"
    pages = [
        dms.first_dm(FirstDm(safe_word=word, processes=MANY, more=190, community=WIDE, ticket=None), SNOWFLAKE, url, 5),
        dms.patched(
            Patched(
                safe_word=word,
                process=LINE,
                shown=(WIDE,) * 12,
                nodes=12,
                node_url="https://node.example/" + "x" * 600,
                open_processes=199,
                others=MANY[:9],
                more=180,
            )
        ),
        dms.regressed(Regressed(safe_word=word, process=LINE), SNOWFLAKE, url),
        dms.regressed(Regressed(safe_word=word, process=LINE, others=MANY[:9], more=180), SNOWFLAKE, url),
        *(dms.unreadable(Unreadable(safe_word=word, process=LINE, reason=r), SNOWFLAKE) for r in [*Reason, "new"]),
    ]
    for page in pages:
        text = fits(page)
        assert word in text
        assert "Stop" in text or "/unregister" in text
        assert_harmless(text)


def test_campaigns_and_alarms_fit(fits: Fits) -> None:
    notice = Announcement(migration_id=SNOWFLAKE, title=WIDE, deadline=LATER, keys=(WIDE,) * 32)
    migrations = [
        MigrationProgress(
            migration_id=n,
            title=WIDE,
            deadline=LATER,
            patched=n * 10**5,
            not_patched=10**6,
            unknown=10**6,
            blocked=n,
        )
        for n in range(25)
    ]
    empty = MigrationProgress(migration_id=1, title="x", deadline=None, patched=0, not_patched=0, unknown=0)
    for page in (
        campaign.announcement(notice, 1 << 30),
        *(campaign.preview(notice, SNOWFLAKE, signing=signing) for signing in (True, False)),
        *(campaign.progress_page(each, signing=False) for each in ([], [empty], migrations)),
        dms.alarm(Alarm(sentence="x" * 5000)),
        dms.alarm(Alarm(sentence="x" * 5000, guild_id=SNOWFLAKE)),
        campaign.progress_page(
            migrations,
            signing=False,
            reached=Reached(
                people=10**6,
                stopped=10**5,
                closed=10**5,
                strangers=10**5,
                reasons=tuple((reason, 10**5) for reason in STOP_REASONS),
            ),
            paused_at=NOW,
        ),
    ):
        assert_harmless(fits(page))


def test_a_bar_is_full_only_when_all_are_patched(fits: Fits) -> None:
    def shown(patched: int, other: int) -> str:
        progress = MigrationProgress(
            migration_id=1, title="x", deadline=None, patched=patched, not_patched=other, unknown=0
        )
        return fits(campaign.progress_page([progress], signing=True))

    assert "100 %" in shown(1000, 0)
    assert "99 %" in shown(999, 1)
    assert "░" in shown(999, 1)


def test_short_answers_fit(fits: Fits) -> None:
    for page in (
        answers.refused("No."),
        answers.failed("0123abcd"),
        answers.working(3, 200),
        answers.doing("Looking…"),
        answers.unregistered(PID, WIDE, WIDE),
        answers.nothing_followed(),
        answers.snoozed(LATER, None),
        answers.snoozed(LATER, LATER),
        *panels(NOW),
        *around(NOW, tuple(replace_id(n) for n in range(40))),
        answers.resumed(None),
        answers.resumed(LATER),
        answers.posted(SNOWFLAKE, arrived=False),
        answers.what_is_in_the_way(f"whyone:{PID}", ()),
        answers.what_is_in_the_way(f"whyone:{PID}", MANY),
        *(answers.blocked(reason, lines) for reason in Blocked for lines in ((), (LINE,), MANY)),
        *(first_dm_page(SNOWFLAKE, state) for state in FirstDmState),
    ):
        assert_harmless(fits(page))


@pytest.mark.parametrize("reason", Blocked)
def test_what_cannot_be_signed_is_said_and_can_be_taken_back(make_card: Make, fits: Fits, reason: Blocked) -> None:
    card = make_card(blocked=reason, sign_url=None, no_sign_link=NoSignLink.BLOCKED, next_reminder=None)
    text = fits(status_page(card))
    assert_harmless(text)
    assert "You told me that" in text
    assert "*Remind me again* takes that back." in text
    listed = fits(list_page([card, make_card(2), make_card(3, Verdict.PATCHED, blocked=reason)]))
    assert "3 processes: 1 patched, 1 not patched yet, 1 you can't sign" in listed


def test_what_is_exposed_instead_is_said(make_card: Make, fits: Fits) -> None:
    latest = Judgement(
        verdict=Verdict.NOT_PATCHED,
        reason=Reason.MISSING,
        missing=("balances",),
        exposed=("cache/ticker",),
        nodes=("https://push-1.forward.computer",),
    )
    text = fits(status_page(make_card(latest=latest)))
    assert "Missing: `balances`. Exposed instead: `cache/ticker`. Said by `push-1.forward.computer`." in text


def test_how_far_behind_is_said(make_card: Make, fits: Fits) -> None:
    latest = Judgement(verdict=Verdict.UNKNOWN, reason=Reason.BEHIND, at_slot=3, current_slot=15)
    text = fits(status_page(make_card(status=Verdict.UNKNOWN, latest=latest)))
    assert "12 messages behind" in text
    assert "not your fault" in text


def test_every_reason_has_words_of_its_own(make_card: Make, fits: Fits) -> None:
    said = {
        fits(status_page(make_card(status=Verdict.UNKNOWN, reason=reason))).splitlines()[0]
        for reason in Reason
        if reason not in (Reason.SHOWN, Reason.MISSING)
    }
    assert len(said) == len(Reason) - 2


def test_stuck_is_said_of_a_patched_process(make_card: Make, fits: Fits) -> None:
    assert "stuck" in fits(status_page(make_card(status=Verdict.PATCHED, reason=Reason.SHOWN)))


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("role", Role)
def test_what_came_of_the_message_is_said(
    make_card: Make, fits: Fits, now: datetime, outcome: Outcome, role: Role
) -> None:
    error = "attempt to index nil `x` **bold** <@1> " * 10 if outcome is Outcome.FAILED else None
    for at in (now, None):
        arrival = Arrival(message="m" * 43, sender="o" * 43, at=at, outcome=outcome, error=error)
        text = fits(status_page(make_card(role=role, arrival=arrival)))
        whose = "Your message" if role is Role.MINE else "Its owner's message"
        assert f"{whose} {'arrived <t:' if at else 'has arrived'}" in text
        assert_harmless(text)
    assert whose not in fits(status_page(make_card(status=Verdict.PATCHED, role=role, arrival=arrival)))


def test_a_missing_handler_is_to_be_installed(make_card: Make, fits: Fits, now: datetime) -> None:
    arrival = Arrival(message="m" * 43, sender="o" * 43, at=now, outcome=Outcome.NO_HANDLER)
    stamp = f"<t:{int(now.timestamp())}:R>"
    text = fits(status_page(make_card(arrival=arrival)))
    assert f"Your message arrived {stamp}. The process has no handler for it: *Sign* installs it." in text
    text = fits(status_page(make_card(arrival=arrival, sign_url=None, no_sign_link=NoSignLink.NO_PUBLIC_URL)))
    assert "that has to be installed first." in text
