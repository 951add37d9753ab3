"""The discord.py client: where it connects, which cogs it carries, and when its commands are sent to Discord.

It knows no cog: it is handed a list of functions that add them. Where it connects to is decided in one place, because
discord.py falls back to Discord's own gateway on every new IDENTIFY (gateway.py:383, shard.py) and follows whatever
`resume_gateway_url` says: with another `api_url` both would carry the token to a place that nobody configured.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import aiohttp
import discord
import structlog
from discord import app_commands
from discord.ext import commands
from discord.http import Route
from yarl import URL

from bot.clock import Clock, utc_now
from bot.errors import ConfigurationError, DiscordUnavailable
from bot.settings import DiscordSettings
from bot.web.health import Part

log = structlog.get_logger()

_Command = app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu

PERMISSIONS = discord.Permissions(view_channel=True, send_messages=True, read_message_history=True)
"""What the bot needs in a server: to post an announcement, and to see whether it did before a restart."""

_SCOPES = ("bot", "applications.commands")
_LONGEST_WAIT = 60.0
"""Seconds of a rate limit that discord.py waits out itself; longer ones come to us as `RateLimited`."""
_UNDER_WAY = ("CommandTree-invoker", "discord-ui-", "discord.py: ")
"""How discord.py names the tasks of commands (app_commands/tree.py), buttons and modals (ui/), and events (client.py).

The timers of views are not named so: they wait for minutes.
"""
_PATIENCE = 5.0
"""Seconds that they have at a stop."""
_HEARTBEAT = timedelta(seconds=60)
_RESYNC_AT_MOST_EVERY = timedelta(minutes=10)


Hear = Callable[[int, str | None], None]


class Memos(Protocol):
    """Remembers small things by name."""

    async def recall(self, name: str) -> str | None:
        """Give what was remembered, or None."""
        ...

    async def remember(self, name: str, value: str) -> None:
        """Remember it, over what was there."""
        ...


class Home:
    """Decides to which gateway the client may connect, and with it where the token may go.

    * `gateway_url` configured: only there.
    * Only `api_url` configured: where that API's own `/gateway/bot` says, asked anew for each new session.
    * Neither: Discord's own hosts, which move between sessions (`gateway-us-east1-b.discord.gg`).

    A `resume_gateway_url` is followed only if it leads to the same place.
    """

    def __init__(self, settings: DiscordSettings, ask: Callable[[], Awaitable[str]]) -> None:
        self._configured = URL(settings.gateway_url) if settings.gateway_url else None
        api = URL(settings.api_url)
        self._on_discord = self._configured is None and api.scheme == "https" and api.host == "discord.com"
        self._ask = ask
        self._named: URL | None = None

    async def lead(self, url: str) -> str:
        """Give the address to connect to instead of `url`: itself where it is allowed, else home with its query."""
        wanted = URL(url)
        if self._allows(wanted):
            return url
        home = self._configured
        if home is None:
            home = self._named = URL(await self._ask())
        if home.origin() != wanted.origin():
            log.info("gateway led home", wanted=wanted.host, home=home.host)
        return str(home.with_query(wanted.query))

    def _allows(self, url: URL) -> bool:
        if self._on_discord:
            host = url.host or ""
            return url.scheme == "wss" and (host == "discord.gg" or host.endswith(".discord.gg"))
        home = self._configured or self._named
        return home is not None and home.origin() == url.origin()


class PatchbellClient(commands.AutoShardedBot):
    """The client. `setups` add the cogs; `memos` keep the fingerprint of the commands that Discord has.

    `hear` is told the status of every answer, also of those that discord.py tries again by itself.
    """

    def __init__(
        self,
        settings: DiscordSettings,
        *,
        memos: Memos,
        setups: Sequence[Callable[[PatchbellClient], Awaitable[None]]],
        clock: Clock = utc_now,
        hear: Hear = lambda _status, _scope: None,
    ) -> None:
        self._global_limit_ends = 0.0
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            max_ratelimit_timeout=_LONGEST_WAIT,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            http_trace=self._listening(hear),
        )
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody is called here
        Route.BASE = settings.api_url.rstrip("/")  # the one seam that discord.py has: for the whole process
        self._settings = settings
        self._memos = memos
        self._setups = setups
        self._clock = clock
        self._resynced_at: datetime | None = None
        self._home = Home(settings, self._ask_gateway)
        self._connect = self.http.ws_connect
        self.http.ws_connect = self._connect_home

    async def setup_hook(self) -> None:
        """Add the cogs, then tell Discord our commands if they changed. Called once, before the gateway is asked."""
        for setup in self._setups:
            await setup(self)
        await self._sync()

    async def serve(self) -> None:
        """Log in and stay until `close`. Raises ConfigurationError for a refused token, else DiscordUnavailable."""
        token = self._settings.token
        if token is None:
            raise ConfigurationError("There is no Discord token.")
        try:
            await self.start(token.get_secret_value())
        except (discord.LoginFailure, discord.PrivilegedIntentsRequired) as error:
            raise ConfigurationError("Discord refused the token: make a new one and set discord.token.") from error
        except discord.ConnectionClosed as error:
            raise DiscordUnavailable(f"Discord ended the connection for good (code {error.code}).") from error
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            where = URL(self._settings.api_url).host
            raise DiscordUnavailable(f"Discord does not answer at {where} ({type(error).__name__}).") from error

    async def close(self) -> None:
        """Let what people wait for be answered, for a few seconds; then close. What is late ends without a word.

        What began meanwhile ends, too, before this returns: it uses the database, which is closed next.
        """
        await _let_end()
        await super().close()
        await _let_end()

    @property
    def invite(self) -> str | None:
        """Give the link that adds the bot to a server with exactly the permissions that it needs; None before login."""
        if self.application_id is None:
            return None
        return discord.utils.oauth_url(self.application_id, permissions=PERMISSIONS, scopes=_SCOPES)

    def part(self) -> Part:
        """Say for health whether every shard is connected and answers heartbeats.

        `is_ready()` stays true after the other side has vanished: only the socket and the latency tell.
        """
        shards = self.shards
        down = None
        if not shards:
            down = "is not connected"
        elif lost := [number for number, shard in shards.items() if shard.is_closed() or not _alive(shard.latency)]:
            down = f"has lost {len(lost)} of {len(shards)} connections"
        return Part(name="gateway", moved_at=self._clock(), interval=_HEARTBEAT, down=down)

    @property
    def globally_limited(self) -> bool:
        """Whether Discord has said that for now we may ask nothing at all: `RateLimited` does not tell."""
        return time.monotonic() < self._global_limit_ends

    def _listening(self, hear: Hear) -> aiohttp.TraceConfig:
        async def end(_session: aiohttp.ClientSession, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
            status, headers = ended.response.status, ended.response.headers
            scope = headers.get("X-RateLimit-Scope")
            hear(status, scope)
            if status == 429 and scope == "global" and (seconds := headers.get("Retry-After", "")).isdigit():
                self._global_limit_ends = time.monotonic() + int(seconds)

        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(end)
        return trace

    async def resync(self) -> None:
        """Send the commands again: Discord's are not ours, whatever was remembered. At most every ten minutes."""
        await self._memos.remember(self._memo, "")  # first, so that the next start does it if this one cannot
        now = self._clock()
        if self._resynced_at is None or now - self._resynced_at >= _RESYNC_AT_MOST_EVERY:
            self._resynced_at = now
            await self._sync()

    @property
    def _memo(self) -> str:
        return f"commands:{self.application_id}"

    async def _sync(self) -> None:
        fingerprint = await self._fingerprint()
        if await self._memos.recall(self._memo) == fingerprint:
            return
        synced = await self.tree.sync()
        await self._memos.remember(self._memo, fingerprint)
        log.info("commands synced", commands=len(synced))

    async def _fingerprint(self) -> str:
        payload: list[Any] = sorted([await self._payload(command) for command in self.tree.get_commands()], key=_name)
        content = json.dumps([self._settings.api_url, payload], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    async def _payload(self, command: _Command) -> dict[str, Any]:
        """Give what Discord is told of a command, as `CommandTree.sync` makes it: with its translations."""
        translator = self.tree.translator
        if translator is None:
            return command.to_dict(self.tree)
        return await command.get_translated_payload(self.tree, translator)

    async def _ask_gateway(self) -> str:
        try:
            _, url, _ = await self.http.get_bot_gateway()
        except discord.RateLimited as error:  # discord.py tries again after a GatewayNotFound, and ends after this one
            raise discord.GatewayNotFound from error
        return url

    async def _connect_home(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        return await self._connect(await self._home.lead(url), compress=compress)


async def _let_end() -> None:
    under_way = {task for task in asyncio.all_tasks() if task.get_name().startswith(_UNDER_WAY)}
    if under_way:
        _, late = await asyncio.wait(under_way, timeout=_PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _name(payload: dict[str, Any]) -> tuple[int, str]:
    return payload.get("type", 1), payload["name"]


def _alive(latency: float) -> bool:
    return math.isfinite(latency)
