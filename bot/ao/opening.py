"""Putting the reading together: one transport, the gateways, the pool of nodes and the reader over them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from bot.ao.addresses import trusted_origins
from bot.ao.gateway import Gateways
from bot.ao.node import Node
from bot.ao.pool import Pool
from bot.ao.reader import Reader
from bot.ao.transport import Transport
from bot.clock import Clock, utc_now
from bot.settings import Settings


class Opened(NamedTuple):
    """What reads AO, ready to be used."""

    transport: Transport
    gateways: Gateways
    reader: Reader


@asynccontextmanager
async def open_reading(settings: Settings, *, clock: Clock = utc_now) -> AsyncGenerator[Opened]:
    """Open what `settings.ao` and `settings.checks` describe, and close it in the end."""
    urls = (*(node.url for node in settings.ao.nodes), *settings.ao.gateways)
    trusted = trusted_origins(urls, named=settings.ao.private_origins)
    async with Transport(trusted=trusted) as transport:
        deadline = settings.checks.timeout.total_seconds()
        gateways = Gateways(transport, settings.ao.gateways, deadline=deadline, clock=clock)
        nodes = [Node(transport, node, settings.checks, clock=clock) for node in settings.ao.nodes]
        yield Opened(transport, gateways, Reader(Pool(nodes), gateways))
