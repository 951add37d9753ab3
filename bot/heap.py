"""The heap of a process that runs for months."""

from __future__ import annotations

import gc

_YOUNG = 5_000


def settle_heap() -> None:
    """Leave what the start made out of every later collection, and collect less often.

    Modules, models and schemas are hundreds of thousands of objects that never go, and each look makes hundreds that
    go at once: walking the former because of the latter was a tenth of a look's CPU (`benchmarks/reading.py`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
