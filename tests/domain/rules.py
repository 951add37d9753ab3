"""The properties of the whole rule (evidence, judge, probe, memory, status) as a state machine over a modelled world.

The oracle is the model's true state at the head of the schedule, never our own rule. At most one operator lies.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bot.ao.memory import MEMORY, Memory
from bot.ao.probe import Now, probe
from bot.domain.observation import Observation, Verdict
from bot.domain.status import TargetStatus, advance
from bot.domain.verdict import Judgement, judge
from tests.domain.world import PROCESS, ModelNode, Mood, World

T = TypeVar("T")

REQUIRED = ((("balances",), ("balances", "token-info"), ()), (("balances",),), ((),))
CROWD = ("amber", "amber", "birch", "cedar")
KEYS = ("balances", "token-info", "old-balances")
PATHS = tuple(f"{place}{key}" for key in KEYS for place in ("cache/", ""))
CONFIRM_AFTER = timedelta(hours=1)
HONEST = tuple(mood for mood in Mood if mood not in (Mood.LYING, Mood.STALLING))
SETTLED = {Verdict.PATCHED: True, Verdict.NOT_PATCHED: False}


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the model's nodes answer at once")


@dataclass
class Target:
    """One set of required keys: its status, and what the oracle must remember about it."""

    required: tuple[str, ...]
    status: TargetStatus = field(default_factory=TargetStatus)
    contradicted_at: datetime | None = None  # when an honest operator last said the opposite of the candidate


@dataclass
class Looked:
    """One look: all observations, and the heads (newest slots) that the world had while it went on."""

    seen: list[Observation] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)


class Rules(RuleBasedStateMachine):
    """Up to three operators, the first with two nodes. One operator may lie."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.world = World()
        self.memory = Memory()
        self.nodes: list[ModelNode] = []
        self.liar: str | None = None
        self.targets: list[Target] = []
        self.interrupt_in: int | None = None
        self.interrupt_with: tuple[str, bool] | None = None

    @initialize(
        tags=st.frozensets(st.sampled_from(("balances", "token-info", "name")), max_size=2),
        liar=st.sampled_from((None, "amber", "amber", "birch", "cedar")),  # the first runs two nodes
        operators=st.sampled_from((CROWD, CROWD[:3], CROWD[:3], CROWD[1:3], CROWD[:2])),
        required=st.sampled_from(REQUIRED),
        scheduled=st.booleans(),
    )
    def begin(
        self,
        tags: frozenset[str],
        liar: str | None,
        operators: tuple[str, ...],
        required: tuple[tuple[str, ...], ...],
        scheduled: bool,
    ) -> None:
        self.targets = [Target(keys) for keys in required]
        # What a spawn tag has the name of cannot be told from it at the root, by anybody: such keys go under `cache`.
        self.world = World(tags=tags)
        self.liar = liar
        self.nodes = [ModelNode(f"https://{n}.{name}", name, self.world) for n, name in enumerate(operators)]
        for node in self.nodes:
            node.before_answer = self._interrupt
        if scheduled:
            self.world.schedule()

    # What happens in the world.

    @rule(hours=st.sampled_from((0.1, 1, 9, 30)))
    def wait(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule(path=st.sampled_from(PATHS))
    def patch(self, path: str) -> None:
        self._patch(path, drop=False)

    @rule(path=st.sampled_from(PATHS))
    def remove(self, path: str) -> None:
        """A tombstone. It is computed everywhere at once: a key shown at an older slot is patched by the rule."""
        self._patch(path, drop=True)

    @rule()
    def message(self) -> None:
        self.world.schedule()

    @precondition(lambda self: self.world.head >= 0 and self.world.broken is None)
    @rule()
    def message_that_fails(self) -> None:
        self.world.schedule()
        self.world.broken = self.world.head

    @rule(which=st.integers(0, 3), mood=st.sampled_from(HONEST))
    def change_mood(self, which: int, mood: Mood) -> None:
        node = self.nodes[which % len(self.nodes)]
        if node.operator != self.liar:
            node.mood = mood

    @rule(which=st.integers(0, 3))
    def restart(self, which: int) -> None:
        self.nodes[which % len(self.nodes)].computed = None

    @precondition(lambda self: self.liar is not None)
    @rule(mood=st.sampled_from((Mood.LYING, Mood.STALLING)), fake=st.sampled_from((frozenset(), frozenset(PATHS))))
    def lie(self, mood: Mood, fake: frozenset[str]) -> None:
        for node in self.nodes:
            if node.operator == self.liar:
                node.mood, node.fake, node.fake_slot = mood, fake, self.world.head

    @rule(requests=st.integers(1, 6), path=st.sampled_from(PATHS), compute=st.booleans())
    def something_lands_during_the_next_look(self, requests: int, path: str, compute: bool) -> None:
        self.interrupt_in, self.interrupt_with = requests, (path, compute)

    # What the program does, and what must hold.

    @rule(now=st.sampled_from(Now), only=st.sampled_from((None, 0, 1, 2, 3)))
    def look(self, now: Now, only: int | None) -> None:
        nodes = self.nodes if only is None else [self.nodes[only % len(self.nodes)]]
        self._check(self._look(nodes, now))

    @rule(now=st.sampled_from(Now), turns=st.booleans())
    def look_for_days(self, now: Now, turns: bool) -> None:
        """Often enough, and for long enough, for one operator to be believed where no other can answer."""
        for number in range(6):
            self.look(now, number if turns else None)
            self.now += timedelta(hours=7)

    @precondition(lambda self: self.liar is not None)
    @rule(mood=st.sampled_from((Mood.LYING, Mood.STALLING)), exposes=st.booleans(), turns=st.booleans())
    def one_insists_on_a_lie(self, mood: Mood, exposes: bool, turns: bool) -> None:
        """The others are well, and heard at the same looks or at every other one."""
        for node in self.nodes:
            node.mood = Mood.WELL
        self.look(Now.NEVER, None)
        self.world.schedule()  # or what the liar said while it was honest is remembered, and it is not asked again
        self.lie(mood, frozenset(PATHS) if exposes else frozenset())
        self.look_for_days(Now.NEVER, turns)

    @rule(path=st.sampled_from(PATHS), mood=st.sampled_from(HONEST), now=st.sampled_from(Now))
    def patch_between_two_looks(self, path: str, mood: Mood, now: Now) -> None:
        """All honest nodes are alike, so that whatever they get wrong together is believed."""
        for node in self.nodes:
            node.mood = node.mood if node.operator == self.liar else mood
        self.look(now, None)
        self._patch(path, drop=False)
        self.look(now, None)

    @precondition(lambda self: self.world.head >= 0 and self.world.broken is None)
    @rule(cold=st.booleans())
    def look_with_all_nodes_healthy(self, cold: bool) -> None:
        """No easy way out: then nothing may end unknown. What is remembered of a liar is its lie, and left out."""
        before = self.liar, [(node.mood, node.computed) for node in self.nodes]
        self.memory = Memory(nodes=tuple(self.memory.of(node.url) for node in self.nodes if node.operator != self.liar))
        self.liar, self.interrupt_in = None, None
        for node in self.nodes:
            node.mood, node.computed = Mood.WELL, None if cold else self.world.head
        looked = self._look(self.nodes, Now.NEVER)
        for target, judgement in zip(self.targets, self._check(looked), strict=True):
            assert judgement.verdict in SETTLED
            if len({node.operator for node in self.nodes}) > 1:
                assert SETTLED[target.status.verdict] == self.world.is_exposed(target.required)
        self.liar = before[0]
        for node, (mood, _) in zip(self.nodes, before[1], strict=True):
            node.mood = mood if node.operator == self.liar else Mood.WELL

    @rule(which=st.integers(0, 3))
    def ask_one_node_without_any_memory(self, which: int) -> None:
        """Fewest requests: four decide, whatever the node is like; behind a proxy that cuts the whole, five."""
        node = self.nodes[which % len(self.nodes)]
        node.asked.clear()
        asked = probe(node.ask, PROCESS, self._required(), Memory().of(node.url), may_compute=True, tags=self._tags())
        run(asked)
        assert len(node.asked) <= (5 if node.mood is Mood.PROXY else 4)

    @precondition(lambda self: any(target.status.verdict in SETTLED for target in self.targets))
    @rule()
    def store_and_load(self) -> None:
        self.memory = MEMORY.validate_json(MEMORY.dump_json(self.memory))
        for target in self.targets:
            target.status = TargetStatus.model_validate_json(target.status.model_dump_json())

    def _required(self) -> list[tuple[str, ...]]:
        return [target.required for target in self.targets]

    def _tags(self) -> tuple[str, ...]:
        return tuple(self.world.tags)

    def _patch(self, path: str, *, drop: bool) -> None:
        if path in self.world.tags:
            path = f"cache/{path}"
        self.world.schedule(add=() if drop else (path,), drop=(path,) if drop else ())
        if drop and self.world.broken is None:
            for node in self.nodes:
                node.computed = None if node.computed is None else self.world.head

    def _interrupt(self) -> None:
        """Let the message land that was to land during a look, just before one of its requests is answered."""
        if self.interrupt_in is None:
            return
        self.interrupt_in -= 1
        if self.interrupt_in <= 0 and self.interrupt_with is not None:
            self.interrupt_in = None
            path, compute = self.interrupt_with
            self._patch(path, drop=False)
            for node in self.nodes:
                if compute and node.computed is not None:
                    node.computed = self.world.reachable

    def _look(self, nodes: list[ModelNode], now: Now) -> Looked:
        """Ask as the reader does: on while a verdict is missing, or a change lacks its second operator."""
        self.now += timedelta(seconds=1)
        looked = Looked(heads=[self.world.head])
        operators = len({node.operator for node in self.nodes})
        for node in nodes:
            looked.seen += run(
                probe(
                    node.ask,
                    PROCESS,
                    self._required(),
                    self.memory.of(node.url),
                    may_compute=True,
                    tags=self._tags(),
                    now=now,
                )
            )
            judgements = [self._judge(looked, target) for target in self.targets]
            if all(
                judgement.verdict in SETTLED
                and (judgement.verdict == target.status.verdict or len(judgement.operators) >= min(2, operators))
                for judgement, target in zip(judgements, self.targets, strict=True)
            ):
                break
        looked.heads.append(self.world.head)
        self.memory = self.memory.with_look(looked.seen)
        return looked

    def _judge(self, looked: Looked, target: Target) -> Judgement:
        return judge(looked.seen, target.required, tags=self._tags())

    def _check(self, looked: Looked) -> list[Judgement]:
        judgements = [self._judge(looked, target) for target in self.targets]
        for target, judgement in zip(self.targets, judgements, strict=True):
            self._check_judgement(target, judgement, looked)
            self._check_status(target, judgement, looked)
        return judgements

    def _truths(self, required: tuple[str, ...], looked: Looked) -> set[bool]:
        """What was true at the head at some time during the look."""
        first, last = looked.heads
        return {self.world.is_exposed(required, slot) for slot in range(first, last + 1)}

    def _may_be(self, verdict: Verdict, target: Target, looked: Looked) -> bool:
        return SETTLED[verdict] in self._truths(target.required, looked)

    def _check_judgement(self, target: Target, judgement: Judgement, looked: Looked) -> None:
        assert judgement.verdict in (*SETTLED, Verdict.UNKNOWN)
        if judgement.verdict in SETTLED and judgement.operators != (self.liar,):
            assert self._may_be(judgement.verdict, target, looked)
            assert judgement.verdict == Verdict.PATCHED or self.world.broken is None  # stuck is unknown
        if self.world.head == -1 and self.liar is None and len(set(looked.heads)) == 1:
            assert judgement.verdict == Verdict.UNKNOWN

    def _check_status(self, target: Target, judgement: Judgement, looked: Looked) -> None:
        operators = len({node.operator for node in self.nodes})
        before = target.status
        quiet = before.candidate is None and judgement.verdict in (Verdict.UNKNOWN, before.verdict)
        if not quiet and self._honest_words(target, looked) & (
            SETTLED.keys() - {before.candidate or judgement.verdict}
        ):
            target.contradicted_at = self.now
        target.status = advance(before, judgement, now=self.now, operators=operators, confirm_after=CONFIRM_AFTER)
        if target.status.verdict == before.verdict:
            return
        assert judgement.verdict != Verdict.UNKNOWN
        if self._may_be(target.status.verdict, target, looked):
            return
        # A false status: one liar's word alone, and only where nobody else could answer for a whole day.
        assert target.status.confirmed_by == (self.liar,)
        assert before.candidate_since is not None
        assert operators == 1 or self.now - before.candidate_since >= timedelta(hours=24)
        assert target.contradicted_at is None or target.contradicted_at < before.candidate_since

    def _honest_words(self, target: Target, looked: Looked) -> set[Verdict]:
        """What each honest operator's nodes prove by themselves."""
        honest = {seen.operator for seen in looked.seen} - {self.liar}
        return {
            judge([seen for seen in looked.seen if seen.operator == name], target.required, tags=self._tags()).verdict
            for name in honest
        }
