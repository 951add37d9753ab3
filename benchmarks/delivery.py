"""Reminders to many at once, by the shipped program, through the sandbox's Discord: `python -m benchmarks.delivery`.

Everybody's reminder is due at the same moment, the worst that can be (the cadence spreads them over the day), and each
person has an older one that the new one replaces. All are of one server's migration: of each, Discord is asked once
whether they are in that server, which it lets a bot do ten times a second. Meanwhile somebody types `/status` twice a
second. A first DM costs one request more, which opens the conversation; these people have theirs open.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, update

from benchmarks.loop import first_answer, p99, program, resident_mib
from benchmarks.store import fill
from bot.application import Application
from bot.domain.notices import Reminder
from bot.settings import DatabaseSettings, Settings
from bot.store.tables import migrations, outbox, people, processes, registrations
from sandbox.bot_config import write_config
from sandbox.discord.fixtures import Town, running
from sandbox.discord.models import Message
from sandbox.discord.people import Person
from sandbox.discord.rate_limits import GLOBAL_LIMIT
from sandbox.discord.server import DiscordServer

PEOPLE = 10_000
RATE = 40.0
SLASH_EVERY = 0.5
SEND, DELETE = "POST /channels/{channel_id}/messages", "DELETE /channels/{channel_id}/messages/{message_id}"
MEMBER = "GET /guilds/{guild_id}/members/{user_id}"


@dataclass
class Seen:
    """What was seen while they went."""

    seconds: float = 0.0
    processor: float = 0.0
    tidied: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)
    busiest: int = 0
    resident: list[float] = field(default_factory=list)
    slashes: list[float] = field(default_factory=list)
    arrived: Counter[int] = field(default_factory=Counter)


async def prepare(server: DiscordServer, town: Town, file: Path, count: int) -> None:
    """Make the people, their open conversations with an older reminder in each, and a registration that is due."""
    application = Application(Settings(database=DatabaseSettings(url=f"sqlite+aiosqlite:///{file}")))
    await application.database.open()
    now, world = datetime.now(UTC), server.world
    users = [world.add_user(f"owner{number}") for number in range(count)]
    await fill(application, count, count, who=lambda number: users[number].id)
    rows: list[dict[str, object]] = []
    async with application.database.write() as connection:
        await connection.execute(update(processes).values(next_look_at=now + timedelta(days=30)))
        migration = await connection.execute(insert(migrations).values(_migration(town.guild.id, now)))
        await connection.execute(update(registrations).values(migration_id=migration.inserted_primary_key[0]))
        for number, user in enumerate(users):
            world.add_member(town.guild, user)
            channel = world.dm(world.me.id, user.id)
            old = Message(world.new_id(), channel.id, world.me, now, content="An older reminder.")
            world.post(old)
            opened = update(people).where(people.c.user_id == user.id)
            # Whoever did nothing for so long would be forgotten at the start.
            values = {"dm_channel_id": channel.id, "next_reminder_at": None, "active_at": now}
            await connection.execute(opened.values(values))
            rows.append(_older(number, user.id, old, now))
        await connection.execute(insert(outbox), rows)
    await application.database.close()


def _migration(guild_id: int, now: datetime) -> dict[str, object]:
    """Of one server: before it reminds somebody, Discord is asked whether they are in it."""
    return {
        "guild_id": guild_id,
        "channel_id": 1,
        "created_by": 1,
        "created_at": now,
        "title": "Move",
        "preset": "token",
        "required": (),
        "action": "EnableStatePatch",
        "posted_at": now,
    }


def _older(number: int, user_id: int, old: Message, now: datetime) -> dict[str, object]:
    return {
        "kind": "reminder",
        "notice": Reminder(safe_word="amber otter", processes=()),
        "nonce": f"older{number}",
        "user_id": user_id,
        "recipient_id": user_id,
        "priority": 2,
        "state": "sent",
        "created_at": now - timedelta(days=3),
        "next_try_at": now - timedelta(days=3),
        "done_at": now - timedelta(days=3),
        "sent_channel_id": old.channel_id,
        "sent_message_id": old.id,
    }


async def let_all_be_due(file: Path) -> None:
    """Make every reminder due now, while the program runs."""
    application = Application(Settings(database=DatabaseSettings(url=f"sqlite+aiosqlite:///{file}")))
    async with application.database.write() as connection:
        await connection.execute(update(people).values(next_reminder_at=datetime.now(UTC)))
    await application.database.close()


async def watch(server: DiscordServer, town: Town, pid: int, count: int) -> Seen:
    """Watch until everybody has theirs and every older one is gone."""
    seen = Seen()
    asking = asyncio.create_task(_ask(server, town, seen))
    began, used = time.perf_counter(), _processor(pid)
    per_second: Counter[int] = Counter()
    while seen.requests[SEND] < count or seen.requests[DELETE] < count:
        await asyncio.sleep(0.05)
        while server.requests:
            route = server.requests.popleft().route
            seen.requests[route] += 1
            per_second[int(time.perf_counter() - began)] += "/interactions/" not in route and "/webhooks/" not in route
        if seen.requests[SEND] >= count and not seen.seconds:
            seen.seconds, seen.processor = time.perf_counter() - began, _processor(pid) - used
        seen.resident.append(resident_mib(pid))
    seen.tidied = time.perf_counter() - began
    asking.cancel()
    seen.busiest = max(per_second.values())
    me = server.world.me.id
    for channel in server.world.dms_of(me):
        seen.arrived[sum(bool(each.components) for each in server.world.messages(channel.id, seen_by=me))] += 1
    return seen


async def _ask(server: DiscordServer, town: Town, seen: Seen) -> None:
    person = Person(server, town.owner.id)
    while True:
        seen.slashes.append(await first_answer(person, town))
        await asyncio.sleep(SLASH_EVERY)


def _processor(pid: int) -> float:
    """Give the seconds of a processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def run(count: int, rate: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, config = Path(folder) / "bench.db", Path(folder) / "config.toml"
        async with running() as (server, town):
            nowhere = "http://127.0.0.1:9"
            write_config(
                config,
                {
                    "discord": {"token": server.token, "api_url": server.api_url},
                    "database": {"url": f"sqlite+aiosqlite:///{file}"},
                    "web": {"port": 0, "public_url": "https://patchbell.test"},
                    "ao": {"nodes": [{"url": nowhere, "operator": "nobody"}], "gateways": [nowhere]},
                    "checks": {"hint_interval": "PT0S"},
                    "reminders": {"messages_per_second": rate},
                },
            )
            await prepare(server, town, file, count)
            async with program(server, "bot", "run", "--config", str(config)) as (process, _):
                await asyncio.sleep(3)
                quiet = [await first_answer(Person(server, town.owner.id), town) for _ in range(50)]
                server.requests.clear()
                await let_all_be_due(file)
                seen = await watch(server, town, process.pid, count)
            server.unknown_requests.clear()
    _print(count, rate, quiet, seen)


def _print(count: int, rate: float, quiet: list[float], seen: Seen) -> None:
    once, never = seen.arrived[1], seen.arrived[0]
    asked = seen.requests.total() - sum(
        times for route, times in seen.requests.items() if "/interactions/" in route or "/webhooks/" in route
    )
    print(f"{count:,} reminders due at once, at most {rate:g} requests a second")
    print(f"  one new reminder in {once:,} conversations, none in {never}, several in {count - once - never}")
    print(f"  sent within {seen.seconds:.0f} s ({count / seen.seconds:.1f} a second)")
    print(f"  the older ones deleted within {seen.tidied:.0f} s")
    print(f"  requests for each, its deletion included {asked / count:>15.3f}")
    print(f"  of them whether the person is in the server {seen.requests[MEMBER] / count:>12.3f}")
    print(f"  processor for each, until all were sent {1000 * seen.processor / count:>15.1f} ms")
    print(f"  busiest second {seen.busiest:>5} requests, of {GLOBAL_LIMIT}: {1 - seen.busiest / GLOBAL_LIMIT:.0%} left")
    print(f"  memory {seen.resident[0]:.0f} MiB before, {max(seen.resident):.0f} MiB at most")
    before, during = 1000 * statistics.median(quiet), 1000 * statistics.median(seen.slashes)
    print(f"  slash to first answer, median {before:.1f} ms before, {during:.1f} ms meanwhile")
    print(f"  99th percentile {1000 * p99(quiet):.1f} ms before, {1000 * p99(seen.slashes):.1f} ms meanwhile")


def main(count: int = PEOPLE, rate: float = RATE) -> None:
    """Print the figures."""
    asyncio.run(run(count, rate))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]), *(float(argument) for argument in sys.argv[2:3]))
