"""What an owner can do about a process: sign, install first, or nothing; and who can then (ao-facts.md, 3 to 5)."""

from __future__ import annotations

from enum import StrEnum

from bot.domain.card import Metadata

AOS_MODULES = {
    "Do_Uc2Sju_ffp6Ev0AnLVdPtot15rvMjP-a9VVaA5fM": "2.0.1",
    "JArYBF-D8q2OmZ4Mok00sD2Y_6SYEQ7Hjx-6VZ_jl3g": "2.0.3",
    "ISShJH1ij-hPPt9St5UFFr_8Ys3Kj5cyg7zrMGt7H9s": "2.0.6",
}
"""The aos modules that the handler was tried on (ao-facts.md, section 4). Installing is offered on these only."""


class Way(StrEnum):
    """What a wallet can do. The values go to the page."""

    INSTALL = "install"  # a known aos: the message, and our handler where there is none
    ENABLE = "enable"  # another module, or no gateway told: the message only
    HYPER = "hyper-aos"  # runs on HyperBEAM itself: neither the message nor the Lua is for it
    PROCESS = "process"  # owned by another process: no wallet can sign for it


def way_of(metadata: Metadata | None) -> Way:
    """Tell by what gateways say of a process. Where they say nothing, the message alone can do no harm."""
    if metadata is None:
        return Way.ENABLE
    if any(name.lower() == "from-process" for name, _ in metadata.tags):
        return Way.PROCESS
    if (metadata.variant or "").lower().startswith("ao.n."):
        return Way.HYPER
    return Way.INSTALL if metadata.module in AOS_MODULES else Way.ENABLE
