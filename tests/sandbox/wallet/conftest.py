"""A page of this machine that carries the demo wallet under the signing page's own policy, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from sandbox.ao import AoNetwork
from sandbox.wallet import SCRIPT, DemoPerson, make_people, people_as_json

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {hosts}; base-uri 'none'; "
    "form-action 'none'"
)


@pytest.fixture(scope="module")
def people() -> tuple[DemoPerson, ...]:
    return make_people()


@pytest_asyncio.fixture(loop_scope="module")
async def network() -> AsyncIterator[AoNetwork]:
    async with AoNetwork() as network:
        yield network


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, network: AoNetwork, people: tuple[DemoPerson, ...]) -> AsyncIterator[Page]:
    headers = {"content-security-policy": POLICY.format(hosts=" ".join(network.allowed_hosts))}

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/wallet/wallet.js":
            return web.FileResponse(SCRIPT)
        if request.path == "/wallet/keys":
            return web.json_response(people_as_json(people))
        html = '<!doctype html><html><head><script src="/wallet/wallet.js"></script></head><body></body></html>'
        return web.Response(text=html, content_type="text/html", headers=headers)

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    page = await browser.new_page()
    await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield page
    await page.close()
    await runner.cleanup()
