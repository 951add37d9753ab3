"""A message owed is sent once: the shipped program is killed at exact points, and the receiver counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.killing import POINTS, kill_often


@pytest.mark.slow
@pytest.mark.parametrize("kills", [pytest.param(5, id="each-once"), pytest.param(200, id="two-hundred")])
async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, kills: int) -> None:
    count = await kill_often(tmp_path, kills)
    assert sum(count.killed.values()) == kills
    assert min(count.killed[point] for point in POINTS) >= kills // len(POINTS)
    assert count.forgotten >= kills // 4
    assert (list(count.lost), list(count.doubled)) == ([], [])
    assert count.owed == count.sent
