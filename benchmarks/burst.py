"""A thousand people register at once, with the budgets as shipped: `python -m benchmarks.burst`.

What each of them sees: how long until the card, what it says of the process, when the first DM is to come. Meanwhile
somebody else types `/status` twice a second.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loop import first_answer, p99, program, resident_mib
from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import random_id
from sandbox.bot_config import write_config
from sandbox.discord.fixtures import Town, running
from sandbox.discord.people import Person
from sandbox.discord.refusals import TheBotDidNotAnswer
from sandbox.discord.server import DiscordServer

CROWD = 1_000
WITHIN = 10.0
"""Seconds within which all of them press Enter."""
TOKEN_LIFE = 900.0
SLASH_EVERY = 0.5
LUA = """
Balances = { alice = "100" }
Handlers.add("EnableStatePatch", Handlers.utils.hasMatchingTag("Action", "EnableStatePatch"), function(msg)
  ao.send({ device = "patch@1.0", cache = { balances = Balances } })
end)
"""


@dataclass(frozen=True)
class Registered:
    """What one person saw: seconds to the first answer, to the first words, and to the card (None: it never came)."""

    first: float | None
    words: float | None = None
    card: float | None = None
    text: str = ""


async def register(person: Person, channel_id: int, process: str) -> Registered:
    """Type `/register`, and wait for the card for as long as Discord lets the bot answer."""
    began = time.perf_counter()
    try:
        reply = await person.slash(channel_id, "register", {"process": process})
    except TheBotDidNotAnswer as failed:
        return Registered(None, text=str(failed))
    first = time.perf_counter() - began
    words = None
    try:
        await reply.wait_final(TOKEN_LIFE)
        words = time.perf_counter() - began
        message = await reply.wait_until(lambda message: "safe word" in message.text, TOKEN_LIFE)
    except TheBotDidNotAnswer as failed:
        return Registered(first, words, text=str(failed))
    card = time.perf_counter() - began
    message = await reply.wait_until(lambda message: "I'm sending you a first DM" not in message.text, TOKEN_LIFE)
    return Registered(first, words, card, message.text)


def crowd(server: DiscordServer, town: Town, count: int) -> list[Person]:
    """Make the people."""
    users = [server.world.add_user(f"owner{number}") for number in range(count)]
    for user in users:
        server.world.add_member(town.guild, user)
    return [Person(server, user.id) for user in users]


async def rush(people: list[Person], town: Town, processes: list[str], within: float) -> list[Registered]:
    """Let them all register, evenly over so many seconds."""

    async def one(number: int) -> Registered:
        await asyncio.sleep(within * number / len(people))
        return await register(people[number], town.general.id, processes[number])

    return list(await asyncio.gather(*(one(number) for number in range(len(people)))))


async def ask_meanwhile(server: DiscordServer, town: Town, slashes: list[float]) -> None:
    """Type `/status` as somebody else."""
    person = Person(server, town.owner.id)
    while True:
        slashes.append(await first_answer(person, town))
        await asyncio.sleep(SLASH_EVERY)


async def run(count: int, within: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        async with running() as (server, town), AoNetwork() as network:
            write_config(
                config,
                {
                    "discord": {"token": server.token, "api_url": server.api_url},
                    "database": {"url": f"sqlite+aiosqlite:///{folder}/bench.db"},
                    "web": {"port": 0, "public_url": "https://patchbell.test"},
                    "ao": {
                        "nodes": [{"url": node.url, "operator": node.operator} for node in network.nodes],
                        "gateways": [network.gateway_url],
                    },
                },
            )
            owner = random_id()
            processes = [network.spawn(owner, LUA, {"Name": f"Vault {number}"}) for number in range(count)]
            people = crowd(server, town, count)
            async with program(server, "bot", "run", "--config", str(config)) as (process, _):
                await asyncio.sleep(2)
                quiet = [await first_answer(Person(server, town.owner.id), town) for _ in range(50)]
                slashes: list[float] = []
                asking = asyncio.create_task(ask_meanwhile(server, town, slashes))
                seen = await rush(people, town, processes, within)
                asking.cancel()
                memory = resident_mib(process.pid)
            server.unknown_requests.clear()
    _print(count, within, seen, quiet, slashes, memory)


def _print(
    count: int, within: float, seen: list[Registered], quiet: list[float], slashes: list[float], memory: float
) -> None:
    cards = sorted(each.card for each in seen if each.card is not None)
    firsts = [each.first for each in seen if each.first is not None]
    words = [each.words for each in seen if each.words is not None]
    told: Counter[str] = Counter(_of_the_process(each.text) for each in seen)
    print(f"{count:,} people register within {within:g} s, with the budgets as shipped")
    print(f"  no first answer within 3 s: {count - len(firsts)}; no card within 15 min: {count - len(cards)}")
    for name, times in (("first answer", firsts), ("first words", words), ("card", cards)):
        if times:
            middle, longest = statistics.median(times), max(times)
            print(f"  to the {name}: median {middle:.1f} s, 99 % {p99(times):.1f} s, {longest:.1f} s at most")
    for sentence, number in told.most_common():
        print(f"  {number:>5} read: {sentence}")
    before, during = 1000 * statistics.median(quiet), 1000 * statistics.median(slashes)
    print(f"  slash to first answer, median {before:.1f} ms before, {during:.1f} ms meanwhile")
    print(f"  99th percentile {1000 * p99(quiet):.1f} ms before, {1000 * p99(slashes):.1f} ms meanwhile")
    print(f"  memory {memory:.0f} MiB")


def _of_the_process(text: str) -> str:
    said = ("Looks not patched", "Not patched", "could not tell", "isn't patched")
    return next((sentence for sentence in said if sentence in text), text[:120].replace("\n", " / "))


def main(count: int = CROWD, within: float = WITHIN) -> None:
    """Print the figures."""
    asyncio.run(run(count, within))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]), *(float(argument) for argument in sys.argv[2:3]))
