"""The transport against a hostile server: each failure told by its cause, nothing unbounded, nothing for ever."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import time

import pytest

from bot.ao.transport import Bounds, Transport
from bot.errors import BrokenAnswer, ForbiddenAddress, PeerError, TimedOut, Unreachable

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


async def fail(transport: Transport, url: str, method="GET", deadline=2.0, **options) -> PeerError:
    with pytest.raises(PeerError) as raised:
        await transport.exchange(url, method, deadline=deadline, **options)
    return raised.value


async def test_a_whole_answer_comes_back(raw, transport):
    raw.answers(b"HTTP/1.1 404 Not Found\r\nX-One: a\r\nx-one: b\r\ncontent-length: 4\r\n\r\nbody")
    answer = await transport.exchange(f"{raw.url}/pid~process@1.0/compute", "GET", deadline=2)
    assert (answer.status, answer.headers["x-one"], answer.body) == (404, "a, b", b"body")
    head = raw.requests[0].lower()
    assert head.startswith(b"get /pid~process@1.0/compute http/1.1\r\n")
    assert b"accept-encoding: identity\r\n" in head
    assert b"cookie" not in head


async def test_head_has_no_body_and_its_connection_is_used_again(raw, transport):
    async def script(reader, writer):
        for _ in range(3):
            writer.write(b"HTTP/1.1 200 OK\r\ncache+link: abc\r\ncontent-length: 5000000\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")

    raw.script = script
    for _ in range(3):
        answer = await transport.exchange(raw.url + "/x", "HEAD", deadline=2)
        assert (answer.body, answer.headers["cache+link"]) == (b"", "abc")
    assert raw.connections == 1


async def test_posts_a_body(raw, transport):
    raw.answers(OK)
    await transport.exchange(
        raw.url + "/graphql", "POST", deadline=2, body=b"{}", headers={"content-type": "application/json"}
    )
    assert b"content-length: 2\r\n" in raw.requests[0].lower()


async def test_cookies_are_never_sent_back(raw, transport):
    raw.answers(b"HTTP/1.1 200 OK\r\nset-cookie: session=1\r\ncontent-length: 0\r\n\r\n")
    for _ in range(2):
        await transport.exchange(raw.url, "GET", deadline=2)
    assert b"session" not in raw.requests[1]


async def test_a_redirect_is_an_answer_and_is_not_followed(raw, transport):
    raw.answers(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n")
    answer = await transport.exchange(raw.url, "GET", deadline=2)
    assert answer.status == 302
    assert len(raw.requests) == 1


async def test_refused_dns_and_reset_are_told_apart(raw, transport):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with Transport(trusted=frozenset({("127.0.0.1", port), ("localhost", port)})) as own:
        for host in ("127.0.0.1", "localhost"):
            error = await fail(own, f"http://{host}:{port}/")
            assert (type(error), error.reason) == (Unreachable, "refused")
    error = await fail(transport, "http://no-such-host.invalid/")
    assert (type(error), error.reason) == (Unreachable, "dns")

    async def reset(_reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    raw.script = reset
    error = await fail(transport, raw.url)
    assert (type(error), error.reason) == (BrokenAnswer, "reset")


async def test_a_connection_closed_without_an_answer_is_a_reset(raw, transport):
    raw.answers()
    error = await fail(transport, raw.url)
    assert (type(error), error.reason) == (BrokenAnswer, "reset")


@pytest.mark.parametrize(
    "host", ["xn--a", "a" * 300 + ".example", "bad host", "exa\u0000mple", "\u2100.example", "ex..ample", ""]
)
async def test_a_name_that_can_be_none_is_told_so(transport, host):
    error = await fail(transport, f"http://{host}/")
    assert error.reason in {"dns", "malformed"}


async def test_no_route_is_told_apart():
    async with Transport(trusted=frozenset({("255.255.255.255", 80)})) as own:
        error = await fail(own, "http://255.255.255.255/")
    assert (type(error), error.reason) == (Unreachable, "unroutable")


@pytest.mark.parametrize("scheme", ["ftp", "file", "data", "ws"])
async def test_only_http_is_spoken(transport, scheme):
    error = await fail(transport, f"{scheme}://example.org/")
    assert error.reason == "malformed"


async def test_a_server_that_never_answers_ends_at_the_deadline(raw, transport):
    raw.answers(keep_open=True)
    started = time.monotonic()
    error = await fail(transport, raw.url, deadline=0.3)
    assert (type(error), error.reason) == (TimedOut, "timeout")
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"",
    ],
    ids=["headers", "body", "1xx", "status-line"],
)
async def test_drips_end_at_the_deadline(raw, transport, beginning):
    drops = {b"HTTP/1.1 100 Continue\r\n\r\n": b"HTTP/1.1 102 Processing\r\n\r\n", b"": b"H"}

    async def script(_reader, writer):
        writer.write(beginning)
        for number in range(10_000):
            writer.write(drops.get(beginning, b"x-%d: y\r\n" % (number % 50)))
            await writer.drain()
            await asyncio.sleep(0.05)

    raw.script = script
    started = time.monotonic()
    error = await fail(transport, raw.url, deadline=0.4)
    assert isinstance(error, (TimedOut, BrokenAnswer))
    assert time.monotonic() - started < 1.5


async def test_an_endless_body_is_cut_off(raw, transport):
    async def script(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()

    raw.script = script
    error = await fail(transport, raw.url)
    assert (type(error), error.reason) == (BrokenAnswer, "oversized")


async def test_a_body_of_exactly_the_bound_is_read_whole(raw, transport):
    raw.answers(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 64 * 1024)
    answer = await transport.exchange(raw.url, "GET", deadline=2)
    assert len(answer.body) == 64 * 1024


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 17_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: y\r\n" % number for number in range(5000)),
        b"HTTP/1.1 200 " + b"K" * 9000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: %s\r\n" % (number, b"y" * 15_000) for number in range(20)),
    ],
    ids=["line", "count", "status-line", "total"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_headers_are_bounded(raw, transport, head, method):
    raw.answers(head.rstrip() + b"\r\ncontent-length: 0\r\n\r\n")
    error = await fail(transport, raw.url, method)
    assert (type(error), error.reason) == (BrokenAnswer, "oversized")


async def test_headers_within_the_bounds_are_read(raw, transport):
    lines = b"".join(b"key-%d+link: %s\r\n" % (number, b"y" * 43) for number in range(500))
    raw.answers(b"HTTP/1.1 200 OK\r\n" + lines + b"long: " + b"z" * 16_000 + b"\r\ncontent-length: 0\r\n\r\n")
    answer = await transport.exchange(raw.url, "HEAD", deadline=2)
    assert len(answer.headers) == 502


async def test_compressed_answers_are_refused(raw, transport):
    bomb = gzip.compress(b"\0" * 1_000_000)
    raw.answers(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb) + bomb)
    error = await fail(transport, raw.url)
    assert (type(error), error.reason) == (BrokenAnswer, "compressed")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\xff\xfe garbage \r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot-hex\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_told_so(raw, transport, answer):
    raw.answers(answer)
    error = await fail(transport, raw.url)
    assert (type(error), error.reason) == (BrokenAnswer, "protocol")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nx-half: li",
    ],
)
async def test_a_cut_answer_is_a_reset(raw, transport, answer):
    raw.answers(answer)
    error = await fail(transport, raw.url)
    assert (type(error), error.reason) == (BrokenAnswer, "reset")


async def test_interim_answers_are_passed_over(raw, transport):
    raw.answers(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK)
    answer = await transport.exchange(raw.url, "GET", deadline=2)
    assert (answer.status, answer.body) == (200, b"hi")


async def test_headers_of_any_bytes_become_text(raw, transport):
    raw.answers(b"HTTP/1.1 200 OK\r\nx: \xff\xfe\r\ny: \xc3\xa9\r\ncontent-length: 0\r\n\r\n")
    answer = await transport.exchange(raw.url, "GET", deadline=2)
    assert answer.headers["y"] == "é"
    answer.headers["x"].encode()


async def test_many_hostile_answers_leave_no_connection_open(raw):
    async with Transport(trusted=frozenset({raw.origin}), bounds=Bounds(body=1000), connections=2) as transport:
        raw.answers(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, keep_open=True)
        for _ in range(8):
            assert (await fail(transport, raw.url)).reason == "oversized"


async def test_private_addresses_are_refused(raw):
    async with Transport() as transport:
        for host in ("127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "[fe80::1]"):
            assert isinstance(await fail(transport, f"http://{host}:{raw.port}/"), ForbiddenAddress)
    assert raw.connections == 0


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1"])
async def test_private_addresses_are_refused_after_dns(raw, host):
    async with Transport(trusted=frozenset({raw.origin})) as transport:
        error = await fail(transport, f"http://{host}:{raw.port}/")
        assert isinstance(error, ForbiddenAddress) or error.reason in {"dns", "malformed"}
    assert raw.connections == 0
