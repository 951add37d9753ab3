"""Runs a module as `python -m` does, so many seconds ahead: `python -m sandbox.travelling 86400 bot run`.

So the bot sees a day go by without knowing of the sandbox. Only the time of day moves (`time.time`, `datetime.now` and
their kin); `time.monotonic`, by which asyncio keeps its timeouts, is left alone.
"""

from __future__ import annotations

import runpy
import sys
import time

import time_machine


def main() -> None:
    """Travel, then become the module named in the arguments."""
    ahead, module, *arguments = sys.argv[1:]
    time_machine.travel(time.time() + float(ahead), tick=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
