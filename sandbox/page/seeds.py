"""The three processes that a visitor finds: one patched, one whose handler was never called, one without a handler."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.ao.ans104 import random_id
from sandbox.ao.network import AoNetwork

_TOKEN = """
Name = "{name}"
Ticker = "{ticker}"
Denomination = "12"
Balances = {{ [Owner] = "750000", ["x7RBtB1Zr4UQ7lV2wZ5Yx0cJ3nK8mS6dG9hT1aPqEoI"] = "250000" }}
TotalSupply = "1000000"
"""

# As aos tokens have done since 2.0.8: at the root, where the usual recipe does not look.
_SHOWS_AT_ROOT = """
ao.send({ device = "patch@1.0", balances = Balances, ["token-info"] = { name = Name, ticker = Ticker } })
"""

_HANDLER = """
Handlers.add("EnableStatePatch", Handlers.utils.hasMatchingTag("Action", "EnableStatePatch"), function(msg)
  if msg.From ~= Owner and msg.From ~= ao.id then return end
  local shown = { balances = Balances, totalsupply = TotalSupply, ticker = Ticker, denomination = Denomination }
  ao.send({ device = "patch@1.0", cache = shown })
end)
"""


@dataclass(frozen=True, slots=True)
class Seed:
    """One seeded process. `label` is what a person would call it; `note` says what is true of it at the start."""

    process: str
    label: str
    note: str


def plant(network: AoNetwork, owner: str) -> tuple[Seed, ...]:
    """Spawn the three, owned by the demo wallet's address. Their ids ascend, as the bot lists what comes together."""
    kinds = (
        ("Harbour Coin", "HRBR", _HANDLER, "handler off"),
        ("Lantern Vault", "LNTN", "", "no handler"),
        ("Orchard Token", "ORCH", _SHOWS_AT_ROOT, "patched, at the root"),
    )
    ids = sorted(random_id() for _ in kinds)
    return tuple(
        Seed(
            process=network.spawn(
                owner, _TOKEN.format(name=name, ticker=ticker) + more, {"Name": name}, process=process
            ),
            label=name,
            note=note,
        )
        for process, (name, ticker, more, note) in zip(ids, kinds, strict=True)
    )
