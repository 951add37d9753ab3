"""For whom signing in this browser is not the way: phones, keys in files, and those who can't."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.web.test_page import connect, open_page, press, said, sign, trouble

if TYPE_CHECKING:
    from tests.web.conftest import House

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """The browser inside Discord's app: no wallet, and none will come."""
    context = await browser.new_context(
        user_agent=PHONE,
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        timezone_id="Asia/Tokyo",
    )
    context.set_default_timeout(10_000)
    yield await context.new_page()
    await context.close()


async def test_a_phone_is_told_at_once_what_helps(house: House, phone: Page) -> None:
    await open_page(phone, await house.register(house.spawn(handler=True)))
    await expect(said(phone)).to_contain_text("This browser has no wallet", timeout=2_000)  # without a wait for one
    await expect(phone.locator("#help")).to_contain_text("inside that app")
    await expect(phone.get_by_role("button", name="Copy the link")).to_be_enabled()
    await expect(phone.locator("#qr")).to_be_hidden()  # it would be scanned by itself


async def test_tonight_is_this_evening_where_the_person_is(house: House, phone: Page) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process)
    now = house.clock()
    noon = (now + timedelta(days=1)).replace(hour=3, minute=0)  # in Tokyo
    house.clock.skip(noon - now)
    await phone.clock.install(time=noon)
    await open_page(phone, link)
    await phone.clock.run_for(1000)
    await press(phone, "Remind me tonight")
    await expect(trouble(phone)).to_contain_text("Good.")
    evening = await house.snoozed_until()
    assert evening is not None
    assert (evening.hour, evening.minute) == (10, 0)  # 19:00 there


async def test_who_has_a_key_file_gets_the_code_and_the_lines(house: House, bare_page: Page, tmp_path: Path) -> None:
    process = house.spawn(handler=False)
    await open_page(bare_page, await house.register(process))
    await press(bare_page, "My key is a file")
    named = f"-- {process}" if process.startswith("-") else process  # a hyphen begins an option of aos
    await expect(bare_page.locator("#aos")).to_have_text(f"aos {named}\n.load patchbell.lua")
    async with bare_page.expect_download() as download:
        await bare_page.get_by_role("link", name="Download patchbell.lua").click()
    given = await download.value
    assert given.suggested_filename == "patchbell.lua"
    await given.save_as(tmp_path / "patchbell.lua")
    lua = (tmp_path / "patchbell.lua").read_text()
    assert lua == house.app.presets["token"].handler
    await expect(bare_page.locator("#code")).to_contain_text(sha256(lua.encode()).hexdigest())
    await bare_page.get_by_role("button", name="Copy the code").click()
    assert await bare_page.evaluate("navigator.clipboard.readText()") == lua


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ("The key is lost", "lost-wallet"),
        ("It isn't mine", "not-mine-to-sign"),
        ("An app owns it", "owned-by-app"),
        ("Something else", "other"),
    ],
)
async def test_who_cannot_says_why_and_is_not_reminded(house: House, bare_page: Page, button: str, reason: str) -> None:
    process = house.spawn(handler=True)
    await open_page(bare_page, await house.register(process))
    await press(bare_page, "I can't")
    await press(bare_page, button)
    await expect(trouble(bare_page)).to_contain_text("Noted.")
    assert await house.blocked(process) == reason


async def test_a_closed_list_is_told_to_the_bot_and_taken_back_when_it_opens(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    house.network.mu.refusal = (403, "Forbidden, process not whitelisted")
    await connect(page)
    await sign(page)
    await expect(trouble(page)).to_contain_text("Patchbell won't remind you meanwhile")
    await expect(page.get_by_role("button", name="Send it again")).to_be_enabled()
    assert await house.blocked(process) == "refused"
    house.network.mu.refusal = None
    await press(page, "Send it again")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)
    assert await house.blocked(process) is None


async def test_no_install_is_offered_but_on_the_aos_that_it_was_tried_on(house: House, page: Page) -> None:
    process = house.network.spawn(house.ada.address, "", {"Module": "M" * 42 + "A"})
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("can add one only to aos 2.0.1, 2.0.3 and 2.0.6")
    assert house.messages_of(process) == []
    await press(page, "Stop reminding me")
    await expect(said(page)).to_contain_text("Nothing was signed.")
    assert await house.blocked(process) == "no-handler"


async def test_what_another_process_owns_no_wallet_signs_for(house: House, page: Page) -> None:
    parent = house.spawn(handler=True)
    process = house.network.spawn(parent, "")
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("no wallet can sign for it")
    await press(page, "Continue anyway")
    await press(page, "Stop reminding me")
    await expect(said(page)).to_contain_text("Nothing was signed.")
    assert await house.blocked(process) == "owned-by-app"


async def test_the_page_without_a_ticket_installs_and_tells_nobody(house: House, page: Page) -> None:
    process = house.spawn(handler=False)
    await open_page(page, f"{house.url}/p/{process}")
    await connect(page)
    await sign(page, "Sign and install")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)
    assert len(house.messages_of(process)) == 1
    stored = house.everything_stored()
    assert not stored["processes"]
    assert not stored["ticket_messages"]


async def test_the_page_without_a_ticket_remembers_for_the_session(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, f"{house.url}/p/{process}")
    await connect(page)
    await expect(said(page)).to_contain_text("Connected as")
    house.network.cu.refusal = (202, "in progress")
    await sign(page)
    await expect(page.locator("#words")).to_contain_text("in progress")
    house.network.cu.refusal = None
    await page.reload()
    await expect(said(page)).to_contain_text(re.compile("Done|Nothing is left to sign"), timeout=20_000)
    assert len(house.messages_of(process)) == 1
