"""A house: the real services and web server beside the sandbox's AO network. No loop runs: nothing moves by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bot.application import Application
from bot.domain.card import Role
from bot.domain.process_id import ProcessId
from bot.services.registering import RegisterRequest
from bot.settings import (
    AoSettings,
    CheckSettings,
    DatabaseSettings,
    DiscordSettings,
    NodeSettings,
    Settings,
    WebSettings,
)
from bot.store import people as stored_people
from sandbox.ao import AoNetwork
from sandbox.clock import SandboxClock
from sandbox.wallet import SCRIPT, DemoPerson, make_people, people_as_json
from tests.ports import free_port

USER = 4711
SESSION = "session"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADD_WALLET = """() => {
  const script = document.createElement("script");
  script.src = "/sandbox/wallet/wallet.js";
  document.head.append(script);
}"""


class House:
    """What tests act on. Every process is spawned with a balance, so that there is something to show."""

    def __init__(self, folder: Path, people: tuple[DemoPerson, ...]) -> None:
        self.clock = SandboxClock()
        self.network = AoNetwork(self.clock)
        self.people = people
        self.ada, self.ben = people
        self.app: Application
        self.url = f"http://127.0.0.1:{free_port()}"
        self._file = folder / "house.db"

    def settings(self, web: dict[str, Any], ao: dict[str, Any]) -> Settings:
        """Give the configuration of a bot on loopback that speaks to this network only, with some of it changed."""
        network = self.network
        return Settings(
            discord=DiscordSettings(api_url="http://127.0.0.1:9/api/v10"),
            database=DatabaseSettings(url=f"sqlite+aiosqlite:///{self._file}"),
            web=WebSettings(**{"port": int(self.url.rpartition(":")[2]), "public_url": self.url} | web),
            ao=AoSettings.model_validate(
                {
                    "nodes": [NodeSettings(url=node.url, operator=node.operator) for node in network.nodes],
                    "gateways": [network.gateway_url],
                    "mu_url": network.mu_url,
                    "cu_url": network.cu_url,
                    "su_url": network.su_url,
                    "allowed_hosts": network.allowed_hosts,
                }
                | ao
            ),
            # Many at once hold more of the hour's evaluations than there are, for as long as a busy machine takes.
            checks=CheckSettings(after_signature=timedelta(seconds=0.2), now_per_hour=10_000),
        )

    async def open(self, stack: AsyncExitStack, web: dict[str, Any], ao: dict[str, Any]) -> None:
        """Start the network, the database and the web server, and have `stack` stop them."""
        await stack.enter_async_context(self.network)
        self.app = Application(self.settings(web, ao), clock=self.clock)
        stack.push_async_callback(self.app.database.close)
        await self.app.database.open()
        await stack.enter_async_context(self.app.transport)
        await self.app.web.start()
        stack.push_async_callback(self.app.web.stop)

    def spawn(
        self, *, handler: bool, owner: str | None = None, name: str | None = None, lua: str = 'Balances = {ada = "100"}'
    ) -> str:
        """Make a process; with `handler` it has ours, switched off."""
        if handler:
            installed = self.app.presets["token"].handler
            assert installed is not None
            lua = f"{lua}\n{installed.replace('return StatePatch.announce()', '')}"
        return self.network.spawn(owner or self.ada.address, lua, {"Name": name} if name else ())

    async def register(self, process: str, label: str | None = None) -> str:
        """Register it for marianne, and give the newest link to all that she has open."""
        registering = self.app.registering
        request = RegisterRequest(
            USER, process, Role.MINE, label=label, display_name="marianne", guild_id=1, guild_name="Permaville"
        )
        await registering.register(request)
        links = [card.sign_url for card in await registering.cards(USER) if card.sign_url is not None]
        return links[-1]

    async def unregister(self, process: str) -> None:
        """End it."""
        await self.app.registering.unregister(USER, ProcessId(process))

    async def status_of(self, process: str) -> str:
        """Give the confirmed status."""
        (card,) = await self.app.registering.cards(USER, ProcessId(process))
        return card.status

    async def blocked(self, process: str) -> str | None:
        """Give why its owner can't act, as it is stored."""
        (card,) = await self.app.registering.cards(USER, ProcessId(process))
        return card.blocked

    async def snoozed_until(self) -> datetime | None:
        """Give until when marianne is not reminded."""
        async with self.app.database.read() as connection:
            person = await stored_people.find(connection, USER)
        return None if person is None else person.snoozed_until

    def messages_of(self, process: str) -> list[dict[str, Any]]:
        """Give what was scheduled on it after its spawn."""
        return self.network.processes[process].scheduled[1:]

    def skip_days(self, days: int) -> None:
        """Let time pass."""
        self.clock.skip(timedelta(days=days))

    async def add_wallet(self, page: Page) -> None:
        """Have the wallet load now, as an extension does that was just switched on."""
        await page.evaluate(ADD_WALLET)

    def everything_stored(self) -> dict[str, list[Any]]:
        """Give every row of every table."""
        with sqlite3.connect(self._file) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            stored = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
        connection.close()
        return stored


OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture(scope="session")
def people() -> tuple[DemoPerson, ...]:
    return make_people()


@pytest_asyncio.fixture(loop_scope=SESSION)
async def open_house(
    tmp_path: Path, people: tuple[DemoPerson, ...], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenHouse]:
    """Open houses: `await open_house(web={…}, ao={…})` with settings changed."""
    # On a busy machine a `now` takes as long as one that costs a node something, and no second node is asked then.
    monkeypatch.setattr("bot.ao.node.NO_TROUBLE_MS", 60_000)
    async with AsyncExitStack() as stack:

        async def open_one(*, web: dict[str, Any] | None = None, ao: dict[str, Any] | None = None) -> House:
            house = House(Path(mkdtemp(dir=tmp_path)), people)
            await house.open(stack, web or {}, ao or {})
            return house

        yield open_one


@pytest_asyncio.fixture(loop_scope=SESSION)
async def house(open_house: OpenHouse) -> House:
    return await open_house()


@pytest_asyncio.fixture(scope=SESSION, loop_scope=SESSION)
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope=SESSION)
async def context(browser: Browser, house: House) -> AsyncIterator[BrowserContext]:
    """A fresh browser profile. The wallet's files come from the browser driver, never from the bot's server."""
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"], locale="en-GB")
    context.set_default_timeout(10_000)
    await context.route("**/sandbox/wallet/wallet.js", lambda route: route.fulfill(path=SCRIPT))
    await context.route("**/sandbox/wallet/keys", lambda route: route.fulfill(json=people_as_json(house.people)))
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope=SESSION)
async def bare_page(context: BrowserContext) -> Page:
    """A page in a browser without a wallet."""
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope=SESSION)
async def page(context: BrowserContext) -> Page:
    """A page in a browser with the demo wallet, which asks before it signs."""
    await context.add_init_script(f"addEventListener('DOMContentLoaded', {ADD_WALLET})")
    return await context.new_page()
