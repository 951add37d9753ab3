"""Print the README's table: what the usual recipe makes of recorded exchanges, what is true, and what Patchbell says.

The recipe is one `HEAD …/compute/cache/balances` and `response.ok`. Both columns are computed from the same exchanges,
recorded from a real node (tests/corpus/README.md); `tests/test_readme.py` holds the README to what this prints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.ao.memory import NodeMemory
from bot.ao.probe import probe
from bot.domain.keys import parse_key
from bot.domain.observation import Method, Observation
from bot.domain.process_id import parse_process_id
from bot.domain.verdict import judge
from bot.errors import MalformedProcessId
from tests.corpus.recorded import Exchange, by

NODE = "https://node.test"


@dataclass(frozen=True)
class Case:
    """One recorded process (`file`, and the fields that select it), the keys that are expected, and what is true."""

    file: str
    scenario: str
    variant: str
    keys: tuple[str, ...]
    truth: str


CASES = (
    Case("exchanges", "patched-cache", "before", ("balances",), "patched, under `cache`"),
    Case("exchanges", "patched-root", "before", ("balances",), "patched, at the root, as aos tokens do since 2.0.8"),
    Case("exchanges", "patched-other", "before", (), "patched, but it exposes `users` and `total`"),
    Case("exchanges", "status-in-state", "before", ("balances",), "patched; an entry of its state is called `status`"),
    Case("exchanges", "never", "before", ("balances",), "not patched"),
    Case("exchanges", "behind", "before", ("balances",), "patched, but this node has not computed it yet"),
    Case("exchanges", "unscheduled", "before", ("balances",), "nothing was ever sent to it"),
    Case("exchanges", "unknown-id", "before", ("balances",), "this node does not know it; another may"),
    Case("cases", "captive_portal", "spa", ("balances",), "a login page answered, not a node"),
    Case("exchanges", "malformed", "before", ("balances",), "no process at all: the id is cut off"),
)


def rows() -> Iterator[str]:
    """Yield the table's lines."""
    yield "| what is true | the recipe says | Patchbell says |"
    yield "|---|---|---|"
    for case in CASES:
        exchanges = _exchanges(case)
        yield f"| {case.truth} | {_recipe(exchanges)} | {asyncio.run(_ours(case, exchanges))} |"


def _exchanges(case: Case) -> Sequence[Exchange]:
    part = "phase" if case.file == "exchanges" else "variant"
    return by(case.file, "scenario", part)[case.scenario, case.variant]


def _recipe(exchanges: Sequence[Exchange]) -> str:
    asked = (each for each in exchanges if each.method == "HEAD" and each.path.endswith("/compute/cache/balances"))
    status = min(asked, key=lambda each: each.bundle).status or 0
    return f"{'patched' if 200 <= status < 300 else 'not patched'} ({status})"


async def _ours(case: Case, exchanges: Sequence[Exchange]) -> str:
    try:
        process = parse_process_id(exchanges[0].process or "")
    except MalformedProcessId as error:
        return f"refused before asking: {error}"
    required = [parse_key(key) for key in case.keys]
    recorded = {(each.method, each.path, each.bundle): each for each in exchanges}

    async def ask(method: Method, path: str) -> Observation:
        exchange = recorded.get((method, path, method == "GET"))  # as bot.ao.node sends accept-bundle
        if exchange is None:
            return Observation(node=NODE, operator=NODE, method=method, path=path, failure="not-recorded")
        return exchange.observe()

    observations = await probe(ask, process, [required], NodeMemory(node=NODE), may_compute=True)
    judgement = judge(observations, required, tags=None)
    words = judgement.verdict.replace("_", " ")
    shown = ", ".join(f"`{path}`" for _, path in judgement.shown) or ", ".join(f"`{key}`" for key in judgement.exposed)
    return f"{words}: {shown}" if judgement.verdict == "patched" else f"{words} ({judgement.reason.replace('-', ' ')})"


if __name__ == "__main__":
    print("\n".join(rows()))
