"""`python -m bot run` as a process of its own, on the sandbox's Discord and AO network."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.services import holds
from bot.store.database import open_database
from sandbox.ao import AoNetwork
from sandbox.bot_config import write_config
from sandbox.discord.fixtures import running
from sandbox.discord.server import DiscordServer
from tests.databases import another_copy_waiting

pytestmark = pytest.mark.slow


@asynccontextmanager
async def networks(folder: Path, url: str | None = None) -> AsyncIterator[tuple[DiscordServer, Path]]:
    """Give a Discord and the configuration of a bot on it and on an AO network."""
    async with running() as (discord, _), AoNetwork() as network:
        config = folder / "config.toml"
        write_config(
            config,
            {
                "discord": {"token": discord.token, "api_url": discord.api_url},
                "database": {"url": url or f"sqlite+aiosqlite:///{folder}/patchbell.db"},
                "web": {"port": 0},
                "ao": {
                    "nodes": [{"url": node.url, "operator": node.operator} for node in network.nodes],
                    "gateways": [network.gateway_url],
                },
            },
        )
        network.nodes[2].down = True
        yield discord, config


async def run(config: Path, stdout: int = asyncio.subprocess.PIPE) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PATCHBELL_")}
    command = (sys.executable, "-m", "bot", "run", "--config", str(config))
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=stdout, stderr=-1)


async def lines(process: asyncio.subprocess.Process, count: int) -> list[str]:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return [(await process.stdout.readline()).decode() for _ in range(count)]


async def test_a_start_says_where_it_is_and_a_stop_is_graceful(tmp_path: Path) -> None:
    async with networks(tmp_path) as (discord, config):
        process = await run(config)
        invite, answering, link = await lines(process, 3)
        assert "scope=bot+applications.commands" in invite
        assert "permissions=68608" in invite  # view channels, send messages, read their history: no more
        assert answering.startswith("2 of 3 nodes answer")
        assert "no sign link is made" in link
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0
        assert b'"level": "error"' not in errors
        assert not discord.gateway.online


async def test_a_greeting_that_nobody_takes_is_logged(tmp_path: Path) -> None:
    async with networks(tmp_path) as (_, config):
        reading, writing = os.pipe()
        os.close(reading)
        process = await run(config, stdout=writing)
        os.close(writing)
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while b"greeting failed" not in (line := await process.stderr.readline()):
                assert line, "it ended"
        assert b"BrokenPipeError" in line
        process.terminate()
        await asyncio.wait_for(process.communicate(), 30)


async def test_a_second_copy_on_the_same_database_is_refused(tmp_path: Path) -> None:
    async with networks(tmp_path) as (_, config):
        first = await run(config)
        await lines(first, 1)
        second = await run(config)
        _, errors = await asyncio.wait_for(second.communicate(), 30)
        assert second.returncode == 69
        assert b"Another copy of Patchbell is running on patchbell.db" in errors
        first.kill()
        await first.communicate()
        third = await run(config)  # the lock went with the process that held it
        assert "oauth2" in (await lines(third, 1))[0]
        third.terminate()
        await asyncio.wait_for(third.communicate(), 30)
        assert third.returncode == 0


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_a_lost_lock_stops_the_program(tmp_path: Path, database_url: str) -> None:
    async with networks(tmp_path, database_url) as (_, config):
        process = await run(config)
        await lines(process, 1)
        async with another_copy_waiting(database_url):
            _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 69
        assert errors.splitlines()[-1].endswith(b"start me again.")
        assert b"Traceback" not in errors
        again = await run(config)
        await lines(again, 1)
        again.terminate()
        await asyncio.wait_for(again.communicate(), 30)


async def test_a_refused_token_is_one_sentence(tmp_path: Path) -> None:
    async with networks(tmp_path) as (_, config):
        config.write_text(config.read_text().replace("not-a-secret", "another"))
        process = await run(config)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 78
        assert b"Discord refused the token" in errors.splitlines()[-1]
        assert b"Traceback" not in errors


async def test_the_doctor_says_what_is_held_back(tmp_path: Path) -> None:
    database = await open_database(f"sqlite+aiosqlite:///{tmp_path}/patchbell.db")
    async with database.write() as connection:
        for name in holds.ALL:
            hour = timedelta(hours=1)
            await holds.hold(connection, name, now=datetime.now(UTC), first=hour, longest=hour)
    await database.close()
    async with networks(tmp_path) as (_, config):
        command = (sys.executable, "-m", "bot", "doctor", "--config", str(config))
        process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
        output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors  # nothing that keeps it from running
    assert output.count(b"held back") == len(holds.ALL)
    assert b"somebody holds all reminders before" in output
    assert b"open no new DM before" in output
    assert b"appeal in the developer portal" in output
    assert b"nothing is sent to Discord before" in output


async def test_the_doctor_finds_nothing_wrong_with_what_answers(tmp_path: Path) -> None:
    async with networks(tmp_path) as (_, config):
        command = (sys.executable, "-m", "bot", "doctor", "--config", str(config))
        process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
        printed, errors = await asyncio.wait_for(process.communicate(), 60)
        lines = printed.decode().splitlines()
        assert (process.returncode, errors) == (0, b"")
        assert any(line.startswith("ok") and "the token is" in line for line in lines)
        assert sum(line.startswith("ok     node ") for line in lines) == 2
        assert sum(line.startswith("note   node ") for line in lines) == 1  # the one that is down
        assert any(line.startswith("ok     gateway ") for line in lines)
        assert any(line.startswith("ok     web.trusted_proxies: ") for line in lines)
        assert not any(line.startswith("WRONG") for line in lines)
