"""A unit of the legacy network, and where its redirects may lead."""

from __future__ import annotations

import pytest

from bot.ao.routed import Routed
from bot.errors import BrokenAnswer

FOUND = "HTTP/1.1 302 X\r\nconnection: close\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "location", ["mailto:a", "http://", "http://[", "http://a:b", "//", "", "https://elsewhere.example/x"]
)
async def test_a_redirect_that_leads_nowhere_is_a_broken_answer(raw, transport, location):
    raw.answers(FOUND.format(location).encode())
    with pytest.raises(BrokenAnswer) as raised:
        await Routed(transport, raw.url, ["https://*.ao.example"], called="scheduler").ask("/x")
    assert raised.value.reason == "redirect"
    assert len(raw.requests) == 1


async def test_one_redirect_is_followed_where_it_is_allowed(raw, transport):
    async def script(_reader, writer):
        moved = b" /x " in raw.requests[-1]
        writer.write(FOUND.format("/y").encode() if moved else b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\nok")

    raw.script = script
    answer = await Routed(transport, raw.url, [raw.url], called="scheduler").ask("/x")
    assert answer.body == b"ok"
