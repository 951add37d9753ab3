"""From "not patched" to the DM that says it is, with everything real but Discord and the hosts of the network.

A real aos process, real ANS-104 signatures, the page in a real Chromium under its own policy, and the shipped bot as a
process of its own, which looks for itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from bot.domain.handler import render_handler
from bot.domain.ways import AOS_MODULES
from sandbox.ao import AoNetwork
from sandbox.bot_config import write_config
from sandbox.bot_process import BotProcess
from sandbox.clock import SandboxClock
from sandbox.discord.people import Person
from sandbox.discord.server import DiscordServer
from sandbox.walker import running_chromium
from sandbox.wallet import SCRIPT, DemoPerson, make_people, people_as_json
from tests.ports import free_port
from tests.real_aos import NODE_TESTS, RealAos

pytestmark = [pytest.mark.chromium, pytest.mark.node, pytest.mark.slow]

PATIENCE = 60.0  # seconds; in milliseconds for the browser
TOKEN = """
Balances, TotalSupply, Ticker, Denomination = { ada = "100" }, "100", "HRB", "12"
Handlers.add("Transfer", "Transfer", function(msg) Balances[msg.Recipient] = msg.Quantity end)
"""
# The handler is there, and nobody has switched it on.
SWITCHED_OFF = render_handler({"cache/balances": "Balances"}).replace("return StatePatch.announce()", "return 'ready'")
WALLET = "/sandbox/wallet/wallet.js"
ADD_WALLET = f"""addEventListener("DOMContentLoaded", () => {{
  const script = document.createElement("script");
  script.src = "{WALLET}";
  document.head.append(script);
}})"""


class World:
    """The two networks, the bot between them, and Ada, who has a wallet and a browser."""

    def __init__(self, discord: DiscordServer, network: AoNetwork, wallet: DemoPerson, page: Page) -> None:
        self.discord = discord
        self.network = network
        self.wallet = wallet
        self.page = page
        world = discord.world
        guild = world.add_guild("Permaville", world.owner)
        self.channel = world.add_channel(guild, "patch-help").id
        user = world.add_user("ada")
        world.add_member(guild, user, [])
        self.ada = Person(discord, user.id, patience=PATIENCE)

    def spawn(self, version: str, lua: str) -> str:
        """A process of the wallet's on this aos."""
        (module,) = [module for module, known in AOS_MODULES.items() if known == version]
        return self.network.spawn(self.wallet.address, lua, {"Name": "Harbour", "Module": module})

    async def open_to_sign(self, process: str, action: str) -> None:
        """Register it, follow *Sign* to the page, and connect the wallet. The page offers this action."""
        reply = await self.ada.slash(self.channel, "register", {"process": process})
        card = await reply.wait_until(lambda message: any(button.label == "Sign" for button in message.buttons))
        assert "atched yet" in card.text
        (link,) = [button.url for button in card.buttons if button.label == "Sign"]
        await self.page.goto(link or "")
        await self._press("Connect wallet")
        await self._confirm("Connect")
        await expect(self.page.locator("#process")).to_contain_text(action)

    async def sign(self, button: str) -> None:
        """Press it, and say yes in the wallet."""
        await self._press(button)
        await self._confirm("Sign")

    async def is_patched(self, process: str) -> None:
        """Wait until the page, the DM and the bot's own status all say so, and look at a node."""
        done = "Done. Apps can read what you signed for."
        await expect(self.page.locator("#say")).to_contain_text(done, timeout=PATIENCE * 1000)
        dm = await self.ada.wait_message(self.ada.dm_channel(), lambda message: "**Done:**" in message.text)
        assert process[:4] in dm.text
        assert "`cache/balances`" in dm.text
        reply = await self.ada.slash(self.channel, "status", {"process": process})
        assert "**Patched:**" in (await reply.wait_final()).text
        assert await self.shown(process, "cache/balances") == {"ada": "100"}

    async def _press(self, name: str) -> None:
        await self.page.locator("#buttons").get_by_role("button", name=name, exact=True).click()

    async def _confirm(self, name: str) -> None:
        await self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    async def shown(self, process: str, path: str) -> Any:
        """What a node shows at a path, once it has computed what is scheduled."""
        url = f"{self.network.nodes[0].url}/{process}~process@1.0/now/{path}/serialize~json@1.0"
        async with httpx.AsyncClient() as client:
            shown = (await client.get(url)).json()
        shown.pop("device")
        return shown

    def signed(self, process: str) -> list[tuple[str, str]]:
        """Action and sender of each message that came after the spawn."""
        return [
            (next(tag["value"] for tag in each["Tags"] if tag["name"] == "Action"), each["From"])
            for each in self.network.processes[process].scheduled[1:]
        ]


@pytest.fixture
async def world(
    chromium: str, node: str, npm_ci: Callable[[Path], Path], tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    started: list[RealAos] = []

    def start_aos(version: str, environment: dict[str, Any]) -> RealAos:
        started.append(RealAos(node, npm_ci(NODE_TESTS), version, environment))
        return started[-1]

    clock, discord, people = SandboxClock(), DiscordServer(), make_people()
    network = AoNetwork(memory=partial(start_aos, request.param))
    config = tmp_path / "config.toml"
    bot = BotProcess(config, clock, lambda: None)
    await discord.start()
    async with network, running_chromium(chromium) as browser:
        context = await browser.new_context(locale="en-GB")
        context.set_default_timeout(PATIENCE * 1000)
        await context.route(f"**{WALLET}", lambda route: route.fulfill(path=SCRIPT))
        await context.route("**/sandbox/wallet/keys", lambda route: route.fulfill(json=people_as_json(people)))
        await context.add_init_script(ADD_WALLET)
        page = await context.new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        world = World(discord, network, people[0], page)
        _configure(config, discord, network)
        await bot.start()
        try:
            await world.ada.wait_bot(timeout=PATIENCE)
            yield world
        finally:
            await bot.stop()
            print(*bot.log, sep="\n")
            await discord.stop()
            for aos in started:
                aos.close()
        assert broken == []


def _configure(config: Path, discord: DiscordServer, network: AoNetwork) -> None:
    port = free_port()
    write_config(
        config,
        {
            "discord": {"token": discord.token, "api_url": discord.api_url, "gateway_url": discord.gateway_url},
            "database": {"url": f"sqlite+aiosqlite:///{config.parent / 'patchbell.db'}"},
            "web": {"port": port, "public_url": f"http://127.0.0.1:{port}"},
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


versions = pytest.mark.parametrize(("world", "version"), [(v, v) for v in AOS_MODULES.values()], indirect=["world"])


@versions
async def test_without_a_handler_one_signature_installs_it(world: World, version: str) -> None:
    process = world.spawn(version, TOKEN)
    await world.open_to_sign(process, "Eval")
    await world.sign("Sign and install")
    await world.is_patched(process)
    assert world.signed(process) == [("Eval", world.wallet.address)]

    # From then on the process keeps it so by itself.
    world.network.send(process, "s" * 43, {"Action": "Transfer", "Recipient": "ben", "Quantity": "7"})
    assert await world.shown(process, "cache/balances") == {"ada": "100", "ben": "7"}


@versions
async def test_a_handler_that_nobody_switched_on_is_enabled(world: World, version: str) -> None:
    process = world.spawn(version, f"{TOKEN}\n{SWITCHED_OFF}")
    await world.open_to_sign(process, "EnableStatePatch")
    await world.sign("Sign")
    await world.is_patched(process)
    assert world.signed(process) == [("EnableStatePatch", world.wallet.address)]
