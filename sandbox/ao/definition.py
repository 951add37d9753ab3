"""The root of a process as a node shows it: its definition with the spawn tags, and the keys that the system adds."""

from __future__ import annotations

from functools import lru_cache

from sandbox.ao.process import Process
from sandbox.ao.state import Table, linked

AOS_MODULE = "ISShJH1ij-hPPt9St5UFFr_8Ys3Kj5cyg7zrMGt7H9s"
_SCHEDULER = "_GQ33BkPtZrqxA84vM8Zk-N2aO0toNNu_C-l-rawrBA"


def definition_of(process: Process) -> Table:
    """Give the message that spawned the process: its tags, lower-cased, over what a scheduler adds."""
    return _definition(process.module, process.tags)


@lru_cache(maxsize=4096)
def _definition(module: str, tags: tuple[tuple[str, str], ...]) -> Table:
    shown = Table(
        {
            "device": "process@1.0",
            "execution-device": "genesis-wasm@1.0",
            "scheduler-device": "scheduler@1.0",
            "scheduler": _SCHEDULER,
            "scheduler-location": _SCHEDULER,
            "authority": _SCHEDULER,
            "module": module,
            "type": "Process",
        }
    )
    shown.update((name.lower(), value) for name, value in tags)
    return shown


def root_of(process: Process, slot: int, state: Table) -> Table:
    """Give all root keys after `slot`. Patched keys win over the definition's, the system's own over both."""
    root = Table(definition_of(process))
    root.update(
        {
            "initialized": "true",
            "input-prefix": "process",
            "patch-from": "/results/outbox",
            "previous-device": "dev_message",
            "previous-input-prefix": "process",
            "process": linked(process.id),
        }
    )
    root.update(state)
    root["at-slot"] = slot
    if slot >= 0:
        root["results"] = Table({"outbox": Table()})
        root["snapshot"] = Table({"slot": slot})
    return root
