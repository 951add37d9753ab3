"""A model of AO that the rule is held against: one process with its true state, and nodes that show it, or do not.

It shares nothing with the program but the shape of an Observation: what is exposed is what the model's own messages
patched, and what a node answers is written down from ao-facts.md, section 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.observation import Method, Observation

PROCESS = "0syT13r0s0tgPmIed95bJnuSqaD29HQNN8D3ElLSrsc"
SYSTEM = ("at-slot", "device", "process", "initialized", "results", "execution-device", "type")
LOGIN = b'["balances", "token-info", "at-slot"]'

State = frozenset[str]
"""The paths that are exposed after one slot: `cache/balances`, `token-info`."""


@dataclass
class World:
    """The process. `states` has what is exposed after each slot; `broken` is the slot that no node can compute."""

    tags: frozenset[str] = frozenset()
    states: list[State] = field(default_factory=list)
    broken: int | None = None

    @property
    def head(self) -> int:
        """The newest scheduled slot, -1 for none."""
        return len(self.states) - 1

    @property
    def reachable(self) -> int:
        """The newest slot that can be computed."""
        return self.head if self.broken is None else self.broken - 1

    def state(self, slot: int) -> State:
        return self.states[slot] if slot >= 0 else frozenset()

    def schedule(self, add: Iterable[str] = (), drop: Iterable[str] = ()) -> None:
        """Schedule one message that patches so."""
        self.states.append((self.state(self.head) | frozenset(add)) - frozenset(drop))

    def is_exposed(self, required: tuple[str, ...], slot: int | None = None) -> bool:
        """The truth: at the head, or after one slot. What follows a message that fails is never computed by anybody."""
        state = self.state(min(self.head if slot is None else slot, self.reachable))
        if not required:
            return bool(state)
        return all(f"cache/{key}" in state or key in state for key in required)


class Mood(StrEnum):
    """What a node does with whatever it is asked."""

    WELL = "well"
    LAGGING = "lagging"  # answers from what it has computed, and computes only when `now` is asked
    CACHED = "cached"  # the same, and serves `now` too from what it has (dev_process.erl: process_now_from_cache)
    LOST = "lost"  # does not know the process any more
    LOGIN = "login"  # what is before it answers everything with 200 and a body of its own
    PROXY = "proxy"  # a proxy before it turns the whole into 502
    ROUTED = "routed"  # a proxy before it has a 404 page of its own for what it does not route
    BUSY = "busy"  # 429
    DOWN = "down"
    SCHEDULES = "schedules"  # knows the newest slot and computes nothing
    COLD_SLOW = "cold-slow"  # evaluating takes longer than anybody waits
    LYING = "lying"
    STALLING = "stalling"  # lies, and has always the same newest slot


@dataclass
class ModelNode:
    """One node. `computed` is None while it is cold. `fake` is the state that it lies with, at `fake_slot`."""

    url: str
    operator: str
    world: World
    mood: Mood = Mood.WELL
    computed: int | None = None
    fake: State = frozenset()
    fake_slot: int = 0
    asked: list[str] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None

    async def ask(self, method: Method, path: str) -> Observation:
        """Answer as a node in this mood does; the world may move just before."""
        self.before_answer()
        self.asked.append(f"{method} {path}")
        status, headers, body = self._answer(method, path)
        failure = body.decode() if status is None else None
        return Observation(
            node=self.url,
            operator=self.operator,
            method=method,
            path=path,
            status=status,
            headers={} if failure else {"date": "now", "server": "Cowboy", **headers},
            body=b"" if failure or method == "HEAD" else body,
            failure=failure,
        )

    def _answer(self, method: Method, path: str) -> tuple[int | None, dict[str, str], bytes]:
        match self.mood:
            case Mood.DOWN:
                return None, {}, b"refused"
            case Mood.BUSY:
                return 429, {"retry-after": "60"}, b""
            case Mood.LOGIN:
                return 200, {"content-type": "application/json", "balances": "1"}, LOGIN
            case Mood.LOST:
                return unavailable(bundle=method == "GET")
            case Mood.PROXY if path.endswith("/compute"):
                return 502, {"server": "nginx"}, b"<html>502</html>"
            case Mood.ROUTED if "/cache/" in path:
                return 404, {"server": "nginx"}, b"not_found"
            case Mood.LYING | Mood.STALLING:
                return self._lie(method, path)
            case _:
                return self._tell(method, path)

    def _lie(self, method: Method, path: str) -> tuple[int | None, dict[str, str], bytes]:
        slot = self.fake_slot if self.mood is Mood.STALLING else self.world.head
        return render(method, path, self.fake, slot, slot, self.world.tags)

    def _tell(self, method: Method, path: str) -> tuple[int | None, dict[str, str], bytes]:
        world = self.world
        if path.endswith("/slot/current") or path == f"/{PROCESS}":
            return render(method, path, frozenset(), 0, world.head, world.tags)
        if self.mood is Mood.SCHEDULES:
            return 500, {"content-type": "text/html"}, b"<html>500</html>"
        if self.computed is None or ("/now/" in path and self.mood is not Mood.CACHED):
            if self.mood is Mood.COLD_SLOW:
                return None, {}, b"computing"
            self.computed = world.reachable
            if "/now/" in path and world.broken is not None:
                return 500, {"ao-types": 'status="integer"'}, b"<html>500</html>"
        elif self.mood is Mood.WELL:
            self.computed = world.reachable
        return render(method, path, world.state(self.computed), self.computed, world.head, world.tags)


def unavailable(*, bundle: bool) -> tuple[int, dict[str, str], bytes]:
    if not bundle:
        return 404, {"content-type": "text/html"}, b""
    return 404, {"ao-types": 'status="integer"', "unavailable": PROCESS}, b"Message necessary to resolve request"


def render(
    method: Method, path: str, state: State, slot: int, head: int, tags: frozenset[str]
) -> tuple[int, dict[str, str], bytes]:
    """Answer for one state as a HyperBEAM node does. A table itself must never be asked for."""
    rest = path.removeprefix(f"/{PROCESS}").removeprefix("~process@1.0/")
    rest = rest.replace("now/", "compute/", 1)
    cache = names_in("cache", state)
    root = sorted(name for name in state if not name.startswith("cache/"))
    names = [*SYSTEM, *tags, *root, *(["cache"] if cache else [])]
    match rest:
        case "":
            return 200, signed(dict.fromkeys(tags, "tag") | {"type": "Process", "device": "process@1.0"}), b""
        case "slot/current":
            return 200, signed({"ao-result": "body"}), str(head).encode()
        case "compute/at-slot":
            return 200, signed({"ao-result": "body"}), str(slot).encode()
        case "compute":
            whole = dict.fromkeys((*SYSTEM, *tags), "1") | {f"{name}+link": "x" for name in root}
            whole |= {"cache+link": f"link-of-{'-'.join(cache)}"} if cache else {}
            return 200, signed(whole | {"at-slot": str(slot)}), b""
        case "compute/keys/serialize~json@1.0":
            return listing(names)
        case _ if rest.startswith("compute/cache/") and rest.endswith("/keys/serialize~json@1.0"):
            inner = names_in(rest.removeprefix("compute/").removesuffix("/keys/serialize~json@1.0"), state)
            return listing(inner) if inner else missing()
        case _:
            raise AssertionError(f"{method} {path} is more than may be asked")


def names_in(table: str, state: State) -> list[str]:
    """Give the names in a table: `cache` of `cache/acl/alice` has `acl`."""
    inside = (path.removeprefix(f"{table}/") for path in state if path.startswith(f"{table}/"))
    return sorted({path.partition("/")[0] for path in inside})


def listing(names: Iterable[str]) -> tuple[int, dict[str, str], bytes]:
    members = {str(number): name for number, name in enumerate(names, 1)} | {"device": "json@1.0"}
    return 200, signed({"content-type": "application/json"}), json.dumps(members).encode()


def missing() -> tuple[int, dict[str, str], bytes]:
    return 404, {"ao-result": "body", "ao-types": 'body="atom", status="integer"'}, b"not_found"


def signed(headers: dict[str, str]) -> dict[str, str]:
    covered = " ".join(f'"{name}"' for name in headers)
    return headers | {"ao-types": 'status="integer"', "signature-input": f'sig=({covered});alg="x"'}
