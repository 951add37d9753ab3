"""Observations as evidence that a person can read: one line for each request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.ao.node import COMPUTING
from bot.domain.card import Sighting
from bot.domain.evidence import LINK, LISTING, is_from_node, is_missing, read_listing, views
from bot.domain.keys import CACHE
from bot.domain.observation import Observation
from bot.domain.system_keys import SYSTEM_KEYS

_FAILURES = {
    COMPUTING: "still computing when we stopped waiting",
    "now-budget": "not asked: this hour's share of computing is used up",
    "rate-limited": "not asked: it wants to be left alone for now",
    "own-budget": "not asked: I ask no node more often than this, and many people asked me",
    "resting": "not asked: it did not answer before",
    "timeout": "no answer in time",
    "refused": "refused the connection",
    "dns": "no such host",
    "tls": "could not prove who it is",
    "unroutable": "no way there",
    "reset": "broke the connection off",
    "protocol": "did not speak HTTP as it should",
    "oversized": "sent more than we read",
    "compressed": "sent a compressed answer although asked not to",
    "forbidden-address": "leads to a private address",
    "not-a-node": "answered as no node does",
    "malformed": "no address of a node",
}
_STATUSES = {
    426: "wants HTTP/2",
    429: "wants to be left alone for now",
    500: "failed on its side",
    502: "its proxy got no answer",
    503: "is not available",
    504: "its proxy got no answer in time",
}
_LONGEST_NUMBER = 20
_SLOT = re.compile(r"-1|[0-9]{1,18}")
_MOST_NAMES = 5
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


def sightings(observations: Sequence[Observation]) -> tuple[Sighting, ...]:
    """Give observations as lines of evidence; what one node said of the newest slot explains its other slots."""
    heads = {view.node: view.head for view in views(observations)}
    return tuple(
        Sighting(
            node=each.node,
            path=each.path,
            status=each.status,
            reason=reason_of(each, heads.get(each.node)),
            elapsed_ms=each.elapsed_ms,
        )
        for each in observations
    )


def reason_of(observation: Observation, head: int | None = None) -> str:
    """Say in a few words what was seen there. `head` is the newest scheduled slot, where the node told it."""
    status = observation.status
    if status is None:
        return in_words(observation.failure or "no answer")
    if "unavailable" in observation.headers or b"necessary_message_not_found" in observation.body:
        return "does not know this process"
    if status == 200:
        return _value_of(observation, head)
    if status == 404:
        return _nothing_at(observation)
    if 300 <= status < 400:
        return "sent us elsewhere, where we don't follow"
    if status == 500 and is_from_node(observation):
        return "failed to compute it"
    return _STATUSES.get(status, f"answered {status}")


def in_words(failure: str) -> str:
    """Say a PeerError's stable word, or a node's health, in a few plain words."""
    return _FAILURES.get(failure, failure)


def _value_of(observation: Observation, head: int | None) -> str:
    """Say what a 200 shows at its path: a slot, a listing's names, the process itself, or that the key is there."""
    rest = observation.path.partition("~process@1.0/")[2]
    if rest.endswith(LISTING):
        return _names_of(observation)
    number = observation.body[:_LONGEST_NUMBER].decode("ascii", "replace").strip()
    slot = int(number) if _SLOT.fullmatch(number) else None
    if rest == "slot/current":
        return f"newest slot is {slot}" if slot is not None else "told no slot"
    if rest in ("compute/at-slot", "now/at-slot"):
        return _slot(slot, head)
    if rest in ("compute", "now"):
        shown = _slot(_at_slot(observation), head)
        return f"{shown}, something under {CACHE}" if f"{CACHE}{LINK}" in observation.headers else shown
    if not rest:
        return "its definition"
    return "has this key" if is_from_node(observation) else "answered as no node does"


def _at_slot(observation: Observation) -> int | None:
    said = observation.headers.get("at-slot", "")
    return int(said) if _SLOT.fullmatch(said) else None


def _slot(slot: int | None, head: int | None) -> str:
    if slot is None:
        return "told no slot"
    if slot < 0:
        return "no message yet"
    return f"slot {slot}" if head is None else f"slot {slot} of {head}"


def _nothing_at(observation: Observation) -> str:
    """Say what a 404 misses: only a node's own `not_found` says that there is no such key."""
    if not is_missing(observation):
        return "nothing there"
    table = observation.path.partition("/compute/")[2]
    if table.endswith(f"/{LISTING}"):
        name = table.removesuffix(f"/{LISTING}")
        return f"nothing under {name}" if _KEY.fullmatch(name) else "nothing under this key"
    return "no such key"


def _names_of(observation: Observation) -> str:
    """Say what a listing lists. Names come from strangers: only what a key could be is shown, the rest is counted."""
    listed = read_listing(observation)
    if listed is None:
        return "answered, but lists nothing readable"
    told = sorted(name for name in listed - SYSTEM_KEYS if _KEY.fullmatch(name))[:_MOST_NAMES]
    others = len(listed) - len(told)
    if not told:
        return f"lists {others} names, none of them exposed" if others else "lists nothing"
    return f"lists {', '.join(told)}" + (f" and {others} more" if others else "")
