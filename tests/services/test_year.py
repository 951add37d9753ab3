"""A simulated year through the services: who gets what, when, and that it ends.

The program goes by its own clock, the computer's, which time-machine moves: also what nobody handed a clock to.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import time_machine

from bot.clock import utc_now
from bot.domain.card import Blocked, Role, Seen
from bot.domain.notices import Envelope, Mention, Patched, Regressed, Reminder
from bot.domain.observation import Verdict
from bot.domain.status import TargetStatus
from bot.domain.verdict import Judgement, Reason
from bot.services.registering import RegisterRequest
from bot.services.turning import Turn
from bot.store import outbox, people, processes
from tests.services.conftest import START

DAY = timedelta(days=1)
ZONES = ("Asia/Tokyo", "America/New_York", "Europe/Berlin", None)
REMINDS = (Reminder, Regressed, Mention)


class Computer:
    """The computer's clock: it stands still until it is moved. Waiting goes by another, which time-machine leaves."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def __call__(self) -> datetime:
        return utc_now()

    @property
    def now(self) -> datetime:
        return utc_now()

    @now.setter
    def now(self, moment: datetime) -> None:
        self._traveller.move_to(moment)

    def move(self, **delta: float) -> None:
        self._traveller.shift(timedelta(**delta))


@pytest.fixture
def clock() -> Iterator[Computer]:
    with time_machine.travel(START, tick=False) as traveller:
        yield Computer(traveller)


class Year:
    """The whole application in a year of six-hour steps, most of it slept through; people act as a seed says."""

    def __init__(self, app, clock, sender, seed: int) -> None:
        self.app, self.clock, self.sender = app, clock, sender
        self.random = random.Random(seed)
        self.got: dict[int, list[tuple[datetime, Envelope]]] = defaultdict(list)
        self.acted: dict[int, list[datetime]] = defaultdict(list)
        self._seen = 0

    async def register(self, user_id: int, text: str, role: Role = Role.MINE, migration_id: int | None = None) -> None:
        await self.app.registering.register(RegisterRequest(user_id, text, role, migration_id=migration_id))
        self.acted[user_id].append(self.clock())

    async def step(self, delta: timedelta) -> None:
        self.clock.now += delta
        await self.app.reminding.owe_due()
        await self.app.delivering.deliver_due()
        for envelope in self.sender.envelopes[self._seen :]:
            user_id = envelope.notice.user_id if isinstance(envelope.notice, Mention) else envelope.user_id
            self.got[user_id].append((self.clock(), envelope))
        self._seen = len(self.sender.envelopes)

    async def next_moment(self) -> timedelta:
        """Give the time to the next thing that is due, 12 hours at most."""
        async with self.app.database.read() as connection:
            due = [await people.next_due(connection), await outbox.next_due(connection)]
        ahead = [each - self.clock() for each in due if each is not None and each > self.clock()]
        return min([timedelta(hours=12), *ahead])

    async def act(self, user_id: int) -> None:
        """Do one of the things that a person may do with the newest message that they got."""
        if not self.got[user_id]:
            return
        delivery = self.got[user_id][-1][1].delivery_id
        wishing = self.app.wishing
        choice = self.random.choice(("week", "day", "stop", "resume", "zone", "apart"))
        match choice:
            case "week" | "day":
                await wishing.snooze(user_id, delivery, await wishing.when(user_id, choice))
            case "stop":
                await wishing.stop(user_id, delivery)
            case "resume":
                await wishing.resume(user_id)
            case "zone":
                await wishing.change(user_id, zone=self.random.choice(ZONES[:3]), hour=self.random.randrange(24))
            case "apart":
                await wishing.change(user_id, apart_days=self.random.choice((0, 3, 7, 14)))
        self.acted[user_id].append(self.clock())

    def reminded(self, user_id: int) -> list[datetime]:
        return [at for at, envelope in self.got[user_id] if isinstance(envelope.notice, REMINDS)]


@pytest.mark.slow
@pytest.mark.parametrize("template", ["sqlite"], indirect=True)  # both databases pass one contract, in tests/store
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_year(app, world, clock, sender, seed: int) -> None:
    year = Year(app, clock, sender, seed)
    migrations: list[int | None] = [None]
    for days in (20, 45, 120):
        draft = await app.announcing.draft(1, 2, 3, f"In {days}", clock() + days * DAY, "token")
        await app.announcing.post(draft.migration_id, 3)
        migrations.append(draft.migration_id)
    idle, busy, watcher, blocked, unknown = range(1, 5), range(11, 15), 21, 22, 23
    shared = [world.unpatched(f"P{number}") for number in range(6)]
    for user_id, migration in zip(idle, migrations, strict=True):
        await year.register(user_id, " ".join(shared[:3]), migration_id=migration)
    for number, user_id in enumerate(busy):
        await year.step(timedelta(hours=5))
        await year.register(user_id, " ".join(shared[number : number + 3]), migration_id=migrations[number])
    await year.register(watcher, shared[0], Role.WATCHING)
    await year.register(blocked, shared[0])
    await app.reminding.blocking.block(blocked, shared[0], Blocked.LOST_WALLET)
    await year.register(unknown, world.nowhere())
    while clock() < START + timedelta(days=366):
        await year.step(await year.next_moment())
        if clock() < START + timedelta(days=200) and year.random.random() < 0.02:
            await year.act(year.random.choice(busy))

    for user_id in (*idle, *busy):
        at = year.reminded(user_id)
        assert at, "whoever is open is reminded"
        assert all(later - earlier >= DAY for earlier, later in pairwise([START, *at])), f"{user_id} twice in a day"
        person = await app.registering.person(user_id)
        if user_id in idle:
            assert person.next_reminder_at is None, "everything ends"
            assert at[-1] < START + timedelta(days=200)
            last = [each.notice.last for _, each in year.got[user_id] if isinstance(each.notice, Reminder)]
            assert last == [False] * (len(last) - 1) + [True], "and the last one says so"
        hours = app.agenda.hours(person)
        if not year.acted[user_id][1:]:
            assert not any(hours.is_quiet(each) for each in at)
    far = [each for each in year.reminded(4) if each <= START + timedelta(days=120)]
    assert max(later - earlier for earlier, later in pairwise([START, *far])) <= timedelta(days=36), "none in a month"
    assert [year.reminded(each) for each in (watcher, blocked, unknown)] == [[], [], []]


@pytest.mark.slow
@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
async def test_a_year_of_patching_and_undoing(app, world, clock, sender) -> None:
    """Statuses are turned in the store, as looks would, so that a year takes seconds: what is told is the subject."""
    year = Year(app, clock, sender, 7)
    mine = [world.unpatched(f"P{number}") for number in range(6)]
    await year.register(1, " ".join(mine))
    for _ in range(120):
        await year.step(timedelta(hours=70))
        for process in year.random.sample(mine, 2):
            await _turn(app, process, clock())
            clock.move(minutes=3)
    patched = [at for at, each in year.got[1] if isinstance(each.notice, Patched)]
    assert len(patched) > 20, "what was patched in their night is one message in the morning"
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(patched))
    at = year.reminded(1)
    assert any(isinstance(each.notice, Regressed) for _, each in year.got[1])
    assert all(later - earlier >= DAY for earlier, later in pairwise(at))


async def _turn(app, process: str, now: datetime) -> None:
    """Let a process be the other thing by now, and tell it."""
    async with app.database.write() as connection:
        (target,) = (await processes.targets_of(connection, [process], lock=True))[process]
        verdict = Verdict.NOT_PATCHED if target.verdict is Verdict.PATCHED else Verdict.PATCHED
        reason = Reason.SHOWN if verdict is Verdict.PATCHED else Reason.MISSING
        judgement = Judgement(verdict=verdict, reason=reason, exposed=("balances",), nodes=("https://a", "https://b"))
        status = TargetStatus(verdict=verdict, since=now)
        seen = Seen(at=now, judgement=judgement, evidence=(), requests=0)
        await processes.record_target(connection, target.id, status, seen)
        turned = replace(target, status=status, verdict=verdict, seen=seen)
        turn = Turn(target=turned, before=target.verdict, judgement=judgement, caught_up={})
        changed = await app.recording._turning.tell(connection, [turn], now)
        await app.agenda.plan(connection, sorted(changed), now)
