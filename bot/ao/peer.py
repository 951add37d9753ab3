"""One peer, asked with manners: within our budget for it, never while it wants to be left alone or is down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic

from yarl import URL

from bot.ao.budget import LONGEST_REST, Breaker, Debt, Timer
from bot.ao.transport import Answer, Transport, Verb
from bot.bucket import Bucket
from bot.clock import Clock, utc_now
from bot.errors import ForbiddenAddress, PeerError, RateLimited, TimedOut, Unreachable

UNSENT = frozenset({"rate-limited", "own-budget", "resting", "forbidden-address"})
"""Reasons of the PeerErrors raised here without anything having gone over the wire."""

_DOWN = frozenset({502, 503, 504})
_PACE = 0.3  # how much the newest answer counts
_BURST = 6.0  # seconds of a minute's budget that may be spent at once


class Peer:
    """A node's or gateway's base URL with its budget, its debt and its breaker.

    `http2` is learnt from a 426 and kept. `last_failure` is one word, None while all is well. `pace` is how many
    seconds its answers take lately, evaluations left out.
    """

    def __init__(
        self, transport: Transport, url: str, *, per_minute: float, clock: Clock = utc_now, timer: Timer = monotonic
    ) -> None:
        self.url = url.rstrip("/")
        self.host = URL(url).host or url
        self.http2 = False
        self.last_failure: str | None = None
        self.last_answer: float | None = None
        self.pace = 0.0
        self.debt = Debt(timer)
        self.breaker = Breaker(timer)
        self._transport = transport
        self._clock = clock
        self._timer = timer
        burst = max(1.0, per_minute * _BURST / 60)
        self._bucket = Bucket(rate=per_minute / 60, burst=burst, timer=timer)
        self._reserve = min(burst / 4, burst - 1)

    @property
    def available(self) -> bool:
        """Asking now is worth it: it is not down and did not ask us to wait."""
        return self.breaker.closed and self.debt.remaining == 0

    @property
    def busy(self) -> bool:
        """Our own budget for it is spent, but for what is kept for urgent asking."""
        return self._bucket.wait(1 + self._reserve) > 0

    async def exchange(
        self,
        method: Verb,
        path: str = "",
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_body: int | None = None,
        patience: float = 0.0,
        urgent: bool = False,
        forgiving: bool = False,
        probe: bool = False,
    ) -> Answer:
        """Ask once, waiting at most `patience` seconds for our own budget; a quarter of it is kept for `urgent` asking.

        A `forgiving` request's timeout says nothing of the peer (it made it compute). A `probe` is what a peer whose
        breaker is half open is tried with. Any complete answer comes back, 429 and 5xx too. Raises a PeerError.
        """
        await self._turn(patience, urgent)
        probing = probe and self.breaker.may_probe()
        if not (self.breaker.closed or probing):
            raise Unreachable(f"{self.host} did not answer before and is left alone for a while.", reason="resting")
        started = self._timer()
        try:
            answer = await self._send(method, path, deadline, headers, body, max_body)
        except PeerError as error:
            self._failed(error, forgiving)
            raise
        except BaseException:  # a cancellation, too: somebody else may make the probe then; it goes on to the caller
            if probing:
                self.breaker.abandon()
            raise
        finally:
            if not forgiving:
                took = self._timer() - started
                self.pace += (_PACE if self.pace else 1.0) * (took - self.pace)
        self._answered(answer)
        return answer

    async def _turn(self, patience: float, urgent: bool) -> None:
        self.debt.check()
        wait = self._bucket.wait(1 if urgent else 1 + self._reserve)
        if wait > patience:
            spent = "Our own budget for this peer is spent."
            raise RateLimited(spent, retry_after=min(wait, LONGEST_REST), reason="own-budget")
        self._bucket.take()
        try:
            await asyncio.sleep(wait)
            self.debt.check()
        except BaseException:  # a cancellation, too: what is not sent costs nothing
            self._bucket.give_back()
            raise

    async def _send(
        self,
        method: Verb,
        path: str,
        deadline: float,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        max_body: int | None,
    ) -> Answer:
        async def once(http2: bool) -> Answer:
            return await self._transport.exchange(
                self.url + path, method, deadline=deadline, headers=headers, body=body, max_body=max_body, http2=http2
            )

        answer = await once(self.http2)
        if answer.status == 426 and not self.http2:
            answer = await once(True)
            self.http2 = answer.status != 426
        return answer

    def _failed(self, error: PeerError, forgiving: bool) -> None:
        if isinstance(error, TimedOut) and forgiving:
            return
        self.last_failure = error.reason
        if isinstance(error, ForbiddenAddress):
            self.breaker.open()
        else:
            self.breaker.fail()

    def _answered(self, answer: Answer) -> None:
        if answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers):
            self.debt.owe(answer.headers, self._clock())
        if answer.status in _DOWN:
            self.last_failure = f"http-{answer.status}"
            self.breaker.fail()
            return
        self.last_failure = "rate-limited" if answer.status == 429 else None
        self.last_answer = self._timer()
        self.breaker.succeed()
