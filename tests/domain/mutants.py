"""Mistakes planted into the rule, one at a time, by exchanging a function's code for that of its altered source."""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.ao import probe
from bot.domain import evidence, status, verdict


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in the source of `function`."""

    name: str
    function: Callable[..., Any]
    old: str
    new: str

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        """Run with the mistake in place, for everybody who holds the function."""
        source = textwrap.dedent(inspect.getsource(self.function))
        assert source.count(self.old) == 1, f"{self.name} no longer fits the source it was made for"
        scope: dict[str, Any] = dict(self.function.__globals__)
        exec("from __future__ import annotations\n" + source.replace(self.old, self.new), scope)
        code = self.function.__code__
        self.function.__code__ = scope[self.function.__name__].__code__
        try:
            yield
        finally:
            self.function.__code__ = code


MUTANTS = (
    Mutant("believes-login-pages", evidence.is_from_node, "return True", "pass\n    return True"),
    Mutant("ignores-lag", verdict._is_at_head, "slot >= view.head", "True"),
    Mutant(
        "its-own-slot-is-the-newest",
        evidence.View._add_whole,
        "self._set_slot(slot)",
        "self._set_slot(slot), self._raise_head(slot)",
    ),
    Mutant(
        "what-now-gives-is-the-newest",
        evidence.View._add_computed,
        "self._set_slot(read_slot(observation))",
        "self._set_slot(read_slot(observation)), self._raise_head(read_slot(observation) if how == 'now' else None)",
    ),
    Mutant("one-absent-path-is-enough", verdict._proves_absence, "any(all(", "any(any("),
    Mutant("spawn-tags-count", verdict._Root.is_exposed, "name not in self._given", "True"),
    Mutant(
        "any-404-is-missing", evidence.is_missing, "if observation.body == _NOT_FOUND:\n", "return True\n    if 0:\n"
    ),
    Mutant("one-operator-turns-a-status", status._is_confirmed, "len(judgement.operators) >= 2", "True"),
    Mutant("nodes-are-voices", verdict._count, "word.operator", "word.node"),
    Mutant("a-tie-is-not-patched", verdict._count, "patched * 2 == len(clear)", "not clear"),
    Mutant(
        "unknown-moves-a-status", status._unproven, '"unknown_since":', '"verdict": Verdict.UNKNOWN, "unknown_since":'
    ),
    Mutant("contradiction-is-forgotten", status._kept, "**_NO_CANDIDATE, ", ""),
    Mutant("recalls-another-slot", probe._Look._recall_same_state, "self._view.at_slot != then.at_slot", "False"),
    Mutant(
        "recalls-another-content", probe._Look._recall_same_state, "self._view.cache_link == then.cache_link", "True"
    ),
    Mutant(
        "any-required-key-is-enough",
        verdict.judge_node,
        "len(found) == len(set(required))",
        "len(found) >= 1 or not required",
    ),
)
