"""SECURITY.md names tests: each is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ATTACKS = (
    "Relayed link",
    "Leaked ticket",
    "Poisoned key names",
    "Hostile moderator",
    "Hostile process text",
    "Fake DM",
    "Replay",
    "Lying compute unit",
    'Forged "I signed"',
)


def test_every_attack_names_tests_that_exist() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| **")]
    defined = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    for attack in ATTACKS:
        assert any(row.startswith(f"| **{attack}**") for row in rows), attack
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row.split("|")[3])
        assert named, row
        assert set(named) <= defined, set(named) - defined
