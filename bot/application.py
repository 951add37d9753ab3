"""The one place where the parts are put together, started and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.ao.opening import put_together
from bot.clock import Clock, utc_now
from bot.domain.notices import Sender
from bot.domain.presets import DEFAULT_PRESET, load_presets
from bot.errors import ConfigurationError
from bot.services import holds
from bot.services.agenda import Agenda
from bot.services.alarms import Alarms
from bot.services.announcing import Announcing
from bot.services.believing import Believing
from bot.services.checking import Checking
from bot.services.delivering import Delivering
from bot.services.explaining import Explaining
from bot.services.handing import Handing
from bot.services.health import Pulse
from bot.services.hinting import Hinting
from bot.services.history import History
from bot.services.places import Places
from bot.services.privacy import Privacy
from bot.services.recording import Recording
from bot.services.registering import Registering
from bot.services.reminding import Reminding
from bot.services.retaining import Retaining
from bot.services.showing import Showing
from bot.services.supervising import Loop
from bot.services.ticket_acts import TicketActs
from bot.services.ticketing import Ticketing
from bot.services.tidying import Tidying
from bot.services.turning import Turning
from bot.services.verifying import Verifying
from bot.services.wishing import Wishing
from bot.settings import Settings
from bot.store import memos, outbox, processes, sending
from bot.store.database import Database
from bot.store.lock import PATIENCE, only_copy
from bot.web import metrics
from bot.web.health import Health, Part
from bot.web.server import build_app
from bot.web.serving import WebServer

log = structlog.get_logger()

_WATCH_EVERY = timedelta(seconds=30)
_GUARD_EVERY = timedelta(seconds=5)
_GUARD_AT_MOST = timedelta(seconds=PATIENCE * 2) + _GUARD_EVERY  # a round asks for the lock, then takes it again
_PATIENCE = 15.0
"""Seconds that loops have, at a stop, to finish the round that they are in; what is cut off is owed still."""


class Application:
    """Patchbell without Discord: the services, the loops and the web server. Nothing happens before `start`.

    Whatever else must keep moving (Discord's gateway) adds a function to `parts`, and health asks it.
    """

    def __init__(self, settings: Settings, *, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.parts: list[Callable[[], Part]] = []
        self.presets = load_presets(settings.presets)
        self.database = Database(settings.database.url)
        self.transport, self.gateways, self.reader, arrivals, scheduler = put_together(settings, clock=clock)
        self.explaining = Explaining(arrivals)
        self.alarms = Alarms(self.database, settings, clock)
        self.agenda = Agenda(settings.reminders, settings.checks)
        self.ticketing = Ticketing(self.database, settings, self.presets, clock)
        self.handing = Handing(self.database, self.presets)
        self.recording = Recording(
            self.database,
            settings,
            clock,
            turning=Turning(settings.checks, self.ticketing, together=settings.reminders.together),
            agenda=self.agenda,
        )
        self.checking = Checking(
            self.database,
            self.reader,
            settings,
            clock,
            recording=self.recording,
            alarms=self.alarms,
            explaining=self.explaining,
        )
        self.hinting = Hinting(self.database, self.gateways, settings.checks, clock, found=self.checking.wake)
        self.registering = Registering(
            self.database,
            self.reader,
            self.gateways,
            settings,
            clock,
            recording=self.recording,
            ticketing=self.ticketing,
            agenda=self.agenda,
            explaining=self.explaining,
        )
        self.announcing = Announcing(self.database, self.presets, clock)
        self.places = Places(self.database, self.agenda, self.alarms, settings, clock)
        self.wishing = Wishing(self.database, self.agenda, clock)
        self.history = History(self.database, self.agenda, clock)
        self.reminding = Reminding(self.database, self.agenda, self.ticketing, clock, places=self.places)
        self.delivering = Delivering(
            self.database, settings.reminders, clock, advisor=self.reminding, alarms=self.alarms
        )
        self.places.budget = self.delivering.budget
        self.verifying = Verifying(self.database, clock, settings.web.public_url, settings.privacy.keeps)
        self.privacy = Privacy(self.database, self.agenda, clock, settings.privacy.keeps)
        self.retaining = Retaining(self.privacy, clock)
        self.tidying = Tidying(self.database, clock, self.delivering)
        self.web = WebServer(
            build_app(
                ticketing=self.ticketing,
                acts=TicketActs(self.database, self.ticketing, self.agenda, clock),
                showing=Showing(self.checking, step=settings.checks.after_signature),
                believing=Believing(
                    scheduler,
                    arrivals,
                    self.gateways,
                    actions=[preset.action for preset in self.presets.values()],
                    step=settings.checks.after_signature,
                ),
                preset=self.presets[DEFAULT_PRESET],
                settings=settings,
                health=self.health,
            ),
            settings.web,
        )
        self.web_port: int | None = None
        self._watching = Loop(Pulse("watching", _WATCH_EVERY, clock), self._watch_once)
        self._silent: set[str] = set()
        self.lock_lost = asyncio.Event()
        self._guarding = Loop(Pulse("guarding", _GUARD_AT_MOST, clock), self._guard_once)
        self._rounds = (
            self.checking,
            self.hinting,
            self.reminding,
            self.delivering,
            self.tidying,
            self.retaining,
            self._watching,
            self._guarding,
        )
        self._loops: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    async def start(self, sender: Sender) -> None:
        """Lock, open and upgrade the database, then start the web server and the loops; all or nothing.

        Raises AlreadyRunning, ConfigurationError and DatabaseUnavailable.
        """
        async with AsyncExitStack() as stack:
            self._still_held = await stack.enter_async_context(only_copy(self.settings.database.url))
            stack.push_async_callback(self.database.close)
            await self.database.open()
            await self._take_over()
            stack.push_async_callback(self.alarms.close)
            await stack.enter_async_context(self.transport)
            try:
                self.web_port = await self.web.start()
            except OSError as error:
                raise ConfigurationError(f"web.host and web.port can't be used: {error.strerror}.") from error
            stack.push_async_callback(self.web.stop)
            self._stack = stack.pop_all()
        self.delivering.sender = self.tidying.sender = sender
        self._loops = [asyncio.create_task(each.run()) for each in self._rounds]

    async def rest(self) -> None:
        """Take no more work, and let what is in flight finish; the sender must still be able to send."""
        for each in self._rounds:
            each.stop_running()
        if self._loops:
            _, late = await asyncio.wait(self._loops, timeout=_PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._loops, return_exceptions=True)

    async def stop(self) -> None:
        """Rest, then close everything; the database last."""
        await self.rest()
        await self._stack.aclose()

    async def _take_over(self) -> None:
        """End the leases of a copy that died: with the lock in our hand nobody else can hold one."""
        async with self.database.write() as connection:
            await processes.release_all(connection)
            await sending.release_all(connection)

    async def health(self) -> Health:
        """Say which parts still move. Never raises: a database that does not answer is a part that is down."""
        now = self.clock()
        always = (self.checking, self.reminding, self.delivering, self.tidying, self.retaining)
        pulses = [each.pulse for each in always]
        if self.hinting.every:
            pulses.append(self.hinting.pulse)
        parts = [
            Part(name=pulse.name, moved_at=pulse.moved_at or now, interval=pulse.interval, down=_not_started(pulse))
            for pulse in pulses
        ]
        down, held = None, {}
        try:
            async with asyncio.timeout(5):
                held = await self._held(now)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.error("database does not answer", error=type(error).__name__)
            down = "does not answer"
        parts.append(Part(name="database", moved_at=now, interval=_WATCH_EVERY, down=down))
        parts.extend(part() for part in self.parts)
        return Health(at=now, parts=tuple(parts), held=held)

    async def _held(self, now: datetime) -> dict[str, datetime]:
        """Give what is held back, by its name; it and what is owed become metrics, too."""
        async with self.database.read() as connection:
            held = await holds.all_held(connection, now)
            metrics.OWED.set(await outbox.waiting(connection))
        for name in holds.ALL:
            metrics.HELD.labels(holds.shown(name)).set(name in held)
        metrics.REFUSALS.set(self.delivering.refusals.counted)
        return {holds.shown(name): until for name, until in held.items()}

    def hear_discord(self, status: int, scope: str | None) -> None:
        """Count one of Discord's answers; `scope` is the header of a 429 that tells whose limit it was."""
        metrics.DISCORD.labels(str(status)).inc()
        self.delivering.refusals.hear(status, scope)

    async def _watch_once(self) -> float:
        """Ring for what is silent twice in a row: a clock that was just set makes everything look silent once."""
        health = await self.health()
        silent = {part.name: note for part in health.parts if (note := part.silent(health.at)) is not None}
        for name, note in silent.items():
            if name in self._silent:
                await self.alarms.ring(f"silent:{name}", f"Patchbell's {name} {note}.")
        self._silent = set(silent)
        return _WATCH_EVERY.total_seconds()

    async def _guard_once(self) -> float:
        """See that the lock is still ours: another copy that takes it ends our leases, and sends what we send."""
        if not self.lock_lost.is_set() and not await self._still_held():
            log.error("the lock is lost")
            self.lock_lost.set()
        return _GUARD_EVERY.total_seconds()

    async def recall(self, name: str) -> str | None:
        """Give a small thing that was remembered by name (a command fingerprint), or None."""
        async with self.database.read() as connection:
            return await memos.recall(connection, name)

    async def remember(self, name: str, value: str) -> None:
        """Remember a small thing by name."""
        async with self.database.write() as connection:
            await memos.remember(connection, name, value)


def _not_started(pulse: Pulse) -> str | None:
    return "was not started" if pulse.moved_at is None else None
