"""A message owed is sent once: not lost by SIGKILL, not doubled by the restart."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notices import Alarm
from bot.store import outbox, people
from bot.store.database import open_database

PROGRAM = Path(__file__).with_name("deliver_to_file.py")
ROOT = PROGRAM.parents[2]


def deliver(url: str, received: Path, later: float, kill_after: float | None) -> bool:
    """Run the program; tell whether it was killed before its end."""
    command = [sys.executable, str(PROGRAM), url, str(received), str(later)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        if kill_after is not None:
            time.sleep(kill_after)
            process.kill()
        process.wait(timeout=60)
        assert process.returncode in (0, -9)
        return process.returncode == -9


async def owe(connection: AsyncConnection, user_id: int) -> int:
    """Owe a message to somebody whose conversation is open: others would have to stand in line."""
    now = datetime.now(UTC)
    await people.remember(connection, user_id, safe_word="a b", locale="en", name_hint="", now=now)
    await people.change(connection, user_id, dm_channel_id=user_id)
    return await outbox.owe(connection, Alarm(sentence="x"), now=now, user_id=user_id)


@pytest.mark.parametrize(
    ("owed", "kills", "gap"),
    [
        pytest.param(40, 1, 300.0, id="once"),
        pytest.param(200, 8, 0.0, id="often-within", marks=pytest.mark.slow),
        pytest.param(200, 8, 300.0, id="often-after", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
async def test_sent_once_over_kills(tmp_path: Path, owed: int, kills: int, gap: float):
    url = f"sqlite+aiosqlite:///{tmp_path / 'killed.db'}"
    received = tmp_path / "received"
    received.touch()
    database = await open_database(url)
    async with database.write() as connection:
        ids = [await owe(connection, user_id + 1) for user_id in range(owed)]
    await database.close()
    killed = sum(deliver(url, received, gap * turn, random.uniform(0.02, 0.3)) for turn in range(kills))
    deliver(url, received, gap * kills + 7200, None)  # whatever backed off is due by then
    counts = Counter(json.loads(line)["id"] for line in received.read_text().splitlines())
    assert killed >= 1
    assert set(counts) == set(ids), "lost"
    assert set(counts.values()) == {1}, "doubled"
