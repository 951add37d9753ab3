"""Judging a process from observations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.observation import Verdict


class Reason(StrEnum):
    """Why a judgement is what it is; the words people read are made from it in `cogs/messages`."""

    SHOWN = "shown"
    MISSING = "missing"
    BEHIND = "behind"
    UNSCHEDULED = "unscheduled"
    COMPUTING = "computing"
    STUCK = "stuck"
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
