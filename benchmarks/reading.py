"""What reading costs: requests per verdict and what ends unknown, checks per core beside two clients, broken nodes.

All in one run against the same local node, which runs in a process of its own. Rates are per second of this process's
CPU, so that the machine's other work and the node's own speed do not count; read the ratios, not the rates.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient

from bot.ao.opening import open_reading
from bot.ao.reader import Reader, Reading
from bot.domain.keys import StateKey
from bot.domain.observation import Verdict
from bot.domain.status import TargetStatus
from bot.heap import settle_heap
from bot.settings import AoSettings, CheckSettings, NodeSettings, Settings

KEYS = ((StateKey("balances"),),)
IN_FLIGHT = 64
ROUNDS = 9
CHECKS = 1500
FAULTS = ("none", "dead", "silent", "slow", "lying")


@dataclass
class Local:
    """The other process: its addresses, and its faults."""

    process: asyncio.subprocess.Process
    nodes: list[tuple[str, str]]
    gateway: str
    fast: str
    lean: str
    kinds: dict[str, list[str]]

    async def set_fault(self, fault: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{fault}\n".encode())
        await self.process.stdout.readline()


@asynccontextmanager
async def local_network(processes: int) -> AsyncIterator[Local]:
    command = (sys.executable, "-m", "benchmarks.local_node", str(processes))
    process = await asyncio.create_subprocess_exec(*command, stdin=-1, stdout=-1, limit=2**26)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield Local(process=process, **json.loads(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


def settings_for(local: Local, nodes: Sequence[tuple[str, str]]) -> Settings:
    given = tuple(NodeSettings(url=url, operator=operator) for url, operator in nodes)
    checks = CheckSettings(requests_per_minute=6_000_000, now_per_hour=1_000_000, timeout=timedelta(seconds=5))
    return Settings(ao=AoSettings(nodes=given, gateways=(local.gateway,)), checks=checks)


async def all_of(jobs: Sequence[Callable[[], Awaitable[object]]], at_once: int = IN_FLIGHT) -> None:
    queue = iter(jobs)

    async def work() -> None:
        for job in queue:
            await job()

    await asyncio.gather(*(work() for _ in range(at_once)))


async def read_all(reader: Reader, pids: Sequence[str], known: Sequence[Reading | None]) -> list[Reading]:
    found: dict[str, Reading] = {}

    async def read(pid: str, before: Reading | None) -> None:
        status = TargetStatus(verdict=before.judgements[0].verdict) if before is not None else None
        memory = before.memory if before is not None else None
        found[pid] = await reader.read(pid, KEYS, memory=memory, status=status)

    await all_of([lambda pid=pid, one=one: read(pid, one) for pid, one in zip(pids, known, strict=True)])
    return [found[pid] for pid in pids]


TRUTH = {
    "patched": Verdict.PATCHED,
    "not patched": Verdict.NOT_PATCHED,
    "patched, behind": Verdict.PATCHED,
    "not patched, behind": Verdict.NOT_PATCHED,
    "unknown id": Verdict.NOT_FOUND,
}
"""What each kind of process is; of all others nothing can be known."""


async def requests_per_verdict(local: Local) -> None:
    """Look at every process twice: the first look asks two operators, and spends a `now` where a node is behind.

    "without `now`" is what the first look would have left unknown, had it not spent any.
    """
    print("                           requests a verdict        ends unknown")
    print("                              first    steady     first  without `now`   steady")
    everything: list[tuple[Reading, Reading]] = []
    async with open_reading(settings_for(local, local.nodes)) as opened:
        for kind, pids in local.kinds.items():
            first = await read_all(opened.reader, pids, [None] * len(pids))
            steady = await read_all(opened.reader, pids, first)
            for reading in (*first, *steady):
                assert is_unknown(reading) or reading.judgements[0].verdict is TRUTH.get(kind), (kind, reading)
            looks = list(zip(first, steady, strict=True))
            print_looks(kind, looks)
            everything += looks
    print_looks("all together", everything)


def print_looks(kind: str, looks: Sequence[tuple[Reading, Reading]]) -> None:
    firsts, steadies = zip(*looks, strict=True)
    means = [statistics.mean(reading.requests for reading in readings) for readings in (firsts, steadies)]
    unknown = [sum(is_unknown(reading) for reading in readings) / len(looks) for readings in (firsts, steadies)]
    without = sum(is_unknown(reading) or has_spent_now(reading) for reading in firsts) / len(looks)
    shares = f"{unknown[0]:>10.1%}{without:>15.1%}{unknown[1]:>9.1%}"
    print(f"  {kind:<20}{len(looks):>7}{means[0]:>8.2f}{means[1]:>10.2f}{shares}")


def is_unknown(reading: Reading) -> bool:
    return reading.judgements[0].verdict is Verdict.UNKNOWN


def has_spent_now(reading: Reading) -> bool:
    return any("~process@1.0/now" in seen.path for seen in reading.evidence)


async def checks_per_core(local: Local, url: str) -> None:
    pids = local.kinds["patched"][:200]
    paths = [f"{url}/{pid}~process@1.0/compute" for pid in pids]
    async with (
        open_reading(settings_for(local, [(url, "amber")])) as opened,
        HttpxAiohttpClient(limits=httpx.Limits(max_connections=IN_FLIGHT)) as bare,
        httpx.AsyncClient() as plain,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as floor,
    ):
        headers: set[int] = set()
        before = await read_all(opened.reader, pids, [None] * len(pids))
        known = TargetStatus(verdict=Verdict.PATCHED)

        async def check(number: int) -> None:
            one = before[number % len(before)]
            reading = await opened.reader.read(one.process, KEYS, memory=one.memory, status=known)
            assert reading.requests == 1
            assert reading.judgements[0].verdict is Verdict.PATCHED

        async def head(client: httpx.AsyncClient, number: int) -> None:
            response = await client.head(paths[number % len(paths)])
            assert response.status_code == 200
            headers.add(len(response.headers))

        async def head_without_httpx(number: int) -> None:
            async with floor.head(paths[number % len(paths)]) as response:
                assert response.status == 200

        contenders: dict[str, Callable[[int], Awaitable[None]]] = {
            "our reader, a whole verdict": check,
            "httpx-aiohttp, a bare HEAD": lambda number: head(bare, number),
            "httpx as it comes, a bare HEAD": lambda number: head(plain, number),
            "aiohttp alone, a bare HEAD": head_without_httpx,
        }
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, job in contenders.items():
                rates[name].append(await rate(job))
    print_rates({name: statistics.median(found) for name, found in rates.items()}, max(headers))


async def rate(job: Callable[[int], Awaitable[None]]) -> float:
    began = time.process_time()
    await all_of([lambda number=number: job(number) for number in range(CHECKS)])
    return CHECKS / (time.process_time() - began)


def print_rates(rates: dict[str, float], headers: int) -> None:
    ours = next(iter(rates.values()))
    print(f"\nchecks per second of one core, {IN_FLIGHT} in flight, median of {ROUNDS} interleaved rounds")
    print(f"answers of {headers} headers")
    for name, found in rates.items():
        print(f"  {name:<32}{found:>9,.0f}   ours is {ours / found:5.2f} times that")


async def time_to_a_verdict(local: Local) -> None:
    print("\nms to a verdict of two operators, one of three nodes:   median      p95     longest")
    for fault in FAULTS:
        await local.set_fault(fault)
        async with open_reading(settings_for(local, local.nodes)) as opened:
            times: list[float] = []
            for pid in local.kinds["not patched"][:40]:
                began = time.perf_counter()
                reading = await opened.reader.read(pid, KEYS)
                times.append((time.perf_counter() - began) * 1000)
                assert reading.judgements[0].verdict is Verdict.NOT_PATCHED, reading
                assert len(reading.judgements[0].operators) == 2, reading
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"  {fault:<50}{statistics.median(times):>10.0f}{p95:>9.0f}{max(times):>10.0f}")


async def run(processes: int) -> None:
    async with local_network(processes) as local:
        settle_heap()  # as `python -m bot run` does
        await requests_per_verdict(local)
        await checks_per_core(local, local.fast)
        await checks_per_core(local, local.lean)
        await time_to_a_verdict(local)


def main(processes: int = 1000) -> None:
    """Print the table."""
    asyncio.run(run(processes))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
