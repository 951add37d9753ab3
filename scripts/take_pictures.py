"""Takes the README's pictures anew, from the sandbox: `python -m scripts.take_pictures`.

It walks the loop in a headless Chromium as a visitor would, and writes docs/pictures/*.png, each at most 150 KB.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, expect

from sandbox.walker import Visitor, confirm_in_wallet, running_chromium, running_sandbox

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
LARGEST = 150_000
SIZE = {"width": 1180, "height": 720}


async def take(chromium: str) -> None:
    """Walk, and keep a picture where there is something to see."""
    async with running_sandbox() as address, running_chromium(chromium) as browser:
        context = await browser.new_context(viewport=SIZE, color_scheme="light")
        page = await context.new_page()
        await page.goto(address)
        await _walk(Visitor(page))
        await context.close()
        phone = await browser.new_context(viewport={"width": 390, "height": 720}, color_scheme="dark")
        page = await phone.new_page()
        await page.goto(address)
        await Visitor(page).open_on_phone("Patchbell")
        await _keep(page, "7-phone")


async def _walk(visitor: Visitor) -> None:
    page = visitor.page
    await expect(page.locator("#composer .command")).to_have_text("/register", timeout=60_000)
    await page.locator("#composer input").first.press("Enter")
    await expect(visitor.message("check that it arrived")).to_be_visible()
    await _keep(page, "1-register")
    await visitor.go("Patchbell")
    await expect(visitor.message("Safe word")).to_be_visible()
    await _keep(page, "2-first-dm")
    await _sign(await visitor.follow("Sign", "Safe word"))
    done = page.locator(".message").filter(has_text="Done:").filter(has_text="1 more has turned patched")
    await expect(done).to_have_count(1, timeout=60_000)
    await expect(page.locator(".pick .mark.patched")).to_have_count(3, timeout=60_000)
    # At one go: the panel is drawn anew whenever something moves.
    await page.evaluate("[...document.querySelectorAll('#processes details')].at(-1).scrollIntoView()")
    await _keep(page, "4-patched")
    await visitor.act_as("Mira")
    await visitor.go("announcements")
    await visitor.slash("announce")
    await visitor.fill_modal(Title="Move to HyperBEAM")
    await visitor.press("Post", "Preview")
    announced = page.locator(".message:not(.ephemeral)").filter(has_text="Move to HyperBEAM")
    await expect(announced).to_have_count(1)
    await visitor.act_as("Ada")
    await _keep(page, "5-announcement")
    await announced.get_by_role("button", name="Register my process").click()
    await visitor.fill_modal(process="\n".join(await visitor.processes()))
    await expect(visitor.message("already; I checked anew")).to_be_visible()
    await visitor.act_as("Mira")
    await visitor.slash("progress")
    await expect(visitor.message("processes registered:")).to_be_visible()
    await _keep(page, "6-progress")


async def _sign(tab: Page) -> None:
    await tab.get_by_role("button", name="Connect wallet").click()
    await confirm_in_wallet(tab, "Connect")
    await tab.get_by_role("button", name="One by one").click()
    await expect(tab.get_by_role("button", name="Sign", exact=True)).to_be_enabled()
    await tab.set_viewport_size({**SIZE, "height": 860})  # the whole message, and the button below it
    await _keep(tab, "3-sign")
    for button in ("Sign", "Sign and install"):
        await tab.get_by_role("button", name=button, exact=True).click()
        await confirm_in_wallet(tab, "Sign")
    await expect(tab.locator("#say")).to_contain_text("Done.", timeout=90_000)


async def _keep(page: Page, name: str) -> None:
    """Take a picture, and refuse one that would make the repository heavy."""
    path = PICTURES / f"{name}.png"
    taken = Image.open(BytesIO(await page.screenshot(animations="disabled")))
    # 256 colours do for a page of text, and make the file a third of its size.
    taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        sys.exit(f"{path.name} has {path.stat().st_size:,} bytes; at most {LARGEST:,} are wanted.")
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def main() -> None:
    """Find a Chromium, then walk."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is missing: apt-get install chromium (or set CHROMIUM).")
    PICTURES.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(chromium))


if __name__ == "__main__":
    main()
