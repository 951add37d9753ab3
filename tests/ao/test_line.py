"""Those who wait for a look: first come, first served, told how long, and nobody for ever."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.ao import line as module
from bot.ao.line import Line

NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)


class Waiting:
    """People in a line of two at once; each goes when it is let."""

    def __init__(self) -> None:
        self.line = Line(at_once=2, clock=lambda: NOW)
        self.entered: list[int] = []
        self.told: dict[int, list[str]] = {}
        self.may_go: dict[int, asyncio.Event] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}

    async def come(self, *numbers: int) -> None:
        for number in numbers:
            self.may_go[number], self.told[number] = asyncio.Event(), []
            self.tasks[number] = asyncio.create_task(self._wait(number))
            await asyncio.sleep(0)
        await settle()

    async def go(self, *numbers: int) -> None:
        for number in numbers:
            self.may_go[number].set()
            await settle()

    async def _wait(self, number: int) -> None:
        async def tell(sentence: str) -> None:
            self.told[number].append(sentence)

        async with self.line.turn(tell):
            self.entered.append(number)
            await self.may_go[number].wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_first_come_first_served_so_many_at_once() -> None:
    waiting = Waiting()
    await waiting.come(1, 2, 3, 4, 5)
    assert waiting.entered == [1, 2]
    await waiting.go(2)
    assert waiting.entered == [1, 2, 3]
    await waiting.come(6)
    await waiting.go(1, 3)
    assert waiting.entered == [1, 2, 3, 4, 5]
    await waiting.go(4, 5, 6)
    assert waiting.entered == [1, 2, 3, 4, 5, 6]
    await asyncio.gather(*waiting.tasks.values())
    await waiting.come(7)
    assert waiting.entered[-1] == 7, "and the line is empty again"
    await waiting.go(7)
    assert waiting.told == {number: [] for number in range(1, 8)}, "nobody is told what takes no time"


async def test_who_waits_is_told_their_number_and_when_their_turn_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TOLD_AFTER", 0.01)
    waiting = Waiting()
    await waiting.come(1, 2, 3, 4)
    async with asyncio.timeout(10):
        while not waiting.told[4]:  # noqa: ASYNC110 -- a timer of the line's own
            await asyncio.sleep(0.01)
    (sentence,) = waiting.told[4]
    assert sentence.template.startswith("Many people ask at this moment")
    assert sentence.values["number"] == 2
    assert NOW < sentence.values["turn"] < NOW + timedelta(seconds=2)
    assert waiting.told[1] == []
    await waiting.go(1, 2, 3, 4)


async def test_who_gives_up_keeps_nobody_waiting() -> None:
    waiting = Waiting()
    await waiting.come(1, 2, 3, 4, 5)
    waiting.tasks[3].cancel()
    await settle()
    await waiting.go(1)
    assert waiting.entered == [1, 2, 4]
    waiting.may_go[2].set()
    waiting.tasks[5].cancel()  # at the moment at which the turn is given
    await settle()
    await waiting.go(4)
    await waiting.come(6, 7, 8)
    assert waiting.entered == [1, 2, 4, 6, 7], "two at once, as before"
    await waiting.go(6, 7, 8)


async def test_nobody_waits_longer_than_discord_lets_us_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TOLD_AFTER", 0.01)
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.02)
    waiting = Waiting()
    await waiting.come(1, 2, 3)
    async with asyncio.timeout(10):
        while 3 not in waiting.entered:  # noqa: ASYNC110 -- a timer of the line's own
            await asyncio.sleep(0.01)
    await waiting.go(1, 2)
    await waiting.come(4, 5)
    assert waiting.entered == [1, 2, 3, 4], "who went out of turn counts"
    await waiting.go(3, 4, 5)


async def test_one_command_waits_so_long_in_all_however_many_turns_it_takes() -> None:
    now = 0.0
    line = Line(at_once=1, timer=lambda: now)
    latest = line.latest()
    async with line.turn():
        now = module.LONGEST_WAIT + 1
        async with asyncio.timeout(10), line.turn(latest=latest), line.turn(latest=latest):
            assert line._inside == 3, "out of turn, at once"
