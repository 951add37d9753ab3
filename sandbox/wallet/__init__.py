"""The demo wallet: a browser script and the made-up people whose keys it signs with. Never served by `bot/web`.

The script asks `keys` beside itself for `people_as_json(…)`: served at `/sandbox/wallet/wallet.js`, that is
`/sandbox/wallet/keys`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.ao.ans104 import address_of_key, jwk_of, make_key

SCRIPT = Path(__file__).parent / "wallet.js"
NAMES = ("Ada", "Ben")


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person of the demo wallet. `address` owns the seeded processes."""

    name: str
    key: rsa.RSAPrivateKey
    address: str


def make_people(names: Sequence[str] = NAMES) -> tuple[DemoPerson, ...]:
    """Make up people with fresh keys, about a tenth of a second each."""
    keys = ((name, make_key()) for name in names)
    return tuple(DemoPerson(name, key, address_of_key(key)) for name, key in keys)


def people_as_json(people: Sequence[DemoPerson]) -> list[dict[str, Any]]:
    """Give what the wallet's script asks for. Private keys are in it: for a sandbox's page alone."""
    return [{"name": one.name, "address": one.address, "jwk": jwk_of(one.key)} for one in people]
