"""A process of its own with the sandbox's AO network, and a server in front of one node that costs next to nothing.

`python -m benchmarks.local_node PROCESSES` prints one line of JSON with the addresses, then serves until its standard
input ends. The fast server gives exactly the bytes that the sandbox's node would: its answers are kept.
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


class FastNode(asyncio.Protocol):
    """Keep-alive HTTP/1.1 without a parser: the bytes of each request target are made once and kept."""

    def __init__(self, network: AoNetwork, answers: dict[bytes, bytes]) -> None:
        self.network = network
        self.answers = answers
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
        lines = "".join(f"{name}: {value}\r\n" for name, value in found.headers)
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


async def main(processes: int) -> None:
    async with AoNetwork(operators=("amber", "birch", "cedar")) as network:
        kinds = {kind: [make(network, kind) for _ in range(processes * share // 100)] for kind, share in KINDS.items()}
        loop = asyncio.get_running_loop()
        answers: dict[bytes, bytes] = {}
        fast = await loop.create_server(lambda: FastNode(network, answers), "127.0.0.1", 0)
        host, port = fast.sockets[0].getsockname()
        addresses = {
            "nodes": [[node.url, node.operator] for node in network.nodes],
            "gateway": network.gateway_url,
            "fast": f"http://{host}:{port}",
            "kinds": kinds,
        }
        print(json.dumps(addresses), flush=True)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while fault := (await reader.readline()).decode().strip():
            set_fault(network, fault)
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
