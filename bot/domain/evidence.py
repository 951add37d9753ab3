"""What one node's answers prove about one process: listings, slots and tags, read out of raw observations.

Only what a HyperBEAM node itself must have made is believed (ao-facts.md, section 1): a 200 with `ao-types`,
`ao-result` or `signature-input`, or a JSON codec's `device`; a 404 whose body is the atom `not_found`. State may decide
a table's status and headers, so a status alone proves nothing; and what a cache kept for more than a minute says
nothing of now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn, cast

from bot.domain.observation import Observation
from bot.domain.system_keys import CERTAIN_KEYS

LISTING = "keys/serialize~json@1.0"
LINK = "+link"

_TARGET = re.compile(r"/[A-Za-z0-9_-]{43}(?:~process@1\.0/(?P<rest>.+))?")
_COMPUTED = re.compile(r"(?P<how>compute|now)(?:/(?P<path>.+))?")
_PATH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_SLOT = re.compile(rb"-1|0|[1-9][0-9]{0,17}")
_COMPONENTS = re.compile(r"=\s*\(([^()]*)\)")
_COMPONENT = re.compile(r'"([^"\s]+)"')
_NOT_FOUND = b"not_found"
_NOT_HERE = b"necessary_message_not_found"
_OLD = 60  # seconds
_WORTH_CACHING = 8192  # bytes; 512 such listings are 4 MiB
_SIGNS_OF_A_NODE = ("ao-types", "ao-result", "signature-input")


@dataclass(frozen=True, slots=True)
class Listing:
    """The names in one table, lower-cased, or None where there is no such table.

    `slot` is the newest slot that the node was known to have computed *before* it was asked: what is missing here is
    missing at that slot or a later one. None: not known, and then it proves no absence.
    """

    names: frozenset[str] | None
    slot: int | None


@dataclass(slots=True)
class View:
    """All that one node has shown of one process, in the order in which it was asked.

    `listings` has the table's path (`""` is the root). `shown` has paths proven by a value or a header; `root_links`
    are names that the whole answer shows as tables. `definition` has the names in the process's definition. `head` is
    what the node says is the newest scheduled slot.
    """

    node: str
    operator: str
    at_slot: int | None = None
    head: int | None = None
    cache_link: str | None = None
    listings: dict[str, Listing] = field(default_factory=dict[str, Listing])
    shown: set[str] = field(default_factory=set[str])
    absent: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    root_links: set[str] = field(default_factory=set[str])
    definition: frozenset[str] | None = None
    definition_links: frozenset[str] = frozenset()
    not_here: bool = False
    computing: bool = False
    failed_to_compute: bool = False

    def add(self, observation: Observation) -> None:
        """Learn from one more observation; one that proves nothing changes nothing."""
        target = _TARGET.fullmatch(observation.path)
        if target is None or _is_old(observation.headers):
            return
        if observation.failure is not None or observation.status is None:
            self.computing = self.computing or observation.failure in ("computing", "now-budget")
            return
        self.not_here = self.not_here or _says_not_here(observation)
        rest = target["rest"]
        if rest is None:
            self._add_definition(observation)
        elif rest == "slot/current":
            self._raise_head(read_slot(observation))
        elif (computed := _COMPUTED.fullmatch(rest)) is not None:
            self._add_computed(observation, computed["how"], computed["path"])

    def _add_computed(self, observation: Observation, how: str, path: str | None) -> None:
        if observation.status == 500 and is_from_node(observation):
            self.failed_to_compute |= how == "now" or path in (None, "at-slot", LISTING)
        if path is None:
            self._add_whole(observation)
        elif path == "at-slot":
            self._set_slot(read_slot(observation))
        elif path == LISTING:
            self._add_listing("", observation)
        elif path.endswith(f"/{LISTING}"):
            self._add_listing(path.removesuffix(f"/{LISTING}").lower(), observation)
        else:
            self._add_value(path.removesuffix("/serialize~json@1.0").lower(), observation)

    def _add_whole(self, observation: Observation) -> None:
        """Read `HEAD compute`: the slot, and the signed names. What is not among them may still be there."""
        if observation.status != 200 or not is_from_node(observation):
            return
        slot = _slot_of(observation.headers.get("at-slot", "").encode())
        self._set_slot(slot)
        names = signed_names(observation.headers) | {name for name in observation.headers if name.endswith(LINK)}
        names &= observation.headers.keys()
        self.cache_link = observation.headers.get(f"cache{LINK}")
        self.root_links = {_bare(name) for name in names if name.endswith(LINK)}
        self.shown.update(_bare(name) for name in names if name != "cache")

    def _add_listing(self, table: str, observation: Observation) -> None:
        if table and not _PATH.fullmatch(table):
            return
        names: frozenset[str] | None = None
        if not is_missing(observation):
            names = read_listing(observation)
            if names is None or (table == "" and not names & CERTAIN_KEYS):
                return
        elif table == "":
            return  # there is no process without a root
        self.listings[table] = Listing(names, self.at_slot)

    def _add_value(self, path: str, observation: Observation) -> None:
        if not _PATH.fullmatch(path):
            return
        if is_missing(observation):
            self.absent[path] = self.at_slot
        elif observation.status == 200 and is_from_node(observation):
            self.shown.add(path)

    def _add_definition(self, observation: Observation) -> None:
        signed = signed_names(observation.headers) & observation.headers.keys()
        if observation.status != 200 or observation.headers.get("type", "").lower() != "process" or not signed:
            return
        self.definition = frozenset(_bare(name) for name in signed)
        self.definition_links = frozenset(_bare(name) for name in signed if name.endswith(LINK))

    def _set_slot(self, slot: int | None) -> None:
        """Note what was computed. A `now` says no more: nodes may serve it from a cache (dev_process.erl, now/3)."""
        if slot is not None:
            self.at_slot = slot

    def _raise_head(self, slot: int | None) -> None:
        if slot is not None:
            self.head = slot if self.head is None else max(self.head, slot)


def views(observations: Iterable[Observation]) -> list[View]:
    """Sort observations by node, in the order in which the nodes first appear."""
    found: dict[str, View] = {}
    for observation in observations:
        view = found.setdefault(observation.node, View(observation.node, observation.operator))
        view.add(observation)
    return list(found.values())


def is_from_node(observation: Observation) -> bool:
    """Tell whether a HyperBEAM node made this answer, and not a login page or a proxy before it."""
    if any(name in observation.headers for name in _SIGNS_OF_A_NODE):
        return True
    document = _read_object(observation.body)
    return document is not None and document.get("device") == "json@1.0"


def is_missing(observation: Observation) -> bool:
    """Tell whether this answer says that there is nothing at its path: the atom `not_found`, by the body and its type.

    A table whose own entries are `status=404, body=not_found` imitates all of it but the type.
    """
    headers = observation.headers
    if observation.method != "GET" or observation.status != 404 or "unavailable" in headers:
        return False
    if observation.body == _NOT_FOUND:
        kinds = [kind.strip() for kind in headers.get("ao-types", "").split(",")]
        return 'body="atom"' in kinds and headers.get("ao-result") == "body"
    if headers.get("codec-device") == "json@1.0":  # nodes of 2026
        document = _read_object(observation.body)
        return document is not None and document.get("body") == "not_found" and document.get("status") == 404
    return False


def read_listing(observation: Observation) -> frozenset[str] | None:
    """Give the names that a `keys` listing has, lower-cased, or None where the answer is no listing.

    `{"1":"balances","2":"num","device":"json@1.0"}`, or a list of strings. Anything odd in it makes it none.
    """
    if observation.method != "GET" or observation.status != 200 or not is_from_node(observation):
        return None
    body = observation.body
    return _names_again(body) if len(body) <= _WORTH_CACHING else _names_in(body)


def read_slot(observation: Observation) -> int | None:
    """Give the slot that an answer's body is, or None. A slot is a plain integer, -1 where nothing was scheduled."""
    if observation.method != "GET" or observation.status != 200 or not is_from_node(observation):
        return None
    return _slot_of(observation.body)


def _names_in(body: bytes) -> frozenset[str] | None:
    document = _read_json(body)
    if isinstance(document, dict):
        members = cast(dict[str, object], document)
        listed = {key: value for key, value in members.items() if (key, value) != ("device", "json@1.0")}
        if not all(key.isascii() and key.isdigit() for key in listed):
            return None
        document = list(listed.values())
    if not isinstance(document, list):
        return None
    names = cast(list[object], document)
    if not all(isinstance(name, str) for name in names):
        return None
    return frozenset(_bare(str(name).lower()) for name in names)


# The listings of processes that expose nothing are all alike, and one look reads the same one several times.
_names_again = lru_cache(maxsize=512)(_names_in)


def _slot_of(text: bytes) -> int | None:
    return int(text) if _SLOT.fullmatch(text) else None


def _bare(name: str) -> str:
    return name.removesuffix(LINK)


def signed_names(headers: Mapping[str, str]) -> frozenset[str]:
    """Give the names that a node's signatures cover: its own message's keys, and nothing that a proxy added."""
    return _components(headers.get("signature-input", ""))


@lru_cache(maxsize=512)
def _components(signature_input: str) -> frozenset[str]:
    return frozenset(name for listed in _COMPONENTS.findall(signature_input) for name in _COMPONENT.findall(listed))


def _says_not_here(observation: Observation) -> bool:
    if observation.status == 404 and "unavailable" in observation.headers:
        return True
    if observation.status != 500:
        return False
    return _NOT_HERE in observation.body or _NOT_HERE.decode() in observation.headers.get("details", "")


def _is_old(headers: Mapping[str, str]) -> bool:
    age = headers.get("age", "").strip()
    return age.isascii() and age.isdigit() and (len(age) > 9 or int(age) > _OLD)


def _read_object(body: bytes) -> dict[str, object] | None:
    document = _read_json(body) if body[:1] == b"{" else None
    return cast(dict[str, object], document) if isinstance(document, dict) else None


def _read_json(body: bytes) -> object:
    """Give a JSON document, or None where it is none, names a member twice, or is too deep to be read."""
    try:
        return json.loads(body, object_pairs_hook=_distinct, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
