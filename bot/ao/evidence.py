"""Observations as evidence that a person can read: one line for each request."""

from __future__ import annotations

import re

from bot.ao.node import COMPUTING
from bot.domain.card import Sighting
from bot.domain.evidence import LINK, LISTING, read_listing
from bot.domain.keys import CACHE
from bot.domain.observation import Observation
from bot.domain.system_keys import SYSTEM_KEYS

_FAILURES = {
    COMPUTING: "still computing when we stopped waiting",
    "now-budget": "not asked: this hour's share of computing is used up",
    "rate-limited": "not asked: it wants to be left alone for now",
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
_ANSWERS = {"not_found": "nothing there"}
_LONGEST = 80
_MOST_NAMES = 5
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


def sighting(observation: Observation) -> Sighting:
    """Give one observation as a line of evidence."""
    return Sighting(
        node=observation.node,
        path=observation.path,
        status=observation.status,
        reason=reason_of(observation),
        elapsed_ms=observation.elapsed_ms,
    )


def reason_of(observation: Observation) -> str:
    """Say in a few words what the node answered."""
    status = observation.status
    if status is None:
        return in_words(observation.failure or "no answer")
    if "unavailable" in observation.headers or b"necessary_message_not_found" in observation.body:
        return "does not know this process"
    if status == 200:
        return _value_of(observation)
    if status == 404:
        return "nothing there"
    if 300 <= status < 400:
        return "sent us elsewhere, where we don't follow"
    return _STATUSES.get(status, f"answered {status}")


def in_words(failure: str) -> str:
    """Say a PeerError's stable word, or a node's health, in a few plain words."""
    return _FAILURES.get(failure, failure)


def _value_of(observation: Observation) -> str:
    """Show a short value, such as a slot, or a listing's names; of all else only that there was an answer."""
    if observation.path.endswith(f"/{LISTING}"):
        return _names_of(observation)
    if f"{CACHE}{LINK}" in observation.headers:
        return "answered, and has something under cache"
    text = observation.body[: _LONGEST + 1].decode("utf-8", "replace").strip()
    if text in _ANSWERS:
        return _ANSWERS[text]
    if text and text.lstrip("-").isdigit():
        return f"answered {text[:20]}"
    return "answered"


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
