"""Our own budget for a peer: who waits, who is refused, and what is left for those who wait for an answer."""

from __future__ import annotations

import asyncio

import pytest

from bot.ao.peer import Peer
from bot.errors import RateLimited


@pytest.fixture
def peer(raw, transport):
    raw.answers(b"HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    return Peer(transport, raw.url, per_minute=40, timer=lambda: 1000.0)  # four at once


async def ask(peer: Peer, **how) -> int:
    return (await peer.exchange("GET", "/x", deadline=10, **how)).status


async def test_a_quarter_is_kept_for_what_is_urgent(raw, peer):
    assert [await ask(peer) for _ in range(3)] == [200] * 3
    with pytest.raises(RateLimited) as raised:
        await ask(peer)
    assert (raised.value.reason, raised.value.retry_after) == ("own-budget", 1.5)
    assert await ask(peer, urgent=True) == 200
    with pytest.raises(RateLimited):
        await ask(peer, urgent=True, patience=1.4)
    assert len(raw.requests) == 4


async def test_a_peer_that_may_be_asked_once_a_minute_is_asked_once(raw, transport):
    raw.answers(b"HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    peer = Peer(transport, raw.url, per_minute=1, timer=lambda: 1000.0)
    assert await ask(peer) == 200  # the quarter that is kept leaves one
    with pytest.raises(RateLimited):
        await ask(peer, patience=59)


async def test_who_no_longer_waits_spends_nothing(raw, peer):
    """Where many gave up waiting, as on a slow answer, those who come later waited for all of them."""
    assert not peer.busy
    for _ in range(3):
        await ask(peer)
    assert peer.busy
    waiting = [asyncio.create_task(ask(peer, patience=60)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert await ask(peer, urgent=True) == 200
    assert len(raw.requests) == 4
