"""The handler on real aos: the WASM modules of 2.0.1, 2.0.3 and 2.0.6, run by ao's own loader in Node."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.handler import render_handler, render_off
from tests.real_aos import AUTHORITY, NODE_TESTS, VERSIONS, RealAos

pytestmark = pytest.mark.node

OWNER, STRANGER, PROCESS = "o" * 43, "s" * 43, "p" * 43
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
  assert(msg.Quantity ~= "0", "nothing to transfer")
end)
Handlers.add("Balance", "Balance", function(msg) msg.reply({ Data = Balances[msg.Recipient] or "0" }) end)
"""
FIRST = [{"cache": {"balances": {"alice": "100"}}}]


class Aos:
    """One real aos process, a message at a time."""

    def __init__(self, memory: RealAos) -> None:
        self.memory = memory
        self.result: dict[str, Any] = {}
        self._sent = 0
        self.send(Type="Process")

    def send(self, data: str = "", sender: str = OWNER, owner: str | None = None, **tags: str) -> list[Any]:
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
        self._sent += 1
        self.result = self.memory.handle(message)
        return [patch for one in self.result["Messages"] if (patch := patch_of(one)) is not None]

    def evaluate(self, lua: str, sender: str = OWNER) -> list[Any]:
        patches = self.send(lua, sender, Action="Eval")
        assert "Error" not in self.result, self.result["Error"]
        return patches

    def enable(self, sender: str = OWNER, owner: str | None = None) -> list[Any]:
        return self.send(sender=sender, owner=owner, Action="EnableStatePatch")

    def transfer(self, recipient: str, quantity: str) -> list[Any]:
        return self.send(sender=STRANGER, Action="Transfer", Recipient=recipient, Quantity=quantity)

    @property
    def said(self) -> str:
        """What it printed, without colours."""
        return re.sub("\x1b\\[[0-9]*m", "", json.dumps(self.result["Output"]).encode().decode("unicode_escape"))


def patch_of(message: dict[str, Any]) -> dict[str, Any] | None:
    tags = {tag["name"]: tag["value"] for tag in message["Tags"]}
    if tags.get("device") != "patch@1.0":
        return None
    assert not message.get("Target"), "a patch with a target would be pushed"
    return {name: value for name, value in tags.items() if name.islower() and name != "device"}


OLDER = [pytest.param(version, marks=pytest.mark.slow) for version in VERSIONS[:-1]]


@pytest.fixture(params=[*OLDER, VERSIONS[-1]])
def aos(request: pytest.FixtureRequest, node: str, npm_ci: Callable[[Path], Path]) -> Iterator[Aos]:
    process = [("Data-Protocol", "ao"), ("Type", "Process"), ("Authority", AUTHORITY)]
    environment = {"Id": PROCESS, "Owner": OWNER, "Tags": [{"name": n, "value": v} for n, v in process]}
    memory = RealAos(node, npm_ci(NODE_TESTS), request.param, environment)
    aos = Aos(memory)
    aos.evaluate(TOKEN)
    yield aos
    memory.close()


def test_the_owner_installs_with_one_signature_and_nobody_else(aos: Aos) -> None:
    aos.evaluate(RECIPE)
    assert aos.enable() == [], "the recipe's guard refuses the owner's own wallet"

    assert aos.evaluate(HANDLER, STRANGER) == []
    assert aos.enable() == [], "a stranger installed nothing"
    assert aos.evaluate(HANDLER) == FIRST
    assert "StatePatch: published cache/balances" in aos.said

    assert aos.enable(STRANGER) == []
    assert aos.enable(STRANGER, owner=AUTHORITY) == [], "another process, which an authority vouches for"
    assert aos.enable(STRANGER, owner=OWNER) == [], "another process, which the owner's message set off"
    assert aos.enable() == FIRST
    assert aos.enable(PROCESS, owner=AUTHORITY) == FIRST, "the process itself"

    aos.evaluate(f"Owner = '{STRANGER}'")
    assert aos.enable() == [], "the owner of before"
    assert aos.enable(STRANGER) == FIRST


def test_afterwards_exactly_what_changed_is_sent(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.transfer("bob", "7") == [{"cache": {"balances": {"bob": "7"}}}]
    assert aos.transfer("bob", "7") == []
    assert aos.send(sender=STRANGER, Action="Balance", Recipient="bob") == [], "a read"
    assert len(aos.result["Messages"]) == 1
    assert aos.send(sender=STRANGER, Action="Unheard") == []
    assert aos.transfer("bob", "0") == [], "a handler that fails"
    assert "nothing to transfer" in aos.result["Error"]

    aos.evaluate("Balances.bob = '7' return 1")
    whole = [{"cache": {"balances": {"alice": "100", "bob": "7"}}}]
    assert aos.evaluate(HANDLER) == whole
    assert aos.evaluate(HANDLER) == whole, "installed twice"
    assert aos.transfer("carol", "1") == [{"cache": {"balances": {"carol": "1"}}}], "once, though installed thrice"
    assert aos.evaluate("Balances.alice, Balances.carol = nil, nil") == [
        {"cache": {"balances": {"alice": "0", "carol": "0"}}}
    ]
    assert aos.evaluate("Balances.note = 'x'") == [{"cache": {"balances": {"note": "x"}}}]
    assert aos.evaluate("Balances.note = nil") == [{"cache": {"balances": {"note": "__ao-unset__"}}}]
    assert aos.evaluate("Balances = {}") == [{"cache": {"balances": {"bob": "0"}}}], "never {}"
    assert aos.evaluate("return 1") == []


def test_later_handlers_and_what_a_waiting_one_does_when_resumed_are_covered(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.evaluate("""
      Handlers.add("Late", "Late", function(msg)
        Balances.late = "1"
        Receive({ Action = "Answer" })
        Balances.late = "2"
      end)
    """)
    assert aos.send(Action="Late") == [{"cache": {"balances": {"late": "1"}}}]
    assert aos.send(Action="Answer", sender=STRANGER) == [{"cache": {"balances": {"late": "2"}}}]
    aos.evaluate("""
      Handlers.add("Ask", "Ask", function(msg)
        Balances.asked = "1"
        Balances.told = Send({ Target = msg.From, Action = "Question" }).receive().Data
      end)
    """)
    assert aos.send(Action="Ask") == [{"cache": {"balances": {"asked": "1"}}}]
    (question,) = [one for one in aos.result["Messages"] if one.get("Target") == OWNER]
    tags = {tag["name"]: tag["value"] for tag in question["Tags"]}
    assert aos.send("2", **{"X-Reference": tags["Reference"]}) == [{"cache": {"balances": {"told": "2"}}}]
    aos.evaluate(HANDLER)
    assert aos.send(Action="Late") == [{"cache": {"balances": {"late": "1"}}}], "installed twice"
    assert aos.transfer("bob", "1") == [{"cache": {"balances": {"bob": "1"}}}]


def test_what_json_cannot_carry_is_left_out_and_harms_nothing(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    patches = aos.evaluate("""
      Balances = {
        alice = "100", fn = print, nan = 0 / 0, inf = math.huge, broken = "\\xff", yes = true, half = 0.5,
        large = 123456789012345678, empty = {}, list = { "a", "b" }, mixed = { "a", x = "b" }, [7] = "seven",
        worker = coroutine.create(print), [true] = "boolean",
      }
      Balances.self = Balances
      return 1
    """)
    assert patches == [
        {
            "cache": {
                "balances": {
                    "yes": "true",
                    "half": 0.5,
                    "large": "123456789012345678",
                    "list": ["a", "b"],
                    "mixed": {"1": "a", "x": "b"},
                    "7": "seven",
                }
            }
        }
    ]
    aos.evaluate("Balances = setmetatable({}, { __pairs = function() error('odd') end }) return 1")
    assert "odd" in aos.said
    aos.evaluate("Untouched = 1")  # without a value: aos's own print fails then
    assert "odd" in aos.said
    assert aos.send(sender=STRANGER, Action="Balance", Recipient="bob") == []
    assert len(aos.result["Messages"]) == 1, "the answer goes out all the same"


def test_turned_off_it_does_nothing_until_it_is_turned_on_again(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    aos.send(render_off(), STRANGER, Action="Eval")
    assert aos.transfer("bob", "7") == [{"cache": {"balances": {"bob": "7"}}}], "a stranger's Eval turns nothing off"
    assert aos.evaluate(render_off()) == []
    assert "StatePatch: off" in aos.said
    assert aos.transfer("bob", "8") == []
    assert aos.enable(STRANGER) == []
    assert aos.transfer("carol", "1") == []
    assert aos.enable() == [{"cache": {"balances": {"alice": "100", "bob": "8", "carol": "1"}}}]


def test_the_file_that_aos_loads_is_the_same_eval(aos: Aos) -> None:
    # `.load` of aos 2.0.16 (src/commands/load.js, src/services/loading-files.js) sends Action=Eval with two line ends
    # and the file, and puts before it each module that the file requires: ours requires none.
    assert not re.search(r"""require *\(? *["']""", HANDLER)
    assert aos.evaluate(f"\n\n{HANDLER}", STRANGER) == []
    assert aos.evaluate(f"\n\n{HANDLER}") == FIRST
    assert aos.transfer("bob", "7") == [{"cache": {"balances": {"bob": "7"}}}]
    assert aos.evaluate(f"\n\n{render_off()}") == []
    assert "StatePatch: off" in aos.said


@pytest.mark.slow
def test_ten_thousand_holders_stay_bearable_and_past_twenty_thousand_it_stops(aos: Aos) -> None:
    fill = 'for i = 1, {} do Balances[string.format("%043d", i)] = tostring(i) end return 1'
    aos.evaluate(fill.format(10_000))
    patches = aos.evaluate(HANDLER)
    assert len(patches[0]["cache"]["balances"]) == 10_001
    enabling, size = aos.memory.elapsed_ms, len(json.dumps(patches))
    assert aos.transfer("bob", "7") == [{"cache": {"balances": {"bob": "7"}}}]
    each = aos.memory.elapsed_ms
    print(f"10,000 holders: enabling {enabling:.0f} ms and {size / 1024:.0f} KiB; one change {each:.0f} ms")
    assert enabling < 5000
    assert each < 2000

    assert aos.evaluate(fill.format(20_000).removesuffix("return 1")) == [stopped("more than 20000 entries")]
    assert "Error" not in aos.result
    assert aos.transfer("bob", "8") == []
    assert aos.enable() == [stopped("more than 20000 entries")]
    aos.evaluate("for i = 10001, 20000 do Balances[string.format('%043d', i)] = nil end return 1")
    (again,) = aos.enable()
    assert again["cache"]["balances"]["bob"] == "8"
    assert again["statepatch"] == {"stopped": {"cache": {"balances": "__ao-unset__"}}}


@pytest.mark.slow
def test_what_takes_too_long_is_followed_no_more_and_says_why(aos: Aos) -> None:
    aos.evaluate(HANDLER)
    assert aos.evaluate("local _ = setmetatable(Balances, { __pairs = function() while true do end end })") == [
        stopped("more than 5000000 instructions")
    ]
    assert aos.send(sender=STRANGER, Action="Balance", Recipient="alice") == []
    assert aos.result["Messages"][0]["Data"] == "100", "the process goes on"
    aos.evaluate("setmetatable(Balances, nil) return 1")
    assert aos.enable() == [
        {**FIRST[0], "statepatch": {"stopped": {"cache": {"balances": "__ao-unset__"}}}},
    ]
    assert aos.transfer("bob", "7") == [{"cache": {"balances": {"bob": "7"}}}]


def stopped(why: str) -> dict[str, Any]:
    return {"statepatch": {"stopped": {"cache": {"balances": why}}}}
