"""Where the client connects to, and where its token never goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from aiohttp import web
from discord.ext import commands
from sqlalchemy import text

from bot import client
from bot.client import Home
from bot.errors import ConfigurationError, DiscordUnavailable
from bot.settings import DiscordSettings
from sandbox.discord.faults import Moment
from sandbox.discord.server import TOKEN

DISCORD = DiscordSettings()


class Elsewhere:
    """A gateway that nobody configured. It would take the token if it were brought one."""

    def __init__(self) -> None:
        self.url = ""
        self.visits = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.visits += 1
        raise web.HTTPServiceUnavailable


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    place = Elsewhere()
    app = web.Application()
    app.router.add_get("/{path:.*}", place.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    place.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/gateway"
    yield place
    await runner.cleanup()


async def until(condition: Any, patience: float = 15.0) -> None:
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 -- what is waited for happens in the other side's socket
            await asyncio.sleep(0.01)


async def never() -> str:
    raise AssertionError("nobody asks")


async def test_discord_s_own_gateways_move_between_sessions() -> None:
    home = Home(DISCORD, never)
    for url in ("wss://gateway.discord.gg/?v=10", "wss://gateway-us-east1-b.discord.gg/?v=10"):
        assert await home.lead(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "wss://gateway.discord.gg.evil.example/?v=10",
        "wss://evildiscord.gg/?v=10",
        "ws://gateway.discord.gg/?v=10",
        "wss://discord.gg@evil.example/?v=10",
    ],
)
async def test_what_only_looks_like_discord_s_is_led_home(url: str) -> None:
    async def ask() -> str:
        return "wss://gateway.discord.gg"

    assert await Home(DISCORD, ask).lead(url) == "wss://gateway.discord.gg/?v=10"


@pytest.mark.parametrize(
    "url", ["wss://gateway.discord.gg/?v=10&encoding=json", "wss://other.example/?v=10&encoding=json"]
)
async def test_a_configured_gateway_is_the_only_one(url: str) -> None:
    settings = DiscordSettings(gateway_url="wss://proxy.example:8443/discord")
    home = Home(settings, never)
    assert await home.lead(url) == "wss://proxy.example:8443/discord?v=10&encoding=json"
    resumed = "wss://proxy.example:8443/resume/7?v=10"
    assert await home.lead(resumed) == resumed
    assert await home.lead("wss://proxy.example/resume/7?v=10") == "wss://proxy.example:8443/discord?v=10"


async def test_with_only_an_api_its_word_is_asked_for_each_new_session() -> None:
    places = iter(["wss://one.example/", "wss://two.example/"])

    async def ask() -> str:
        return next(places)

    home = Home(DiscordSettings(api_url="https://api.example/v10"), ask)
    assert await home.lead("wss://gateway.discord.gg/?v=10") == "wss://one.example/?v=10"
    assert await home.lead("wss://one.example/resume?v=10") == "wss://one.example/resume?v=10"
    assert await home.lead("wss://gateway-us-east1-b.discord.gg/?v=10") == "wss://two.example/?v=10"


async def test_the_token_stays_when_a_session_resumes(stage: Any) -> None:
    stage.discord.gateway.cut()
    await until(lambda: stage.discord.gateway.resumed + stage.discord.gateway.identified >= 2)
    await stage.online()
    reply = await stage.ada.slash(stage.channel.id, "status")
    assert (await reply.wait_final()).text


async def test_a_resume_url_elsewhere_is_not_followed(off_stage: Any, elsewhere: Elsewhere) -> None:
    """A liar, or a proxy that hands READY on as it came: the session is resumed where it began."""
    gateway = off_stage.discord.gateway
    real = gateway.url

    async def mislead(_shard: int | None, *, initial: bool = False) -> None:
        gateway.url = elsewhere.url  # READY, which follows the IDENTIFY, names this one

    def prepare(client: Any) -> None:
        client.before_identify_hook = mislead

    off_stage.prepare = prepare
    await off_stage.start()
    gateway.url = real
    gateway.ask_reconnect()
    await until(lambda: gateway.resumed == 1)
    assert elsewhere.visits == 0


async def test_a_new_identify_goes_home_too(stage: Any) -> None:
    """discord.py would go to gateway.discord.gg now: gateway.py resets to its own default."""
    stage.client.before_identify_hook = no_pause
    stage.discord.gateway.invalidate()
    await until(lambda: stage.discord.gateway.identified == 2)
    await stage.online()
    assert (await (await stage.ada.slash(stage.channel.id, "status")).wait_final()).text


async def no_pause(_shard: int | None, *, initial: bool = False) -> None:
    """Stand in for the 5 seconds that Discord asks for between two IDENTIFYs."""


async def test_a_configured_gateway_wins_over_what_the_api_says(off_stage: Any, elsewhere: Elsewhere) -> None:
    real = off_stage.discord.gateway.url
    off_stage.changes["discord"] = DiscordSettings(token=TOKEN, api_url=off_stage.discord.api_url, gateway_url=real)
    off_stage.discord.gateway.url = elsewhere.url
    await off_stage.start()  # READY names the other one, too
    off_stage.discord.gateway.ask_reconnect()
    await until(lambda: off_stage.discord.gateway.resumed == 1)
    assert elsewhere.visits == 0


async def test_a_refused_token_is_one_sentence(off_stage: Any) -> None:
    off_stage.changes["discord"] = DiscordSettings(token="wrong", api_url=off_stage.discord.api_url)
    with pytest.raises(ConfigurationError, match="refused the token"):
        await off_stage.start()


async def test_no_discord_is_one_sentence(off_stage: Any) -> None:
    off_stage.changes["discord"] = DiscordSettings(token=TOKEN, api_url="http://127.0.0.1:9/api/v10")
    with pytest.raises(DiscordUnavailable, match=r"127\.0\.0\.1"):
        await off_stage.start()


@pytest.mark.slow
async def test_health_tells_whether_the_gateway_is_there(stage: Any) -> None:
    await until(lambda: stage.client.part().down is None)
    stage.discord.gateway.refuses_connections = True
    stage.discord.gateway.cut()
    await until(lambda: stage.client.part().down is not None)


ANSWER = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


async def test_a_stop_lets_what_is_being_answered_be_answered(stage: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = stage.discord.faults.hold_up(ANSWER, Moment.ARRIVED)
    reply = await stage.ada.slash(stage.channel.id, "check", {"process": stage.patched()})
    await answer.reached.wait()
    with structlog.testing.capture_logs() as logs:
        stopping = asyncio.create_task(stage.stop())
        await asyncio.sleep(0.1)
        answer.let_go()
        await stopping
    assert (await reply.wait_final()).text
    assert [each for each in logs if each["log_level"] == "error"] == []
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_a_stop_does_not_wait_for_ever(
    stage: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_PATIENCE", 0.1)
    answer = stage.discord.faults.hold_up(ANSWER, Moment.ARRIVED)
    await stage.ada.slash(stage.channel.id, "check", {"process": stage.patched()})
    await answer.reached.wait()
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(10):
            await stage.stop()
    answer.let_go()
    assert [each for each in logs if each["log_level"] == "error"] == []
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


@pytest.mark.parametrize("late", [False, True], ids=["before", "while-closing"])
async def test_a_stop_lets_events_end_before_the_database_closes(stage: Any, late: bool) -> None:
    """A server that comes at that moment is written down; else its connection to the database stayed open."""
    began, ended = asyncio.Event(), asyncio.Event()
    closing = asyncio.Event()

    async def on_guild_join(_guild: object) -> None:
        async with stage.application.database.read() as connection:
            began.set()
            await closing.wait()
            await asyncio.sleep(0.1)
            await connection.execute(text("SELECT 1"))
        ended.set()

    class Unloaded(commands.Cog):
        async def cog_unload(self) -> None:
            if late:
                stage.client.dispatch("guild_join", stage.guild)
                await began.wait()
            closing.set()

    await stage.client.add_cog(Unloaded())
    stage.client.add_listener(on_guild_join)
    if not late:
        stage.client.dispatch("guild_join", stage.guild)
        await began.wait()
        asyncio.get_running_loop().call_later(0.1, closing.set)
    await stage.stop()
    assert ended.is_set()


async def test_the_invite_asks_for_exactly_what_is_needed(stage: Any) -> None:
    invite = stage.client.invite or ""
    assert f"client_id={stage.client.application_id}" in invite
    assert "permissions=68608" in invite  # View Channel, Send Messages, Read Message History
    assert "scope=bot+applications.commands" in invite
