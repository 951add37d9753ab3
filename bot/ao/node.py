"""One HyperBEAM node: whether it is well, what it may still be asked, and one request to it as an observation."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from time import monotonic

import structlog
from yarl import URL

from bot.ao.budget import Timer
from bot.ao.peer import UNSENT, Peer
from bot.ao.transport import Answer, Transport
from bot.bucket import Bucket
from bot.clock import Clock, utc_now
from bot.domain.observation import Method, Observation
from bot.errors import PeerError, RateLimited, TimedOut, Unreachable
from bot.settings import CheckSettings, NodeSettings

_log = structlog.get_logger()

COMPUTING = "computing"
"""The `failure` of an observation whose request made the node evaluate, and which its deadline ended."""

NOT_SENT = UNSENT | {"now-budget"}
"""The `failure` of observations for which nothing went over the wire."""

NO_TROUBLE_MS = 1000
"""An evaluation that ends this soon was none worth sparing the node: its share of the budget is given back."""

HEALTH_PATH = "/~meta@1.0/info/address"
_HEALTH_DEADLINE = 10.0
_PATIENCE = 20.0
_DOUBT_AFTER = 1.0  # seconds of an evaluation after which it is asked whether, and how fast, the node answers at all
_SLOW = 1.0  # seconds
_ADDRESS = re.compile(rb"[A-Za-z0-9_-]{43}")
# As a query it does nothing, and any value but this gives 500 (ao-facts.md, section 1). HEAD goes without.
_GET_HEADERS = {"accept-bundle": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHealth:
    """Whether a node is well, and if not, why in one word (`refused`, `timeout`, `http-502`, `not-a-node`, …)."""

    url: str
    operator: str
    healthy: bool
    reason: str = ""


class Node:
    """A node of `ao.nodes`, with its budgets. What it answers for which process is the pool's to remember."""

    def __init__(
        self,
        transport: Transport,
        node: NodeSettings,
        checks: CheckSettings,
        *,
        clock: Clock = utc_now,
        timer: Timer = monotonic,
    ) -> None:
        self.url = node.url.rstrip("/")
        self.operator = node.voice
        self.host = URL(node.url).host or node.url
        self._checks = checks
        self._timer = timer
        self._peer = Peer(transport, node.url, per_minute=checks.requests_per_minute, clock=clock, timer=timer)
        per_hour = checks.now_per_hour
        at_once = max(float(per_hour > 0), per_hour / 4)
        self._evaluations = Bucket(rate=per_hour / 3600, burst=at_once, timer=timer)
        self._reserved = max(0.0, min(per_hour / 16, at_once - 1))
        self._health_check = asyncio.Lock()

    @property
    def available(self) -> bool:
        """It is not known to be down, and did not ask us to wait."""
        return self._peer.available

    @property
    def up(self) -> bool:
        """It is not known to be down."""
        return self._peer.breaker.closed

    @property
    def slow(self) -> bool:
        """Its answers took longer than a second lately."""
        return self._peer.pace > _SLOW

    @property
    def due(self) -> bool:
        """It was down, and the time has come to see whether it still is."""
        return self._peer.breaker.half_open

    def is_trouble(self, elapsed_ms: int) -> bool:
        """Tell whether an evaluation that took so long cost the node something, its usual pace set aside."""
        return elapsed_ms - 1000 * self._peer.pace >= NO_TROUBLE_MS

    def may_evaluate(self, *, urgent: bool) -> bool:
        """Claim one evaluation (`now`, or a `compute` on a process that is cold here), of `checks.now_per_hour`.

        `observe` with `evaluates` must follow.
        """
        if self._evaluations.wait(1 if urgent else 1 + self._reserved) > 0:
            return False
        self._evaluations.take()
        return True

    def return_evaluation(self) -> None:
        """Give a claim back that was not used."""
        self._evaluations.give_back()

    async def observe(self, method: Method, path: str, *, urgent: bool = False, evaluates: bool = False) -> Observation:
        """Ask for one path and give whatever came of it. Never raises for what the node does.

        A request that `evaluates` has `checks.now_timeout` and was claimed from `may_evaluate`; all others have
        `checks.timeout`.
        """
        started = self._timer()
        try:
            if evaluates:
                answer = await self._evaluate(method, path, urgent)
            else:
                answer = await self._exchange(method, path, self._checks.timeout.total_seconds(), urgent)
        except PeerError as error:
            if evaluates and error.reason in UNSENT:
                self._evaluations.give_back()
            return self._failure(method, path, error, started, evaluates)
        if evaluates and not self.is_trouble(answer.elapsed_ms):
            self._evaluations.give_back()
        return Observation(
            node=self.url,
            operator=self.operator,
            method=method,
            path=path,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            elapsed_ms=answer.elapsed_ms,
        )

    def refusal(self, method: Method, path: str) -> Observation:
        """Give the observation of a request that was not made, because it would evaluate and may not."""
        return Observation(node=self.url, operator=self.operator, method=method, path=path, failure="now-budget")

    @property
    def longest(self) -> float:
        """The seconds that an evaluation may take."""
        return self._checks.now_timeout.total_seconds()

    async def _evaluate(self, method: Method, path: str, urgent: bool) -> Answer:
        """Wait for an evaluation, but not for a node that is not alive: it is asked meanwhile.

        Raises TimedOut if the node is alive and was still computing at the deadline.
        """
        deadline = self.longest
        doubt = min(_DOUBT_AFTER, deadline / 4)
        request = asyncio.create_task(self._exchange(method, path, deadline, urgent, forgiving=True))
        try:
            await asyncio.wait({request}, timeout=doubt)
            if not request.done() and not (await self.check_health(max_age=doubt)).healthy and not request.done():
                raise Unreachable(f"{self.host} takes requests and answers none.", reason="timeout")
            return await request
        finally:
            if not request.done():
                request.cancel()
                await asyncio.wait({request})

    async def _exchange(
        self, method: Method, path: str, deadline: float, urgent: bool, *, forgiving: bool = False
    ) -> Answer:
        return await self._peer.exchange(
            method,
            path,
            deadline=deadline,
            headers=_GET_HEADERS if method == "GET" else None,
            patience=_PATIENCE,
            urgent=urgent,
            forgiving=forgiving,
        )

    async def check_health(self, *, max_age: float = 60.0) -> NodeHealth:
        """Tell whether the node is well, asking it unless it answered within the last `max_age` seconds.

        A node is what answers `~meta@1.0/info/address` with an address: a login page's 200 is no node. While its
        breaker is open and the time to try again has not come, nothing is asked.
        """
        async with self._health_check:
            answered = self._peer.last_answer
            if not (self.up and answered is not None and self._timer() - answered < max_age):
                reason = await self._ask_health()
                if reason:
                    self._peer.last_failure = self._peer.last_failure if reason == "resting" else reason
                    return self._health(healthy=False)
            return self._health(healthy=True)

    def _health(self, *, healthy: bool) -> NodeHealth:
        reason = "" if healthy else self._peer.last_failure or "resting"
        return NodeHealth(url=self.url, operator=self.operator, healthy=healthy, reason=reason)

    async def _ask_health(self) -> str:
        """Ask, and give what is wrong in one word, or nothing."""
        deadline = min(_HEALTH_DEADLINE, self._checks.timeout.total_seconds())
        try:
            answer = await self._peer.exchange("GET", HEALTH_PATH, deadline=deadline, urgent=True, probe=True)
        except RateLimited:
            return ""  # one that counts our requests is alive
        except PeerError as error:
            if self.up:
                self._peer.breaker.open()
            _log.info("node is not well", node=self.url, reason=error.reason)
            return error.reason
        if answer.status == 429:
            return ""
        if answer.status != 200 or not _ADDRESS.fullmatch(answer.body.strip()):
            self._peer.breaker.open()
            return "not-a-node" if answer.status == 200 else f"http-{answer.status}"
        return ""

    def _failure(self, method: Method, path: str, error: PeerError, started: float, evaluates: bool) -> Observation:
        return Observation(
            node=self.url,
            operator=self.operator,
            method=method,
            path=path,
            failure=COMPUTING if evaluates and isinstance(error, TimedOut) else error.reason,
            elapsed_ms=round((self._timer() - started) * 1000),
        )
