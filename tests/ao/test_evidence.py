from __future__ import annotations

import json

import pytest

from bot.ao.evidence import reason_of, sightings
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
        (seen("slot/current", body=b"17"), "newest slot is 17"),
        (seen("slot/current", body=b"<html>"), "told no slot"),
        (seen("compute/at-slot", body=b"12"), "slot 12"),
        (seen("compute/at-slot", body=b"-1"), "no message yet"),
        (seen("compute", at_slot="7", **{"cache+link": "x"}), "slot 7, something under cache"),
        (seen("compute", at_slot="seven"), "told no slot"),
        (seen("compute/cache/balances", ao_types=""), "has this key"),
        (seen("compute/cache/balances", body=b"<html>"), "answered as no node does"),
        (seen("compute/balances", 404, b"not_found", ao_types='body="atom"', ao_result="body"), "no such key"),
        (seen(LISTING, 404, b"not_found", ao_types='body="atom"', ao_result="body"), "nothing under cache"),
        (seen("compute", 500, ao_types=""), "failed to compute it"),
        (seen("compute", 500), "failed on its side"),
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


def test_a_slot_is_told_with_the_newest_that_the_same_node_knows():
    def answer(node: str, path: str, slot: int) -> Observation:
        headers = {"ao-types": ""}
        return Observation(
            node=node, operator=node, method="GET", path=BASE + path, status=200, headers=headers, body=b"%d" % slot
        )

    seen = [answer("a", "compute/at-slot", 11), answer("a", "slot/current", 12), answer("b", "compute/at-slot", 9)]
    assert [each.reason for each in sightings(seen)] == ["slot 11 of 12", "newest slot is 12", "slot 9"]
