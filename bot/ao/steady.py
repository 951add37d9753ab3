"""Processes for which nothing moves: the same one answer as last time means the same judgements as last time.

Nearly all of a sweep is this. A look that a single request decided is kept with a fingerprint of the answer; when the
same request gets the same answer again, nothing has to be judged anew. What is kept never widens what is believed: the
same state, seen at the same node, was judged by the rule before.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import blake2b

from bot.ao.evidence import sightings
from bot.ao.look import Look, Question, Urgency
from bot.ao.node import Node
from bot.domain.card import Sighting
from bot.domain.keys import StateKey
from bot.domain.observation import Method, Observation
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement

_KEPT = 10_000
# What differs from answer to answer although the state is the same.
_VOLATILE = frozenset({"date", "signature", "server-timing", "x-request-id", "via", "cf-ray", "report-to"})


@dataclass(frozen=True, slots=True)
class Steady:
    """One look that a single request decided."""

    node: Node
    method: Method
    path: str
    fingerprint: bytes
    required: tuple[tuple[StateKey, ...], ...]
    tags: tuple[str, ...] | None
    judgements: tuple[Judgement, ...]
    evidence: tuple[Sighting, ...]

    def holds(self, seen: Observation) -> bool:
        """Tell whether an answer to the same request is the same."""
        return fingerprint(seen) == self.fingerprint

    def evidence_of(self, seen: Observation) -> tuple[Sighting, ...]:
        """Give the evidence of such an answer: what is read out of it is the same, only how long it took is not."""
        return tuple([replace(one, elapsed_ms=seen.elapsed_ms) for one in self.evidence])


class SteadyLooks:
    """The newest such look of each process, bounded: the least used goes first."""

    def __init__(self) -> None:
        self._looks: OrderedDict[ProcessId, Steady] = OrderedDict()

    def get(self, question: Question) -> Steady | None:
        """Give the look, if it was for the same keys and spawn tags, and its node can be asked.

        Only for the sweep, and only if the caller remembers the process too, not for too long: others want to see more.
        """
        steady = self._looks.get(question.process)
        if steady is None or question.urgency is not Urgency.SWEEP:
            return None
        if not question.memory.nodes or question.memory.is_old:
            return None
        if steady.required != question.required or steady.tags != question.tags or not steady.node.available:
            return None
        self._looks.move_to_end(question.process)
        return steady

    def learn(self, question: Question, look: Look) -> None:
        """Keep a look that a single request decided; forget an earlier one after any other."""
        self._looks.pop(question.process, None)
        told = fingerprint(look.seen[0]) if len(look.seen) == 1 and look.is_enough() else None
        if told is None or look.last is None:
            return
        seen = look.seen[0]
        self._looks[question.process] = Steady(
            node=look.last,
            method=seen.method,
            path=seen.path,
            fingerprint=told,
            required=question.required,
            tags=question.tags,
            judgements=look.judgements,
            evidence=sightings(look.seen),
        )
        while len(self._looks) > _KEPT:
            self._looks.popitem(last=False)


def fingerprint(seen: Observation) -> bytes | None:
    """Sum up an answer; None for one that may come from a cache, or that says nothing."""
    headers = seen.headers
    if seen.status != 200 or "age" in headers:
        return None
    told = "\n".join([f"{name}:{headers[name]}" for name in headers if name not in _VOLATILE])
    return blake2b(told.encode("utf-8", "surrogatepass") + b"\0" + seen.body, digest_size=16).digest()
