"""The signing page in a real Chromium, under its own policy, with the real services and the sandbox's AO network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Locator, Page, Request, expect

if TYPE_CHECKING:
    from tests.web.conftest import House, OpenHouse


pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PATCH_TAGS = [
    ("Action", "EnableStatePatch"),
    ("Content-Type", "text/plain"),
    ("SDK", "aoconnect"),
    ("Data-Protocol", "ao"),
    ("Variant", "ao.TN.1"),
    ("Type", "Message"),
]
UNNAMED = """[...document.querySelectorAll("button, a, img, section, table")]
  .filter((one) => !(one.textContent?.trim() || one.alt !== undefined || one.ariaLabel || one.hidden))
  .map((one) => one.outerHTML)"""
HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'


async def press(page: Page, name: str) -> None:
    """Press one of the page's own buttons."""
    await page.locator("#buttons").get_by_role("button", name=name, exact=True).click()


async def allow(page: Page, name: str) -> None:
    """Answer the wallet's question."""
    await page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()


async def connect(page: Page) -> None:
    await press(page, "Connect wallet")
    await allow(page, "Connect")


async def sign(page: Page, button: str = "Sign") -> None:
    await press(page, button)
    await allow(page, "Sign")


def said(page: Page) -> Locator:
    return page.locator("#say")


def trouble(page: Page) -> Locator:
    return page.locator("#trouble")


async def open_page(page: Page, link: str) -> None:
    await page.goto(link)
    await expect(page.locator("#steps")).to_be_visible()


async def test_a_handler_that_is_there_is_switched_on_and_the_process_is_patched(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process, label="My vault")
    await open_page(page, link)
    await expect(page.locator("#for")).to_contain_text("Made for mar••• in Permaville")
    await connect(page)
    await expect(page.locator("#process-title .name")).to_have_text("My vault")
    await expect(page.locator("#facts")).to_contain_text(process)
    await expect(page.locator("#facts")).to_contain_text(house.ada.address)
    await expect(page.locator(".reads")).to_have_text(
        "Anyone will be able to read: balances, totalsupply, ticker, denomination"
    )
    shown = await page.locator(".tags tbody tr").all_inner_texts()
    assert [tuple(row.split("\t")) for row in shown] == [("Target", process), *PATCH_TAGS, ("Data", "one space")]
    await sign(page)
    await expect(said(page)).to_contain_text("Done. Apps can read what you signed for.", timeout=20_000)

    (message,) = house.messages_of(process)
    assert [(tag["name"], tag["value"]) for tag in message["Tags"]] == PATCH_TAGS
    assert (message["From"], message["Data"]) == (house.ada.address, " ")
    assert await house.status_of(process) == "patched"
    await expect(page.locator("h1")).to_have_text("Done")


async def test_without_a_handler_the_whole_lua_is_shown_signed_and_installed(house: House, page: Page) -> None:
    process = house.spawn(handler=False)
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("You can add the code for that")
    lua = await page.locator(".message .lua").text_content()
    await sign(page, "Sign and install")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)

    (message,) = house.messages_of(process)
    assert message["Data"] == lua
    assert [(tag["name"], tag["value"]) for tag in message["Tags"]] == [("Action", "Eval"), *PATCH_TAGS[2:]]
    assert await house.status_of(process) == "patched"


async def test_a_handler_with_nothing_to_show_says_so(house: House, page: Page) -> None:
    process = house.spawn(handler=False, lua="")
    await open_page(page, await house.register(process))
    await connect(page)
    await sign(page, "Sign and install")
    await expect(trouble(page)).to_contain_text("nothing to show yet")
    await expect(page.locator("#words")).to_contain_text("StatePatch: nothing published")
    await press(page, "Go on")
    await expect(said(page)).to_contain_text("The nodes don't show all of it yet", timeout=20_000)


async def test_several_processes_one_after_the_other(house: House, page: Page) -> None:
    first, second, third = (house.spawn(handler=True) for _ in range(3))
    await house.register(first, label="One")
    await house.register(second, label="Two")
    await open_page(page, await house.register(third, label="Three"))
    await expect(page.locator("#title")).to_have_text("3 messages to sign")
    await connect(page)
    await press(page, "One by one")
    order = await page.locator("#list .name").all_inner_texts()
    await sign(page)
    await expect(page.locator("#process-title .name")).to_have_text(order[1])
    await press(page, "Skip this one")
    await expect(page.locator("#process-title .name")).to_have_text(order[2])
    await sign(page)
    await expect(said(page)).to_contain_text("You skipped one", timeout=20_000)
    assert await page.locator(".state").all_inner_texts() == ["patched", "skipped", "patched"]
    assert sorted(len(house.messages_of(process)) for process in (first, second, third)) == [0, 1, 1]


# --- The wallet -------------------------------------------------------------------------------------------------------


async def test_no_wallet_says_what_to_do_and_draws_the_link(house: House, bare_page: Page) -> None:
    await open_page(bare_page, await house.register(house.spawn(handler=True)))
    await expect(bare_page.locator("#help")).to_be_visible(timeout=8_000)
    await expect(bare_page.locator("#help")).to_contain_text("It is in another browser or on another computer.")
    await expect(bare_page.locator("#help")).not_to_contain_text("on this phone", use_inner_text=True)
    await expect(bare_page.locator("#qr")).to_be_visible()
    assert await bare_page.locator("#qr-image").evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    await press(bare_page, "Copy the link")
    await expect(trouble(bare_page)).to_have_text("Copied. Open it in the browser where your wallet is.")
    assert await bare_page.evaluate("navigator.clipboard.readText()") == bare_page.url


async def test_a_wallet_that_loads_late_is_found(house: House, bare_page: Page) -> None:
    await open_page(bare_page, await house.register(house.spawn(handler=True)))
    await expect(bare_page.locator("#help")).to_be_visible(timeout=8_000)
    await house.add_wallet(bare_page)
    await expect(bare_page.locator("#help")).to_be_hidden()
    await connect(bare_page)
    await expect(said(bare_page)).to_contain_text("Connected as")


async def test_cancelling_is_said_and_asked_again(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    await press(page, "Connect wallet")
    await allow(page, "Cancel")
    await expect(trouble(page)).to_contain_text("You closed your wallet's question, so nothing was signed.")
    await connect(page)
    await press(page, "Sign")
    await allow(page, "Cancel")
    await expect(trouble(page)).to_contain_text("nothing was signed")
    assert house.messages_of(process) == []
    await sign(page)
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


async def test_a_locked_wallet_is_said(house: House, page: Page) -> None:
    await open_page(page, await house.register(house.spawn(handler=True)))
    await page.evaluate("() => { window.arweaveWallet.connect = async () => { throw 'The wallet is locked' } }")
    await press(page, "Connect wallet")
    await expect(trouble(page)).to_contain_text("Your wallet is locked. Unlock it, then start again.")
    await expect(page.locator("#buttons button").first).to_be_enabled()


async def test_a_wallet_locked_at_signing_asks_to_be_unlocked(house: House, page: Page) -> None:
    await open_page(page, await house.register(house.spawn(handler=True)))
    await connect(page)
    await expect(said(page)).to_contain_text("Connected as")
    await page.evaluate("demoWallet.lock()")
    await press(page, "Sign")
    await allow(page, "Unlock")
    await allow(page, "Sign")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


async def test_another_wallet_than_the_owners_is_said_before_signing(house: House, page: Page) -> None:
    process = house.spawn(handler=True, owner=house.ben.address)
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("is not the owner of")
    await expect(page.locator("#listed")).to_be_hidden()
    assert process not in await page.content()
    await expect(page.locator("#buttons")).to_contain_text("Use another account")
    await page.evaluate("demoWallet.use(1)")
    await expect(said(page)).to_contain_text("Connected as")
    await sign(page)
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)
    assert house.messages_of(process)[0]["From"] == house.ben.address


async def test_who_was_handed_the_process_can_sign_anyway(house: House, page: Page) -> None:
    lua = f'Balances = {{ada = "100"}}\nOwner = "{house.ada.address}"'
    process = house.spawn(handler=True, owner=house.ben.address, lua=lua)
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("unless the process was handed over to it")
    await press(page, "Continue anyway")
    await expect(said(page)).to_contain_text(f"that is {house.ben.address[:4]}…{house.ben.address[-4:]}")
    await sign(page, "Sign anyway")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


async def test_an_account_switched_in_between_signs_nothing_that_is_sent(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("Connected as")
    await page.evaluate("localStorage.setItem('demo-wallet:active', '1')")  # without the event that a good wallet sends
    await sign(page)
    await expect(page.locator("#words")).to_contain_text("Signed by another account")
    assert house.messages_of(process) == []


# --- The network ------------------------------------------------------------------------------------------------------


async def test_a_refusal_of_the_network_is_shown_in_its_own_words(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    house.network.mu.refusal = (403, "Forbidden, process not whitelisted")
    await connect(page)
    await sign(page)
    await expect(page.locator("#words")).to_have_text("403 Forbidden, process not whitelisted")
    await expect(trouble(page)).to_contain_text("its app's developers must have it admitted")
    house.network.mu.refusal = None
    await press(page, "Send it again")  # the same bytes: no second question by the wallet
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)
    assert len(house.messages_of(process)) == 1


async def test_a_messenger_that_does_not_answer_loses_nothing(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    house.network.mu.down = True
    await connect(page)
    await sign(page)
    await expect(trouble(page)).to_contain_text("did not answer. Nothing is lost")
    house.network.mu.down = False
    await press(page, "Send it again")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


async def test_a_redirect_to_a_host_that_is_not_allowed_is_not_followed(open_house: OpenHouse, page: Page) -> None:
    strict = await open_house(ao={"allowed_hosts": ()})  # the units redirect to numbered hosts
    process = strict.spawn(handler=True)
    await open_page(page, await strict.register(process))
    await connect(page)
    await sign(page)
    await expect(trouble(page)).to_contain_text("did not answer")
    assert strict.messages_of(process) == []


async def test_a_result_still_in_progress_is_waited_for(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    house.network.cu.refusal = (202, f"Evaluation of process {process} is in progress")
    await connect(page)
    await sign(page)
    await expect(page.locator("#words")).to_contain_text("is in progress")
    house.network.cu.refusal = None
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


async def test_a_result_that_is_refused_leaves_the_nodes_to_tell(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    house.network.cu.refusal = (403, "Forbidden")
    await connect(page)
    await sign(page)
    await expect(page.locator("#words")).to_have_text("403 Forbidden")
    await press(page, "Go on")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


async def test_a_double_click_signs_nothing_by_itself(house: House, page: Page) -> None:
    """Some wallets connect and sign without a question, so that the second click would be the consent."""
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    permissions = '["ACCESS_ADDRESS", "SIGN_TRANSACTION"]'
    await page.evaluate(f"localStorage.setItem('demo-wallet:permissions', '{permissions}')")
    connect_button = page.get_by_role("button", name="Connect wallet")
    await expect(connect_button).to_be_enabled()
    box = await connect_button.bounding_box()
    assert box is not None
    await page.mouse.dblclick(box["x"] + 20, box["y"] + 20, delay=30)
    await expect(said(page)).to_contain_text("Connected as")
    await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_enabled()
    assert await page.get_by_role("dialog").count() == 0
    await page.get_by_role("button", name="Sign", exact=True).dblclick()
    await allow(page, "Sign")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)
    assert len(house.messages_of(process)) == 1


async def test_a_reload_goes_on_where_it_was(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    house.network.cu.refusal = (202, "in progress")
    await connect(page)
    await sign(page)
    await expect(page.locator("#words")).to_contain_text("in progress")
    await page.reload()
    await expect(said(page)).to_contain_text("Reading what")
    house.network.cu.refusal = None
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)
    assert len(house.messages_of(process)) == 1


async def test_a_bot_that_is_silent_stops_nobody_from_signing(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    await open_page(page, await house.register(process))
    await connect(page)
    await expect(said(page)).to_contain_text("Connected as")
    await page.route("**/api/*", lambda route: route.abort())
    await sign(page)
    await expect(said(page)).to_contain_text("Patchbell reads it on the nodes now")
    assert len(house.messages_of(process)) == 1


# --- The link ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["altered", "cut", "ended", "expired", "none"])
async def test_a_link_that_does_not_open_says_where_a_new_one_is(house: House, page: Page, change: str) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process)
    if change == "altered":
        link = link[:-1] + ("A" if link[-1] != "A" else "B")
    elif change == "cut":
        link = link[:-3]
    elif change == "ended":
        await house.unregister(process)
    elif change == "expired":
        house.skip_days(31)
    else:
        link = link.partition("#")[0]
    await page.goto(link)
    await expect(page.locator("h1")).to_have_text("This link does not open")
    await expect(said(page)).to_contain_text("Type /status in Discord")
    await expect(page.locator("#process")).to_be_hidden()


async def test_opening_the_page_changes_nothing(house: House, page: Page) -> None:
    process = house.spawn(handler=True)
    link = await house.register(process)
    before = house.everything_stored()
    asked = house.network.nodes[0].requests.total()
    sent: list[Request] = []
    page.on(
        "request", lambda request: sent.append(request)
    )  # the driver marks what it is given; a method takes no mark
    await open_page(page, link)
    await expect(page.locator("#buttons button").first).to_be_enabled()
    await page.reload()
    await expect(page.locator("#buttons button").first).to_be_enabled()
    assert house.everything_stored() == before
    assert house.network.nodes[0].requests.total() == asked
    ticket = link.partition("#")[2]
    assert not any(ticket in request.url.partition("#")[0] or ticket in str(request.headers) for request in sent)


# --- The page itself --------------------------------------------------------------------------------------------------


async def test_text_from_strangers_is_only_text(house: House, page: Page) -> None:
    process = house.spawn(handler=True, name=HOSTILE)
    await open_page(page, await house.register(process, label=HOSTILE[:60]))
    house.network.mu.refusal = (400, f"\u202eevil\u200b {HOSTILE}")
    await connect(page)
    await sign(page)
    await expect(page.locator("#words")).to_have_text(f"400 evil {HOSTILE}")
    await expect(page.locator("#process-title .name")).to_have_text(HOSTILE[:60])
    assert await page.locator("main img:not(#qr-image)").count() == 0
    assert await page.evaluate("window.pwned") is None


@pytest.mark.parametrize(
    "attack",
    [
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.pwned = 1'}))",
        "document.body.append(Object.assign(document.createElement('script'), {src: 'data:,window.pwned=1'}))",
        "document.body.innerHTML += '<img src=x onerror=\"window.pwned=1\">'",
        "setTimeout('window.pwned = 1')",
    ],
)
async def test_an_injected_script_does_not_run(house: House, bare_page: Page, attack: str) -> None:
    await bare_page.goto(f"{house.url}/sign")
    await bare_page.evaluate("addEventListener('securitypolicyviolation', () => (window.stopped = true))")
    # From the page's own world, since what the browser driver evaluates may do more than a page's script.
    await bare_page.evaluate(f"(() => {{ {attack} }})()")
    await bare_page.wait_for_function("window.stopped")
    assert await bare_page.evaluate("window.pwned") is None


async def test_a_host_that_is_not_configured_is_never_spoken_to(house: House, bare_page: Page) -> None:
    await bare_page.goto(f"{house.url}/sign")
    node = house.network.nodes[0].url
    assert await bare_page.evaluate(f"fetch('{node}').then(() => 'spoke', () => 'refused')") == "refused"
    mu = house.network.mu_url
    assert await bare_page.evaluate(f"fetch('{mu}').then(() => 'spoke', () => 'refused')") == "spoke"


async def test_it_is_walked_by_keyboard(house: House, page: Page) -> None:
    await open_page(page, await house.register(house.spawn(handler=True)))
    button = page.get_by_role("button", name="Connect wallet")
    await expect(button).to_be_enabled()
    await page.keyboard.press("Tab")
    await expect(button).to_be_focused()
    await page.keyboard.press("Enter")
    await allow(page, "Connect")
    await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_enabled()
    await expect(page.locator("#act")).to_be_focused()  # not the button: an Enter held too long signs nothing
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await allow(page, "Sign")
    await expect(said(page)).to_contain_text("Done.", timeout=20_000)


@pytest.mark.parametrize("width", [360, 1280])
async def test_it_fits_and_names_what_it_shows(house: House, page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 740})
    await open_page(page, await house.register(house.spawn(handler=False), label="W" * 60))
    await connect(page)
    await expect(page.locator(".message .lua")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    words = await page.locator("body").inner_text()
    assert "!" not in words.replace(await page.locator(".message .lua pre").inner_text(), "")
    assert await page.evaluate(UNNAMED) == []


async def test_all_of_it_weighs_under_sixty_kilobytes(house: House, page: Page) -> None:
    """All that a browser fetches from the bot until there is something to sign, as it goes over the wire."""
    network = await page.context.new_cdp_session(page)
    await network.send("Network.enable")
    weights: dict[str, float] = {}
    network.on(
        "Network.loadingFinished", lambda event: weights.update({event["requestId"]: event["encodedDataLength"]})
    )
    await open_page(page, await house.register(house.spawn(handler=False)))
    await connect(page)
    await expect(page.locator(".message .lua")).to_be_visible()
    files = await page.evaluate("performance.getEntriesByType('resource').map(({name}) => new URL(name).pathname)")
    assert {"/static/ao.js", "/static/sign.css", "/api/ticket", "/api/processes"} <= set(files)
    mine = [name for name in files if not name.startswith("/sandbox/") and name.startswith(("/static/", "/api/"))]
    assert len(weights) >= len(mine) + 1
    assert 10_000 < sum(weights.values()) < 60_000


UNCOVERED = """() => [...document.querySelectorAll(".what, .tags tr, #cannot li, #act button")].filter((part) => {
  part.scrollIntoView({ block: "nearest" });
  const { left, right, top, bottom } = part.getBoundingClientRect();
  const seen = [top + 2, (top + bottom) / 2, bottom - 2].map((y) => document.elementFromPoint((left + right) / 2, y));
  return !seen.every((element) => part.contains(element) || element?.contains(part));
}).map((part) => part.textContent)"""


@pytest.mark.parametrize(("width", "height"), [(1280, 860), (360, 740)])
async def test_nothing_covers_what_will_be_signed(house: House, page: Page, width: int, height: int) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await open_page(page, await house.register(house.spawn(handler=True)))
    await connect(page)
    button = page.get_by_role("button", name="Sign", exact=True)
    await expect(button).to_be_enabled()
    if width == 1280:  # all of it, and the button, without scrolling
        assert await page.evaluate("scrollY") == 0
        for part in (page.locator(".tags"), page.locator("#cannot"), button):
            await expect(part).to_be_in_viewport(ratio=1)
    assert await page.evaluate(UNCOVERED) == []
