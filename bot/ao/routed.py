"""A unit of the legacy network: its router redirects to numbered hosts (ao-facts.md, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from yarl import URL

from bot.ao.peer import Peer
from bot.ao.transport import Answer, Transport
from bot.errors import BrokenAnswer

_PER_MINUTE = 600.0  # somebody who signs for thirty at once has each of them looked for
_DEADLINE = 15.0


class Routed:
    """Asks a unit. One redirect is followed, and only to one of `allowed` (`https://*.ao-testnet.xyz`)."""

    def __init__(self, transport: Transport, url: str, allowed: Sequence[str], *, called: str) -> None:
        self._transport = transport
        self._allowed = allowed
        self._called = called
        self._peer = Peer(transport, url, per_minute=_PER_MINUTE)

    async def ask(self, path: str) -> Answer:
        """GET a path. Raises a PeerError."""
        answer = await self._peer.exchange("GET", path, deadline=_DEADLINE, probe=True)
        if answer.status not in (301, 302, 307, 308):
            return answer
        target, origin = self._target(path, answer)
        if not any(fnmatchcase(origin, allowed.rstrip("/")) for allowed in self._allowed):
            raise BrokenAnswer(f"The {self._called} sends us to {origin}, which is not allowed.", reason="redirect")
        return await self._transport.exchange(str(target), "GET", deadline=_DEADLINE)

    def _target(self, path: str, answer: Answer) -> tuple[URL, str]:
        try:
            target = URL(self._peer.url + path).join(URL(answer.headers.get("location", "")))
            return target, str(target.origin())  # which `mailto:a` and `http://` do not have
        except ValueError as error:
            raise BrokenAnswer(f"The {self._called} sends us nowhere.", reason="redirect") from error
