"""The first DM, where it cannot go at once: it comes only if it is still wanted, and what it says is true then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.notices import FirstDm
from bot.errors import NewConversationsBlocked
from bot.services import holds
from tests.services.conftest import START

pytestmark = pytest.mark.slow

ALICE = 101


@pytest.fixture
async def blocked(app: Any, register: Any, world: Any, sender: Any) -> list[str]:
    """Alice registered two processes at noon while Discord lets nobody open a DM for some hours; give the two."""
    processes = [world.unpatched(), world.unpatched()]
    sender.faults = [NewConversationsBlocked("Flagged.", code=20026)]
    await register(" ".join(processes))
    return processes


async def arrived(app: Any, sender: Any) -> list[FirstDm]:
    await app.delivering.deliver_due()
    return [each.notice for each in sender.envelopes if isinstance(each.notice, FirstDm)]


async def test_who_stops_gets_none_until_they_begin_again(
    app: Any, register: Any, blocked: list[str], clock: Any, sender: Any
) -> None:
    await app.wishing.stop(ALICE)
    clock.move(hours=13)
    assert await arrived(app, sender) == []
    outcome = await register(blocked[0])
    (notice,) = await arrived(app, sender)
    assert (await app.delivering.outcome(outcome.first_dm, 0)).state == "sent"
    assert len((await app.ticketing.open(notice.ticket)).processes) == 1


async def test_who_stops_before_anything_was_tried_hears_at_once_that_none_comes(
    app: Any, register: Any, world: Any, clock: Any
) -> None:
    async with app.database.write() as connection:
        await holds.hold_until(connection, holds.NEW_CONVERSATIONS, clock() + timedelta(hours=1))
    outcome = await register(world.unpatched())
    await app.wishing.stop(ALICE)
    assert (await app.delivering.outcome(outcome.first_dm, 0)).state == "withdrawn"


async def test_it_names_what_is_still_followed_and_nothing_else(
    app: Any, blocked: list[str], clock: Any, sender: Any
) -> None:
    await app.registering.unregister(ALICE, blocked[0])
    clock.move(hours=21)
    (notice,) = await arrived(app, sender)
    assert [line.process for line in notice.processes] == [blocked[1]]


async def test_of_what_is_followed_no_more_there_is_none(app: Any, blocked: list[str], clock: Any, sender: Any) -> None:
    for process in blocked:
        await app.registering.unregister(ALICE, process)
    clock.move(hours=21)
    assert await arrived(app, sender) == []
    (told,) = await app.history.of_person(ALICE)
    assert told.fate == "not-needed"


async def test_a_late_one_keeps_to_quiet_hours_and_says_when_it_was(
    app: Any, blocked: list[str], clock: Any, sender: Any
) -> None:
    clock.move(hours=15)  # three in the morning
    assert await arrived(app, sender) == []
    clock.now = START + timedelta(hours=21)  # nine, and quiet is until eight
    (notice,) = await arrived(app, sender)
    assert notice.added_at == START


async def test_its_link_works_also_where_the_one_before_has_ended(
    app: Any, blocked: list[str], clock: Any, sender: Any
) -> None:
    await app.ticketing.end_for(ALICE)
    clock.move(hours=21)
    (notice,) = await arrived(app, sender)
    assert {each.process for each in (await app.ticketing.open(notice.ticket)).processes} == {*blocked}


async def test_what_it_only_counted_is_named_where_what_it_named_is_followed_no_more(
    app: Any, register: Any, world: Any, clock: Any, sender: Any
) -> None:
    processes = [world.unpatched() for _ in range(14)]
    sender.faults = [NewConversationsBlocked("Flagged.", code=20026)]
    await register(" ".join(processes))
    for process in (*processes[:10], processes[12]):
        await app.registering.unregister(ALICE, process)
    clock.move(hours=21)
    (notice,) = await arrived(app, sender)
    assert [line.process for line in notice.processes] == [processes[10], processes[11], processes[13]]
    assert notice.more == 0
