"""The sums that people compare: one for each version, and the newest is of what is handed out."""

from __future__ import annotations

import re
from pathlib import Path

from bot.domain.handler import HANDLER_FILE, HANDLER_VERSION, OFF_FILE, fingerprint, render_off
from bot.domain.presets import DEFAULT_PRESET, load_presets

TABLE = Path(__file__).parents[2] / "docs" / "handler.md"
ROW = re.compile(r"^\| (\d+) \| `([\w.-]+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_each_version_has_one_sum_and_the_newest_is_that_of_todays_text() -> None:
    rows = [(int(version), file, sha256) for version, file, sha256 in ROW.findall(TABLE.read_text())]
    published = {(version, file): sha256 for version, file, sha256 in rows}
    assert len(published) == len(rows), "a version is published once"
    assert max(version for version, _ in published) == HANDLER_VERSION
    lua = load_presets()[DEFAULT_PRESET].handler
    assert lua is not None
    again = "the text has changed: raise HANDLER_VERSION, and publish the sum of the new one"
    assert published[HANDLER_VERSION, HANDLER_FILE] == fingerprint(lua), again
    assert published[HANDLER_VERSION, OFF_FILE] == fingerprint(render_off()), again
    assert f"version {HANDLER_VERSION}." in lua
    assert f"StatePatch.version = {HANDLER_VERSION}\n" in lua
