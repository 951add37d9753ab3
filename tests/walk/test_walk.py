"""The whole loop, walked through the page in a real Chromium, against the shipped bot: nothing is mocked.

`WALK_PICTURES=<folder>` keeps a picture of each step there; else they are in the test's own temporary folder.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from sandbox.walker import Visitor, confirm_in_wallet, running_chromium, running_sandbox

pytestmark = [pytest.mark.chromium, pytest.mark.lua, pytest.mark.slow, pytest.mark.xdist_group("walk")]

HARBOUR = "Harbour Coin"


def short(process: str) -> str:
    return f"{process[:4]}…{process[-4:]}"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("WALK_PICTURES", tmp_path / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def visitor(chromium: str) -> AsyncIterator[Visitor]:
    async with running_sandbox() as address, running_chromium(chromium) as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page = await context.new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await page.goto(address)
        yield Visitor(page)
        assert broken == []


async def test_the_whole_loop(visitor: Visitor, pictures: Path) -> None:
    page = visitor.page
    number = iter(range(1, 100))

    async def picture(name: str, of: Page = page) -> None:
        await of.screenshot(path=pictures / f"{next(number):02}-{name}.png", animations="disabled")

    harbour, lantern = await visitor.processes()

    # What is no id changes nothing.
    await expect(page.locator("#composer .command")).to_have_text("/register", timeout=60_000)
    await visitor.slash("register", process="my process")
    await expect(visitor.message("I found no process id in that")).to_be_visible()
    await expect(page.locator("#guide")).to_contain_text("1 of 5")
    await page.locator("#guide").get_by_role("button", name="Type it for me").click()

    # As the owner, /register two processes: the page has it typed already.
    await expect(page.locator("#banner")).to_contain_text("Nothing here is real")
    await expect(page.locator("#guide")).to_contain_text("1 of 5")
    await expect(page.locator("#composer .command")).to_have_text("/register", timeout=60_000)
    await picture("before")
    await page.locator("#composer input").first.press("Enter")
    answer = visitor.message("Your safe word is")
    await expect(answer).to_contain_text("Only you can see this")
    await expect(answer).to_contain_text("Saved 2 processes")
    await expect(answer).to_contain_text("check that it arrived")
    safe_word = re.search(r"Your safe word is (\w+ \w+)", await answer.inner_text())
    assert safe_word is not None
    await expect(page.locator("#guide")).to_contain_text("2 of 5")
    await picture("registered")

    # The DM, with the same safe word.
    await expect(page.locator("#dms .badge")).to_have_text("1")
    await visitor.go("Patchbell")
    dm = visitor.message("Safe word")
    await expect(dm).to_contain_text(safe_word[1])
    await expect(page.locator("#guide")).to_contain_text("3 of 5")
    await picture("first-dm")

    # Its link; the handler that is off needs one message.
    tab = await visitor.follow("Sign", "Safe word")
    await tab.get_by_role("button", name="Connect wallet").click()
    await confirm_in_wallet(tab, "Connect")
    await expect(tab.get_by_role("button", name="Sign all 2")).to_be_visible()
    await picture("all-at-once", tab)
    await tab.get_by_role("button", name="One by one").click()
    await expect(tab.locator("#process")).to_contain_text("EnableStatePatch")
    await picture("signing-page", tab)
    await tab.get_by_role("button", name="Sign", exact=True).click()
    await expect(tab.locator("#demo-wallet")).to_contain_text("EnableStatePatch")
    await picture("wallet", tab)
    await confirm_in_wallet(tab, "Sign")
    await expect(tab.locator("#list li").filter(has_text=HARBOUR)).to_contain_text("patched", timeout=60_000)
    await picture("first-signed", tab)

    # SIGKILL in between. A new one starts on the same database, and says once that it is done.
    await page.locator("#switch-kill").click()
    await expect(page.locator("#bot")).to_contain_text("started 2 times", timeout=30_000)
    await expect(page.locator("#bot")).to_contain_text("running", timeout=60_000)
    done = page.locator(".message").filter(has_text="Done:").filter(has_text=short(harbour))
    await expect(done).to_have_count(1, timeout=60_000)
    await expect(done).to_contain_text(safe_word[1])
    await expect(page.locator("#guide")).to_contain_text("5 of 5")
    await picture("killed-and-patched-dm")

    # As the moderator, announce.
    await visitor.act_as("Mira")
    await visitor.go("announcements")
    await visitor.slash("announce")
    await picture("announce")
    await visitor.fill_modal(Title="Move to HyperBEAM")
    await picture("preview")
    await visitor.press("Post", "Preview")
    announced = page.locator(".message:not(.ephemeral)").filter(has_text="Move to HyperBEAM")
    await expect(announced).to_have_count(1)
    await picture("announced")

    # The owner registers for it, by the announcement's button.
    await visitor.act_as("Ada")
    await announced.get_by_role("button", name="Register my process").click()
    await visitor.fill_modal(process=f"{harbour}\n{lantern}")
    again = visitor.message("already; I checked anew")
    await expect(again).to_contain_text("2 processes: 1 patched, 1 not patched yet", timeout=60_000)
    await picture("registered-for-it")
    await visitor.act_as("Mira")
    await visitor.slash("progress")
    await expect(visitor.message("1 patched, 1 not patched")).to_be_visible()
    await picture("progress-half")

    # In the tab that was open all the while: no handler, so the page offers to install it.
    await expect(tab.get_by_role("button", name="Sign and install")).to_be_visible(timeout=30_000)
    await picture("no-handler", tab)
    await tab.get_by_role("button", name="Sign and install").click()
    await confirm_in_wallet(tab, "Sign")
    await expect(tab.locator("#say")).to_contain_text("Done. Apps can read what you signed for.", timeout=90_000)
    await picture("all-signed", tab)

    # The progress moves, and the owner hears it.
    await visitor.slash("progress")
    await expect(visitor.message("2 patched, 0 not patched")).to_be_visible()
    await picture("progress-whole")
    await visitor.act_as("Ada")
    await visitor.go("Patchbell")
    await expect(page.locator(".message").filter(has_text="Done:").filter(has_text=short(lantern))).to_have_count(1)
    await expect(done).to_have_count(1)

    # A button that was sent before the kill still answers.
    await visitor.press("Next week", "Safe word")
    await expect(page.locator(".message").last).to_contain_text("remind")
    await picture("old-button")


async def test_the_switches(visitor: Visitor, pictures: Path) -> None:
    page = visitor.page

    # With closed DMs the answer says so, and *Try again* works once they are open.
    await expect(page.locator("#composer .command")).to_have_text("/register", timeout=60_000)
    await page.locator("#switch-door").click()
    await expect(page.locator("#switch-door")).to_have_attribute("aria-pressed", "true")
    await page.locator("#composer input").first.press("Enter")
    await expect(visitor.message("I can't send you DMs")).to_be_visible()
    await page.screenshot(path=pictures / "dms-closed.png")
    await page.locator("#switch-door").click()
    await expect(page.locator("#switch-door")).to_have_attribute("aria-pressed", "false")
    await visitor.press("Try again", "I can't send you DMs")
    await visitor.go("Patchbell")
    await expect(visitor.message("Safe word")).to_be_visible()

    # A day goes by for everybody, and the reminder comes.
    await page.locator("#switch-skip").click()
    await expect(page.locator("#switch-skip")).to_contain_text("1 day ahead")
    reminder = page.locator(".message").filter(has_text="processes are waiting for you")
    await expect(reminder).to_have_count(1, timeout=60_000)
    await page.screenshot(path=pictures / "reminder.png")
    await expect(page.locator(".day")).to_have_count(2)

    # One node of three down costs no verdict, but the recipe; without any node nothing is claimed.
    verdict = page.locator(".says").filter(has_text="Patchbell").locator(".mark")
    recipe = page.locator(".says").filter(has_text="The usual recipe").locator(".mark")
    await page.locator(".pick button").filter(has_text="Orchard").click()
    await expect(verdict).to_have_text("patched")
    await expect(recipe).to_have_text("not patched")
    await page.locator("#switch-node").click()
    await expect(page.locator("#switch-node")).to_contain_text("1 of 3 down")
    await expect(page.locator(".look pre").first).to_contain_text("No answer")
    await expect(verdict).to_have_text("patched")
    await page.locator("#switch-node").click()
    await expect(page.locator("#switch-node")).to_contain_text("3 of 3 down")
    await expect(verdict).to_have_text("unknown", timeout=60_000)
    await page.screenshot(path=pictures / "all-down.png")
    await page.locator("#switch-node").click()
    await expect(verdict).to_have_text("patched", timeout=60_000)


async def test_what_else_people_do_on_the_page(visitor: Visitor, pictures: Path, tmp_path: Path) -> None:
    page = visitor.page
    harbour, lantern = await visitor.processes()
    await expect(page.locator("#composer .command")).to_have_text("/register", timeout=60_000)

    # Ids in a file.
    (tmp_path / "ids.txt").write_text(f"{harbour},\n'{lantern}'")
    await page.locator("#composer input").first.press("Escape")
    await page.locator("#words").fill("/reg")
    await page.locator("#words").press("Enter")
    await page.get_by_role("button", name="+ file").click()
    await page.locator('[data-option="file"]').set_input_files(tmp_path / "ids.txt")
    await page.get_by_role("button", name="Send").click()
    await expect(visitor.message("Saved 2 processes")).to_be_visible(timeout=60_000)

    # A suggestion, chosen by keyboard.
    await page.locator("#words").fill("/unreg")
    await page.locator("#words").press("Tab")
    await expect(page.locator("#choices li")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text(short(lantern))
    await expect(page.locator(".message")).to_have_count(2)
    await page.screenshot(path=pictures / "unregistered.png")

    # An ephemeral message goes away when it is dismissed, and was never there for others.
    await page.get_by_role("button", name="Dismiss message").last.click()
    await expect(page.locator(".message")).to_have_count(1)
    await visitor.act_as("Ben")
    await expect(page.locator(".message")).to_have_count(0)

    # Somebody's plain words, and the message command on them. Markup in them stays text.
    await page.locator("#words").fill(f"is this patched? <img src=x> {harbour}")
    await page.locator("#words").press("Enter")
    said = visitor.message("is this patched?")
    await expect(said).to_contain_text("<img src=x>")
    await said.hover()
    await said.get_by_label("Apps").click()
    await said.get_by_role("button", name="Check").click()
    await expect(page.locator(".message.ephemeral")).to_contain_text(short(harbour), timeout=60_000)
    await page.screenshot(path=pictures / "message-command.png")

    # A command typed letter by letter is a command, with what follows in its first option; a bad id gets one sentence.
    await page.locator("#words").press_sequentially("/register 0syTLSrc7xK2f9QaZZ1x2y3z4")
    await expect(page.locator('[data-option="process"]')).to_have_value("0syTLSrc7xK2f9QaZZ1x2y3z4")
    await page.keyboard.press("Enter")
    await expect(visitor.message("43")).to_contain_text("That is not a process id", timeout=60_000)
    await page.screenshot(path=pictures / "malformed.png")

    # While the bot is away, Discord's client says so.
    await page.locator("#switch-kill").click()
    await expect(page.locator("#bot")).to_contain_text("down")
    await visitor.slash("status")
    await expect(page.locator("#trouble")).not_to_be_empty()
    await page.screenshot(path=pictures / "away.png")


async def test_a_page_whose_line_comes_late_still_types_the_first_command(chromium: str) -> None:
    async with running_sandbox() as address, running_chromium(chromium) as browser:
        page = await browser.new_page()

        async def late(route: Route) -> None:
            await asyncio.sleep(6)  # meanwhile the bot comes online, and nobody tells this page
            await route.continue_()

        await page.route("**/sandbox/api/feed", late)
        await page.goto(address)
        await expect(page.locator("#composer .command")).to_have_text("/register", timeout=30_000)


async def test_a_first_command_that_is_thrown_away_is_not_typed_again(chromium: str) -> None:
    async with running_sandbox() as address, running_chromium(chromium) as browser:
        page = await browser.new_page()
        typed = page.locator("#composer .command")
        await page.goto(address)
        await expect(typed).to_have_text("/register", timeout=60_000)
        thrown_away = asyncio.Event()

        async def late(route: Route) -> None:
            await thrown_away.wait()
            await route.continue_()

        await page.route("**/sandbox/api/feed", late)
        await page.reload()
        await expect(typed).to_have_text("/register")
        await page.locator("#composer input").first.press("Escape")
        async with page.expect_response("**/commands?*", timeout=30_000):
            thrown_away.set()  # the page loads anew, and hears that the bot is online
        await asyncio.sleep(1)
        await expect(page.locator("#words")).to_be_visible()
