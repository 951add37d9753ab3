"""What one node answered to one request, as data: all that a verdict is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Method = Literal["GET", "HEAD"]


class Verdict(StrEnum):
    """What may be concluded about one process and one set of keys (ao-facts.md, *The verdict*)."""

    PATCHED = "patched"
    NOT_PATCHED = "not_patched"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One exchange with one node, complete or failed.

    `path` is the request target after the node's base URL (`/{pid}~process@1.0/compute`). `headers` has lower-cased
    names; values of repeated headers are joined by ", ". `status` is None where no complete answer came, and then
    `failure` is the `reason` of the PeerError that ended it. One that is `recalled` was made at an earlier look and is
    known to hold still; it cost no request.
    """

    node: str
    operator: str
    method: Method
    path: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    failure: str | None = None
    elapsed_ms: int = 0
    recalled: bool = False
