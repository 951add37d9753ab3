"""The command line as a person or a script meets it: a process of its own, its exit code and its words."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import utc_now
from bot.domain.handler import render_off
from bot.domain.presets import load_presets
from bot.services import holds
from bot.store import guilds
from bot.store.database import open_database

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
WELL_FORMED = "Il2mA4oc5fpS3hvqMTePSyc5WNXZyTk-Xc9u4k4Gjz4"


def slow(*values: str) -> list[object]:
    """More of the same, for the whole suite: each starts a Python, and `tests/domain` tries them all by itself."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def patchbell(*arguments: str, cwd: Path, **environment: str) -> Ended:
    """Run `python -m bot` in `cwd` with nothing of ours in the environment but what is given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PATCHBELL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=cwd,
        env=inherited | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_run_without_a_token_says_one_sentence(tmp_path: Path) -> None:
    ended = await patchbell("run", cwd=tmp_path)
    assert ended.code == 78
    assert ended.err.count("\n") == 1
    assert "PATCHBELL_DISCORD__TOKEN" in ended.err
    assert list(tmp_path.iterdir()) == []  # nothing was opened


async def test_unknown_variables_are_refused(tmp_path: Path) -> None:
    ended = await patchbell("run", cwd=tmp_path, PATCHBELL_DISCORD__TOKN="x")
    assert (ended.code, ended.err) == (
        78,
        "Unknown environment variable PATCHBELL_DISCORD__TOKN; did you mean PATCHBELL_DISCORD__TOKEN?\n",
    )


async def test_check_refuses_malformed_ids_and_still_checks_the_others(tmp_path: Path) -> None:
    ended = await patchbell("check", "abc", WELL_FORMED, "--node", "http://127.0.0.1:9", "--json", cwd=tmp_path)
    malformed, unknown = json.loads(ended.out)
    assert ended.code == 64
    assert (malformed["process"], malformed["verdict"]) == ("abc", None)
    assert "43" in malformed["error"]
    assert (unknown["verdict"], unknown["evidence"][0]["status"]) == ("unknown", None)
    assert ended.err == ""


async def test_an_id_that_begins_with_a_hyphen_is_no_option(tmp_path: Path) -> None:
    texts = ["-" + "A" * 41, "--" + "A" * 40, "-json" + "A" * 37]
    ended = await patchbell("check", *texts, "--json", cwd=tmp_path)
    assert (ended.code, [each["process"] for each in json.loads(ended.out)]) == (64, texts)


async def test_check_speaks_to_people_without_json(tmp_path: Path) -> None:
    ended = await patchbell("check", WELL_FORMED, "--node", "http://127.0.0.1:9", cwd=tmp_path)
    assert ended.code == 2
    assert "Unknown" in ended.out
    assert "refused the connection" in ended.out


@pytest.mark.parametrize("key", ["Owner", *slow("cache/status", "a/b/c/d/e", "x?y", "_G")])
async def test_check_refuses_keys_that_are_none(tmp_path: Path, key: str) -> None:
    ended = await patchbell("check", WELL_FORMED, "--key", key, cwd=tmp_path)
    assert (ended.code, ended.err.count("\n"), ended.out) == (64, 1, "")


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (("--key", "points=Game.Points"), '"cache", "points"'),
        pytest.param(("--key", "points=Game.Points", "--root", "none"), '"points"', marks=pytest.mark.slow),
    ],
)
async def test_handler_prints_lua_for_the_keys_that_are_named(
    tmp_path: Path, options: tuple[str, ...], path: str
) -> None:
    ended = await patchbell("handler", *options, cwd=tmp_path)
    assert ended.code == 0
    assert f'{{ path = {{ {path} }}, names = {{ "Game", "Points" }} }}' in ended.out


@pytest.mark.slow
async def test_handler_prints_to_the_byte_what_is_published(tmp_path: Path) -> None:
    assert (await patchbell("handler", cwd=tmp_path)).out == load_presets()["token"].handler
    assert (await patchbell("handler", "--off", cwd=tmp_path)).out == render_off()
    at_the_root = await patchbell("handler", "--root", "none", cwd=tmp_path)
    assert '{ path = { "balances" }, names = { "Balances" } }' in at_the_root.out


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--root", "elsewhere"), ("--off", "--key", "a=A")])
async def test_handler_refuses_what_makes_no_sense(tmp_path: Path, options: tuple[str, ...]) -> None:
    ended = await patchbell("handler", *options, cwd=tmp_path)
    assert (ended.code, ended.err.count("\n"), ended.out) == (64, 1, "")


@pytest.mark.parametrize("key", ["points=P); os.exit(", *slow("points", "points=1x", "points=Owner", "now=Points")])
async def test_handler_refuses_what_is_no_key(tmp_path: Path, key: str) -> None:
    ended = await patchbell("handler", "--key", key, cwd=tmp_path)
    assert (ended.code, ended.err.count("\n"), ended.out) == (64, 1, "")


async def test_the_database_command_makes_the_schema(tmp_path: Path) -> None:
    database = tmp_path / "here.db"
    variables = {"PATCHBELL_DATABASE__URL": f"sqlite+aiosqlite:///{database}"}
    assert (await patchbell("database", "upgrade", cwd=tmp_path, **variables)).code == 0
    assert (await patchbell("database", "upgrade", cwd=tmp_path, **variables)).code == 0
    assert database.stat().st_size > 0


NO_POSTGRESQL = "postgresql+asyncpg://patchbell:secret-password@127.0.0.1:9/patchbell"


@pytest.mark.parametrize("command", [("run",), ("reminders", "hold"), ("database", "upgrade")])
@pytest.mark.parametrize("url", [NO_POSTGRESQL, "sqlite+aiosqlite:///broken.db"])
async def test_a_database_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, command: tuple[str, ...], url: str
) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    variables = {"PATCHBELL_DATABASE__URL": url, "PATCHBELL_DISCORD__TOKEN": "x"}
    ended = await patchbell(*command, cwd=tmp_path, **variables)
    assert (ended.code, ended.out) == (69, "")
    assert ended.err.splitlines()[-1].startswith("The database can't be used: ")
    assert "Traceback" not in ended.err
    assert "secret-password" not in ended.err


async def test_an_address_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = str(server.sockets[0].getsockname()[1])
        ended = await patchbell("run", cwd=tmp_path, PATCHBELL_DISCORD__TOKEN="x", PATCHBELL_WEB__PORT=port)
    assert ended.code == 78
    assert ended.err.splitlines()[-1].startswith("web.host and web.port can't be used: ")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("url", [NO_POSTGRESQL, "sqlite+aiosqlite:///broken.db"])
async def test_the_doctor_goes_on_where_the_database_cannot_be_used(tmp_path: Path, url: str) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    variables = {
        "PATCHBELL_DATABASE__URL": url,
        "PATCHBELL_AO__NODES": '["http://127.0.0.1:9"]',
        "PATCHBELL_AO__GATEWAYS": '["http://127.0.0.1:9/graphql"]',
    }
    ended = await patchbell("doctor", cwd=tmp_path, **variables)
    assert (ended.code, ended.err) == (1, "")
    (line,) = [line for line in ended.out.splitlines() if line.startswith("WRONG  database ")]
    assert "The database can't be used: " in line
    assert "secret-password" not in ended.out
    assert "gateway" in ended.out


async def test_paused_servers_are_listed_and_resumed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'patchbell.db'}"
    database = await open_database(url)
    async with database.write() as connection:
        await guilds.change(connection, 4242, paused_at=utc_now())
    listed = await patchbell("reminders", "paused", cwd=tmp_path, PATCHBELL_DATABASE__URL=url)
    assert (listed.code, listed.out[:11]) == (0, "4242  since")
    resume = ("reminders", "resume", "--server", "4242")
    resumed = await patchbell(*resume, cwd=tmp_path, PATCHBELL_DATABASE__URL=url)
    assert (resumed.code, resumed.out) == (0, "The reminders of the server 4242 go on.\n")
    async with database.read() as connection:
        assert await guilds.paused(connection) == []
    await database.close()
    again = await patchbell(*resume, cwd=tmp_path, PATCHBELL_DATABASE__URL=url)
    assert (again.code, again.err) == (64, "The reminders of the server 4242 are not paused.\n")


async def test_doctor_says_what_to_do_about_each_thing(tmp_path: Path) -> None:
    dead = {
        "PATCHBELL_AO__NODES": '["http://127.0.0.1:9"]',
        "PATCHBELL_AO__GATEWAYS": '["http://127.0.0.1:9/graphql"]',
        "PATCHBELL_DISCORD__API_URL": "http://127.0.0.1:9/api/v10",
        "PATCHBELL_WEB__HOST": "0.0.0.0",
    }
    ended = await patchbell("doctor", cwd=tmp_path, PATCHBELL_DISCORD__TOKEN="secret-token", **dead)
    assert ended.code == 1
    lines = {line.split(":")[0].split(maxsplit=1)[1]: line for line in ended.out.splitlines()}
    assert lines["Discord at http"].startswith("WRONG")
    assert "take it out of ao.nodes" in ended.out
    assert "take it out of ao.gateways" in ended.out
    assert "another operator" in ended.out
    assert "https proxy" in lines["web.public_url"]
    assert lines["web.trusted_proxies"].startswith(
        "note   web.trusted_proxies: X-Forwarded-For is believed from 127.0.0.0/8,"
    )
    assert "a container's bridge" in lines["web.trusted_proxies"]
    assert "secret-token" not in ended.out + ended.err


async def test_reminders_are_held_and_go_on_beside_a_program_that_runs(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'patchbell.db'}"
    held = await patchbell("reminders", "hold", "--hours", "3", cwd=tmp_path, PATCHBELL_DATABASE__URL=url)
    assert (held.code, held.err) == (0, "")
    assert held.out.startswith("Nobody is reminded before ")
    database = await open_database(url)
    now = utc_now()
    async with database.read() as connection:
        until = await holds.held_until(connection, holds.MAINTENANCE, now)
    assert until is not None
    assert timedelta(hours=2) < until - now < timedelta(hours=4)
    resumed = await patchbell("reminders", "resume", cwd=tmp_path, PATCHBELL_DATABASE__URL=url)
    assert (resumed.code, resumed.out) == (0, "Reminders go on.\n")
    async with database.read() as connection:
        assert await holds.held_until(connection, holds.MAINTENANCE, now) is None
    await database.close()
