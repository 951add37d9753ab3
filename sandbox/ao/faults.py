"""What can be wrong with one node. Every switch may be turned at any time."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Lie(StrEnum):
    """What a lying node says of every process it is asked for."""

    PATCHED = "patched"
    NOT_PATCHED = "not_patched"


@dataclass(slots=True, kw_only=True)
class Faults:
    """`delay` and `compute_delay` are in seconds, the second only for what must evaluate; `lag` in slots.

    `lag` hides the newest slots from the node altogether, its `slot/current` too: a stale copy that does not know it is
    one. `lost` are processes the node no longer knows. `only_schedules` answers nothing but slots. `head_502` is a
    proxy that cannot take a large `HEAD compute`. `http2_only` refuses HTTP/1.1 as nodes that end TLS themselves do.
    `newest` answers for unknown processes as nodes of 2026 do.
    """

    delay: float = 0
    compute_delay: float = 0
    lag: int = 0
    lost: set[str] = field(default_factory=set[str])
    lie: Lie | None = None
    login_page: bool = False
    rate_limited: bool = False
    retry_after: str | None = "30"
    only_schedules: bool = False
    head_502: bool = False
    http2_only: bool = False
    newest: bool = False

    def clear(self) -> None:
        """Make the node healthy again."""
        fresh = Faults()
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(fresh, name))
