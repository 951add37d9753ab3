"""The handler on real aos: the WASM modules of 2.0.1, 2.0.3 and 2.0.6, run by ao's own loader in Node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.domain.handler import render_handler

pytestmark = pytest.mark.node

NODE_TESTS = Path(__file__).parents[1] / "node"
OWNER, STRANGER, PROCESS, AUTHORITY = "o" * 43, "s" * 43, "p" * 43, "a" * 43
HANDLER = render_handler({"cache/balances": "Balances"})
# What the recipe that is usually copied says, word for word in its guard.
RECIPE = """
Handlers.add("EnableStatePatch", Handlers.utils.hasMatchingTag("Action", "EnableStatePatch"), function(msg)
  if msg.From ~= ao.id then return end
  Send({ device = 'patch@1.0', cache = { balances = Balances } })
end)
"""
TOKEN = """
Balances = { alice = "100" }
Handlers.add("Transfer", Handlers.utils.hasMatchingTag("Action", "Transfer"), function(msg)
  Balances[msg.Recipient] = msg.Quantity
end)
"""


class Aos:
    """One real aos process, a message at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._sent = 0
        self.result: dict[str, Any] = {}

    async def send(self, data: str = "", sender: str = OWNER, owner: str | None = None, **tags: str) -> list[Any]:
        """Send a message and give its patches, without the tags that aos adds to every message."""
        message = {
            "Id": PROCESS if not self._sent else f"{self._sent:043d}",
            "Target": PROCESS,
            "Owner": owner or sender,
            "From": sender,
            "Module": "m" * 43,
            "Block-Height": "1",
            "Timestamp": str(1000 * self._sent),
            "Tags": [{"name": name, "value": value} for name, value in tags.items()],
            "Data": data,
        }
        process = [("Data-Protocol", "ao"), ("Type", "Process"), ("Authority", AUTHORITY)]
        env = {
            "Process": {"Id": PROCESS, "Owner": OWNER, "Tags": [{"name": n, "value": v} for n, v in process]},
            "Module": {"Id": "m" * 43, "Owner": OWNER, "Tags": []},
        }
        self._sent += 1
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"message": message, "env": env}).encode() + b"\n")
        async with asyncio.timeout(30):
            self.result = json.loads(await self._process.stdout.readline())
        return [patch_of(one) for one in self.result.get("Messages", [])]

    async def evaluate(self, lua: str, sender: str = OWNER) -> list[Any]:
        patches = await self.send(lua, sender, Action="Eval")
        assert "Error" not in self.result, self.result["Error"]
        return patches


def patch_of(message: dict[str, Any]) -> dict[str, Any]:
    assert not message.get("Target")
    tags = {tag["name"]: tag["value"] for tag in message["Tags"]}
    assert tags["device"] == "patch@1.0"
    return {name: value for name, value in tags.items() if name.islower() and name != "device"}


@pytest.fixture(params=["2_0_1", "2_0_3", "2_0_6"])
async def aos(request: pytest.FixtureRequest, node: str, npm_ci: Callable[[Path], Path]) -> AsyncIterator[Aos]:
    folder = await asyncio.to_thread(npm_ci, NODE_TESTS)
    process = await asyncio.create_subprocess_exec(
        node,
        str(NODE_TESTS / "aos.mjs"),
        str(folder),
        request.param,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )
    aos = Aos(process)
    await aos.send(Type="Process")
    yield aos
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


async def test_one_signature_installs_and_afterwards_only_changes_are_sent(aos: Aos) -> None:
    await aos.evaluate(TOKEN)
    await aos.evaluate(RECIPE)
    assert await aos.send(Action="EnableStatePatch") == [], "the recipe's guard refuses the owner's own wallet"

    assert await aos.evaluate(HANDLER, STRANGER) == []
    assert await aos.send(Action="EnableStatePatch") == [], "a stranger installed nothing"
    assert await aos.evaluate(HANDLER) == [{"cache": {"balances": {"alice": "100"}}}]
    assert "StatePatch: published cache/balances" in json.dumps(aos.result["Output"])

    assert await aos.send(Action="EnableStatePatch", sender=STRANGER) == []
    assert await aos.send(Action="EnableStatePatch", sender=STRANGER, owner=AUTHORITY) == [], "pushed by a process"
    assert await aos.send(Action="EnableStatePatch") == [{"cache": {"balances": {"alice": "100"}}}]
    assert await aos.send(Action="EnableStatePatch", sender=PROCESS, owner=AUTHORITY) != [], "from the process itself"

    changed = await aos.send(Action="Transfer", Recipient="bob", Quantity="7", sender=STRANGER)
    assert changed == [{"cache": {"balances": {"bob": "7"}}}]
    assert await aos.send(Action="Transfer", Recipient="bob", Quantity="7", sender=STRANGER) == []
    assert await aos.send(Action="Unheard", sender=STRANGER) == []

    whole = [{"cache": {"balances": {"alice": "100", "bob": "7"}}}]
    assert await aos.evaluate(HANDLER) == whole
    assert await aos.evaluate(HANDLER) == whole
    assert await aos.evaluate("Balances.alice = nil") == [{"cache": {"balances": {"alice": "0"}}}]


async def test_what_a_waiting_handler_does_later_is_published_when_it_is_resumed(aos: Aos) -> None:
    await aos.evaluate(TOKEN)
    await aos.evaluate(HANDLER)
    await aos.evaluate("""
      Handlers.add("Late", "Late", function(msg)
        Receive({ Action = "Answer" })
        Balances.late = "2"
      end)
    """)
    assert await aos.send(Action="Late") == []
    assert await aos.send(Action="Answer", sender=STRANGER) == [{"cache": {"balances": {"late": "2"}}}]
    assert await aos.send(Action="Transfer", Recipient="bob", Quantity="1") == [{"cache": {"balances": {"bob": "1"}}}]


async def test_ten_thousand_holders_stay_bearable(aos: Aos) -> None:
    await aos.evaluate(TOKEN + 'for i = 1, 10000 do Balances[string.format("%043d", i)] = tostring(i) end')
    patches = await aos.evaluate(HANDLER)
    assert len(patches[0]["cache"]["balances"]) == 10001
    enabling, size = aos.result["elapsed_ms"], len(json.dumps(patches))
    changed = await aos.send(Action="Transfer", Recipient="bob", Quantity="7", sender=STRANGER)
    assert changed == [{"cache": {"balances": {"bob": "7"}}}]
    each = aos.result["elapsed_ms"]
    print(f"10,000 holders: enabling {enabling:.0f} ms and {size / 1024:.0f} KiB; one change {each:.0f} ms")
    assert enabling < 5000
    assert each < 2000
