"""The demo wallet in Chromium, against the messenger unit that checks its signatures."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Error, Page, expect

from sandbox.ao import AoNetwork
from sandbox.wallet import DemoPerson

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="module")]  # one browser for all

CONNECT = 'arweaveWallet.connect(["ACCESS_ADDRESS", "SIGN_TRANSACTION"], {name: "Patchbell"})'
SIGN = """async (target) => {
  const tags = [["Data-Protocol", "ao"], ["Type", "Message"], ["Action", "EnableStatePatch"], ["Ünï", "✓"]];
  const item = {target, data: " ", tags: tags.map(([name, value]) => ({name, value}))};
  window.signed = new Uint8Array(await arweaveWallet.signDataItem(item));
}"""
POST = """async ([mu, at]) => {
  const bytes = window.signed.slice();
  if (at !== null) bytes[at] ^= 1;
  const headers = {"content-type": "application/octet-stream"};
  const response = await fetch(mu, {method: "POST", body: bytes, headers});
  return {status: response.status, url: response.url, answer: await response.json()};
}"""


async def press(page: Page, name: str) -> None:
    await page.get_by_role("dialog").get_by_role("button", name=name).click()


async def start(page: Page, script: str, given: Any = None) -> None:
    """Evaluate what opens dialogs, without waiting for it."""
    call = f"(given) => {{ const it = {script}; window.done = typeof it === 'function' ? it(given) : it; "
    await page.evaluate(call + "window.done.catch(() => {}); }", given)


async def asking(page: Page, script: str, *buttons: str, given: Any = None) -> Any:
    """Evaluate what opens dialogs, press one button in each, and give what came of it."""
    await start(page, script, given)
    for name in buttons:
        await press(page, name)
    return await page.evaluate("window.done")


async def test_a_signature_is_accepted_and_one_byte_altered_is_refused(
    page: Page, network: AoNetwork, people: tuple[DemoPerson, ...]
) -> None:
    process = network.spawn(people[0].address)
    await asking(page, CONNECT, "Connect")
    assert await page.evaluate("arweaveWallet.getActiveAddress()") == people[0].address
    await asking(page, SIGN, "Sign", given=process)

    accepted = await page.evaluate(POST, [network.mu_url, None])
    assert accepted["status"] == 202
    assert accepted["url"].startswith(network.mu.origins[1]), "the router sends on to the numbered host"
    slot = network.slot_of(accepted["answer"]["id"], process)
    assert slot == 1
    message = network.processes[process].scheduled[slot]
    assert message["From"] == people[0].address
    assert {"name": "Ünï", "value": "✓"} in message["Tags"]

    size = await page.evaluate("window.signed.length")
    for at in (2, 513, 514, 1025, 1030, size - 40, size - 1):
        refused = await page.evaluate(POST, [network.mu_url, at])
        assert refused["status"] == 400, f"byte {at} of {size}"
    assert len(network.processes[process].scheduled) == 2


async def test_the_dialog_says_what_it_is_and_what_is_signed(page: Page) -> None:
    await asking(page, CONNECT, "Connect")
    await start(page, SIGN, given="p" * 43)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Demo wallet, nothing here is real")
    await expect(dialog).to_contain_text("EnableStatePatch")
    await expect(dialog).to_contain_text("p" * 43)
    await press(page, "Cancel")
    with pytest.raises(Error, match="User cancelled the AuthRequest"):
        await page.evaluate("window.done")


async def test_nothing_is_given_without_permission(page: Page) -> None:
    for call in ("getActiveAddress()", "signDataItem({data: '', target: ''})"):
        with pytest.raises(Error, match="Missing permission"):
            await page.evaluate(f"arweaveWallet.{call}")


async def test_a_locked_wallet_asks_to_be_unlocked_first(page: Page, people: tuple[DemoPerson, ...]) -> None:
    await page.evaluate("demoWallet.lock()")
    with pytest.raises(Error, match="User cancelled the AuthRequest"):
        await asking(page, CONNECT, "Cancel")
    await page.evaluate("demoWallet.use(1)")
    await asking(page, CONNECT, "Unlock", "Connect")
    assert await page.evaluate("arweaveWallet.getActiveAddress()") == people[1].address
