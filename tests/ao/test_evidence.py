from __future__ import annotations

import json

import pytest

from bot.ao.evidence import reason_of
from bot.domain.observation import Observation

BASE = f"/{'A' * 43}~process@1.0/"
LISTING = "compute/cache/keys/serialize~json@1.0"


def seen(path: str = "compute", status: int | None = 200, body: bytes = b"", failure=None, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reason_of(
        Observation(
            node="n",
            operator="o",
            method="GET",
            path=BASE + path,
            status=status,
            headers=named,
            body=body,
            failure=failure,
        )
    )


def listing(*names: str) -> bytes:
    return json.dumps({"device": "json@1.0"} | {str(number): name for number, name in enumerate(names, 1)}).encode()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (seen("slot/current", body=b"17"), "answered 17"),
        (seen(LISTING, body=listing("total", "balances")), "lists balances, total"),
        (seen(LISTING, body=listing(*(f"k{number}" for number in range(9)))), "lists k0, k1, k2, k3, k4 and 4 more"),
        (seen(LISTING, body=listing("**bold**", "[x](http://evil)")), "lists 2 names, none of them exposed"),
        (seen(LISTING, body=b"<html>"), "answered, but lists nothing readable"),
        (seen(status=404, body=b"not_found"), "nothing there"),
        (seen(status=404, unavailable="A"), "does not know this process"),
        (seen(status=500, body=b"necessary_message_not_found"), "does not know this process"),
        (seen(status=302), "sent us elsewhere, where we don't follow"),
        (seen(status=418), "answered 418"),
        (seen(status=None, failure="refused"), "refused the connection"),
        (seen(status=None, failure="now-budget"), "not asked: this hour's share of computing is used up"),
    ],
)
def test_evidence_in_words(words, expected):
    assert words == expected
