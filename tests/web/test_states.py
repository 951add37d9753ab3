"""Every state of the page: axe finds nothing wrong in light and dark, on a phone and a desk, and nothing runs over.

`PAGE_PICTURES=<folder>` keeps a picture of each.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.web.conftest import ADD_WALLET
from tests.web.test_page import connect, open_page, press, said, sign, trouble

if TYPE_CHECKING:
    from tests.web.conftest import House

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("axe"),
]

AXE = Path(__file__).parents[1] / "axe"
PICTURES = os.environ.get("PAGE_PICTURES")
RUN = "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)"
State = Callable[["House", Page], Awaitable[None]]
STATES: dict[str, State] = {}


def state(made: State) -> State:
    STATES[made.__name__.removeprefix("_")] = made
    return made


async def _connected(house: House, page: Page, *, handler: bool = True, **more: Any) -> str:
    process = house.spawn(handler=handler, **more)
    await open_page(page, await house.register(process, label="My vault"))
    await connect(page)
    return process


@state
async def _link_does_not_open(house: House, page: Page) -> None:
    await page.goto(f"{house.url}/sign#{'A' * 22}")
    await expect(said(page)).to_contain_text("Type /status")


@state
async def _connect(house: House, page: Page) -> None:
    await open_page(page, await house.register(house.spawn(handler=True)))
    await expect(page.get_by_role("button", name="Connect wallet")).to_be_enabled()


@state
async def _sign(house: House, page: Page) -> None:
    await _connected(house, page)
    await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_enabled()


@state
async def _install(house: House, page: Page) -> None:
    await _connected(house, page, handler=False)
    await expect(page.get_by_role("button", name="Sign and install")).to_be_enabled()


@state
async def _many(house: House, page: Page) -> None:
    for number in range(12):
        await house.register(house.spawn(handler=number % 2 == 0), label=f"Vault {number}")
    await _connected(house, page)
    await expect(page.get_by_role("button", name="Sign all 13")).to_be_enabled(timeout=30_000)


@state
async def _another_account(house: House, page: Page) -> None:
    await _connected(house, page, owner=house.ben.address)
    await expect(page.get_by_role("button", name="Continue anyway")).to_be_enabled()


@state
async def _closed_list(house: House, page: Page) -> None:
    house.network.mu.refusal = (403, "Forbidden, process not whitelisted")
    await _connected(house, page)
    await sign(page)
    await expect(trouble(page)).to_contain_text("closed list")
    await expect(page.get_by_role("button", name="Send it again")).to_be_enabled()


@state
async def _result_refused(house: House, page: Page) -> None:
    await _connected(house, page)
    await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_enabled()
    house.network.cu.refusal = (403, "Forbidden")
    await sign(page)
    await expect(page.get_by_role("button", name="Go on")).to_be_enabled()


@state
async def _in_progress(house: House, page: Page) -> None:
    await _connected(house, page)
    await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_enabled()
    house.network.cu.refusal = (202, "Evaluation is in progress")
    await sign(page)
    await expect(page.locator("#words")).to_contain_text("in progress")


@state
async def _nothing_to_show(house: House, page: Page) -> None:
    await _connected(house, page, handler=False, lua="")
    await sign(page, "Sign and install")
    await expect(page.get_by_role("button", name="Go on")).to_be_enabled()


@state
async def _done(house: House, page: Page) -> None:
    await _connected(house, page)
    await sign(page)
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


@state
async def _cannot(house: House, page: Page) -> None:
    await _connected(house, page)
    await press(page, "I can't")
    await expect(page.get_by_role("button", name="The key is lost")).to_be_enabled()


@state
async def _who_can(house: House, page: Page) -> None:
    process = house.network.spawn(house.ada.address, "", {"Variant": "ao.N.1"})
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("runs on HyperBEAM itself")
    await expect(page.get_by_role("button", name="Go on")).to_be_enabled()


@state
async def _without_a_ticket(house: House, page: Page) -> None:
    await open_page(page, f"{house.url}/p/{house.spawn(handler=True)}")
    await expect(page.get_by_role("button", name="Connect wallet")).to_be_enabled()
    await page.locator("#code summary").click()
    await page.locator("#sure summary").click()


@state
async def _no_wallet(house: House, page: Page) -> None:
    await open_page(page, await house.register(house.spawn(handler=True)))
    await expect(page.locator("#qr")).to_be_visible(timeout=8_000)


@state
async def _key_file(house: House, page: Page) -> None:
    await _no_wallet(house, page)
    await press(page, "My key is a file")
    await expect(page.locator("#aos")).to_be_visible()


WITHOUT_WALLET = {"no_wallet", "key_file"}


@pytest.fixture(scope="session")
def axe(npm_ci: Callable[[Path], Path]) -> str:
    return (npm_ci(AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.mark.parametrize("name", STATES)
async def test_axe_finds_nothing(house: House, context: BrowserContext, axe: str, name: str) -> None:
    if name not in WITHOUT_WALLET:
        await context.add_init_script(f"addEventListener('DOMContentLoaded', {ADD_WALLET})")
    shown = await context.new_page()
    await STATES[name](house, shown)
    await shown.evaluate(axe)
    for width, height, scheme in ((1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark")):
        await shown.set_viewport_size({"width": width, "height": height})
        await shown.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        found = await shown.evaluate(RUN)
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == [], (width, scheme)
        assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, scheme)
        if PICTURES:
            await shown.screenshot(path=f"{PICTURES}/{name}-{width}-{scheme}.png", full_page=True)
