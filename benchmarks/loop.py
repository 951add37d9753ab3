"""The shipped program beside the smallest discord.py bot, both as processes on the same sandbox servers.

Start to ready, a slash command to its first answer (one at a time, and 200 at once), one full check, memory at rest.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import random_id
from sandbox.bot_config import write_config
from sandbox.discord.fixtures import Town, running
from sandbox.discord.people import Person
from sandbox.discord.server import DiscordServer

STARTS = 5
CROWD = 200
ONE_BY_ONE = 50
CHECKS = 20
REST = 5.0


@dataclass(frozen=True)
class Measured:
    """Seconds and MiB of one program."""

    starts: Sequence[float]
    single: Sequence[float]
    crowd: Sequence[float]
    resident: float


@asynccontextmanager
async def program(server: DiscordServer, *command: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, float]]:
    """Run a bot until it is on the gateway with its commands; give it, and the seconds that took."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PATCHBELL_")}
    identified = server.gateway.identified
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    while server.gateway.identified == identified or not server.gateway.online:
        await asyncio.sleep(0.002)
        if process.returncode is not None:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    try:
        yield process, time.perf_counter() - began
    finally:
        process.terminate()
        await process.wait()


async def measure(server: DiscordServer, town: Town, people: Sequence[Person], *command: str) -> Measured:
    """Start the program several times, then ask the last one."""
    starts: list[float] = []
    for _ in range(STARTS - 1):
        async with program(server, *command) as (_process, seconds):
            starts.append(seconds)
    async with program(server, *command) as (process, seconds):
        starts.append(seconds)
        await asyncio.sleep(REST)
        resident = resident_mib(process.pid)
        single = [await first_answer(people[0], town) for _ in range(ONE_BY_ONE)]
        crowd = await asyncio.gather(*(first_answer(person, town) for person in people))
        await asyncio.sleep(REST)  # what is still being answered is answered before the program is ended
    return Measured(starts, single, crowd, resident)


async def first_answer(person: Person, town: Town) -> float:
    """Give the seconds from pressing Enter to the first answer."""
    began = time.perf_counter()
    await person.slash(town.general.id, "status")
    return time.perf_counter() - began


async def full_check(server: DiscordServer, town: Town, network: AoNetwork, *command: str) -> list[float]:
    """Give the seconds from `/check` of a process never seen before to the final card."""
    owner = random_id()
    pids = [network.spawn(owner, patches=[{"cache": {"balances": {"alice": "100"}}}]) for _ in range(CHECKS)]
    person = Person(server, town.owner.id)
    times: list[float] = []
    async with program(server, *command):
        await asyncio.sleep(1)
        for pid in pids:
            began = time.perf_counter()
            reply = await person.slash(town.general.id, "check", {"process": pid})
            await reply.wait_final()
            times.append(time.perf_counter() - began)
    return times


def resident_mib(pid: int) -> float:
    """Give the memory that a process has in RAM."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def p99(times: Sequence[float]) -> float:
    """Give the 99th percentile."""
    return statistics.quantiles(times, n=100)[-1]


def print_pair(name: str, ours: float, bare: float, unit: str) -> None:
    """Print a figure of ours beside the bare bot's."""
    print(f"  {name:<44}{ours:>9.1f} {unit:<4}{bare:>9.1f} {unit:<4}× {ours / bare:.2f}")


async def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running() as (server, town), AoNetwork() as network:
            config = Path(folder) / "config.toml"
            write_config(
                config,
                {
                    "discord": {"token": server.token, "api_url": server.api_url},
                    "database": {"url": f"sqlite+aiosqlite:///{folder}/bench.db"},
                    "web": {"port": 0},
                    "ao": {
                        "nodes": [{"url": node.url, "operator": node.operator} for node in network.nodes],
                        "gateways": [network.gateway_url],
                    },
                },
            )
            people = [Person(server, town.owner.id)]
            for number in range(CROWD - 1):
                user = server.world.add_user(f"member{number}")
                server.world.add_member(town.guild, user)
                people.append(Person(server, user.id))
            bare = await measure(server, town, people, "benchmarks.bare_bot", server.api_url, server.token)
            shipped = ("bot", "run", "--config", str(config))
            ours = await measure(server, town, people, *shipped)
            checks = await full_check(server, town, network, *shipped)
            server.unknown_requests.clear()
    print(f"{'':<46}{'Patchbell':>13}{'bare bot':>14}")
    print_pair(
        f"start to ready, median of {STARTS}",
        1000 * statistics.median(ours.starts),
        1000 * statistics.median(bare.starts),
        "ms",
    )
    print_pair(
        f"slash to first answer, median of {ONE_BY_ONE}",
        1000 * statistics.median(ours.single),
        1000 * statistics.median(bare.single),
        "ms",
    )
    print_pair(
        f"{CROWD} slashes at once, median",
        1000 * statistics.median(ours.crowd),
        1000 * statistics.median(bare.crowd),
        "ms",
    )
    print_pair(f"{CROWD} slashes at once, 99th percentile", 1000 * p99(ours.crowd), 1000 * p99(bare.crowd), "ms")
    print_pair("memory at rest", ours.resident, bare.resident, "MiB")
    print(f"  one full check by /check, median of {CHECKS}{1000 * statistics.median(checks):>22.1f} ms")


def main() -> None:
    """Print the table."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
