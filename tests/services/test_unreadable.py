"""What no node can read for days: its owner is told once, and not reminded until one can."""

from datetime import timedelta

import pytest

from bot.domain.card import Blocked, Rest
from bot.domain.notices import Reminder, Unreadable
from bot.domain.observation import Verdict

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("template", ["sqlite"], indirect=True)]

ALICE = 101


@pytest.fixture
def lose(world):
    """Let no node know anything of a process; or let all know it again."""

    def lose(process: str, *, again: bool = False) -> None:
        for node in world.network.nodes:
            (node.faults.lost.discard if again else node.faults.lost.add)(process)

    return lose


@pytest.fixture
def live(app, clock):
    """Let days pass, with all loops turned every eight hours."""

    async def live(days: float) -> None:
        until = clock() + timedelta(days=days)
        while clock() < until:
            clock.move(hours=8)
            await app.checking.sweep_once()
            await app.reminding.owe_due()
            await app.delivering.deliver_due()

    return live


@pytest.fixture
def got(sender):
    """Count what Alice was sent of a kind."""
    return lambda kind: len([each for each in sender.envelopes if isinstance(each.notice, kind)])


async def test_it_is_not_reminded_of_until_a_node_can_read_it(app, register, world, lose, live, got):
    process = world.unpatched()
    await register(process)
    lose(process)
    await live(12)
    assert (got(Unreadable), got(Reminder)) == (1, 0)
    (card,) = await app.registering.cards(ALICE)
    assert (card.status, card.next_reminder) == (Verdict.NOT_PATCHED, None)
    assert card.rest is (await app.wishing.wishes(ALICE)).rest is Rest.UNREADABLE
    assert (await app.registering.person(ALICE)).next_reminder_at is None
    lose(process, again=True)
    await live(2)
    assert (await app.registering.person(ALICE)).next_reminder_at is not None
    await live(8)
    assert got(Unreadable) == 1
    assert got(Reminder) >= 1


async def test_what_can_be_read_is_reminded_of_meanwhile(app, register, world, lose, live, got, sender):
    lost, other = world.unpatched(), world.unpatched()
    await register(f"{lost} {other}")
    lose(lost)
    await live(8)
    (notice,) = (each.notice for each in sender.envelopes if isinstance(each.notice, Reminder))
    assert [line.process for line in notice.processes] == [other]


async def test_who_said_that_they_cant_is_not_told(app, register, world, lose, live, got):
    process = world.unpatched()
    await register(process)
    await app.reminding.blocking.block(ALICE, process, Blocked.LOST_WALLET)
    lose(process)
    await live(5)
    assert got(Unreadable) == 0
