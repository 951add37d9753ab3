"""Judging a process from observations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.evidence import View, views
from bot.domain.keys import CACHE, StateKey, candidate_paths
from bot.domain.observation import Observation, Verdict
from bot.domain.system_keys import SYSTEM_KEYS

MOST_EXPOSED = 100


class Reason(StrEnum):
    """Why a judgement is what it is; the words people read are made from it in `cogs/messages`."""

    SHOWN = "shown"
    MISSING = "missing"
    BEHIND = "behind"
    UNSCHEDULED = "unscheduled"
    COMPUTING = "computing"
    STUCK = "stuck"
    DISAGREE = "disagree"
    NOT_KNOWN_HERE = "not-known-here"
    NOT_A_PROCESS = "not-a-process"
    TOO_YOUNG = "too-young"
    TAGS_UNKNOWN = "tags-unknown"
    NO_ANSWER = "no-answer"
    NODES_DOWN = "nodes-down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What observations allow to conclude for one set of required keys.

    `shown` pairs each required key that was found with the path it was found at; `missing` are the others; `exposed`
    is every exposed path that was seen (`cache/balances`, `token-info`), required or not. Slots are HyperBEAM slots
    (the first is 0). `nodes` and `operators` name who says so.
    """

    verdict: Verdict
    reason: Reason
    shown: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    at_slot: int | None = None
    current_slot: int | None = None
    stuck: bool = False
    nodes: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWord:
    """What one node's answers allow to conclude; `head` is the newest scheduled slot. Else as in `Judgement`."""

    node: str
    operator: str
    verdict: Verdict
    reason: Reason
    shown: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    exposed: tuple[str, ...]
    at_slot: int | None
    head: int | None
    stuck: bool


# THE RULE (ao-facts.md, "The verdict"). Each node is judged by its own answers alone, then their words are counted.
#
# A node says PATCHED when it shows every required key at one of its candidate paths, or, where none is required, any
# key that is neither the system's nor in the process's definition. It shows a path by naming it in a `keys` listing or
# in a signed or link header of the whole, or by answering 200 there; evidence.py says which answers a node made itself.
# At the root, a name that the system or a spawn tag has is no exposure; with the tags unknown, no name there is.
#
# A node says NOT PATCHED only if it knows the process, and its slot, read before the listings, is 0 or more and not
# behind what it says is scheduled, and every candidate path of at least one required key is absent:
#   - under `cache`, the listing of the path's table (`cache`, `cache/acl`) or of a table above it says `not_found`
#     or has other names. That the root does not name `cache` is not enough: each listing is asked for itself;
#   - at the root, the listing names the system's keys and not ours; or names ours, but it is a spawn tag and the whole
#     does not show it as a table;
#   - or the path itself answered with the atom `not_found`.
# With no key required: both listings have nothing but the system's names and tags.
#
# All else is UNKNOWN. Being shown needs no slot: a process that is behind, or stuck, and shows its keys is patched.
#
# Nodes of one operator are one voice, and an operator whose nodes contradict each other has none. The verdict with more
# voices wins and names its operators; as many against as for is UNKNOWN (disagree). A single voice is a verdict here:
# that one operator turns no status is status.py's rule.
def judge(
    observations: Sequence[Observation],
    required: Sequence[StateKey],
    *,
    tags: Sequence[str] | None,
    absent_at_gateways: bool = False,
    nodes: Collection[str] = (),
) -> Judgement:
    """Judge one process by the rule above. Pure; any observation is taken, and one that proves nothing changes nothing.

    Each node's observations are in the order in which it was asked. `tags` are the names of the spawn tags, None where
    unknown. NOT FOUND needs `absent_at_gateways` (every gateway was reached and none has it as an AO process) and
    `nodes`, the URLs of all configured nodes, each of which says that it does not know the id. One that a node knows,
    but no gateway, and that no message has reached is too young.
    """
    words = [judge_node(view, required, tags) for view in views(observations)]
    winner = _count(words)
    if winner in (Verdict.PATCHED, Verdict.NOT_PATCHED):
        return _speak([word for word in words if word.verdict == winner])
    proven = [word for word in words if word.verdict != Verdict.UNKNOWN]
    if proven:
        return _unknown(proven, Reason.DISAGREE)
    strangers = {word.node for word in words if word.reason == Reason.NOT_KNOWN_HERE}
    if absent_at_gateways and nodes and strangers.issuperset(nodes):
        return _speak(words, Verdict.NOT_FOUND, Reason.NOT_A_PROCESS)
    reason = min((word.reason for word in words), key=_TELLING.index, default=Reason.NO_ANSWER)
    if reason == Reason.UNSCHEDULED and absent_at_gateways:
        reason = Reason.TOO_YOUNG
    return _unknown(words, reason)


_TELLING = (
    Reason.STUCK,
    Reason.COMPUTING,
    Reason.BEHIND,
    Reason.TAGS_UNKNOWN,
    Reason.UNSCHEDULED,
    Reason.NO_ANSWER,
    Reason.NOT_KNOWN_HERE,
)
"""Why a node could not say, the most telling first: of several nodes' reasons the first is given."""


def judge_node(view: View, required: Sequence[StateKey], tags: Sequence[str] | None) -> NodeWord:
    """Judge by one node's answers alone: the first half of the rule."""
    root = _Root(view, tags)
    exposed = _exposed(view, root)
    found = {key: path for key in required for path in reversed(candidate_paths(key)) if _is_shown(path, view, root)}
    behind = view.at_slot is not None and view.head is not None and view.at_slot < view.head
    verdict, reason = Verdict.UNKNOWN, _why_unknown(view, root, behind, required)
    if len(found) == len(set(required)) and (required or exposed):
        verdict, reason = Verdict.PATCHED, Reason.SHOWN
    elif _proves_absence(view, root, required):
        verdict, reason = Verdict.NOT_PATCHED, Reason.MISSING
    return NodeWord(
        node=view.node,
        operator=view.operator,
        verdict=verdict,
        reason=reason,
        shown=tuple(found.items()),
        missing=tuple(key for key in dict.fromkeys(required) if key not in found),
        exposed=exposed[:MOST_EXPOSED],
        at_slot=view.at_slot,
        head=view.head,
        stuck=behind and view.failed_to_compute,
    )


class _Root:
    """What names at the root mean for one process: the system's, the spawn's, or exposed state."""

    def __init__(self, view: View, tags: Sequence[str] | None) -> None:
        self.known = tags is not None or view.definition is not None
        self._given = frozenset(tag.lower() for tag in tags or ()) | (view.definition or frozenset[str]())
        self._doubtful = (view.root_links - view.definition_links) & self._given

    def is_exposed(self, name: str) -> bool:
        return self.known and name not in SYSTEM_KEYS and name not in self._given

    def is_innocent(self, name: str) -> bool:
        """The name's being there proves that nothing of this name was exposed by a patch."""
        return name in SYSTEM_KEYS or (name in self._given and name not in self._doubtful)


def _is_shown(path: str, view: View, root: _Root) -> bool:
    table, _, name = path.rpartition("/")
    listing = view.listings.get(table)
    seen = path in view.shown or (listing is not None and listing.names is not None and name in listing.names)
    return seen and (table != "" or root.is_exposed(name) or (path == CACHE and view.cache_link is not None))


def _exposed(view: View, root: _Root) -> tuple[str, ...]:
    paths = {path for path in view.shown if "/" in path or root.is_exposed(path)}
    for table, listing in view.listings.items():
        for name in listing.names or ():
            if table:
                paths.add(f"{table}/{name}")
            elif name != CACHE and root.is_exposed(name):
                paths.add(name)
    return tuple(sorted(path for path in paths if path != CACHE))


def _proves_absence(view: View, root: _Root, required: Sequence[StateKey]) -> bool:
    if view.not_here or view.head is None:
        return False
    if required:
        return any(all(_is_absent(path, view, root) for path in candidate_paths(key)) for key in required)
    cache, whole = view.listings.get(CACHE), view.listings.get("")
    if cache is None or whole is None or not (_is_at_head(cache.slot, view) and _is_at_head(whole.slot, view)):
        return False
    return not cache.names and all(root.is_innocent(name) for name in whole.names or () if name != CACHE)


def _is_absent(path: str, view: View, root: _Root) -> bool:
    if path in view.absent and _is_at_head(view.absent[path], view):
        return True
    table, _, name = path.rpartition("/")
    listing = view.listings.get(table)
    if listing is not None:
        if not _is_at_head(listing.slot, view):
            return False
        if listing.names is None or name not in listing.names:
            return True
        return table == "" and path != CACHE and root.is_innocent(name)
    return table not in ("", CACHE) and _is_absent(table, view, root)


def _is_at_head(slot: int | None, view: View) -> bool:
    return slot is not None and slot >= 0 and view.head is not None and slot >= view.head


def _why_unknown(view: View, root: _Root, behind: bool, required: Sequence[StateKey]) -> Reason:
    if view.failed_to_compute and view.head is not None and (behind or view.at_slot is None):
        return Reason.STUCK
    if view.computing:
        return Reason.COMPUTING
    if view.not_here:
        return Reason.NOT_KNOWN_HERE
    if view.at_slot == -1 or view.head == -1:
        return Reason.UNSCHEDULED
    if behind:
        return Reason.BEHIND
    return Reason.TAGS_UNKNOWN if _hangs_on_tags(view, root, required) else Reason.NO_ANSWER


def _hangs_on_tags(view: View, root: _Root, required: Sequence[StateKey]) -> bool:
    """The root shows what may be ours, or may be a spawn tag."""
    listing = view.listings.get("")
    names = {path for path in view.shown if "/" not in path} | ((listing and listing.names) or frozenset[str]())
    candidates = {path for key in required for path in candidate_paths(key)} if required else names - {CACHE}
    return any(name in candidates and not root.is_innocent(name) and not root.is_exposed(name) for name in names)


def _count(words: Sequence[NodeWord]) -> Verdict:
    """Give the verdict that has more operators than the other, or UNKNOWN."""
    voices: dict[str, set[Verdict]] = {}
    for word in words:
        if word.verdict != Verdict.UNKNOWN:
            voices.setdefault(word.operator, set()).add(word.verdict)
    clear = [verdicts for verdicts in voices.values() if len(verdicts) == 1]
    patched = sum(Verdict.PATCHED in verdicts for verdicts in clear)
    if patched * 2 == len(clear):
        return Verdict.UNKNOWN
    return Verdict.PATCHED if patched * 2 > len(clear) else Verdict.NOT_PATCHED


def _speak(words: Sequence[NodeWord], verdict: Verdict | None = None, reason: Reason | None = None) -> Judgement:
    """Join the words of nodes that agree; what they showed is taken from the one at the newest slot."""
    newest = max(words, key=lambda word: -1 if word.at_slot is None else word.at_slot)
    return Judgement(
        verdict=verdict or newest.verdict,
        reason=reason or newest.reason,
        shown=newest.shown,
        missing=newest.missing,
        exposed=newest.exposed,
        at_slot=newest.at_slot,
        current_slot=newest.head,
        stuck=any(word.stuck for word in words),
        nodes=tuple(dict.fromkeys(word.node for word in words)),
        operators=tuple(dict.fromkeys(word.operator for word in words)),
    )


def _unknown(words: Sequence[NodeWord], reason: Reason) -> Judgement:
    if not words:
        return Judgement(verdict=Verdict.UNKNOWN, reason=reason)
    told = [word for word in words if word.reason == reason] or words
    return _speak(told, Verdict.UNKNOWN, reason)
