"""A visitor of the sandbox's page: a real Chromium that reads, types and presses as a person would.

Used by the walk that is a test, and by the script that takes the pictures. Needs Playwright, which the sandbox itself
does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

ROOT = Path(__file__).resolve().parent.parent
START_PATIENCE = 60.0
# As root there is no sandbox of Chromium's own; the rest keeps it from calling home.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.asynccontextmanager
async def running_sandbox() -> AsyncIterator[str]:
    """Start `python -m sandbox` as anybody would, give its one URL, and stop it with Ctrl-C's signal."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox"), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    if process.stdout is None:
        raise RuntimeError("the sandbox was started without a pipe for its output")
    try:
        async with asyncio.timeout(START_PATIENCE):
            while "http://" not in (line := (await process.stdout.readline()).decode()):
                if not line:
                    raise RuntimeError("The sandbox ended before it gave its address.")
        drain = asyncio.create_task(process.stdout.read())
        yield line.split()[1]
        process.terminate()
        print((await drain).decode(), end="")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


@contextlib.asynccontextmanager
async def running_chromium(executable: str) -> AsyncIterator[Browser]:
    """Start a headless Chromium with a profile that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="patchbell-chromium-") as home:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=executable, args=CHROMIUM_FLAGS, env={**os.environ, "HOME": home}
            )
            yield browser
            await browser.close()


class Visitor:
    """One browser tab on the sandbox's page. Names of people, channels and buttons are as the page shows them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)

    async def act_as(self, name: str) -> None:
        """Be this person from now on."""
        await self.page.locator("#people").get_by_text(name, exact=True).click()

    async def go(self, channel: str) -> None:
        """Open a channel, or the DM with the bot by the bot's name."""
        await self.page.locator("#places").get_by_role("button", name=channel).first.click()

    async def open_on_phone(self, channel: str) -> None:
        """Open a channel where the page is narrow: it is behind a tab there."""
        await self.page.locator("#tabs").get_by_role("button", name="Channels").click()
        await self.go(channel)

    async def processes(self) -> list[str]:
        """Give the ids of the two seeded processes that are not patched at first."""
        state = await self.page.evaluate("fetch('/sandbox/api/state').then(answer => answer.json())")
        return [seed["process"] for seed in state["seeds"][:2]]

    async def slash(self, command: str, **options: str) -> None:
        """Type a slash command with its options, and press Enter."""
        words = self.page.locator("#words")
        if not await words.is_visible():  # a command is typed already: throw it away
            await self.page.locator("#composer :is(input, select, button)").first.press("Escape")
        await words.fill(f"/{command}")
        await words.press("Enter")
        composer = self.page.locator("#composer")
        for name, value in options.items():
            field = composer.locator(f'[data-option="{name}"]')
            if not await field.count():
                await composer.get_by_role("button", name=f"+ {name}").click()
            await field.fill(value)
        await composer.get_by_role("button", name="Send").click()

    def message(self, containing: str) -> Locator:
        """The newest shown message that contains a text."""
        return self.page.locator(".message").filter(has_text=containing).last

    async def press(self, button: str, containing: str) -> None:
        """Press a button of the newest message that contains a text."""
        await self.message(containing).get_by_role("button", name=button, exact=True).click()

    async def follow(self, link: str, containing: str) -> Page:
        """Follow a link button of the newest message that contains a text, into its new tab."""
        async with self.page.context.expect_page() as opened:
            await self.message(containing).get_by_role("link", name=link).click()
        return await opened.value

    async def fill_modal(self, **values: str) -> None:
        """Fill the fields of the open modal by their labels, then submit."""
        modal = self.page.locator("#modal")
        await expect(modal).to_be_visible()
        for label, value in values.items():
            field = modal.get_by_label(label.replace("_", " "))
            if await field.evaluate("field => field.tagName") == "SELECT":
                await field.select_option(label=value)
            else:
                await field.fill(value)
        await modal.get_by_role("button", name="Submit").click()
        await expect(modal).to_be_hidden()


async def confirm_in_wallet(tab: Page, button: str) -> None:
    """Say yes in the demo wallet's dialog."""
    await tab.locator("#demo-wallet").get_by_role("button", name=button, exact=True).click()
