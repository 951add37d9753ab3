"""The `config.toml` with which the sandbox starts the shipped bot: own database, own networks, a quicker pace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = "str | int | float | bool | list[str] | list[int] | list[dict[str, str]]"

# Quick, so that the walk takes minutes; honest, because only waits are shortened, never a rule of the verdict.
PACE: Mapping[str, Mapping[str, Value]] = {
    "checks": {
        "timeout": "PT5S",
        "now_timeout": "PT20S",
        "unpatched_interval": "PT20S",
        "patched_interval": "PT2M",
        "after_signature": "PT1S",
        "confirm_after": "PT1M",
    },
    # A reminder a day, at any hour: *skip a day* then shows one whenever somebody tries it.
    "reminders": {"gap_days": [1] * 9, "spread": "PT1M", "quiet_from": 0, "quiet_until": 0},
}


def write_config(path: Path, sections: Mapping[str, Mapping[str, Value]]) -> None:
    """Write the sections, PACE beneath them, as TOML."""
    merged = {name: {**PACE.get(name, {}), **sections.get(name, {})} for name in (*sections, *PACE)}
    lines = [
        line
        for name, values in merged.items()
        for line in (f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items()), "")
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _toml(value: Value | dict[str, str]) -> str:
    """Give a value as TOML, whose strings, numbers and arrays are written as JSON's, and whose tables are not."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
