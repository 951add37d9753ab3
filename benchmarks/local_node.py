"""A process of its own with the sandbox's AO network, and a server in front of one node that costs next to nothing.

`python -m benchmarks.local_node PROCESSES` prints one line of JSON with the addresses, then serves until its standard
input ends. The fast server gives exactly the bytes that the sandbox's node would: its answers are kept. The lean one
leaves out every header that a verdict does not need: what a client costs hangs on how many there are.
"""

from __future__ import annotations

import asyncio
import json
import sys

from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import random_id
from sandbox.ao.faults import Lie

OWNER = "W" * 42 + "A"
PATCH = {"cache": {"balances": {"alice": "100"}, "total": "100"}}
# A population of our own making, in percent: nobody has counted the real one. Each kind is reported by itself.
KINDS = {
    "patched": 40,
    "not patched": 40,
    "patched, behind": 5,
    "not patched, behind": 5,
    "stuck": 4,
    "unscheduled": 2,
    "just spawned": 2,
    "unknown id": 2,
}


NEEDED = frozenset({"date", "ao-types", "at-slot", "cache+link"})
serving: list[asyncio.Server] = []


class FastNode(asyncio.Protocol):
    """Keep-alive HTTP/1.1 without a parser: the bytes of each request target are made once and kept."""

    def __init__(self, network: AoNetwork, answers: dict[bytes, bytes], needed: frozenset[str] | None) -> None:
        self.network = network
        self.answers = answers
        self.needed = needed
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            line, _, headers = head.partition(b"\r\n")
            key = line + (b" bundle" if b"accept-bundle" in headers.lower() else b"")
            if key not in self.answers:
                self.answers[key] = self.answer(line.decode(), b"bundle" in key)
            self.transport.write(self.answers[key])

    def answer(self, line: str, bundle: bool) -> bytes:
        method, path, _ = line.split(" ")
        found = self.network.nodes[0].answer(path, bundle=bundle)
        shown = (pair for pair in found.headers if self.needed is None or pair[0] in self.needed)
        lines = "".join(f"{name}: {value}\r\n" for name, value in shown)
        head = f"HTTP/1.1 {found.status} OK\r\n{lines}content-length: {len(found.body)}\r\n\r\n".encode()
        return head if method == "HEAD" else head + found.body


def set_fault(network: AoNetwork, fault: str) -> None:
    node = network.nodes[0]
    node.faults.clear()
    node.down = fault == "dead"
    match fault:
        case "silent":
            node.faults.delay = 3600
        case "slow":
            node.faults.delay = 2
        case "lying":
            node.faults.lie = Lie.PATCHED


def make(network: AoNetwork, kind: str) -> str:
    """Make one process. `behind` and `stuck`: every node has computed its first slot, and none its newest."""
    if kind == "unknown id":
        return random_id()
    pid = network.spawn(
        OWNER,
        patches=[PATCH] if kind.startswith("patched") else [],
        scheduled=kind not in ("unscheduled", "just spawned"),
        known_to_gateway=kind != "just spawned",
    )
    if kind.endswith(("behind", "stuck")):
        for node in network.nodes:
            node.answer(f"/{pid}~process@1.0/compute", bundle=False)
        if kind == "stuck":
            network.poison(pid)
        else:
            network.send(pid, OWNER, {})
    return pid


async def serve_fast(network: AoNetwork, needed: frozenset[str] | None) -> str:
    """Serve, and give the URL."""
    answers: dict[bytes, bytes] = {}
    server = await asyncio.get_running_loop().create_server(lambda: FastNode(network, answers, needed), "127.0.0.1", 0)
    serving.append(server)
    host, port = server.sockets[0].getsockname()
    return f"http://{host}:{port}"


async def main(processes: int) -> None:
    async with AoNetwork(operators=("amber", "birch", "cedar")) as network:
        kinds = {kind: [make(network, kind) for _ in range(processes * share // 100)] for kind, share in KINDS.items()}
        addresses = {
            "nodes": [[node.url, node.operator] for node in network.nodes],
            "gateway": network.gateway_url,
            "fast": await serve_fast(network, None),
            "lean": await serve_fast(network, NEEDED),
            "kinds": kinds,
        }
        print(json.dumps(addresses), flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while fault := (await reader.readline()).decode().strip():
            set_fault(network, fault)
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
