"""`python -m bot run`: one process from its start to a graceful stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from bot.application import Application
from bot.client import PatchbellClient
from bot.domain.notices import Sender
from bot.errors import DatabaseUnavailable
from bot.heap import settle_heap
from bot.settings import Settings

log = structlog.get_logger()

Setup = Callable[[PatchbellClient], Awaitable[None]]


class Cogs(Protocol):
    """What people see, as the entry point hands it in: `bot/` itself imports no cog."""

    def setups(self, application: Application) -> Sequence[Setup]:
        """Give the functions that add each cog to the client."""
        ...

    def sender(self, application: Application, client: PatchbellClient) -> Sender:
        """Give what renders and sends messages."""
        ...


async def serve(settings: Settings, cogs: Cogs) -> None:
    """Run until SIGTERM or SIGINT, then let what is in flight finish; the database closes last.

    Raises AlreadyRunning, ConfigurationError, DatabaseUnavailable and DiscordUnavailable, each with one sentence.
    """
    application = Application(settings)

    greetings: list[asyncio.Task[None]] = []

    async def greet(client: PatchbellClient) -> None:
        application.delivering.wake()  # from the login on, messages can be sent
        # A task of its own: nodes that are slow to answer must not keep the client from going online.
        greetings.append(asyncio.create_task(_say_where_we_are(application, client)))

    client = PatchbellClient(
        settings.discord,
        memos=application,
        setups=(*cogs.setups(application), greet),
        clock=application.clock,
        hear=application.hear_discord,
    )
    application.parts.append(client.part)
    await application.start(cogs.sender(application, client))
    settle_heap()
    try:
        await _until_told_to_stop(client, application)
    finally:
        for greeting in greetings:
            greeting.cancel()
        await asyncio.gather(*greetings, return_exceptions=True)
        await application.stop()


async def _until_told_to_stop(client: PatchbellClient, application: Application) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    serving = asyncio.create_task(client.serve())
    waiting = [asyncio.create_task(event.wait()) for event in (told, application.lock_lost)]
    try:
        await asyncio.wait((serving, *waiting), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        log.info("stopping")
        if application.lock_lost.is_set():
            raise DatabaseUnavailable(
                "The connection to the database that keeps a second copy out was lost, so I stop; start me again."
            )
    finally:
        for each in waiting:
            each.cancel()
        await application.rest()  # before the client goes: sends in flight need it
        await client.close()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def _say_where_we_are(application: Application, client: PatchbellClient) -> None:
    """Print what an operator wants to see at a start: the invite link, who answers, and what is missing."""
    try:
        await _greet(application, client)
    except Exception:  # it must not end what it only tells of
        log.exception("greeting failed")


async def _greet(application: Application, client: PatchbellClient) -> None:
    health = await application.reader.healthy_nodes()
    answering = sum(1 for node in health if node.healthy)
    print(f"Add Patchbell to a server: {client.invite}", flush=True)
    print(
        f"{answering} of {len(health)} nodes answer; the web server listens on port {application.web_port}.", flush=True
    )
    if application.settings.sign_origin is None:
        print(
            "There is no https web.public_url, so no sign link is made (`python -m bot doctor` says more).", flush=True
        )
