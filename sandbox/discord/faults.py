"""Switches for what goes wrong on Discord. Routes are named as in `server.requests`: `POST /users/@me/channels`."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from sandbox.discord.errors import ApiError, refusal
from sandbox.discord.rate_limits import too_many


class Moment(StrEnum):
    """Where a request can be held up."""

    ARRIVED = "all its bytes are here, and nothing was done yet"
    DONE = "it was carried out, and its answer not sent yet"


class HeldUp:
    """The next request of a route whose body has these bytes, held up at one moment until it is let go."""

    def __init__(self, route: str, moment: Moment, containing: bytes) -> None:
        self.route = route
        self.moment = moment
        self.containing = containing
        self.reached = asyncio.Event()
        self.gone_on = asyncio.Event()

    def let_go(self) -> None:
        """Let it go on."""
        self.gone_on.set()


class Loss(StrEnum):
    """What becomes of an answer after the request was carried out."""

    SERVER_ERROR = "500 instead of the answer"
    CUT = "connection closed without an answer"


@dataclass(frozen=True, slots=True)
class _Planned:
    """One refusal to come, in the place of carrying a request out, of those whose path has `within`."""

    error: ApiError
    within: str


@dataclass(slots=True)
class Faults:
    """All switches, off at first. `closed_dms` and `no_mutual_guild` hold user ids.

    `opening_too_fast`: 40003 for every new DM. `quarantined`: 20026 for DMs to users whom the bot has not written to
    before. `answer_delays`: seconds by route, before the answer is sent.
    """

    closed_dms: set[int] = field(default_factory=set)
    no_mutual_guild: set[int] = field(default_factory=set)
    opening_too_fast: bool = False
    quarantined: bool = False
    answer_delays: dict[str, float] = field(default_factory=dict)
    _planned: dict[str, deque[_Planned]] = field(default_factory=dict)
    _losses: dict[str, deque[Loss]] = field(default_factory=dict)
    _held_up: list[HeldUp] = field(default_factory=list)
    _resets: Counter[str] = field(default_factory=Counter[str])

    def rate_limit(
        self, route: str, retry_after: float, *, times: int = 1, scope: str = "user", via: bool = True
    ) -> None:
        """Answer 429 to the next `times` requests. `scope`: user, shared or global; no `via`: as Cloudflare bans."""
        self._plan(route, too_many(retry_after, scope=scope, via=via), times)

    def refuse(self, route: str, code: int, *, times: int = 1) -> None:
        """Refuse the next `times` requests with one of Discord's codes."""
        self._plan(route, refusal(code), times)

    def fail(self, route: str, status: int = 500, *, times: int = 1, within: str = "") -> None:
        """Answer the next `times` requests (whose path has `within`) with a server error, without carrying them out."""
        self._plan(route, ApiError(status, {"message": f"{status}: Server Error", "code": 0}), times, within)

    def reset(self, route: str, *, times: int = 1) -> None:
        """Reset the connection of the next `times` requests, without carrying them out."""
        self._resets[route] += times

    def resets(self, route: str) -> bool:
        """Tell whether this request meets a reset."""
        met = self._resets[route] > 0
        self._resets[route] -= met
        return met

    def lose_reply(self, route: str, *, times: int = 1, how: Loss = Loss.SERVER_ERROR) -> None:
        """Carry the next `times` requests out, and lose their answers."""
        self._losses.setdefault(route, deque()).extend([how] * times)

    def hold_up(self, route: str, moment: Moment, *, containing: bytes = b"") -> HeldUp:
        """Hold the next such request up; whoever sent it may meanwhile be dead, and it is carried out all the same."""
        held = HeldUp(route, moment, containing)
        self._held_up.append(held)
        return held

    async def pass_by(self, request: web.Request, route: str, moment: Moment) -> None:
        """Wait where this request is to be held up at this moment."""
        for held in self._held_up:
            if (held.route, held.moment) == (route, moment) and held.containing in await request.read():
                self._held_up.remove(held)
                held.reached.set()
                await held.gone_on.wait()
                return

    def _plan(self, route: str, error: ApiError, times: int, within: str = "") -> None:
        self._planned.setdefault(route, deque()).extend([_Planned(error, within)] * times)

    def before(self, route: str, path: str) -> None:
        """Raise what was planned for this request, if anything."""
        planned = self._planned.get(route, deque())
        found = next((each for each in planned if each.within in path), None)
        if found is not None:
            planned.remove(found)
            raise found.error

    def after(self, route: str) -> Loss | None:
        """Tell what becomes of this answer."""
        losses = self._losses.get(route)
        return losses.popleft() if losses else None
