"""All nodes together: in which order a process's nodes are asked, what is remembered of each pair, who is well."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from enum import IntEnum
from hashlib import blake2b
from time import monotonic

from bot.ao.budget import Timer
from bot.ao.node import Node, NodeHealth
from bot.domain.process_id import ProcessId

_REMEMBERED = 20_000
_FORGET_AFTER = 3600.0  # a node that did not know a process may have learnt of it

_CATCH_UP_EVERY = 6 * 3600.0


class Standing(IntEnum):
    """What one node is to one process; the lower is asked first."""

    ANSWERS = 0
    UNTRIED = 1
    FAILED = 2
    NOT_KNOWN = 3


class Pool:
    """The nodes of `ao.nodes`. What is remembered of (node, process) pairs is bounded: the least used goes first."""

    def __init__(self, nodes: Sequence[Node], *, timer: Timer = monotonic) -> None:
        self.nodes = tuple(nodes)
        self._timer = timer
        self._pairs: OrderedDict[ProcessId, dict[str, tuple[Standing, float]]] = OrderedDict()
        self._trying: set[asyncio.Task[NodeHealth]] = set()
        self._caught_up: OrderedDict[tuple[str, ProcessId], float] = OrderedDict()

    @property
    def operators(self) -> int:
        """How many different operators run the nodes."""
        return len({node.operator for node in self.nodes})

    def order(self, process: ProcessId) -> list[Node]:
        """Give every node, the likeliest to answer for `process` first; those that are down or in debt come last.

        Among equals a process always begins with the same node, so that the load is spread and nodes stay warm.
        """

        def rank(node: Node) -> tuple[bool, Standing, bool, bytes]:
            return not node.available, self.standing(node, process), node.slow, _lot(node, process)

        return sorted(self.nodes, key=rank)

    def standing(self, node: Node, process: ProcessId) -> Standing:
        """Tell what is remembered of a pair."""
        standing, since = self._pairs.get(process, {}).get(node.url, (Standing.UNTRIED, 0.0))
        stale = standing > Standing.UNTRIED and self._timer() - since > _FORGET_AFTER
        return Standing.UNTRIED if stale else standing

    def note(self, node: Node, process: ProcessId, standing: Standing) -> None:
        """Remember a pair."""
        self._pairs.setdefault(process, {})[node.url] = (standing, self._timer())
        self._pairs.move_to_end(process)
        while len(self._pairs) > _REMEMBERED:
            self._pairs.popitem(last=False)

    def may_catch_up(self, node: Node, process: ProcessId) -> bool:
        """Tell whether the sweep may spend a `now` on a process that is behind here: once in six hours."""
        since = self._caught_up.get((node.url, process))
        return since is None or self._timer() - since >= _CATCH_UP_EVERY

    def note_catch_up(self, node: Node, process: ProcessId) -> None:
        """Remember that a `now` was spent on a pair."""
        self._caught_up[node.url, process] = self._timer()
        self._caught_up.move_to_end((node.url, process))
        while len(self._caught_up) > _REMEMBERED:
            self._caught_up.popitem(last=False)

    async def health(self, *, max_age: float = 60.0) -> list[NodeHealth]:
        """Tell of each node whether it is well, asking those that did not answer lately, all at once."""
        return list(await asyncio.gather(*(node.check_health(max_age=max_age) for node in self.nodes)))

    def try_resting(self) -> None:
        """See behind everybody's back whether nodes that were down are up again, where the time has come."""
        for node in self.nodes:
            if node.due:
                trying = asyncio.create_task(node.check_health())
                self._trying.add(trying)
                trying.add_done_callback(self._trying.discard)

    async def all_down(self) -> list[NodeHealth]:
        """Give everybody's health if no node is well, else nothing. Asks only where that is in doubt."""
        return [] if any(node.up for node in self.nodes) else await self.none_healthy()

    async def none_healthy(self) -> list[NodeHealth]:
        """Give everybody's health, asked at this moment, if no node is well, else nothing."""
        health = await self.health(max_age=5.0)
        return [] if any(one.healthy for one in health) else health


def _lot(node: Node, process: ProcessId) -> bytes:
    return blake2b(f"{node.url} {process}".encode(), digest_size=8).digest()
