"""The shipped program is killed at exact points, hundreds of times, and the receiver counts what was owed.

The receiver is the sandbox's Discord, which says when the bytes of a message arrived and when it was taken. Before the
claim: the program is stopped (SIGSTOP), then the message is owed, then the program is killed. After the claim, before
the bytes: the request that opens the conversation is held up. Before our record: the database is locked from outside
while Discord's answer is under way. Each life also has other messages to send, and those of the lives before.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from benchmarks import life
from bot.domain.notices import Alarm, FirstDm, Notice
from bot.store import outbox, people
from bot.store.database import Database, open_database
from sandbox.bot_config import write_config
from sandbox.discord.faults import HeldUp, Moment
from sandbox.discord.fixtures import Town, running
from sandbox.discord.server import DiscordServer
from sandbox.discord.world import NONCE_MEMORY

OPEN, SEND = "POST /users/@me/channels", "POST /channels/{channel_id}/messages"
PATIENCE = 60.0
FORGOTTEN = NONCE_MEMORY + timedelta(seconds=20)


class Point(StrEnum):
    """Where the program is killed, as seen from one message."""

    OWED = "before the claim"
    CLAIMED = "after the claim, before its bytes"
    WRITTEN = "after its bytes were written"
    TAKEN = "after Discord took it, before its answer"
    ANSWERED = "after Discord's answer, before our record"


POINTS = tuple(Point)


@dataclass
class Ahead:
    """The clock of all: the machine's, put forward."""

    by: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


@dataclass
class Lives:
    """One database and one Discord over many lives of the program."""

    server: DiscordServer
    town: Town
    database: Database
    file: Path
    config: Path
    log: Path
    context: ForkServerContext
    clock: Ahead
    known: list[int] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)
    killed_at: Counter[Point] = field(default_factory=Counter)

    async def owe(self, user_id: int, notice: Notice) -> str:
        """Owe a message, as any service does; give its nonce."""
        async with self.database.write() as connection:
            delivery = await outbox.owe(connection, notice, now=self.clock(), user_id=user_id)
            message = await outbox.find(connection, delivery)
        assert message is not None
        self.nonces.append(message.nonce)
        return message.nonce

    async def newcomer(self) -> int:
        """Somebody who was never written to."""
        user = self.server.world.add_user(f"user{len(self.server.world.users)}")
        self.server.world.add_member(self.town.guild, user)
        async with self.database.write() as connection:
            await people.remember(connection, user.id, safe_word="a b", locale="en", name_hint="", now=self.clock())
        return user.id

    async def owe_others(self) -> None:
        """Give the next life more to do: two messages to people who know the bot, and a first one."""
        for user_id in self.known[-2:]:
            await self.owe(user_id, Alarm(sentence="Something else."))
        newcomer = await self.newcomer()
        await self.owe(newcomer, FirstDm(safe_word="a b", processes=()))
        self.known.append(newcomer)

    async def die_at(self, point: Point) -> None:
        """Owe one message more, live, and be killed at this point of it."""
        await self.owe_others()
        if point is Point.OWED:
            await self._die_before_the_claim()
            return
        victim = await self.newcomer()
        nonce = await self.owe(victim, FirstDm(safe_word="a b", processes=()))
        held = self._held_up(point, victim, nonce)
        process = self.start()
        try:
            async with asyncio.timeout(PATIENCE):
                await held.reached.wait()
            if point is Point.ANSWERED:
                with closing(sqlite3.connect(self.file, timeout=30, isolation_level=None)) as lock:
                    lock.execute("BEGIN IMMEDIATE")
                    held.let_go()
                    await asyncio.sleep(0.03)  # the answer leaves; while we hold the database it cannot be recorded
                    self._kill(process)
            else:
                self._kill(process)
        finally:
            held.let_go()  # what has arrived is carried out, whoever is dead
            process.kill()
        self.known.append(victim)
        self.killed_at[point] += 1

    def _held_up(self, point: Point, victim: int, nonce: str) -> HeldUp:
        faults = self.server.faults
        match point:
            case Point.CLAIMED:
                return faults.hold_up(OPEN, Moment.ARRIVED, containing=str(victim).encode())
            case Point.WRITTEN:
                return faults.hold_up(SEND, Moment.ARRIVED, containing=nonce.encode())
            case _:
                return faults.hold_up(SEND, Moment.DONE, containing=nonce.encode())

    async def _die_before_the_claim(self) -> None:
        identified = self.server.gateway.identified
        process = self.start()
        async with asyncio.timeout(PATIENCE):
            while self.server.gateway.identified == identified:  # noqa: ASYNC110 -- the other side is another process
                await asyncio.sleep(0.005)
        victim = await self.newcomer()
        pid = process.pid or 0
        while True:  # it may be stopped in the middle of a transaction of its own
            os.kill(pid, signal.SIGSTOP)
            while not _stands_still(pid):  # noqa: ASYNC110 -- the other side is another process
                await asyncio.sleep(0.001)
            if self._can_write():
                break
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.005)
        await self.owe(victim, FirstDm(safe_word="a b", processes=()))
        self._kill(process)
        self.known.append(victim)
        self.killed_at[Point.OWED] += 1

    def _can_write(self) -> bool:
        with closing(sqlite3.connect(self.file, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
            return True

    def start(self) -> ForkServerProcess:
        return life.start(self.context, self.config, self.log, self.clock.by)

    def _kill(self, process: ForkServerProcess) -> None:
        process.kill()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL, self.log.read_text()[-3000:]

    async def live_until_all_is_sent(self) -> None:
        """One life that is left in peace, two hours later: whatever was put off is due."""
        self.clock.by += timedelta(hours=2)
        process = self.start()
        try:
            async with asyncio.timeout(PATIENCE * 2):
                while await self._waiting():
                    assert process.is_alive(), self.log.read_text()[-3000:]
                    await asyncio.sleep(0.1)
        finally:
            process.terminate()
            process.join(PATIENCE)
        assert process.exitcode == 0, self.log.read_text()[-3000:]

    async def _waiting(self) -> int:
        async with self.database.read() as connection:
            return await outbox.waiting(connection)

    def received(self) -> Counter[str]:
        """How often each nonce arrived, in all conversations."""
        world = self.server.world
        return Counter(
            str(message.nonce)
            for channel in world.dms_of(world.me.id)
            for message in world.messages(channel.id, seen_by=world.me.id)
        )


def _stands_still(pid: int) -> bool:
    """Whether every thread of the process is stopped: a signal takes its time to reach them."""
    states = [each.read_text().rpartition(")")[2].split()[0] for each in Path(f"/proc/{pid}/task").glob("*/stat")]
    return set(states) == {"T"}


@dataclass(frozen=True)
class Count:
    """What came of it. `forgotten`: restarts after Discord had forgotten the nonces."""

    killed: Counter[Point]
    forgotten: int
    owed: int
    sent: int
    lost: Sequence[str]
    doubled: Sequence[str]


async def kill_often(folder: Path, kills: int, *, forget_every: int = 3) -> Count:
    """Kill the program so often, in a folder for its files; every third restart comes after the nonces' memory."""
    async with _lives(folder) as lives:
        forgotten = 0
        for turn in range(kills):
            await lives.die_at(POINTS[turn % len(POINTS)])
            if turn % forget_every == 0:
                lives.clock.by += FORGOTTEN
                forgotten += 1
        await lives.live_until_all_is_sent()
        received = lives.received()
        return Count(
            killed=lives.killed_at,
            forgotten=forgotten,
            owed=len(lives.nonces),
            sent=len(received),
            lost=[nonce for nonce in lives.nonces if nonce not in received],
            doubled=[nonce for nonce, times in received.items() if times > 1],
        )


@asynccontextmanager
async def _lives(folder: Path) -> AsyncIterator[Lives]:
    file, config = folder / "killed.db", folder / "config.toml"
    url = f"sqlite+aiosqlite:///{file}"
    database = await open_database(url)
    clock = Ahead()
    async with running(clock) as (server, town):
        nowhere = "http://127.0.0.1:9"
        write_config(
            config,
            {
                "discord": {"token": server.token, "api_url": server.api_url},
                "database": {"url": url},
                "web": {"port": 0},
                "ao": {"nodes": [{"url": nowhere, "operator": "nobody"}], "gateways": [nowhere]},
                "checks": {"hint_interval": "PT0S"},
                "reminders": {"messages_per_second": 40, "new_dms_per_minute": 60},
            },
        )
        yield Lives(server, town, database, file, config, folder / "log", life.make_context(), clock)
    await database.close()


def main(kills: int = 200) -> None:
    """Print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        count = asyncio.run(kill_often(Path(folder), kills))
    print(f"SIGKILL, {kills} times; {count.forgotten} restarts after Discord had forgotten the nonces")
    for point, times in count.killed.items():
        print(f"  {point:<52}{times:>6} times")
    lost, doubled = len(count.lost), len(count.doubled)
    print(f"  owed {count.owed}, sent {count.sent}, lost {lost}, doubled {doubled}")


if __name__ == "__main__":
    main()
