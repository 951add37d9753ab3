"""Every sentence of every message, rendered in the language that nobody speaks: within limits, and no English left."""

from __future__ import annotations

import gettext
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

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
    Rest,
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
from bot.domain.ways import AOS_MODULES
from bot.services.privacy import LISTED, Holding, OpenProcess
from bot.services.verifying import Trust, Verified
from bot.services.wishing import STOP_REASONS
from cogs.messages import answers, campaign, dms, reminder
from cogs.messages.card import status_page
from cogs.messages.guide import guide_page, key_file_page
from cogs.messages.language import speaking
from cogs.messages.listing import list_page, wallet_page
from cogs.messages.privacy import erase_page, erased_page, export_page, kept_page, privacy_page
from cogs.messages.registered import FirstDmState, Registered, first_dm_page, registered_page
from cogs.messages.verifying import author_page, verified_page
from tests import pseudo
from tests.cogs.messages.wished import around, panels

Make = Callable[..., StatusCard]
Fits = Callable[[ui.LayoutView], str]

NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=29)
PID = "0syT1JlMtv5R7X7Gt7NQAxKIhT7iCc5YXZKmZ0dLSrc"
WIDE = "0123456789 " * 9  # strangers' text that is no English
URL = "https://patchbell.example.org/sign#" + "t" * 22
WORDS = "amber otter"
LINE = ProcessLine(process=PID, label=WIDE, since=NOW - timedelta(days=27))
LINES = ((LINE,), (LINE, LINE.model_copy(update={"since": None})), tuple(LINE for _ in range(30)))


def cards(make: Make) -> Iterator[ui.LayoutView]:
    for status, reason in itertools.product(Verdict, Reason):
        yield status_page(make(status=status, reason=reason))
        yield status_page(make(status=status, reason=reason, registration_id=0))
    for status, latest in itertools.product(Verdict, Verdict):
        card = make(status=status)
        assert card.latest is not None
        turning = replace(card, latest=replace(card.latest, verdict=latest, nodes=card.latest.nodes[:2]))
        yield status_page(turning)
        yield list_page([turning, replace(turning, registration_id=2)])
    for role, link, blocked in itertools.product(Role, NoSignLink, [None, *Blocked]):
        yield status_page(make(sign_url=None, no_sign_link=link, role=role, blocked=blocked, stopped=blocked is None))
    yield from (status_page(make(next_reminder=None, rest=rest)) for rest in Rest)
    for role, outcome, at, error in itertools.product(Role, Outcome, (NOW, None), (WIDE, None)):
        arrival = Arrival(message="m" * 43, sender="o" * 43, at=at, outcome=outcome, error=error)
        for sign_url in (URL, None):
            yield status_page(make(arrival=arrival, role=role, sign_url=sign_url))
    for nodes in range(5):
        latest = Judgement(verdict=Verdict.PATCHED, reason=Reason.SHOWN, exposed=("a",), nodes=("https://a.b",) * nodes)
        yield status_page(make(status=Verdict.PATCHED, latest=latest))
    aos = Metadata(process=ProcessId(PID), owner=PID, module=next(iter(AOS_MODULES)))
    yield status_page(replace(make(status=Verdict.NOT_PATCHED), metadata=aos))
    nothing = Judgement(verdict=Verdict.NOT_PATCHED, reason=Reason.MISSING, nodes=("https://a.b",))
    yield status_page(make(latest=nothing))
    yield status_page(make(status=Verdict.UNKNOWN, latest=None))
    yield status_page(
        make(
            status=Verdict.UNKNOWN,
            latest=Judgement(verdict=Verdict.UNKNOWN, reason=Reason.BEHIND, at_slot=1, current_slot=1),
        )
    )


def lists(make: Make) -> Iterator[ui.LayoutView]:
    many = [make(n, list(Verdict)[n % 4], stopped=n == 7) for n in range(1, 101)]
    many[1] = replace(many[1], blocked=Blocked.OTHER, status=Verdict.NOT_PATCHED, role=Role.WATCHING)
    many[2] = replace(many[2], sign_url=None, no_sign_link=NoSignLink.NO_PUBLIC_URL)
    yield from (list_page(many, number) for number in range(5))
    yield list_page(many[:1])
    for number in (0, 1, 30):
        owned = [Metadata(process=many[n].process, owner=PID, name=WIDE, spawned_at=NOW) for n in range(number)]
        yield from (wallet_page(PID, owned, leaf) for leaf in (0, 1))
    for of, role, dm in itertools.product((1, 2, 50), Role, (None, *FirstDmState)):
        chosen = [replace(each, role=role) for each in many[:of]]
        for already in ([], chosen[:1], chosen[: of // 2]):
            yield registered_page(
                Registered(
                    cards=chosen,
                    malformed=(WIDE,) * of,
                    already=tuple(each.process for each in already),
                    safe_word=WORDS,
                    delivery=1,
                    dm=dm,
                )
            )


def messages() -> Iterator[ui.LayoutView]:
    for lines, more, days, number, url in itertools.product(
        LINES, (0, 1, 40), (None, -3, 1, 3, 30), (1, 3), (URL, None)
    ):
        for community in (None, WIDE):
            deadline = NOW + timedelta(days=days) if days is not None else None
            yield reminder.reminder(
                Reminder(
                    safe_word=WORDS,
                    processes=lines,
                    more=more,
                    community=community,
                    deadline=deadline,
                    number=number,
                    last=number == 3,
                ),
                7,
                url,
                NOW,
            )
    for days, due in itertools.product((-3, 3, 30), (1, 2)):
        deadline = NOW + timedelta(days=days)
        some = Reminder(safe_word=WORDS, processes=(LINE,) * 3, deadline=deadline, due=due)
        yield reminder.reminder(some, 7, URL, NOW)
    for lines, community in itertools.product(LINES, (None, WIDE)):
        for at in (None, LATER):
            first = FirstDm(safe_word=WORDS, processes=lines, more=3, community=community, added_at=at)
            yield dms.first_dm(first, 7, URL)
    for shown, others in (((), 0), ((WIDE,), 1), ((WIDE,) * 12, 5)):
        yield dms.patched(
            Patched(safe_word=WORDS, process=LINE, shown=shown, nodes=2, node_url=URL, open_processes=others)
        )
    yield dms.patched(Patched(safe_word=WORDS, process=LINE, shown=(), nodes=2, others=(LINE,), more=3))
    yield dms.regressed(Regressed(safe_word=WORDS, process=LINE), 7, URL)
    yield dms.regressed(Regressed(safe_word=WORDS, process=LINE, others=(LINE,) * 3, more=3), 7, URL)
    yield from (dms.unreadable(Unreadable(safe_word=WORDS, process=LINE, reason=r), 7) for r in (*Reason, "new"))
    yield dms.alarm(Alarm(sentence="0"))
    yield dms.alarm(Alarm(sentence="0", guild_id=7))


def campaigns() -> Iterator[ui.LayoutView]:
    for deadline, keys in itertools.product((None, LATER), ((), (WIDE,) * 32)):
        notice = Announcement(migration_id=7, locale="de", title=WIDE, deadline=deadline, keys=keys)
        yield campaign.announcement(notice)
        yield from (campaign.preview(notice, 7, signing=signing) for signing in (True, False))
        full = MigrationProgress(
            migration_id=7, title=WIDE, deadline=deadline, patched=9, not_patched=8, unknown=7, unreadable=6, blocked=5
        )
        helpless = replace(full, for_developers=4)
        empty = MigrationProgress(migration_id=7, title=WIDE, deadline=deadline, patched=0, not_patched=0, unknown=0)
        yield from (
            campaign.progress_page(each, signing=False) for each in ([], [empty], [full], [full] * 20, [helpless])
        )
        for people, lost in ((1, 0), (9, 0), (9, 1), (20, 2)):
            reasons = tuple((reason, lost) for reason in STOP_REASONS) if lost else ()
            reached = Reached(people=people, stopped=lost, closed=lost, strangers=lost, reasons=reasons)
            yield campaign.progress_page([full], signing=True, reached=reached, paused_at=NOW)


def short_answers() -> Iterator[ui.LayoutView]:
    yield answers.failed("01234567")
    yield from (answers.working(3, of) for of in (1, 200))
    yield answers.found_so_far(300)
    yield answers.failed("\u200b")
    yield answers.unregistered(PID, WIDE, WIDE)
    yield answers.nothing_followed()
    yield from (answers.snoozed(LATER, then, zone_known=known) for then in (None, LATER) for known in (True, False))
    yield from (answers.resumed(then) for then in (None, LATER))
    yield from panels(NOW)
    yield from around(NOW, tuple(LINE.model_copy(update={"process": f"{n:02}{PID[2:]}"}) for n in range(40)))
    yield from (answers.posted(7, arrived=arrived) for arrived in (True, False))
    for lines in ((), *LINES):
        yield answers.what_is_in_the_way("why:1", lines)
        yield from (answers.blocked(reason, lines) for reason in Blocked)
    yield from (first_dm_page(7, state, turn=turn) for state in FirstDmState for turn in (None, LATER))
    yield guide_page("a" * 64)
    yield key_file_page(ProcessId("-" * 43), "a" * 64)


def trust() -> Iterator[ui.LayoutView]:
    for number, announcements, may in ((0, 0, False), (1, 1, True), (40, 0, False), (200, 5, True)):
        held = Holding(
            known=number > 0,
            processes=number,
            messages=number,
            links=number,
            announcements=announcements,
            may_be_named=may,
            keeps=timedelta(days=max(1, number)),
        )
        yield from (privacy_page(held), erase_page(held), export_page(), erased_page(), kept_page())
    for known, url in itertools.product(Trust, (URL, None)):
        yield verified_page(Verified(trust=known, places=(WIDE,) * 20, at=NOW), url)
    opened = [OpenProcess(process=ProcessId("x" * 43), people=(1 << 62,) * 5)] * LISTED
    yield from (campaign.open_page(each, more=more) for each in ([], opened) for more in (True, False))
    yield from (author_page(ours=ours) for ours in (True, False))


def every_page(make: Make) -> Iterator[ui.LayoutView]:
    """Every message there is. A new one belongs in here: the last assertion below says which sentences are missing."""
    yield from cards(make)
    yield from lists(make)
    yield from messages()
    yield from campaigns()
    yield from short_answers()
    yield from trust()


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The sentences that were looked up, by their English."""
    found: set[str] = set()

    class Noting(gettext.GNUTranslations):
        def gettext(self, message: str) -> str:
            found.add(message)
            return super().gettext(message)

        def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
            found.add(msgid1)
            return super().ngettext(msgid1, msgid2, n)

    monkeypatch.setattr(gettext, "GNUTranslations", Noting)
    return found


def test_every_message_is_said_in_another_language(
    make_card: Make, fits: Fits, looked_up: set[str], pseudo_german: str
) -> None:
    def make(*given: Any, **changes: Any) -> StatusCard:
        card = make_card(*given, **{"label": WIDE} | changes)
        known = Metadata(process=card.process, owner=PID, name=WIDE, variant=WIDE, spawned_at=NOW)
        return replace(card, metadata=known)

    with speaking(pseudo_german):
        for page in every_page(make):
            said = "\n".join([fits(page), *controls(page.to_components())])
            assert pseudo.unsaid(said, WORDS) == [], said
    shown_by_messages = {
        message.id[0] if isinstance(message.id, tuple) else message.id
        for message in pseudo.template()
        if message.id and any(path.startswith("cogs/messages/") for path, _ in message.locations)
    }
    assert sorted(shown_by_messages - looked_up) == [], "rendered by nothing in every_page"


def controls(components: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what is written on buttons and selects."""
    for each in components:
        yield from (each[name] for name in ("label", "placeholder") if each.get(name))
        for option in each.get("options", []):
            yield from (option[name] for name in ("label", "description") if option.get(name))
        yield from controls(each.get("components", []))
