"""Several GraphQL gateways as one: what a process is, whose, and what was sent to it.

Gateways do not hold the same index, so an empty answer is asked of the next one, and "nobody has it" is said only when
every gateway was reached.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import structlog

from bot.ao import graphql
from bot.ao.budget import Timer
from bot.ao.described import Cache, Described, Together, unconfigured
from bot.ao.graphql import PAGE, Item, Page
from bot.ao.peer import Peer
from bot.ao.transport import Transport
from bot.clock import Clock, utc_now
from bot.domain.card import Metadata
from bot.domain.handler import DEFAULT_ACTION
from bot.domain.process_id import ProcessId
from bot.errors import BrokenAnswer, PeerError

_log = structlog.get_logger()

_BODY = 4 * 1024 * 1024  # 100 items of 4 KiB of tags, escaped as JSON may
_PATIENCE = 10.0
_HEADERS = {"content-type": "application/json", "accept": "application/json"}
_HINT_PAGES = 5
_LONGEST_LIST = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that was sent to a process. `at` is None until its bundle is mined."""

    message: str
    sender: str
    at: datetime | None


class Gateways:
    """The gateways of `ao.gateways`, in the order in which they are asked."""

    def __init__(
        self,
        transport: Transport,
        urls: Sequence[str],
        *,
        deadline: float = 15.0,
        per_minute: float = 300.0,
        clock: Clock = utc_now,
        timer: Timer = monotonic,
    ) -> None:
        self._peers = tuple(Peer(transport, url, per_minute=per_minute, clock=clock, timer=timer) for url in urls)
        self._deadline = deadline
        self._cache = Cache(timer)
        self._together = Together(self._describe)

    @property
    def busy(self) -> bool:
        """Our budget is spent but for what looks need: who can do without an answer should not ask."""
        return any(peer.busy for peer in self._peers)

    async def describe(self, process: ProcessId) -> Metadata | None:
        """Give a process's metadata; None if every gateway was reached and none has it as an AO process.

        Raises a PeerError if that can't be said.
        """
        found, known = self._cache.get(process)
        if known:
            return found
        return await self._together.ask(process)

    async def list_owned(self, address: str, *, limit: int = _LONGEST_LIST) -> AsyncIterator[Metadata]:
        """Give the processes that a wallet spawned itself, newest first, at most `limit`.

        Processes that an app spawned for the wallet are missing: their spawn was signed by somebody else. Raises a
        PeerError if no gateway gave a whole list; what was given until then is right.
        """
        seen: set[ProcessId] = set()
        failure: PeerError | None = None
        for peer in self._peers:
            try:
                async for metadata in self._owned_by(peer, address):
                    if metadata.process not in seen:
                        seen.add(metadata.process)
                        yield metadata
                    if len(seen) >= limit:
                        return
            except PeerError as error:
                failure = error
                continue
            if seen:
                return
        if failure is not None:
            raise failure

    async def received_since(self, since: Mapping[ProcessId, datetime]) -> frozenset[ProcessId]:
        """Give those of at most 100 processes that were sent a message since the moment given for each.

        Answers come newest first, so what is seen of a process first decides it, and the next page is asked of the
        others only: a busy process cannot hide them. A hint only: gateways index late, an unmined message counts as
        new, and no more than five pages are read. Raises a PeerError.
        """
        undecided = dict(list(since.items())[:PAGE])
        received: set[ProcessId] = set()
        for _ in range(_HINT_PAGES):
            page = await anext(self._answers(graphql.to_processes(sorted(undecided))))
            before = len(undecided)
            for item in page.items:
                asked = undecided.pop(ProcessId(item.recipient), None)
                if asked is not None and (item.at is None or item.at >= asked):
                    received.add(ProcessId(item.recipient))
            if not undecided or len(undecided) == before or page.edges < PAGE:
                break
            if _is_older(page, min(undecided.values())):
                break
        return frozenset(received)

    async def messages_to(
        self, process: ProcessId, action: str = DEFAULT_ACTION, *, sender: str | None = None
    ) -> Received | None:
        """Give the newest message with that action (of that sender), or None if no gateway that answers has one.

        Raises a PeerError if none answers.
        """
        async for page in self._answers(graphql.to_processes([process], action=action, first=10)):
            newest = _newest(page.items, process, action, sender)
            if newest is not None:
                return newest
        return None

    async def item(self, identity: str) -> Item | None:
        """Give any transaction or data item by its id, or None if no gateway that answers has it.

        Raises a PeerError if none answers.
        """
        async for page in self._answers(graphql.by_ids([identity])):
            if found := next((item for item in page.items if item.id == identity), None):
                return found
        return None

    async def _describe(self, processes: Sequence[ProcessId]) -> tuple[Described, PeerError | None]:
        found: dict[ProcessId, Metadata] = {}
        missing = list(processes)
        failure: PeerError | None = None
        for peer in self._peers:
            try:
                page = await self._ask(peer, graphql.by_ids(missing), urgent=True)
            except PeerError as error:
                failure = error
                continue
            answered = graphql.ids_of(page.items)
            found |= {process: answered[process] for process in missing if process in answered}
            missing = [process for process in missing if process not in found]
            if not missing:
                break
        absent = frozenset(missing) if failure is None and self._peers else frozenset[ProcessId]()
        for process in processes:
            if process in found or process in absent:
                self._cache.put(process, found.get(process))
        return Described(found=found, absent=absent, unsaid=frozenset(missing) - absent), failure

    async def _owned_by(self, peer: Peer, address: str) -> AsyncIterator[Metadata]:
        cursor: str | None = None
        for _ in range(_LONGEST_LIST // PAGE + 1):
            page = await self._ask(peer, graphql.by_owner(address, cursor))
            for metadata in graphql.ids_of(page.items).values():
                if metadata.owner == address:
                    yield metadata
            if page.edges < PAGE or not _goes_on(page, cursor):
                return
            cursor = page.cursor

    async def _answers(self, query: bytes) -> AsyncGenerator[Page]:
        """Ask one after the other, as long as answers are wanted. Raises a PeerError at the end if none answered."""
        failure: PeerError = unconfigured()
        answered = False
        for peer in self._peers:
            try:
                page = await self._ask(peer, query)
            except PeerError as error:
                failure = error
                continue
            answered = True
            yield page
        if not answered:
            raise failure

    async def _ask(self, peer: Peer, query: bytes, *, urgent: bool = False) -> Page:
        try:
            answer = await peer.exchange(
                "POST",
                deadline=self._deadline,
                headers=_HEADERS,
                body=query,
                max_body=_BODY,
                patience=_PATIENCE,
                urgent=urgent,
                probe=True,
            )
            if answer.status != 200:
                raise BrokenAnswer(f"{peer.host} answered {answer.status}.", reason=f"http-{answer.status}")
            return graphql.read_page(answer.body, peer.host)
        except PeerError as error:
            _log.info("gateway did not answer", gateway=peer.url, reason=error.reason)
            raise


def _goes_on(page: Page, cursor: str | None) -> bool:
    """Tell whether a next page is worth asking for: a cursor that stands still never ends."""
    return page.more and page.edges > 0 and page.cursor is not None and page.cursor != cursor


def _is_older(page: Page, moment: datetime) -> bool:
    """Tell whether the page's end lies before `moment`, so that what follows is of no use."""
    last = page.items[-1].at if page.items else None
    return last is not None and last < moment


def _newest(items: Iterable[Item], process: ProcessId, action: str, sender: str | None) -> Received | None:
    for item in items:
        fits = item.recipient == process and (item.tag("Action") or "").lower() == action.lower()
        if fits and sender in (None, item.owner, item.tag("From-Process")):
            return Received(message=item.id, sender=item.owner, at=item.at)
    return None
