"""A real aos process: one of the published WASM modules, run by ao's own loader in a Node of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from threading import Timer
from typing import Any

from bot.domain.ways import AOS_MODULES

NODE_TESTS = Path(__file__).parent / "node"
AUTHORITY = "fcoN_xJeisVsPXA-trzVAuIiqO3ydLQxM-L4XbrQKzY"
VERSIONS = sorted(AOS_MODULES.values())
"""Every version on which installing is offered: `2.0.1` …"""

_PATIENCE = 60.0

Message = dict[str, Any]


class RealAos:
    """Feed it the messages in the order of their slots; the first is the one that spawned the process.

    It is what the sandbox's network calls a memory. `environment` is what aos finds in `ao.env.Process`.
    """

    def __init__(self, node: str, packages: Path, version: str, environment: Message) -> None:
        self.elapsed_ms = 0.0
        self._environment = {"Process": environment, "Module": {"Id": "m" * 43, "Owner": "m" * 43, "Tags": []}}
        self._node = subprocess.Popen(
            (node, NODE_TESTS / "aos.mjs", packages, version.replace(".", "_")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def handle(self, message: Message, source: str | None = None) -> Message:
        """Evaluate a message; after the one that spawned the process, its own Lua as the owner's Eval."""
        result = self._evaluate(message)
        if source is None:
            return result
        tags = [{"name": "Action", "value": "Eval"}]
        owner = self._environment["Process"]["Owner"]
        return self._evaluate(message | {"Owner": owner, "From": owner, "Tags": tags, "Data": source})

    def _evaluate(self, message: Message) -> Message:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        giving_up = Timer(_PATIENCE, self._node.kill)
        giving_up.start()
        try:
            to_it = {"Target": self._environment["Process"]["Id"]} | message  # else it is an assignment, and refused
            self._node.stdin.write(json.dumps({"message": to_it, "env": self._environment}) + "\n")
            self._node.stdin.flush()
            line = self._node.stdout.readline()
        finally:
            giving_up.cancel()
        result = json.loads(line)
        self.elapsed_ms = result.pop("elapsed_ms")
        if result.get("Error"):
            return {"Messages": [], "Spawns": [], "Assignments": [], "Output": {}, "Error": result["Error"]}
        result.pop("Error", None)
        return result

    def close(self) -> None:
        """End its Node."""
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.close()
        self._node.stdout.close()
        if self._node.wait(_PATIENCE) not in (0, -9):
            raise RuntimeError("Node ended badly")
