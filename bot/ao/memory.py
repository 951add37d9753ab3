"""What is kept from the last look at a process, so that the next one needs fewer requests.

For each node: the observations that proved something, cut down to what a verdict needs. While the node says that
nothing moved (the same newest slot, or the same content id under `cache+link`), they hold still and are judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from bot.domain.evidence import LINK, LISTING, View, is_from_node, is_missing, read_listing, signed_names
from bot.domain.observation import Observation

MOST_NAMES = 256
LONGEST_BODY = 8192
MOST_LOOKS = 28
"""For how many looks what is kept may stand in: a week of them at the usual pace. A node that was wrong once must not
stay wrong for as long as a process is quiet."""
_KEPT_HEADERS = ("at-slot", "ao-types", "ao-result", "codec-device", "type", f"cache{LINK}")
UNREADABLE_WHOLE = ("oversized", "protocol", "reset")
"""Failures of `HEAD compute` that its size may have caused: the listings are small and may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMemory:
    """What one node showed of one process at the last look.

    `warm`: it has evaluated the process, so that a `compute` is no `now`. `no_head`: it, or a proxy before it, cannot
    answer `HEAD compute`. `kept` are observations in the order in which they were made, bodies and headers cut;
    `looks` counts the looks at which they stood in.
    """

    node: str
    warm: bool = False
    no_head: bool = False
    kept: tuple[Observation, ...] = ()
    looks: int = 0

    def view(self) -> View:
        """Read what is kept."""
        view = View(self.node, "")
        for observation in self.kept:
            view.add(observation)
        return view


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What all nodes showed of one process at the last look. Stored as JSON (`MEMORY`)."""

    nodes: tuple[NodeMemory, ...] = ()

    def of(self, node: str) -> NodeMemory:
        """Give what is kept of one node, by its URL; of a node never asked, nothing."""
        memory = next((memory for memory in self.nodes if memory.node == node), NodeMemory(node=node))
        return memory if memory.looks < MOST_LOOKS else replace(memory, kept=(), looks=0)

    @property
    def is_old(self) -> bool:
        """It has stood in for so many looks that it is time to ask anew, and somebody else too."""
        return any(memory.looks >= MOST_LOOKS for memory in self.nodes)

    def counted(self, node: str) -> Memory:
        """Give the memory after a look at which nothing had moved on `node`."""
        return Memory(
            nodes=tuple([replace(one, looks=one.looks + 1) if one.node == node else one for one in self.nodes])
        )

    def with_look(self, observations: Sequence[Observation]) -> Memory:
        """Give the memory after a look. Nodes that were not asked keep theirs while it is not old."""
        asked = tuple(dict.fromkeys(observation.node for observation in observations))
        kept = tuple(memory for memory in self.nodes if memory.node not in asked and memory.looks < MOST_LOOKS)
        return Memory(nodes=kept + tuple(_remember(self.of(node), observations) for node in asked))


MEMORY: TypeAdapter[Memory] = TypeAdapter(Memory)
"""Turns a Memory to JSON and back."""


def _remember(before: NodeMemory, observations: Iterable[Observation]) -> NodeMemory:
    ours = [observation for observation in observations if observation.node == before.node]
    answered = [observation for observation in ours if not observation.recalled]
    warm = before.warm
    for observation in answered:
        warm = _is_warm_after(observation, warm)
    kept = tuple(_cut(observation) for observation in _of_last_state(ours) if _is_worth_keeping(observation))
    if not any(observation.status is not None for observation in answered):
        kept = before.kept  # it said nothing new
    if any(len(observation.headers) > MOST_NAMES or len(observation.body) > LONGEST_BODY for observation in kept):
        kept = ()
    return NodeMemory(
        node=before.node,
        warm=warm,
        no_head=_is_headless_after(answered, before.no_head),
        kept=kept,
        looks=before.looks + 1 if any(observation.recalled for observation in ours) else 0,
    )


def _of_last_state(ours: Sequence[Observation]) -> list[Observation]:
    """Give what was seen since the node was last found at another slot, and the definition, which never changes.

    What was listed at an earlier slot, before a `now`, must not be taken for what the newest slot has.
    """
    view, slot = View("", ""), None
    since: list[Observation] = []
    for observation in ours:
        view.add(observation)
        if view.at_slot != slot:
            slot = view.at_slot
            since = [earlier for earlier in since if "~process@1.0" not in earlier.path]
        since.append(observation)
    return since


def _is_warm_after(observation: Observation, warm: bool) -> bool:
    computes = "~process@1.0/compute" in observation.path or "~process@1.0/now" in observation.path
    if not computes:
        return warm and "unavailable" not in observation.headers
    if observation.failure in ("timeout", "computing") or "unavailable" in observation.headers:
        return False
    return warm or (observation.status in (200, 404) and is_from_node(observation))


def _is_headless_after(answered: Sequence[Observation], before: bool) -> bool:
    """A whole that could not be had is not asked for again while the listings of the same node can."""
    wholes = [observation for observation in answered if observation.path.endswith("~process@1.0/compute")]
    listed = any(
        observation.path.endswith(f"/{LISTING}") and _is_worth_keeping(observation) for observation in answered
    )
    if wholes:
        return listed and (wholes[-1].status in (500, 502, 503, 504) or wholes[-1].failure in UNREADABLE_WHOLE)
    return before and (listed or not any("~process@1.0/compute/" in observation.path for observation in answered))


def _is_worth_keeping(observation: Observation) -> bool:
    path = observation.path
    if path.endswith(f"/{LISTING}"):
        return read_listing(observation) is not None or is_missing(observation)
    if observation.status != 200 or not is_from_node(observation):
        return False
    return "~process@1.0" not in path or path.endswith(("~process@1.0/compute", "/compute/at-slot", "/now/at-slot"))


def _cut(observation: Observation) -> Observation:
    """Keep names and slots; values, dates and signatures are of no use later."""
    signed = signed_names(observation.headers) & observation.headers.keys()
    links = {name for name in observation.headers if name.endswith(LINK)}
    headers = dict.fromkeys(sorted(signed | links), "")
    headers |= {name: observation.headers[name] for name in _KEPT_HEADERS if name in observation.headers}
    if signed:
        names = " ".join(f'"{name}"' for name in sorted(signed))
        headers["signature-input"] = f"kept=({names})"
    return replace(observation, headers=headers, elapsed_ms=0, recalled=True)
