"""The README's figures and table are what the program computes."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.recipe_table import rows
from tests.corpus.recorded import load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_is_what_the_recorded_exchanges_give() -> None:
    assert "\n".join(rows()) in README


def test_the_recipe_is_wrong_in_both_directions() -> None:
    lines = [line.split(" | ") for line in rows()]
    assert any(recipe.startswith("patched") and "unknown" in ours for _, recipe, ours in lines[2:])
    assert any(recipe.startswith("not patched") and ours.startswith("patched") for _, recipe, ours in lines[2:])


def test_the_number_of_exchanges_is_right() -> None:
    assert f"{len(load('exchanges')) + len(load('cases')):,} exchanges" in README


def test_every_picture_and_folder_that_is_named_exists() -> None:
    named = re.findall(r"\]\((docs/[^)]+)\)", README)
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
