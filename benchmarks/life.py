"""The shipped program, `python -m bot run`, in a process that comes up quickly, with its clock put forward.

Whoever kills it wants hundreds of lives: a fork server has imported everything once, and each life is a fork of it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import time_machine

import bot.serving
import cogs

assert cogs, "imported once, before the fork"
assert bot.serving


def make_context() -> ForkServerContext:
    """Give the fork server's context, with this module loaded into it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def start(context: ForkServerContext, config: Path, log: Path, later: timedelta) -> ForkServerProcess:
    """Start one life."""
    process = context.Process(target=live, args=(str(config), str(log), later.total_seconds()), daemon=True)
    process.start()
    return process


def live(config: str, log: str, later: float) -> None:
    """Run what `python -m bot run --config …` runs, until it ends or is killed."""
    from bot.__main__ import app

    for name in [name for name in os.environ if name.startswith("PATCHBELL_")]:
        del os.environ[name]
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, sys.stdout.fileno())
    os.dup2(file, sys.stderr.fileno())
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=later), tick=True):
        app(["run", "--config", config])
