"""All that plays on this machine: a Discord, an AO network, the demo wallet, and the shipped bot between them."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web

from sandbox.ao.network import AoNetwork
from sandbox.bot_config import write_config
from sandbox.bot_process import BotProcess
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordServer, people_http, people_json
from sandbox.discord.events import BotMoved
from sandbox.page.community import settle
from sandbox.page.feed import Feed
from sandbox.page.looking import Looking
from sandbox.page.seeds import Seed, plant
from sandbox.proxy import BotProxy
from sandbox.wallet import SCRIPT, make_people, people_as_json

Json: TypeAlias = "dict[str, Any]"

WALLET = "/sandbox/wallet/wallet.js"
DAY = timedelta(days=1)
DOWN_AFTER_KILL = 1.5
"""Seconds between a kill and the next bot, so that a visitor sees it gone."""


class Stage:
    """Starts all parts in order, turns the switches, and stops all parts in reverse order."""

    def __init__(self, directory: Path) -> None:
        self.clock = SandboxClock()
        self.discord = DiscordServer(clock=self.clock)
        self.network = AoNetwork(clock=self.clock)
        self.community = settle(self.discord.world)
        self.feed = Feed()
        self.people = make_people()
        self.seeds: tuple[Seed, ...] = ()
        self._config = directory / "config.toml"
        self._port = _free_port()
        self.proxy = BotProxy(self._port, WALLET, self._passed)
        self.looking = Looking(self._config)
        self._watcher: asyncio.Task[None] | None = None
        self.bot = BotProcess(self._config, self.clock, self._changed)

    def add_routes(self, app: web.Application) -> None:
        """Add what other parts offer to the page: the demo wallet, and what people do on Discord."""
        app.router.add_get(WALLET, self._wallet)
        app.router.add_get("/sandbox/wallet/keys", self._keys)
        people_http.add_routes(app, self.discord)

    async def start(self, address: str) -> None:
        """Start everything. `address` is the page's own, which the bot puts into its links."""
        await self.discord.start()
        self._watcher = asyncio.create_task(self._watch_bot())
        await self.network.start()
        await self.proxy.start()
        self.seeds = plant(self.network, self.people[0].address)
        self._write_config(address)
        await self.bot.start()

    async def stop(self) -> None:
        """Stop everything, the bot first: it says goodbye to a Discord that is still there."""
        self.feed.close()
        await self.bot.stop()
        if self._watcher is not None:
            self._watcher.cancel()
        await self.proxy.stop()
        await self.network.stop()
        await self.discord.stop()

    def state(self) -> Json:
        """Give what the page shows of all this.

        `bot` {state, pid, starts}, `ahead` in seconds, `seeds` [{process, label, note}], `nodes` [{url, operator,
        down}], `cast` {owner | member | moderator: {id, name, about}}, `home` the id of the first channel, `run` a name
        for this run of the sandbox.
        """
        return {
            "run": str(self._port),
            "bot": {"state": self.bot.state, "pid": self.bot.pid, "starts": self.bot.starts},
            "ahead": self.clock.offset.total_seconds(),
            "seeds": [{"process": seed.process, "label": seed.label, "note": seed.note} for seed in self.seeds],
            "nodes": [{"url": n.url, "operator": n.operator, "down": n.down} for n in self.network.nodes],
            "cast": {
                role.part: {"id": str(role.user.id), "name": role.user.name, "about": role.about}
                for role in self.community.roles
            },
            "home": str(self.community.home),
        }

    async def look(self) -> list[Json]:
        """Look at the seeded processes as they are now."""
        return await self.looking.look([seed.process for seed in self.seeds], self.network.nodes[0].url)

    async def skip_day(self) -> None:
        """Let a day go by for everybody. The bot sees it when it starts again."""
        self.clock.skip(DAY)
        await self.bot.restart()

    async def kill_bot(self) -> None:
        """SIGKILL the bot. Another one starts on the same database."""
        await self.bot.kill(DOWN_AFTER_KILL)

    async def set_nodes_down(self, count: int) -> None:
        """Take the first `count` nodes down, and mend the others."""
        for index, node in enumerate(self.network.nodes):
            node.down = index < count
        self._changed()

    def _write_config(self, address: str) -> None:
        network = self.network
        write_config(
            self._config,
            {
                "discord": {
                    "token": self.discord.token,
                    "api_url": self.discord.api_url,
                    "gateway_url": self.discord.gateway_url,
                },
                "database": {"url": f"sqlite+aiosqlite:///{self._config.parent / 'patchbell.db'}"},
                "web": {"port": self._port, "public_url": address},
                "ao": {
                    "nodes": [{"url": node.url, "operator": node.operator} for node in network.nodes],
                    "gateways": [network.gateway_url],
                    "mu_url": network.mu_url,
                    "cu_url": network.cu_url,
                    "su_url": network.su_url,
                    "allowed_hosts": list(network.allowed_hosts),
                },
            },
        )

    def _changed(self) -> None:
        self.feed.publish({"type": "state", **self.state()})

    async def _watch_bot(self) -> None:
        """Note when the bot has connected to Discord: only then is it of use to anybody. Pages hear of everything."""
        with self.discord.world.events.watch() as watch:
            async for event in watch:
                self.feed.publish({"type": "discord", "event": people_json.event(self.discord, event, None)})
                if isinstance(event, BotMoved):
                    self.bot.note_ready(event.online)

    def _passed(self, path: str) -> None:
        if path == "/api/signed":
            self.feed.publish({"type": "signed"})

    async def _wallet(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(SCRIPT, headers={"Cache-Control": "no-cache"})

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(people_as_json(self.people))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
