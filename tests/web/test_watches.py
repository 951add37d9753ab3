from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.card import Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement, Reason
from bot.web import watches
from bot.web.watches import Watches

PROCESS = ProcessId("0syT13r0s0tgPmIed95bJnuSqaD29HQNN8D3ElLSrsc")
MESSAGE = "A" * 43
CARD = StatusCard(registration_id=0, process=PROCESS, role=Role.MINE, status=Verdict.NOT_PATCHED)


class Reads:
    """Reads of which each test says when they end, and how."""

    def __init__(self) -> None:
        self.asked: list[ProcessId] = []
        self.ends = asyncio.Event()
        self.gives: StatusCard | Exception | None = CARD

    async def signed(self, process: ProcessId) -> StatusCard | None:
        self.asked.append(process)
        await self.ends.wait()
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


class Network:
    """Shows every message but those of `unknown`."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()

    async def believes(self, process: ProcessId, message: str) -> bool:
        return message not in self.unknown


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_process_is_read_once_however_often_it_is_asked() -> None:
    reads = Reads()
    kept = Watches(reads, Network())
    assert all([kept.begin(PROCESS, MESSAGE), kept.begin(PROCESS, MESSAGE)])
    await _settle()
    assert (reads.asked, kept.of(PROCESS).running) == ([PROCESS], True)
    reads.ends.set()
    await _settle()
    assert not kept.of(PROCESS).running
    assert kept.begin(PROCESS, MESSAGE)  # it was read just now
    await _settle()
    assert reads.asked == [PROCESS]


async def test_what_the_network_does_not_show_is_not_read() -> None:
    reads, network = Reads(), Network()
    network.unknown.add(MESSAGE)
    kept = Watches(reads, network)
    assert kept.begin(PROCESS, MESSAGE)
    await _settle()
    assert (reads.asked, kept.of(PROCESS).running) == ([], False)


async def test_one_process_is_read_so_often_in_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "REST", 0)
    reads = Reads()
    reads.ends.set()
    kept = Watches(reads, Network())
    for _ in range(3 * watches.AN_HOUR):
        assert kept.begin(PROCESS, MESSAGE)
        await _settle()
    assert len(reads.asked) == watches.AN_HOUR


async def test_it_is_read_again_after_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "REST", 0)
    reads = Reads()
    reads.ends.set()
    kept = Watches(reads, Network())
    for _ in range(2):
        kept.begin(PROCESS, MESSAGE)
        await _settle()
    assert reads.asked == [PROCESS, PROCESS]


async def test_the_newest_conclusion_is_kept_confirmed_or_not() -> None:
    reads = Reads()
    reads.gives = replace(CARD, latest=Judgement(verdict=Verdict.PATCHED, reason=Reason.SHOWN))
    reads.ends.set()
    kept = Watches(reads, Network())
    kept.begin(PROCESS, MESSAGE)
    await _settle()
    assert kept.of(PROCESS).latest is Verdict.PATCHED


async def test_so_many_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "AT_MOST", 2)
    kept = Watches(Reads(), Network())
    others = [ProcessId(f"{n}{PROCESS[1:]}") for n in range(3)]
    assert [kept.begin(other, MESSAGE) for other in others] == [True, True, False]
    assert kept.begin(others[0], MESSAGE)
    await kept.stop()


async def test_outcomes_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "REMEMBERED", 1)
    monkeypatch.setattr(watches, "AT_MOST", 1)
    reads = Reads()
    reads.ends.set()
    kept = Watches(reads, Network())
    others = [ProcessId(f"{n}{PROCESS[1:]}") for n in range(3)]
    for other in others:
        kept.begin(other, MESSAGE)
        await _settle()
    assert [kept.of(other).ended > 0 for other in others] == [False, True, True]


async def test_a_fault_is_logged_and_ends_the_watch(capsys: pytest.CaptureFixture[str]) -> None:
    reads = Reads()
    reads.gives = RuntimeError("the database is gone")
    reads.ends.set()
    kept = Watches(reads, Network())
    kept.begin(PROCESS, MESSAGE)
    await _settle()
    assert not kept.of(PROCESS).running
    assert "the database is gone" in "".join(capsys.readouterr())


async def test_stopping_cancels_what_runs() -> None:
    reads: Any = Reads()
    kept = Watches(reads, Network())
    kept.begin(PROCESS, MESSAGE)
    await _settle()
    await kept.stop()
    assert not kept.of(PROCESS).running
