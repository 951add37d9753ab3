"""What is said of a process: the node's raw answer, what the usual recipe makes of it, and what Patchbell says.

Nothing here is decided in the sandbox. The recipe's request is really sent, and its rule is `response.ok`; Patchbell's
verdict is that of the shipped `python -m bot check`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp

from sandbox.bot_process import environment_for_bot

Json: TypeAlias = "dict[str, Any]"

_FAILURES: dict[type[Exception], str] = {
    TimeoutError: "it took too long",
    aiohttp.ServerTimeoutError: "it took too long",
    aiohttp.ServerDisconnectedError: "it hung up",
    aiohttp.ClientConnectorError: "the connection was refused",
}
PATIENCE = 10.0
"""Seconds that the recipe waits for a node; browsers would wait longer."""
CHECK_PATIENCE = 60.0


class Looking:
    """Looks at processes through one node as the recipe does, and through the bot's own command line."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._turn = asyncio.Lock()

    async def look(self, processes: Sequence[str], node: str) -> list[Json]:
        """Give one entry a process: `process`, `raw`, `recipe` and `ours`, in the shapes of the functions below."""
        async with self._turn:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
                raw = await asyncio.gather(*(ask_as_the_recipe(session, node, process) for process in processes))
            ours = await self._check(processes)
        return [
            {"process": process, "raw": answer, "recipe": recipe_of(answer), "ours": verdict}
            for process, answer, verdict in zip(processes, raw, ours, strict=True)
        ]

    async def _check(self, processes: Sequence[str]) -> list[Json]:
        """Give what `python -m bot check --json` says of each: `verdict`, `exposed`, `evidence`, `requests`."""
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "check", "--json", "--config", str(self._config)),
            *("--", *processes),  # an id may begin with a hyphen
            cwd=self._config.parent,
            env=environment_for_bot(os.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(CHECK_PATIENCE):
                said, complained = await program.communicate()
        except TimeoutError:
            return [{"verdict": None, "error": "It took too long to say."}] * len(processes)
        finally:
            if program.returncode is None:  # too slow, or the page went away meanwhile
                program.kill()
                await program.wait()
        try:
            return list(json.loads(said))
        except ValueError:
            last = (complained or said).decode(errors="replace").strip().splitlines()[-1:]
            return [{"verdict": None, "error": "".join(last) or "It said nothing."}] * len(processes)


async def ask_as_the_recipe(session: aiohttp.ClientSession, node: str, process: str) -> Json:
    """Send the request of the usual recipe, and give the answer as it came.

    `request` is its first line; `status` is None where no answer came, and `failure` then says why.
    """
    path = f"/{process}~process@1.0/compute/cache/balances"
    asked: Json = {
        "node": node,
        "request": f"HEAD {path}",
        "status": None,
        "reason": None,
        "headers": [],
        "failure": None,
    }
    started = time.monotonic()
    try:
        async with session.head(node + path) as answer:
            asked |= {"status": answer.status, "reason": answer.reason, "headers": list(answer.headers.items())}
    except (aiohttp.ClientError, TimeoutError) as error:
        asked["failure"] = _FAILURES.get(type(error), type(error).__name__)
    return asked | {"elapsed_ms": round((time.monotonic() - started) * 1000)}


def recipe_of(raw: Json) -> Json:
    """Give the usual recipe's verdict: `response.ok`, and false where there was no response."""
    status = raw["status"]
    if status is None:
        return {"verdict": "not_patched", "because": "The request failed, which the recipe takes for false."}
    ok = 200 <= status <= 299
    return {
        "verdict": "patched" if ok else "not_patched",
        "because": f"It answered {status}, so response.ok is {str(ok).lower()}.",
    }
