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
    """Shows every message but those of `unknown`, of which it says so only when `knows` is set."""

    def __init__(self, *unknown: str) -> None:
        self.unknown = {*unknown}
        self.knows = asyncio.Event()

    async def believes(self, process: ProcessId, message: str) -> bool:
        if message in self.unknown:
            await self.knows.wait()
        return message not in self.unknown


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_process_is_read_once_however_often_it_is_asked() -> None:
    reads = Reads()
    kept = Watches(reads, Network())
    assert all([kept.begin(PROCESS, MESSAGE, ticketed=True), kept.begin(PROCESS, MESSAGE, ticketed=True)])
    await _settle()
    assert (reads.asked, kept.checking(PROCESS)) == ([PROCESS], True)
    reads.ends.set()
    await _settle()
    assert not kept.checking(PROCESS)
    assert kept.begin(PROCESS, MESSAGE, ticketed=True)  # it was read just now
    await _settle()
    assert reads.asked == [PROCESS]


async def test_what_the_network_does_not_show_is_not_read() -> None:
    reads, network = Reads(), Network(MESSAGE)
    kept = Watches(reads, network)
    assert kept.begin(PROCESS, MESSAGE, ticketed=True)
    await _settle()
    assert (reads.asked, kept.checking(PROCESS)) == ([], True)
    network.knows.set()
    await _settle()
    assert (reads.asked, kept.checking(PROCESS)) == ([], False)


async def test_what_a_stranger_made_up_keeps_no_signer_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "AT_MOST", 2)
    made_up = [f"{n}{MESSAGE[1:]}" for n in range(3)]
    reads = Reads()
    kept = Watches(reads, Network(*made_up))
    assert [kept.begin(PROCESS, each, ticketed=False) for each in made_up] == [True, True, False]
    assert kept.begin(PROCESS, MESSAGE, ticketed=True)  # by itself, although others are looked for
    await _settle()
    assert reads.asked == [PROCESS]
    await kept.stop()


async def test_only_what_was_believed_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = [f"{n:02}{MESSAGE[2:]}" for n in range(watches.AN_HOUR)]
    reads, network = Reads(), Network(*made_up)
    network.knows.set()
    kept = Watches(reads, network)
    for each in made_up:
        assert kept.begin(PROCESS, each, ticketed=False)
        await _settle()
    assert kept.begin(PROCESS, MESSAGE, ticketed=True)
    await _settle()
    assert reads.asked == [PROCESS]
    await kept.stop()


async def test_two_messages_believed_together_are_one_read() -> None:
    reads = Reads()
    kept = Watches(reads, Network())
    assert kept.begin(PROCESS, MESSAGE, ticketed=True)
    assert kept.begin(PROCESS, PROCESS, ticketed=True)
    await _settle()
    assert reads.asked == [PROCESS]
    await kept.stop()


async def test_one_process_is_read_so_often_in_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "REST", 0)
    reads = Reads()
    reads.ends.set()
    kept = Watches(reads, Network())
    for _ in range(3 * watches.AN_HOUR):
        assert kept.begin(PROCESS, MESSAGE, ticketed=True)
        await _settle()
    assert len(reads.asked) == watches.AN_HOUR


async def test_it_is_read_again_after_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "REST", 0)
    reads = Reads()
    reads.ends.set()
    kept = Watches(reads, Network())
    for _ in range(2):
        kept.begin(PROCESS, MESSAGE, ticketed=True)
        await _settle()
    assert reads.asked == [PROCESS, PROCESS]


async def test_the_newest_conclusion_is_kept_confirmed_or_not() -> None:
    reads = Reads()
    reads.gives = replace(CARD, latest=Judgement(verdict=Verdict.PATCHED, reason=Reason.SHOWN))
    reads.ends.set()
    kept = Watches(reads, Network())
    kept.begin(PROCESS, MESSAGE, ticketed=True)
    await _settle()
    assert kept.latest(PROCESS) is Verdict.PATCHED


async def test_so_many_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "AT_MOST", 2)
    kept = Watches(Reads(), Network())
    others = [ProcessId(f"{n}{PROCESS[1:]}") for n in range(3)]
    assert [kept.begin(other, MESSAGE, ticketed=True) for other in others] == [True, True, False]
    assert kept.begin(others[0], MESSAGE, ticketed=True)
    await kept.stop()


async def test_outcomes_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "REMEMBERED", 0)
    monkeypatch.setattr(watches, "AT_MOST", 1)
    reads = Reads()
    reads.ends.set()
    kept = Watches(reads, Network())
    others = [ProcessId(f"{n}{PROCESS[1:]}") for n in range(3)]
    for other in others:
        kept.begin(other, MESSAGE, ticketed=True)
        await _settle()
    assert [kept.latest(other) for other in others] == [None, CARD.status, CARD.status]


async def test_a_fault_is_logged_and_ends_the_watch(capsys: pytest.CaptureFixture[str]) -> None:
    reads = Reads()
    reads.gives = RuntimeError("the database is gone")
    reads.ends.set()
    kept = Watches(reads, Network())
    kept.begin(PROCESS, MESSAGE, ticketed=True)
    await _settle()
    assert not kept.checking(PROCESS)
    assert "the database is gone" in "".join(capsys.readouterr())


async def test_stopping_cancels_what_runs() -> None:
    reads: Any = Reads()
    kept = Watches(reads, Network())
    kept.begin(PROCESS, MESSAGE, ticketed=True)
    await _settle()
    await kept.stop()
    assert not kept.checking(PROCESS)
