"""Putting the reading together: one transport, the gateways, the pool of nodes and the reader over them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from bot.ao.addresses import trusted_origins
from bot.ao.arrivals import Arrivals
from bot.ao.gateway import Gateways
from bot.ao.node import Node
from bot.ao.pool import Pool
from bot.ao.reader import Reader
from bot.ao.routed import Routed
from bot.ao.scheduler import Scheduler
from bot.ao.transport import Transport
from bot.clock import Clock, utc_now
from bot.settings import Settings


class Opened(NamedTuple):
    """What reads AO. It can be used while `transport` is open."""

    transport: Transport
    gateways: Gateways
    reader: Reader
    arrivals: Arrivals
    scheduler: Scheduler


def put_together(settings: Settings, *, clock: Clock = utc_now) -> Opened:
    """Make what `settings.ao` and `settings.checks` describe; whoever calls opens and closes `transport`."""
    ao = settings.ao
    hosts = (host for host in ao.allowed_hosts if "*" not in host)
    urls = (*(node.url for node in ao.nodes), *ao.gateways, ao.cu_url, ao.su_url, *hosts)
    transport = Transport(trusted=trusted_origins(urls, named=ao.private_origins))
    gateways = Gateways(transport, ao.gateways, deadline=settings.checks.timeout.total_seconds(), clock=clock)
    nodes = [Node(transport, node, settings.checks, clock=clock) for node in ao.nodes]
    arrivals = Arrivals(gateways, Routed(transport, ao.cu_url, ao.allowed_hosts, called="compute unit"))
    scheduler = Scheduler(Routed(transport, ao.su_url, ao.allowed_hosts, called="scheduler"), gateways)
    return Opened(transport, gateways, Reader(Pool(nodes), gateways), arrivals, scheduler)


@asynccontextmanager
async def open_reading(settings: Settings, *, clock: Clock = utc_now) -> AsyncGenerator[Opened]:
    """Make it and open it; in the end it is closed."""
    opened = put_together(settings, clock=clock)
    async with opened.transport:
        yield opened
