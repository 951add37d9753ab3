"""The shipped bot as a process of its own: started, watched, killed and started again on the same database."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from sandbox.clock import SandboxClock

ROOT = Path(__file__).resolve().parent.parent
STOP_PATIENCE = 15.0
"""Seconds that a bot may take to stop by itself before it is killed."""
LONGEST_LINE = 1 << 20
"""Bytes of one line of the bot's log."""
RESTART_PAUSE = 2.0
"""Seconds before a bot that ended by itself is started again."""


class BotState(StrEnum):
    """What can be seen of the bot from outside."""

    STARTING = "starting"
    RUNNING = "running"
    DOWN = "down"


def environment_for_bot(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the caller's environment without its PATCHBELL_*: a real token must not reach the sandbox."""
    kept = {name: value for name, value in environment.items() if not name.upper().startswith("PATCHBELL_")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TYPER_STANDARD_TRACEBACK": "1"}


class BotProcess:
    """Supervises `python -m bot run --config …`. One at a time; `changed` is called with each new state."""

    def __init__(self, config: Path, clock: SandboxClock, changed: Callable[[], None]) -> None:
        self._config = config
        self._clock = clock
        self._changed = changed
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.state = BotState.DOWN
        self.starts = 0
        self.log: deque[str] = deque(maxlen=400)

    @property
    def pid(self) -> int | None:
        """The operating system's number of the process, while there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the bot, unless it is there."""
        async with self._turn:
            await self._start()

    async def stop(self) -> None:
        """Ask the bot to stop, and wait for it."""
        async with self._turn:
            await self._end(politely=True)

    async def restart(self) -> None:
        """Stop and start: how the bot gets to see a skipped day."""
        async with self._turn:
            await self._end(politely=True)
            await self._start()

    async def kill(self, down_for: float = 0.0) -> None:
        """SIGKILL: no goodbye, nothing flushed. After `down_for` seconds another one starts on the same database."""
        async with self._turn:
            await self._end(politely=False)
            await asyncio.sleep(down_for)
            await self._start()

    def note_ready(self, ready: bool) -> None:
        """Hear whether the bot was seen connected to Discord."""
        if self._process is not None:
            self._enter(BotState.RUNNING if ready else BotState.STARTING)

    async def _start(self) -> None:
        if self._process is not None:
            return
        self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            cwd=self._config.parent,
            env=environment_for_bot(os.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C is for the sandbox, which then stops the bot in its own order
        )
        self.starts += 1
        self._enter(BotState.STARTING)
        self._watcher = asyncio.create_task(self._watch(self._process))

    def _command(self) -> list[str]:
        program = ["bot", "run", "--config", str(self._config)]
        ahead = self._clock.offset.total_seconds()
        if ahead:
            program = ["sandbox.travelling", str(ahead), *program]
        return [sys.executable, "-m", *program]

    async def _watch(self, process: Process) -> None:
        """Keep what the bot says, and start it again should it end without having been asked to."""
        if process.stdout is None:
            raise RuntimeError("the bot was started without a pipe for its output")
        async for line in process.stdout:
            self.log.append(line.decode(errors="replace").rstrip())
        code = await process.wait()
        print(f"The bot ended by itself with exit code {code}. Its last words:", *list(self.log)[-15:], sep="\n  ")
        self._process = None
        self._enter(BotState.DOWN)
        await asyncio.sleep(RESTART_PAUSE)
        async with self._turn:
            await self._start()

    async def _end(self, *, politely: bool) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                if politely:
                    process.terminate()
                else:
                    process.kill()
            await self._wait(process)
        self._enter(BotState.DOWN)

    async def _wait(self, process: Process) -> None:
        """Read on what the bot says, so that a full pipe keeps it from nothing, until it is gone."""
        try:
            async with asyncio.timeout(STOP_PATIENCE):
                rest, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            rest, _ = await process.communicate()
        self.log.extend(rest.decode(errors="replace").splitlines())

    def _enter(self, state: BotState) -> None:
        if state is not self.state:
            self.state = state
            self._changed()
