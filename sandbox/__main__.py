"""`python -m sandbox [--port P]`: the whole loop in a browser, on this machine, without internet. Nothing is real.

Binds loopback only, keeps everything in a temporary directory, and opens no database or token of yours.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from aiohttp import web

from sandbox.page.server import build_page
from sandbox.page.stage import Stage


async def run(port: int) -> None:
    """Start all, print one URL, and wait for Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="patchbell-sandbox-") as directory:
        stage = Stage(Path(directory))
        runner = web.AppRunner(build_page(stage), shutdown_timeout=1.0, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            await stage.start(address)
            print(f"Open {address} in your browser. Ctrl-C stops everything.", flush=True)
            await stop.wait()
            print("Stopping…", flush=True)
        finally:
            await stage.stop()
            await runner.cleanup()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Patchbell's sandbox. Nothing in it is real."
    )
    parser.add_argument("--port", type=int, default=0, help="port of the page on 127.0.0.1 (default: a free one)")
    try:
        asyncio.run(run(parser.parse_args().port))
    except OSError as error:
        sys.exit(f"The sandbox could not start: {error.strerror or error}.")


if __name__ == "__main__":
    main()
