"""A Discord with a small town in it, a person for each part, and a bare HTTP client with the bot's token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.discord import DiscordServer, Person
from sandbox.discord.fixtures import Town, running
from sandbox.discord.interactions import Interaction, Type

OPTIONS = [
    {"name": "process", "type": 3, "description": "x", "required": True, "min_length": 2, "max_length": 5},
    {"name": "role", "type": 3, "description": "x", "choices": [{"name": "Mine", "value": "mine"}]},
    {"name": "count", "type": 4, "description": "x", "min_value": 1, "max_value": 3},
    {"name": "flag", "type": 5, "description": "x"},
    {"name": "who", "type": 6, "description": "x"},
    {"name": "file", "type": 11, "description": "x"},
]


class StoppedClock:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def skip(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def running_town(clock) -> AsyncIterator[tuple[DiscordServer, Town]]:
    async with running(clock) as (server, town):
        yield server, town


@pytest.fixture
def server(running_town) -> DiscordServer:
    return running_town[0]


@pytest.fixture
def town(running_town) -> Town:
    return running_town[1]


@pytest.fixture
def owner(server, town) -> Person:
    return Person(server, town.owner.id, patience=3)


@pytest.fixture
def holder(server, town) -> Person:
    return Person(server, town.holder.id, patience=3)


@pytest.fixture
def moderator(server, town) -> Person:
    return Person(server, town.moderator.id, patience=3)


@pytest.fixture
async def api(server) -> AsyncIterator[httpx.AsyncClient]:
    """The REST API as any program may ask it, with the bot's token."""
    headers = {"Authorization": f"Bot {server.token}"}
    # Loading the certificates of the world takes longer than a test does, and loopback needs none.
    async with httpx.AsyncClient(base_url=server.api_url, headers=headers, verify=False) as client:
        yield client


@pytest.fixture
def send(api, server, town) -> Callable[..., Any]:
    """Send a message into #general, without the pauses of rate limits."""
    server.rate_limits.enabled = False

    async def send(channel_id: int | None = None, files: Any = None, **body: Any) -> httpx.Response:
        path = f"/channels/{channel_id or town.general.id}/messages"
        return await api.post(path, **as_request(body, files))

    return send


def as_request(body: dict[str, Any], files: Any = None) -> dict[str, Any]:
    """Give httpx's arguments for a JSON body, or for a form with `files` {number: (name, bytes)}."""
    if not files:
        return {"json": body}
    parts: dict[str, Any] = {f"files[{number}]": file for number, file in files.items()}
    return {"files": parts | {"payload_json": (None, json.dumps(body))}}


@pytest.fixture
def interact(server, town, owner) -> Callable[..., Interaction]:
    """Begin an interaction without a bot behind it: what it may answer is then sent by bare HTTP."""
    server.rate_limits.enabled = False
    server.interactions._deliver = lambda payload, guild_id: True

    def interact(type: Type = Type.COMMAND, **more: Any) -> Interaction:
        data: dict[str, Any] = {"id": "1", "name": "test", "type": 1}
        if type is Type.COMPONENT:
            data = {"custom_id": "a", "component_type": 2}
        if type is Type.AUTOCOMPLETE:
            data["options"] = [{"name": "process", "type": 3, "value": "", "focused": True}]
        user, channel = more.pop("user", owner.user), more.pop("channel", town.general)
        return server.interactions.start(type, user, channel, data, name="test", **more)

    return interact


@pytest.fixture
def answer(api) -> Callable[..., Any]:
    """Send the first answer to an interaction."""

    async def answer(interaction: Interaction, type: int, files: Any = None, **data: Any) -> httpx.Response:
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        return await api.post(path, params={"with_response": 1}, **as_request({"type": type, "data": data}, files))

    return answer


def faults_of(response: httpx.Response) -> list[str]:
    """Give the paths of a refused form's faults, as "components.0.label: BASE_TYPE_MAX_LENGTH"."""
    body = response.json()
    assert response.status_code == 400, body
    assert body["code"] == 50035, body
    assert body["message"] == "Invalid Form Body"

    def walk(node: dict[str, Any], path: str) -> list[str]:
        here = [f"{path}: {error['code']}" for error in node.get("_errors", [])]
        below = [walk(node[key], f"{path}.{key}".strip(".")) for key in node if key != "_errors"]
        return here + [fault for faults in below for fault in faults]

    return walk(body["errors"], "")


@pytest.fixture
def faults() -> Callable[[httpx.Response], list[str]]:
    return faults_of


@pytest.fixture
async def register(api, server):
    """A command of several options, a moderators' one in guilds only, and a message command."""
    commands = [
        {"name": "register", "description": "x", "options": OPTIONS},
        {"name": "announce", "description": "x", "default_member_permissions": "32", "contexts": [0]},
        {"name": "secret", "description": "x", "default_member_permissions": "0"},
        {"name": "Check this", "type": 3},
    ]
    response = await api.put(f"/applications/{server.world.application_id}/commands", json=commands)
    assert response.status_code == 200


@pytest.fixture
def answered(server, answer):
    """Answer each interaction at once with a message; hand out what was asked."""
    asked, tasks = [], set()

    def deliver(payload, guild_id):
        asked.append(payload)
        interaction = server.interactions.get(int(payload["id"]))
        tasks.add(asyncio.create_task(answer(interaction, 4, content="yes", flags=64)))
        return True

    server.rate_limits.enabled = False
    server.interactions._deliver = deliver
    return asked
