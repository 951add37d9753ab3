"""Asking one node about one process during one look: what a request may cost, and what it teaches about the pair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from bot.ao.node import COMPUTING, Node
from bot.ao.pool import Pool, Standing
from bot.domain.evidence import is_from_node
from bot.domain.observation import Method, Observation
from bot.domain.process_id import ProcessId
from bot.domain.sentence import Sentence

_log = structlog.get_logger()

Progress = Callable[[Sentence], Awaitable[None]]

_LONG = 2.0  # seconds after which a person is told what takes so long


class Asker:
    """The `Ask` of `probe` for one node and process.

    A `now`, and a `compute` while the pair is not warm, make the node evaluate: each is claimed from the node's budget
    for that and has its own deadline. `seen` is all that was asked, `trouble` whether an evaluation took long.
    """

    def __init__(
        self, pool: Pool, node: Node, process: ProcessId, *, warm: bool, urgent: bool, progress: Progress | None
    ) -> None:
        self.seen: list[Observation] = []
        self.trouble = False
        self.warm = warm
        self._pool = pool
        self._node = node
        self._process = process
        self._urgent = urgent
        self._progress = progress
        self._claimed = False
        self._given: Observation | None = None

    def given(self, seen: Observation) -> None:
        """Answer the first request from what was asked just before this look, if it is the same request."""
        self._given = seen

    def may_compute(self) -> bool:
        """Tell whether `compute` may be asked: the pair is warm, or an evaluation was claimed for it."""
        self._claimed = not self.warm and self._node.may_evaluate(urgent=self._urgent)
        return self.warm or self._claimed

    def end(self) -> None:
        """Give a claim back that was not needed."""
        if self._claimed:
            self._claimed = False
            self._node.return_evaluation()

    async def __call__(self, method: Method, path: str) -> Observation:
        """Ask for one path. Never raises for what the node does."""
        given, self._given = self._given, None
        if given is not None:
            self.seen.append(given)
            if (given.method, given.path) == (method, path):
                return given
        is_now = "~process@1.0/now" in path
        evaluates = is_now or (not self.warm and "~process@1.0/compute" in path)
        if is_now:
            self._pool.note_catch_up(self._node, self._process)
        if evaluates and not (self._claimed or self._node.may_evaluate(urgent=self._urgent)):
            seen = self._node.refusal(method, path)
        else:
            self._claimed = self._claimed and not evaluates
            async with self._telling():
                seen = await self._node.observe(method, path, urgent=self._urgent, evaluates=evaluates)
            self._learn(seen, evaluates)
        self.seen.append(seen)
        return seen

    def _learn(self, seen: Observation, evaluates: bool) -> None:
        evaluated = evaluates and (seen.status is not None or seen.failure == COMPUTING)
        self.trouble |= evaluated and self._node.is_trouble(seen.elapsed_ms)
        if evaluates and seen.status in (200, 404) and "unavailable" not in seen.headers and is_from_node(seen):
            self.warm = True
            self._pool.note(self._node, self._process, Standing.ANSWERS)
        elif seen.failure in (COMPUTING, "timeout") and "~process@1.0/compute" in seen.path:
            self.warm = False

    @asynccontextmanager
    async def _telling(self) -> AsyncGenerator[None]:
        """Tell whoever waits what takes so long, if what is done inside does."""
        if self._progress is None:
            yield
            return
        sentence = Sentence(
            "{node} is computing it up to its newest message. This may take up to {seconds} seconds.",
            node=self._node.host,
            seconds=round(self._node.longest),
        )
        telling = asyncio.create_task(_say_later(self._progress, sentence))
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


async def say(progress: Progress | None, sentence: Sentence) -> None:
    """Tell whoever waits; that the telling fails must not end the look."""
    if progress is None:
        return
    try:
        await progress(sentence)
    except Exception:
        _log.warning("progress could not be told", exc_info=True)


async def _say_later(progress: Progress, sentence: Sentence) -> None:
    await asyncio.sleep(_LONG)
    await say(progress, sentence)
