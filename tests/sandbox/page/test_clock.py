"""The clock that can skip, and the bot's part of it."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.bot_process import environment_for_bot
from sandbox.clock import SandboxClock

PROGRAM = """
    import asyncio, json, sys, threading, time
    from datetime import datetime, timezone

    async def main():
        loop = asyncio.get_running_loop()
        began, monotonic, performance = loop.time(), time.monotonic(), time.perf_counter()
        seen = []
        thread = threading.Thread(target=lambda: seen.append(time.time()))
        thread.start()
        thread.join()
        try:
            async with asyncio.timeout(0.2):
                await asyncio.sleep(30)
        except TimeoutError:
            pass
        print(json.dumps({
            "arguments": sys.argv, "name": __name__, "time": time.time(), "thread": seen[0],
            "datetime": datetime.now(timezone.utc).timestamp(), "waited": loop.time() - began,
            "monotonic": time.monotonic() - monotonic, "performance": time.perf_counter() - performance,
        }))

    asyncio.run(main())
"""


async def test_it_goes_ahead_and_never_back() -> None:
    clock = SandboxClock()
    assert abs(clock() - datetime.now(UTC)) < timedelta(seconds=1)
    clock.skip(timedelta(days=1))
    clock.skip(timedelta(days=1))
    assert abs(clock() - datetime.now(UTC) - timedelta(days=2)) < timedelta(seconds=1)
    with pytest.raises(ValueError, match="ahead"):
        clock.skip(timedelta(seconds=-1))


async def test_a_program_sees_the_day_gone_by_while_its_timeouts_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(textwrap.dedent(PROGRAM))
    environment = environment_for_bot({})
    environment["PYTHONPATH"] += f":{tmp_path}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.travelling", "86400.0", "shown", "run", "--config", "x"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    seen = json.loads(said)
    tomorrow = datetime.now(UTC).timestamp() + 86400
    assert seen["arguments"][1:] == ["run", "--config", "x"]
    assert seen["name"] == "__main__"
    for clock in ("time", "thread", "datetime"):
        assert seen[clock] == pytest.approx(tomorrow, abs=10)
    for clock in ("waited", "monotonic", "performance"):
        assert seen[clock] == pytest.approx(0.2, abs=0.5)


def test_nothing_of_the_callers_configuration_reaches_the_bot() -> None:
    given = environment_for_bot({"PATCHBELL_DISCORD__TOKEN": "real", "patchbell_operators": "1", "HOME": "/root"})
    assert [name for name in given if "patchbell" in name.lower()] == []
    assert given["HOME"] == "/root"
