"""The plan of requests to one node about one process: as few as can decide, each chosen by what the last one proved.

Known to be patched: `HEAD compute`, and the `cache` listing only if its link id is another. Known not to be: the newest
scheduled slot, equal to the one judged last. Else `HEAD compute`, the newest scheduled slot and the listings of the
tables that the keys are in: four. One more each where the node was behind (a `now`), where nobody else could tell the
spawn tags, and where `HEAD compute` cannot be had. Never a table itself: one of 8,000 entries costs the node seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from bot.ao.memory import UNREADABLE_WHOLE, NodeMemory
from bot.domain.evidence import LISTING, View, is_from_node, is_missing, read_listing
from bot.domain.keys import CACHE, StateKey, candidate_paths
from bot.domain.observation import Method, Observation, Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import NodeWord, Reason, judge_node

Ask = Callable[[Method, str], Awaitable[Observation]]
"""Asks one node for one path (after the node's URL). Never raises: a failure is an observation too."""

MOST_TABLES = 6


class Now(StrEnum):
    """Whether the node may be asked to evaluate the process up to the newest scheduled slot, which may take minutes."""

    NEVER = "never"
    IF_BEHIND = "if-behind"
    FIRST = "first"


async def probe(
    ask: Ask,
    process: ProcessId,
    required: Sequence[Sequence[StateKey]],
    memory: NodeMemory,
    *,
    may_compute: bool,
    tags: Sequence[str] | None = None,
    now: Now = Now.NEVER,
) -> list[Observation]:
    """Ask one node until `judge` can tell for each set of required keys, or more asking cannot help.

    The observations are in the order in which they count; those recalled from `memory` are among them and cost nothing.
    `may_compute` says that the node is warm for this process, or that the evaluation which a first `compute` is may be
    spent; without it only the newest scheduled slot is asked. `tags` are the spawn tags' names from a gateway; without
    them the definition is read from the node where the root hangs on it.
    """
    look = _Look(ask, process, required, memory, tags)
    if now == Now.FIRST:
        if not await look.evaluate():
            return look.observations
    elif memory.kept and not (may_compute and look.was_patched):
        await look.read_head()
        if look.ended or look.is_unscheduled or look.recall_unmoved():
            return look.observations
    if may_compute or now == Now.FIRST:
        await look.read_state(may_catch_up=now == Now.IF_BEHIND)
    return look.observations


class _Look:
    """One look at one process through one node."""

    def __init__(
        self,
        ask: Ask,
        process: ProcessId,
        required: Sequence[Sequence[StateKey]],
        memory: NodeMemory,
        tags: Sequence[str] | None,
    ) -> None:
        self._ask = ask
        self._definition = f"/{process}"
        self._base = f"/{process}~process@1.0"
        self._required = required
        self._memory = memory
        self._tags = tags
        self._view = View(memory.node, "")
        self.observations: list[Observation] = []
        self.ended = False
        self._whole_is_read = False
        self._settled: set[str] = set()
        self._then = memory.view()
        self.was_patched = all(word.verdict == Verdict.PATCHED for word in self._words(self._then))
        self._recall(lambda path: path == self._definition)

    @property
    def is_unscheduled(self) -> bool:
        """No message was ever scheduled: there is no state yet, whatever is asked."""
        return self._view.head == -1

    async def evaluate(self) -> bool:
        """Have the node evaluate the process up to the newest scheduled slot; False ends the look."""
        observation = await self._get("/now/at-slot")
        return observation.failure is None and is_from_node(observation) and not self._view.not_here

    async def read_head(self) -> None:
        """Ask for the newest scheduled slot."""
        await self._get("/slot/current")

    def recall_unmoved(self) -> bool:
        """Where nothing was scheduled since the last look, let all that was seen then count again, if that decides."""
        if self._view.head is None or self._view.head != self._then.at_slot:
            return False
        if not self._is_decided(replace(self._then, head=self._view.head)):
            return False
        self._recall(lambda path: path != self._definition)
        return True

    async def read_state(self, *, may_catch_up: bool) -> None:
        """Read what the node has computed, cheapest first, and stop as soon as it decides.

        `may_catch_up`: where that is behind what is scheduled, have it evaluated first.
        """
        self._settled.clear()
        steps = [self._read_whole, self._read_definition, self._read_likely, self._read_newest_slot]
        steps += [self._catch_up] if may_catch_up else []
        for step in (*steps, self._read_listings, self._read_definition):
            await step()
            if self.ended or self._is_decided(self._view):
                return

    async def _read_whole(self) -> None:
        if not self._memory.no_head:
            observation = await self._send("HEAD", f"{self._base}/compute")
            self._whole_is_read = not _is_unreadable(observation)
        if not self._whole_is_read and self._view.at_slot is None:
            self.ended = not is_from_node(await self._get("/compute/at-slot"))
        self._recall_same_state()

    def _recall_same_state(self) -> None:
        """What was listed at the same slot, or under the same content id, is listed still.

        A slot has one state: where its content id is another now, one of the two answers was wrong: all is asked anew.
        """
        then = self._then
        moved = self._view.at_slot is None or self._view.at_slot != then.at_slot
        contradicts = self._whole_is_read and self._view.cache_link != then.cache_link
        if not moved and not contradicts:
            self._recall(lambda path: path.endswith(f"/{LISTING}"))
        elif self._view.cache_link is not None and self._view.cache_link == then.cache_link:
            self._recall(lambda path: path.startswith(f"{self._base}/compute/{CACHE}/"))

    async def _read_definition(self) -> None:
        known = self._tags is not None or self._view.definition is not None
        if not known and any(word.reason == Reason.TAGS_UNKNOWN for word in self._words(self._view)):
            await self._send("HEAD", self._definition)

    async def _read_likely(self) -> None:
        """Ask first where something may well be: under `cache` where a link says so, else where it was last time."""
        tables = list(self._tables())
        if self._view.cache_link is not None:
            await self._read_tables([table for table in tables if table.startswith(CACHE)])
        elif not self._whole_is_read:
            await self._read_tables(tables[:1])

    async def _read_listings(self) -> None:
        await self._read_tables(self._tables() if self._view.at_slot != -1 else ())

    async def _read_tables(self, tables: Iterable[str]) -> None:
        for table in tables:
            if self.ended or self._is_decided(self._view):
                return
            path = f"/compute/{table}/{LISTING}" if table else f"/compute/{LISTING}"
            if self._base + path not in self._settled:
                observation = await self._get(path)
                self._settled.add(observation.path)
                failed = observation.status == 500 and is_from_node(observation)
                self.ended |= not (failed or is_missing(observation) or read_listing(observation) is not None)

    async def _read_newest_slot(self) -> None:
        """Ask for the newest scheduled slot where it can decide something, or tell that the process is stuck."""
        if self._view.head is None and (self._view.failed_to_compute or self._view.at_slot is not None):
            await self.read_head()

    async def _catch_up(self) -> None:
        view = self._view
        if view.at_slot is not None and view.head is not None and view.at_slot < view.head:
            before = view.at_slot
            await self.evaluate()
            if view.at_slot != before:
                self._settled.clear()

    def _tables(self) -> Iterator[str]:
        """Give the tables that the keys are in, first where they were at the last look, then those under `cache`."""
        keys = {key for keys in self._required for key in keys}
        tables = {path.rpartition("/")[0] for key in keys for path in candidate_paths(key)}
        if not all(self._required):
            tables |= {CACHE, ""}
        then = {path.rpartition("/")[0] for word in self._words(self._then) for _, path in word.shown}
        ordered = sorted(tables, key=lambda table: (table not in then, not table.startswith(CACHE), table))
        yield from ordered[:MOST_TABLES]

    async def _get(self, path: str) -> Observation:
        return await self._send("GET", self._base + path)

    async def _send(self, method: Method, path: str) -> Observation:
        observation = await self._ask(method, path)
        self._note(observation)
        refused = observation.status is not None and (observation.status < 200 or 300 <= observation.status < 404)
        limited = observation.status in (405, 410, 426, 429, 451)
        self.ended |= observation.failure is not None or refused or limited or self._view.not_here
        return observation

    def _note(self, observation: Observation) -> None:
        self.observations.append(observation)
        self._view.add(observation)

    def _recall(self, wanted: Callable[[str], bool]) -> None:
        for observation in self._memory.kept:
            if wanted(observation.path):
                self._note(observation)
                self._settled.add(observation.path)

    def _is_decided(self, view: View) -> bool:
        return all(word.verdict != Verdict.UNKNOWN for word in self._words(view))

    def _words(self, view: View) -> list[NodeWord]:
        return [judge_node(view, keys, self._tags) for keys in self._required]


def _is_unreadable(whole: Observation) -> bool:
    """Tell whether something before the node could not carry its answer: nginx turns a large one into 502."""
    if whole.failure is not None:
        return whole.failure in UNREADABLE_WHOLE
    return whole.status in (500, 502, 503, 504) and not is_from_node(whole)
