"""One look at one process: what was seen so far, what it means, and whether another node is worth asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.ao.asking import Asker, Progress
from bot.ao.memory import Memory
from bot.ao.node import NOT_SENT, Node
from bot.ao.pool import Pool, Standing
from bot.ao.probe import Now, probe
from bot.domain.keys import StateKey
from bot.domain.observation import Observation, Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement, Reason, judge

SETTLED = frozenset({Verdict.PATCHED, Verdict.NOT_PATCHED})
_NOTHING_YET = Judgement(verdict=Verdict.UNKNOWN, reason=Reason.NO_ANSWER)


class Urgency(StrEnum):
    """Who waits for a reading, and what may be spent on it.

    On a process that is behind on a node a SWEEP spends one `now` in six hours, and REGISTERED one at once, unless one
    took long already. SIGNED goes through `now` always, because the message that it looks for was sent a moment ago.
    """

    SWEEP = "sweep"
    REGISTERED = "registered"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be found out about one process, and what is known before.

    `tags` are the names of its spawn tags, None where no gateway told. `absent`: every gateway was reached and none has
    the process. `known` are the confirmed verdicts, one for each set of required keys, None where nothing is.
    """

    process: ProcessId
    required: tuple[tuple[StateKey, ...], ...]
    tags: tuple[str, ...] | None
    absent: bool
    memory: Memory
    known: tuple[Verdict | None, ...]
    urgency: Urgency
    progress: Progress | None

    def is_answered(self, judgements: Sequence[Judgement], operators: int) -> bool:
        """Tell whether every judgement stands, and stands confirmed where one voice is not enough.

        One may keep what is known. But not for ever: a node that lies, or that has lost touch with the scheduler, would
        hide the change. Nor while somebody waits who may have signed just now.
        """
        waiting = self.urgency is not Urgency.SWEEP
        return all(
            judgement.verdict in SETTLED
            and (
                len(judgement.operators) >= min(2, operators)
                or (
                    judgement.verdict is known
                    and not self.memory.is_old
                    and not (waiting and known is Verdict.NOT_PATCHED)
                )
            )
            for judgement, known in zip(judgements, self.known, strict=True)
        )


class Look:
    """Collects what nodes answer to one question, and judges it anew after each node.

    `seen` is all that was asked, `last` the node that was asked last.
    """

    def __init__(self, pool: Pool, question: Question) -> None:
        self.seen: list[Observation] = []
        self.judgements = (_NOTHING_YET,) * len(question.required)
        self.last: Node | None = None
        self._pool = pool
        self._question = question
        self._process = question.process
        self._observations: list[Observation] = []
        self._operators: set[str] = set()
        self._trouble = False

    @property
    def memory(self) -> Memory:
        """What the next look may build on."""
        return self._question.memory.with_look(self._observations)

    @property
    def requests(self) -> int:
        """How many requests went over the wire."""
        return sum(seen.failure not in NOT_SENT for seen in self.seen)

    def is_enough(self) -> bool:
        """Tell whether nothing more has to be asked."""
        return self._question.is_answered(self.judgements, self._pool.operators)

    def wants(self, node: Node) -> bool:
        """Tell whether to ask this node next.

        Once every judgement stands only another operator's word is wanted. No node is opened cold just to confirm, or
        to compute what another is computing already, unless computing was no trouble to the first.
        """
        if self._all_stand() and (node.operator in self._operators or not node.available):
            return False
        return self._is_warm(node) or not self._trouble

    async def at(self, node: Node, *, given: Observation | None = None) -> None:
        """Ask one node what it must be asked, and judge all that is seen by now. `given` it answered just before."""
        urgent = self._question.urgency is not Urgency.SWEEP
        asker = Asker(
            self._pool, node, self._process, warm=self._is_warm(node), urgent=urgent, progress=self._question.progress
        )
        if given is not None:
            asker.given(given)
        may_compute = asker.may_compute()
        try:
            observations = await probe(
                asker,
                self._process,
                self._question.required,
                self._question.memory.of(node.url),
                may_compute=may_compute,
                tags=self._question.tags,
                now=self._now(node),
            )
        finally:
            asker.end()
        if not may_compute and not self._stands(observations):
            observations.append(node.refusal("HEAD", f"/{self._process}~process@1.0/compute"))
        self.last = node
        self._trouble |= asker.trouble
        self.seen += asker.seen
        self._operators.add(node.operator)
        self._observations += observations
        self.judgements = self._judge(self._observations)
        self._note(node, asker, observations)

    def nobody_answered(self) -> bool:
        """Tell whether no node gave any complete answer."""
        return all(seen.status is None for seen in self.seen)

    def _now(self, node: Node) -> Now:
        if self._question.urgency is Urgency.SIGNED:
            return Now.FIRST
        spent = self._question.urgency is Urgency.SWEEP and not self._pool.may_catch_up(node, self._process)
        return Now.NEVER if spent or self._trouble else Now.IF_BEHIND

    def _all_stand(self) -> bool:
        return all(judgement.verdict in SETTLED for judgement in self.judgements)

    def _stands(self, observations: Sequence[Observation]) -> bool:
        return all(judgement.verdict in SETTLED for judgement in self._judge(observations))

    def _judge(self, observations: Sequence[Observation]) -> tuple[Judgement, ...]:
        nodes = [node.url for node in self._pool.nodes]
        return tuple(
            judge(observations, keys, tags=self._question.tags, absent_at_gateways=self._question.absent, nodes=nodes)
            for keys in self._question.required
        )

    def _is_stranger(self, observations: Sequence[Observation]) -> bool:
        return any(judgement.reason is Reason.NOT_KNOWN_HERE for judgement in self._judge(observations))

    def _is_warm(self, node: Node) -> bool:
        standing = self._pool.standing(node, self._process)
        return standing is Standing.ANSWERS or (
            standing is Standing.UNTRIED and self._question.memory.of(node.url).warm
        )

    def _note(self, node: Node, asker: Asker, observations: Sequence[Observation]) -> None:
        spoke = all(node.url in judgement.nodes for judgement in self.judgements) and self._all_stand()
        if not spoke and self._is_stranger(observations):
            self._pool.note(node, self._process, Standing.NOT_KNOWN)
        else:
            self._pool.note(node, self._process, Standing.ANSWERS if asker.warm else Standing.FAILED)
