"""A process of the sandbox: its definition, what was scheduled on it, and what came of each message."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.ao.lua import ComputeFailed, LuaProcess, Message, Result
from sandbox.ao.state import Table, merge, patch_of, table

_NOTHING: Result = {"Messages": [], "Spawns": [], "Assignments": [], "Output": {}}


class Memory(Protocol):
    """What evaluates the messages of one process, in the order of their slots."""

    def handle(self, message: Message, source: str | None = None) -> Result:
        """Evaluate one message, or with `source` the process's own Lua at the start. Raises ComputeFailed."""
        ...


class Runtimes:
    """Live memories, the most recently used ones: a dropped one is made again by replaying its messages.

    `make` makes a new one for what aos finds in `ao.env.Process`.
    """

    def __init__(self, make: Callable[[Message], Memory] = LuaProcess, at_most: int = 64) -> None:
        self.make = make
        self._at_most = at_most
        self._live: OrderedDict[str, tuple[Memory, int]] = OrderedDict()

    def take(self, process: Process, slot: int) -> Memory:
        """Give the memory of a process as it is before `slot`. Raises ComputeFailed."""
        live = self._live.pop(process.id, None)
        if live is not None and live[1] == slot:
            return live[0]
        memory = self.make(process.environment)
        for earlier in range(slot):
            if "Error" not in process.results[earlier]:  # a failed message leaves no trace in memory
                process.run(memory, earlier)
        return memory

    def keep(self, process: Process, memory: Memory, slot: int) -> None:
        """Keep a memory that has seen every message before `slot`."""
        self._live[process.id] = (memory, slot)
        while len(self._live) > self._at_most:
            self._live.popitem(last=False)


@dataclass(slots=True)
class Process:
    """One process. Slot 0 is the spawn itself; `lua` runs there. `first_patches` are patch messages of that slot.

    `results[n]` and `states[n]` belong to slot n. A slot that cannot be computed ends the computing for good: nodes go
    on showing the last good one. A message with `Poison` is one that no unit can evaluate.
    """

    id: str
    owner: str
    tags: tuple[tuple[str, str], ...]
    spawned_at: float
    runtimes: Runtimes
    lua: str = ""
    first_patches: Sequence[Mapping[str, Any]] = ()
    block: int | None = None
    module: str = ""
    scheduled: list[Message] = field(default_factory=list[Message])
    results: list[Result] = field(default_factory=list[Result])
    states: list[Table] = field(default_factory=list[Table])
    failure: str | None = None

    @property
    def head(self) -> int:
        """The newest scheduled slot; −1 where nothing was ever scheduled."""
        return len(self.scheduled) - 1

    @property
    def environment(self) -> Message:
        """What aos finds in `ao.env.Process`."""
        return {"Id": self.id, "Owner": self.owner, "Tags": [{"name": n, "value": v} for n, v in self.tags]}

    def schedule(self, message: Message) -> int:
        """Put a message at the next slot, and give the slot."""
        self.scheduled.append(message)
        return self.head

    def compute(self, slot: int) -> int:
        """Compute up to `slot`, and give the newest slot that could be computed."""
        while len(self.states) <= slot and self.failure is None:
            self._compute_next()
        return min(slot, len(self.states) - 1)

    def state_at(self, slot: int) -> Table:
        """Give what patch messages made of the state by `slot`, which must have been computed."""
        return self.states[slot] if slot >= 0 else Table()

    def run(self, memory: Memory, slot: int) -> Result:
        """Run one slot's message in `memory`. Raises ComputeFailed."""
        return memory.handle(self.scheduled[slot], self.lua if slot == 0 else None)

    def dry_run(self, message: Message) -> Result:
        """Give what would come of a message, with nothing kept of it. Raises ComputeFailed."""
        slot = self.compute(self.head) + 1
        memory = self.runtimes.make(self.environment)
        for earlier in range(slot):
            if "Error" not in self.results[earlier]:
                self.run(memory, earlier)
        return memory.handle(message, None)

    def _compute_next(self) -> None:
        slot = len(self.states)
        try:
            result = self._evaluate(slot)
        except ComputeFailed as error:
            self.failure = str(error)
            return
        state = self.state_at(slot - 1)
        for message in result["Messages"]:
            patch = patch_of(message["Tags"])
            state = state if patch is None else merge(state, patch)
        self.results.append(result)
        self.states.append(state)

    def _evaluate(self, slot: int) -> Result:
        if slot == 0 and not self.lua:
            # Ten thousand processes that never run Lua cost no Lua.
            messages = [{"Tags": _patch_tags(patch)} for patch in self.first_patches]
            return _NOTHING | {"Messages": messages}
        if self.scheduled[slot].get("Poison"):
            raise ComputeFailed(f"slot {slot} of {self.id} cannot be computed")
        memory = self.runtimes.take(self, slot)
        result = self.run(memory, slot)
        if "Error" not in result:
            self.runtimes.keep(self, memory, slot + 1)
        return result


def _patch_tags(patch: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "device", "value": "patch@1.0"}, *({"name": n, "value": table(v)} for n, v in patch.items())]
