"""Many at once, both of Wander's policies, and what happens when a tab is closed in the middle."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, Route, expect

from tests.web.test_page import allow, connect, open_page, press, said, sign, trouble

if TYPE_CHECKING:
    from tests.web.conftest import House

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PATIENCE = 120_000


def _watch_long(house: House) -> None:
    """Watch each for half a minute: on a busy machine nodes seem down to many looks at once, and rest for seconds."""
    checking = house.app.checking
    checking._settings = checking._settings.model_copy(update={"after_signature": timedelta(seconds=2)})


async def _register(house: House, number: int, bare: int = 3) -> tuple[list[str], str]:
    """Every `bare`th has no handler."""
    made = [house.spawn(handler=each % bare > 0) for each in range(number)]
    links = [await house.register(process, label=f"Vault {each}") for each, process in enumerate(made)]
    return made, links[-1]


def _sent(house: House, made: list[str]) -> list[int]:
    return [len(house.messages_of(process)) for process in made]


async def test_thirty_in_one_sitting_with_one_approval(house: House, page: Page) -> None:
    _watch_long(house)
    made, _ = await _register(house, 30, bare=10)
    others = house.spawn(handler=True, owner=house.ben.address)
    await open_page(page, await house.register(others))
    await expect(page.locator("#title")).to_have_text("31 messages to sign")
    content = await page.content()
    assert not any(process in content for process in (*made, others))  # no wallet yet: no list
    await connect(page)
    await expect(page.get_by_role("button", name="Sign all 30")).to_be_enabled(timeout=PATIENCE)
    shown = await page.locator("#messages").inner_text()
    assert all(process in shown for process in made)
    assert others not in await page.content()
    assert await page.locator(".message").count() == 2  # three get the code, the others are asked
    assert await page.locator(".message .lua").count() == 1
    await sign(page, "Sign all 30")
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    await expect(said(page)).to_contain_text("One more belongs to another account.")
    assert _sent(house, made) == [1] * 30
    assert house.messages_of(others) == []
    assert await page.locator(".state").all_inner_texts() == ["patched"] * 30


async def test_more_than_a_wallet_takes_at_once_is_split(house: House, page: Page) -> None:
    _watch_long(house)
    made, link = await _register(house, 16, bare=1)  # the Lua sixteen times is more than 200 kB
    await open_page(page, link)
    await connect(page)
    button = page.get_by_role("button", name=re.compile("^Sign all"))
    signed = 0
    while signed < len(made):
        await expect(button).to_be_enabled(timeout=PATIENCE)
        label = await button.inner_text()
        await button.click()
        await allow(page, "Sign")
        await expect(button).to_be_hidden()
        signed += int(label.rpartition(" ")[2])
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    assert _sent(house, made) == [1] * 16


async def test_a_wallet_that_signs_no_batch_is_asked_one_by_one(house: House, page: Page) -> None:
    made, link = await _register(house, 2)
    await open_page(page, link)
    await page.evaluate("demoWallet.hardware(true)")
    await connect(page)
    await sign(page, "Sign all 2")
    await expect(trouble(page)).to_contain_text("so it asks for each")
    for button in ("Sign and install", "Sign"):
        await sign(page, button)
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    assert _sent(house, made) == [1, 1]


async def test_some_of_many_that_are_not_taken_are_sent_again_unsigned(house: House, page: Page) -> None:
    made, link = await _register(house, 4)
    await open_page(page, link)
    await connect(page)
    taken = 0

    async def half(route: Route) -> None:
        nonlocal taken
        taken += 1
        await (route.continue_() if taken % 2 else route.abort())

    await page.route(house.network.mu_url.rstrip("/") + "/", half)
    await sign(page, "Sign all 4")
    await expect(trouble(page)).to_contain_text("2 of your messages are not on their way")
    await page.unroute_all()
    await press(page, "Send it again")
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    assert _sent(house, made) == [1] * 4


async def test_a_silent_wallet_signs_nothing_before_our_own_button(house: House, page: Page) -> None:
    """Wander's `ask_when_spending` signs without a question: our button, below the text, is the only consent."""
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    await page.evaluate("demoWallet.silent(true)")
    await page.evaluate(
        "() => { const sign = arweaveWallet.signDataItem; window.signs = [];"
        " arweaveWallet.signDataItem = (item) => { window.signs.push(document.querySelector('#messages').innerText);"
        " return sign.call(arweaveWallet, item) } }"
    )
    await connect(page)
    button = page.get_by_role("button", name="Sign", exact=True)
    await expect(button).to_be_enabled()
    assert await page.evaluate("signs") == []
    house.network.cu.refusal = (403, "Forbidden")
    await button.click()
    await press(page, "Sign again")
    await expect(button).to_be_enabled()
    assert len(await page.evaluate("signs")) == 1  # the second is not chained to the first
    await button.click()
    await press(page, "Go on")
    (first, second) = await page.evaluate("signs")
    assert "EnableStatePatch" in first
    assert first == second
    assert len(house.messages_of(process)) == 2


async def test_a_silent_wallet_that_was_connected_before_signs_nothing_on_load(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process)
    await open_page(page, link)
    await page.evaluate("demoWallet.silent(true)")
    await connect(page)
    await expect(said(page)).to_contain_text("Connected as")
    await page.reload()
    await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_enabled()
    assert house.messages_of(process) == []


async def test_the_bot_knows_the_message_before_the_network(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process)
    order: list[str] = []
    page.on("request", lambda request: order.append(request.url) if request.method == "POST" else None)
    await open_page(page, link)
    await connect(page)
    await sign(page)
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    told = next(index for index, url in enumerate(order) if url.endswith("/api/signing"))
    sent = next(index for index, url in enumerate(order) if url.startswith(house.network.mu_url))
    assert told < sent
    assert house.everything_stored()["ticket_messages"][0][1:3] == (process, house.messages_of(process)[0]["Id"])


async def test_another_tab_goes_on_from_the_network_and_signs_nothing(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process)
    await open_page(page, link)
    house.network.cu.refusal = (202, "in progress")
    await connect(page)
    await sign(page)
    await expect(page.locator("#words")).to_contain_text("in progress")
    await page.close()
    house.network.cu.refusal = None
    again = await page.context.new_page()  # its own session storage: only the bot can have told it
    await open_page(again, link)
    await expect(said(again)).to_contain_text("Done.", timeout=PATIENCE)
    assert len(house.messages_of(process)) == 1


async def test_a_tab_closed_between_signature_and_sending_signs_again_only_when_asked(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process)
    await open_page(page, link)
    await connect(page)
    house.network.mu.down = True
    await sign(page)
    await expect(trouble(page)).to_contain_text("did not answer")
    house.network.mu.down = False
    await page.reload()
    await expect(trouble(page)).to_contain_text("If you closed this page too early, it never left", timeout=PATIENCE)
    await press(page, "Sign again")
    await sign(page)
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    assert len(house.messages_of(process)) == 1


async def test_without_a_dry_run_the_empty_result_offers_install(house: House, page: Page) -> None:
    process = house.spawn(handler=False)
    await page.route("**/dry-run?*", lambda route: route.fulfill(status=403, body="Forbidden"))
    await open_page(page, await house.register(process))
    await connect(page)
    await sign(page)
    await expect(said(page)).to_contain_text("You can add the code for that")
    assert await page.get_by_role("dialog").count() == 0  # shown, not chained
    await sign(page, "Sign and install")
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    assert len(house.messages_of(process)) == 2


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, '{"id": "%s"}' % ("B" * 43), "It has another id"),
        (200, "<!doctype html><p>Please log in", "200 (no words came with it)"),
        (500, "<!doctype html><h1>Oops</h1>", "500 (no words came with it)"),
        (429, '{"error": "slow down"}', "429 slow down"),
    ],
)
async def test_what_may_have_arrived_is_looked_for_before_it_is_signed_again(
    house: House, page: Page, status: int, body: str, words: str
) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    await connect(page)

    async def answer(route: Route) -> None:
        if route.request.method == "POST" and status in (200, 500):  # taken all the same
            house.network.deliver(route.request.post_data_buffer or b"")
        await route.fulfill(status=status, body=body, headers={"access-control-allow-origin": "*"})

    await page.route(house.network.mu_url.rstrip("/") + "/", answer)
    await sign(page)
    await expect(page.locator("#words")).to_contain_text(words)
    await page.unroute_all()
    await press(page, "Send it again" if status == 429 else "See if it arrived")
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    assert len(house.messages_of(process)) == 1


async def test_a_wallet_switched_while_the_message_is_shown_gets_its_own_list(house: House, page: Page) -> None:
    mine, bens = house.spawn(handler=True), house.spawn(handler=True, owner=house.ben.address)
    await house.register(mine)
    await open_page(page, await house.register(bens))
    await connect(page)
    await expect(page.locator("#facts")).to_contain_text(mine)
    await page.evaluate("demoWallet.use(1)")
    await expect(page.locator("#facts")).to_contain_text(bens)
    assert mine not in await page.locator("main").inner_text()
    await sign(page)
    await expect(said(page)).to_contain_text("Done.", timeout=PATIENCE)
    assert _sent(house, [mine, bens]) == [0, 1]


async def test_a_compute_unit_that_lies_patches_nothing(house: House, page: Page) -> None:
    """It says that there is a handler, and that it answered. The nodes know better, and the page says so."""
    process = house.spawn(handler=False)
    lie = {"Messages": [{"Tags": [{"name": "device", "value": "patch@1.0"}]}]}
    await page.route(f"{house.network.cu_url.rstrip('/')}/**", lambda route: route.fulfill(json=lie))
    await open_page(page, await house.register(process))
    await connect(page)
    await sign(page)
    await expect(said(page)).to_contain_text("The nodes don't show all of it yet", timeout=PATIENCE)
    assert await house.status_of(process) != "patched"
