"""Looks for strangers: shared, kept a while, and bounded whatever a signature has read beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import cast

import pytest

from bot.domain.card import Role, StatusCard
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.errors import Busy
from bot.services import showing
from bot.services.checking import Checking
from bot.services.showing import Showing

PROCESS = ProcessId("0syT13r0s0tgPmIed95bJnuSqaD29HQNN8D3ElLSrsc")
OTHER = ProcessId("1" + PROCESS[1:])


class Looks:
    """Stands where looks are made: each of them ends when the test says so. Nobody follows anything."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def look(self, _user: int, process: ProcessId, _keys: Sequence[StateKey]) -> StatusCard:
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self.begun.put(end)
        await end
        return StatusCard(registration_id=0, process=process, role=Role.MINE, status=Verdict.NOT_PATCHED)

    async def signed(self, _process: ProcessId) -> StatusCard | None:
        return None


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
async def shown(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Showing]:
    monkeypatch.setattr(showing, "AT_ONCE", 1)
    shown = Showing(cast(Checking, looks), step=timedelta(0))
    yield shown
    await shown.stop()


async def test_what_a_signature_reads_forgets_no_strangers_look(looks: Looks, shown: Showing) -> None:
    stranger = asyncio.create_task(shown.verdict(PROCESS))
    strangers = await looks.begun.get()
    signed = asyncio.create_task(shown.signed(PROCESS))
    (await looks.begun.get()).set_result(None)
    await looks.begun.get()  # what was signed is looked at again, and the stranger's look still goes on
    async with asyncio.timeout(10):
        with pytest.raises(Busy):
            await shown.verdict(OTHER)
    strangers.set_result(None)
    await stranger
    other = asyncio.create_task(shown.verdict(OTHER))
    (await looks.begun.get()).set_result(None)
    assert (await other).process == OTHER
    signed.cancel()
    await asyncio.gather(signed, return_exceptions=True)
