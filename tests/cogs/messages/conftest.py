"""The longest of everything that a message may be made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from discord import ui

from bot.domain.card import Metadata, NoSignLink, Role, Sighting, StatusCard
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement, Reason

NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
WIDE = "𝕎ide `label` @everyone **bold** [x](https://evil.example) <@1> " * 5


def pid(number: int) -> ProcessId:
    digits = ""
    while number:
        number, rest = divmod(number, 64)
        digits = ALPHABET[rest] + digits
    return ProcessId(digits.rjust(42, "x") + "A")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_pid() -> Callable[[int], ProcessId]:
    return pid


@pytest.fixture
def make_card() -> Callable[..., StatusCard]:
    def make(
        number: int = 1,
        status: Verdict = Verdict.NOT_PATCHED,
        reason: Reason = Reason.MISSING,
        **changes: Any,
    ) -> StatusCard:
        process = pid(number)
        nodes = tuple(f"https://a-very-long-node-name-{n}.of-some-operator.example.org" for n in range(12))
        latest = Judgement(
            verdict=status,
            reason=reason,
            shown=(("balances", "cache/balances"),) if status is Verdict.PATCHED else (),
            missing=tuple(f"missing-{n}-" + "k" * 60 for n in range(10)) if status is Verdict.NOT_PATCHED else (),
            exposed=tuple(f"exposed/{n}/" + "e" * 60 for n in range(40)),
            at_slot=7,
            current_slot=1_000_007,
            stuck=status is Verdict.PATCHED,
            nodes=nodes,
            operators=nodes,
        )
        values: dict[str, Any] = {
            "registration_id": number,
            "process": process,
            "role": Role.MINE,
            "status": status,
            "since": NOW - timedelta(days=400),
            "label": WIDE,
            "metadata": Metadata(process=process, owner="o" * 43, name=WIDE, variant="ao.TN.1" * 9, spawned_at=NOW),
            "keys": tuple(f"key-{n}-" + "k" * 60 for n in range(10)),
            "latest": latest,
            "checked_at": NOW,
            "evidence": tuple(
                Sighting(
                    node=node,
                    path=f"/{process}~process@1.0/compute/" + "p" * 200,
                    status=None if n % 2 else 404,
                    reason="r" * 200,
                    elapsed_ms=123_456,
                )
                for n, node in enumerate(nodes)
            ),
            "requests": 99,
            "next_check": NOW + timedelta(hours=6),
            "next_reminder": NOW + timedelta(days=3),
            "sign_url": "https://patchbell.example.org/sign#" + "t" * 22 if status is Verdict.NOT_PATCHED else None,
            "no_sign_link": NoSignLink.PATCHED if status is Verdict.PATCHED else None,
        }
        return StatusCard(**values | changes)

    return make


@pytest.fixture
def fits() -> Callable[[ui.LayoutView], str]:
    """Hold a message to Discord's limits (discord-facts.md, section 2), as it goes over the wire; give its text."""

    def check(view: ui.LayoutView) -> str:
        components = view.to_components()
        texts: list[str] = []
        ids: list[str] = []
        total = _walk(components, texts, ids)
        assert total <= 40
        assert sum(map(len, texts)) <= 4000
        assert all(texts)
        assert len(ids) == len(set(ids))
        json.dumps(components)
        return "\n".join(texts)

    return check


def _walk(components: list[dict[str, Any]], texts: list[str], ids: list[str]) -> int:
    total = 0
    for each in components:
        total += 1
        match each["type"]:
            case 1:
                assert 1 <= len(each["components"]) <= 5
            case 2:
                assert 1 <= len(each["label"]) <= 80
                assert len(each.get("url") or "") <= 512
            case 3:
                assert 1 <= len(each["options"]) <= 25
                assert len({option["value"] for option in each["options"]}) == len(each["options"])
                assert all(1 <= len(option["label"]) <= 100 for option in each["options"])
                assert all(len(option.get("description") or "") <= 100 for option in each["options"])
                assert len(each["placeholder"]) <= 150
            case 10:
                texts.append(each["content"])
            case _:
                pass
        if "custom_id" in each:
            assert 1 <= len(each["custom_id"]) <= 100
            ids.append(each["custom_id"])
        total += _walk(each.get("components", []), texts, ids)
    return total
