"""Reading a process: which nodes are asked, in which order and how long, until a verdict stands or nobody is left.

What is asked of one node is planned in `probe`; what the answers mean is decided in `bot.domain.verdict`. Here is the
rest: a second operator where a change wants confirmation, the next node where one could not tell, and the two findings
that no single node can make, "not found" and "all nodes are down".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bot.ao.asking import Progress, say
from bot.ao.evidence import in_words, sightings
from bot.ao.gateway import Gateways
from bot.ao.line import Line
from bot.ao.look import Look, Question, Urgency
from bot.ao.memory import Memory
from bot.ao.node import HEALTH_PATH, NodeHealth
from bot.ao.pool import Pool
from bot.ao.steady import Steady, SteadyLooks
from bot.domain.card import Metadata, Sighting
from bot.domain.keys import StateKey
from bot.domain.observation import Observation, Verdict
from bot.domain.process_id import ProcessId
from bot.domain.sentence import Sentence
from bot.domain.status import TargetStatus
from bot.domain.verdict import Judgement, Reason
from bot.errors import PeerError

__all__ = ["Progress", "Reader", "Reading", "Urgency"]

_log = structlog.get_logger()

_EVIDENCE_AT_MOST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one look found: a judgement for each set of required keys, in the order asked, and how it came about.

    `requests` counts what went over the wire to nodes. `memory` is to be handed in at the next look. `metadata` is None
    where no gateway has it or none could say.
    """

    process: ProcessId
    judgements: tuple[Judgement, ...]
    evidence: tuple[Sighting, ...]
    requests: int
    memory: Memory
    metadata: Metadata | None


class Reader:
    """Reads processes through the pool of nodes. Never raises for what a peer does."""

    def __init__(self, pool: Pool, gateways: Gateways) -> None:
        self._pool = pool
        self._steady = SteadyLooks()
        self.gateways = gateways
        self.line = Line()

    async def healthy_nodes(self) -> list[NodeHealth]:
        """Tell of each node whether it is well, asking those that did not answer within the last minute."""
        return await self._pool.health()

    async def read(
        self,
        process: ProcessId,
        required: Sequence[Sequence[StateKey]] = ((),),
        *,
        memory: Memory | None = None,
        status: TargetStatus | Sequence[TargetStatus] | None = None,
        urgency: Urgency = Urgency.SWEEP,
        progress: Progress | None = None,
    ) -> Reading:
        """Look at a process once, and judge it for each set of keys in `required`.

        `status` is what is confirmed already, one for all or one for each set: what differs from it is asked of a
        second operator at once. `progress` gets sentences while it takes long.

        Those who registered or ask take a turn in `line` first, before anything is leased for them. The sweep needs
        none; and who signed has just been there.
        """
        sets = tuple([tuple(keys) for keys in required])
        if down := await self._pool.all_down():
            return _nodes_down(process, len(sets), memory, down)
        self._pool.try_resting()
        metadata, absent = await self._describe(process)
        question = Question(
            process=process,
            required=sets,
            tags=None if metadata is None else tuple([name for name, _ in metadata.tags]),
            absent=absent,
            memory=memory or Memory(),
            known=_verdicts(status, len(sets)),
            urgency=urgency,
            progress=progress,
        )
        look = Look(self._pool, question)
        if (unmoved := await self._is_unmoved(look, question)) is not None:
            steady, seen = unmoved
            return Reading(
                process=process,
                judgements=steady.judgements,
                evidence=steady.evidence_of(seen),
                requests=1,
                memory=question.memory.counted(seen.node),
                metadata=metadata,
            )
        await self._ask_around(look, question)
        if look.nobody_answered() and (down := await self._pool.none_healthy()):
            return _nodes_down(process, len(sets), memory, down, look=look, metadata=metadata)
        self._steady.learn(question, look)
        return Reading(
            process=process,
            judgements=look.judgements,
            evidence=_evidence(look),
            requests=look.requests,
            memory=look.memory,
            metadata=metadata,
        )

    async def _is_unmoved(self, look: Look, question: Question) -> tuple[Steady, Observation] | None:
        """Give the last look and the answer, if the request that decided it gets the same answer again.

        Where it does not, the look goes on from the answer.
        """
        steady = self._steady.get(question)
        if steady is None or not question.is_answered(steady.judgements, self._pool.operators):
            return None
        seen = await steady.node.observe(steady.method, steady.path)
        if steady.holds(seen):
            return steady, seen
        await look.at(steady.node, given=seen)
        return None

    async def _ask_around(self, look: Look, question: Question) -> None:
        for node in self._pool.order(question.process):
            if look.is_enough():
                return
            if look.wants(node):
                await say(question.progress, Sentence("Asking {node}…", node=node.host))
                await look.at(node)

    async def _describe(self, process: ProcessId) -> tuple[Metadata | None, bool]:
        """Give the metadata, and whether it is certain that no gateway has the process."""
        try:
            metadata = await self.gateways.describe(process)
        except PeerError as error:
            _log.info("no gateway could say", process=process, reason=error.reason)
            return None, False
        return metadata, metadata is None


def _nodes_down(
    process: ProcessId,
    sets: int,
    memory: Memory | None,
    health: Sequence[NodeHealth],
    *,
    look: Look | None = None,
    metadata: Metadata | None = None,
) -> Reading:
    """Give the one reading that everybody gets while no node is well."""
    return Reading(
        process=process,
        judgements=(Judgement(verdict=Verdict.UNKNOWN, reason=Reason.NODES_DOWN),) * sets,
        evidence=_evidence(look) if look is not None and look.seen else tuple(map(_health_line, health)),
        requests=look.requests if look is not None else 0,
        memory=memory or Memory(),
        metadata=metadata,
    )


def _verdicts(status: TargetStatus | Sequence[TargetStatus] | None, sets: int) -> tuple[Verdict | None, ...]:
    """Give the verdict that is confirmed for each set of keys; None where none is, and everything is a change."""
    if status is None:
        return (None,) * sets
    if isinstance(status, TargetStatus):
        return (status.verdict,) * sets
    return tuple([one.verdict for one in status])


def _evidence(look: Look) -> tuple[Sighting, ...]:
    return sightings(look.seen)[-_EVIDENCE_AT_MOST:]


def _health_line(health: NodeHealth) -> Sighting:
    return Sighting(node=health.url, path=HEALTH_PATH, status=None, reason=in_words(health.reason), elapsed_ms=0)
