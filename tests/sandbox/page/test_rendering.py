"""What the page makes of Discord's markdown and components, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from sandbox.page import STATIC
from sandbox.walker import running_chromium

# One browser for all: starting it is what takes the time.
pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="module")]

NAMES = '{ users: new Map([["1", "Ada"]]), channels: new Map([["2", "patch-help"]]) }'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: str) -> AsyncIterator[Page]:
    app = web.Application()

    async def blank(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><html lang=en><body></body></html>", content_type="text/html")

    app.add_routes([web.get("/", blank), web.static("/sandbox/static", STATIC)])
    async with TestServer(app) as server, running_chromium(chromium) as browser:
        page = await browser.new_page()
        await page.goto(str(server.make_url("/")))
        yield page


async def draw(page: Page, text: str) -> str:
    """Give the HTML of a text."""
    return await page.evaluate(
        """async ([text]) => {
            const { markdown } = await import("/sandbox/static/markdown.js");
            document.body.replaceChildren(...markdown(text, NAMES));
            return document.body.innerHTML;
        }""".replace("NAMES", NAMES),
        [text],
    )


async def test_markdown_becomes_elements(page: Page) -> None:
    cases = {
        "**Saved: `My vault`.** *now*": "<p><strong>Saved: <code>My vault</code>.</strong> <em>now</em></p>",
        "a\nb\n\nc": "<p>a<br>b</p><p>c</p>",
        "-# small": '<p class="subtext">small</p>',
        "- one\n- two": "<ul><li>one</li><li>two</li></ul>",
        "> said\n> twice": "<blockquote><p>said<br>twice</p></blockquote>",
        "```lua\nx = 1\n```": '<pre tabindex="0"><code>x = 1</code></pre>',
        "<@1> in <#2>": '<p><span class="mention">@Ada</span> in <span class="mention">#patch-help</span></p>',
        "see [this](https://example.org/a_b_c)": (
            '<p>see <a href="https://example.org/a_b_c" target="_blank" rel="noopener noreferrer">this</a></p>'
        ),
        "snake_case_name and 2 * 3 * 4": "<p>snake_case_name and 2 * 3 * 4</p>",
        "\\*not em\\*": "<p>*not em*</p>",
        "`<t:1:R> **x**`": "<p><code>&lt;t:1:R&gt; **x**</code></p>",
    }
    for text, html in cases.items():
        assert await draw(page, text) == html


async def test_text_never_becomes_markup(page: Page) -> None:
    html = await draw(page, "<img src=x onerror=alert(1)> [x](javascript:alert(1)) `<b>`")
    assert await page.locator("img, b, a").count() == 0
    assert "&lt;img" in html


async def test_a_relative_time_follows_the_sandboxes_clock(page: Page) -> None:
    said: list[str] = await page.evaluate(
        """async () => {
            const { markdown } = await import("/sandbox/static/markdown.js");
            const { setAhead, tick } = await import("/sandbox/static/time.js");
            const at = Math.round(Date.now() / 1000) + 3 * 86400;
            document.body.replaceChildren(...markdown(`<t:${at}:R>`, {}));
            const before = document.body.textContent;
            setAhead(86400_000);
            tick();
            return [before, document.body.textContent];
        }"""
    )
    assert said == ["in 3 days", "in 2 days"]


async def test_components_are_drawn_and_pressed(page: Page) -> None:
    components: list[dict[str, Any]] = [
        {
            "type": 17,
            "accent_color": 0xF2B33D,
            "components": [
                {"type": 10, "content": "**Saved**"},
                {"type": 14, "divider": True, "spacing": 2},
                {
                    "type": 9,
                    "components": [{"type": 10, "content": "left"}],
                    "accessory": {"type": 2, "style": 2, "label": "Right", "custom_id": "right"},
                },
                {
                    "type": 1,
                    "components": [
                        {"type": 2, "style": 5, "label": "Sign", "url": "http://127.0.0.1/sign#t"},
                        {"type": 2, "style": 4, "label": "Stop", "custom_id": "stop:1"},
                        {"type": 2, "style": 2, "label": "Off", "custom_id": "off", "disabled": True},
                    ],
                },
                {
                    "type": 1,
                    "components": [
                        {
                            "type": 3,
                            "custom_id": "which",
                            "placeholder": "Show one",
                            "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}],
                        }
                    ],
                },
                {"type": 13, "file": {"url": "files/5/ids.txt"}},
                {"type": 12, "items": [{"media": {"url": "files/6/p.png"}, "description": "a picture"}]},
            ],
        }
    ]
    await page.evaluate(
        """async ([list]) => {
            const { components } = await import("/sandbox/static/components.js");
            window.acted = [];
            const act = async (component, values) => acted.push([component.custom_id, values ?? null]);
            document.body.replaceChildren(...components(list, { names: {}, choices: {}, act }));
        }""",
        [components],
    )
    link = page.get_by_role("link", name="Sign")
    assert (await link.get_attribute("target"), await link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    assert await page.get_by_role("button", name="Off").is_disabled()
    assert await page.locator(".file").get_attribute("href") == "/sandbox/discord/files/5/ids.txt"
    assert await page.locator(".file").inner_text() == "ids.txt"
    assert await page.get_by_alt_text("a picture").get_attribute("src") == "/sandbox/discord/files/6/p.png"
    await page.get_by_role("button", name="Stop").click()
    await page.get_by_role("button", name="Right").click()
    await page.get_by_label("Show one").select_option("b")
    assert await page.evaluate("acted") == [["stop:1", None], ["right", None], ["which", ["b"]]]
