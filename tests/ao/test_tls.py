"""TLS that fails is told so; nodes that refuse HTTP/1.1 with 426 are read over HTTP/2, at checked addresses too."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from bot.ao.peer import Peer
from bot.ao.transport import Bounds, Transport
from bot.errors import BrokenAnswer, ForbiddenAddress, PeerError, TimedOut, Unreachable

UPGRADE = b"HTTP/1.1 426 Upgrade Required\r\nupgrade: h2\r\ncontent-length: 0\r\n\r\n"


class Http2Node:
    """Answers HTTP/2 with `headers` and `body`, and HTTP/1.1 with 426."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = [(":status", "200"), ("x-one", "1")]
        self.body = b"hello"
        self.requests: list[dict[str, str]] = []
        self.old_requests = 0
        self.connections = 0
        self.endless = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if writer.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
                await reader.readuntil(b"\r\n\r\n")
                self.old_requests += 1
                writer.write(UPGRADE)
                await writer.drain()
            else:
                await self._serve_http2(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _serve_http2(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    self.requests.append(dict(event.headers))
                    connection.send_headers(event.stream_id, self.headers)
                    if self.endless:
                        await self._drip(connection, event.stream_id, writer)
                    connection.send_data(event.stream_id, self.body, end_stream=True)
            writer.write(connection.data_to_send())
            await writer.drain()

    async def _drip(self, connection: H2Connection, stream: int, writer: asyncio.StreamWriter) -> None:
        while True:
            connection.send_data(stream, b"x")
            writer.write(connection.data_to_send())
            await writer.drain()
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, *names: str, protocols=("h2", "http/1.1")) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    context.set_alpn_protocols(protocols)
    return context


@pytest.fixture
def trusting(authority):
    def make() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    return make


@pytest.fixture
async def node(authority) -> AsyncIterator[tuple[Http2Node, int]]:
    node = Http2Node()
    context = server_context(authority, "localhost", "127.0.0.1")
    server = await asyncio.start_server(node.serve, "127.0.0.1", 0, ssl=context)
    yield node, server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.sleep(0.01)


def trust(port: int) -> frozenset[tuple[str, int]]:
    return frozenset({("localhost", port), ("127.0.0.1", port)})


async def fail(transport: Transport, url: str, **options) -> PeerError:
    with pytest.raises(PeerError) as raised:
        await transport.exchange(url, "GET", deadline=2, **options)
    return raised.value


async def test_a_426_is_answered_by_http2_and_remembered(node, trusting):
    server, port = node
    async with Transport(trusted=trust(port), tls=trusting) as transport:
        peer = Peer(transport, f"https://localhost:{port}", per_minute=600)
        for _ in range(3):
            answer = await peer.exchange(
                "GET", "/pid~process@1.0/compute", deadline=2, headers={"accept-bundle": "true"}
            )
            assert (answer.status, answer.body, answer.headers["x-one"]) == (200, b"hello", "1")
    assert server.old_requests == 1
    assert len(server.requests) == 3
    assert server.connections == 2
    sent = server.requests[0]
    assert sent[":path"] == "/pid~process@1.0/compute"
    assert sent[":authority"] == f"localhost:{port}"
    assert (sent["accept-encoding"], sent["accept-bundle"]) == ("identity", "true")


async def test_http1_is_spoken_to_a_server_that_speaks_both_until_it_refuses(node, trusting):
    _, port = node
    async with Transport(trusted=trust(port), tls=trusting) as transport:
        await transport.exchange(f"https://localhost:{port}/", "GET", deadline=2, http2=True)
        answer = await transport.exchange(f"https://localhost:{port}/", "GET", deadline=2)
    assert answer.status == 426


@pytest.mark.parametrize("http2", [False, True])
async def test_a_certificate_for_another_name_is_refused(authority, trusting, http2):
    context = server_context(authority, "other.example")
    server = await asyncio.start_server(Http2Node().serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with Transport(trusted=trust(port), tls=trusting) as transport:
        error = await fail(transport, f"https://localhost:{port}/", http2=http2)
    server.close()
    assert (type(error), error.reason) == (Unreachable, "tls")


@pytest.mark.parametrize("http2", [False, True])
async def test_an_authority_that_nobody_trusts_is_refused(node, http2):
    _, port = node
    async with Transport(trusted=trust(port)) as transport:
        error = await fail(transport, f"https://localhost:{port}/", http2=http2)
    assert (type(error), error.reason) == (Unreachable, "tls")


@pytest.mark.parametrize("http2", [False, True])
async def test_plain_text_where_tls_was_due_is_told_so(raw, http2):
    raw.answers(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    async def refuse(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Transport(trusted=trust(port)) as transport:
        error = await fail(transport, f"https://127.0.0.1:{port}/", http2=http2)
    server.close()
    assert (type(error), error.reason) == (Unreachable, "tls")


async def test_http2_is_bounded_as_http1_is(node, trusting):
    server, port = node
    url = f"https://localhost:{port}/"
    async with Transport(trusted=trust(port), tls=trusting, bounds=Bounds(body=1000, header_bytes=20_000)) as transport:
        server.body = b"x" * 1001
        assert (await fail(transport, url, http2=True)).reason == "oversized"
        server.body = b""
        server.headers = [(":status", "200"), *((f"x-{number}", "y" * 1000) for number in range(15))]
        assert (await transport.exchange(url, "HEAD", deadline=2, http2=True)).status == 200
        server.headers = [(":status", "200"), *((f"x-{number}", "y" * 100) for number in range(600))]
        assert isinstance(await fail(transport, url, http2=True), BrokenAnswer)
        server.headers = [(":status", "200"), ("content-encoding", "gzip")]
        assert (await fail(transport, url, http2=True)).reason == "compressed"


async def test_http2_ends_at_the_deadline(node, trusting):
    server, port = node
    server.endless = True
    async with Transport(trusted=trust(port), tls=trusting) as transport:
        with pytest.raises(TimedOut):
            await transport.exchange(f"https://localhost:{port}/", "GET", deadline=0.3, http2=True)


async def test_http2_refuses_private_addresses_after_dns(node, trusting):
    server, port = node
    async with Transport(trusted=frozenset({("127.0.0.1", port)}), tls=trusting) as transport:
        assert isinstance(await fail(transport, f"https://localhost:{port}/", http2=True), ForbiddenAddress)
    assert server.connections == 0


async def test_http2_failures_are_told_by_their_cause(raw):
    async with Transport(trusted=frozenset({raw.origin, ("127.0.0.1", 1)})) as transport:
        assert (await fail(transport, "http://127.0.0.1:1/", http2=True)).reason == "refused"
        assert (await fail(transport, "https://no-such-host.invalid/", http2=True)).reason == "dns"
        raw.answers()
        assert (await fail(transport, raw.url, http2=True)).reason in {"reset", "protocol"}
        raw.answers(b"HTTP/1.1 400 no h2 here\r\n\r\n")
        assert (await fail(transport, raw.url, http2=True)).reason in {"reset", "protocol"}
