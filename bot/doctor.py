"""`python -m bot doctor`: looks at everything Patchbell depends on, and says what to do about what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from bot.ao.addresses import trusted_origins
from bot.ao.reader import Reader
from bot.ao.transport import Transport
from bot.clock import utc_now
from bot.errors import PatchbellError, PeerError
from bot.services import holds
from bot.settings import Settings
from bot.store.database import open_database

DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` says what to do, and is empty where nothing is wrong."""

    subject: str
    found: str
    advice: str = ""
    fatal: bool = False

    @property
    def line(self) -> str:
        """The finding as one line for people."""
        mark = "ok   " if not self.advice else "WRONG" if self.fatal else "note "
        return f"{mark}  {self.subject}: {self.found}" + (f" → {self.advice}" if self.advice else "")


async def examine(settings: Settings, *, transport: Transport, reader: Reader) -> AsyncIterator[Finding]:
    """Yield a finding for the database, the public address, Discord, each node and each gateway."""
    yield await _database(settings)
    async for finding in _held(settings):
        yield finding
    yield _public_url(settings)
    yield _proxies(settings)
    yield await _discord(settings)
    for health in await reader.healthy_nodes():
        advice = "" if health.healthy else "wait, or take it out of ao.nodes and put another in"
        found = "answers" if health.healthy else f"does not answer as a node ({health.reason})"
        yield Finding(f"node {health.url}", f"{found}; its operator is {health.operator}", advice)
    yield _operators(settings)
    for found in await asyncio.gather(*(_gateway(transport, url) for url in settings.ao.gateways)):
        yield found


async def _looked_at(subject: str, look: Callable[[], Awaitable[str]], advice: str, *, fatal: bool = False) -> Finding:
    try:
        async with asyncio.timeout(DEADLINE_S + 5):
            return Finding(subject, await look())
    except (PatchbellError, OSError) as error:
        return Finding(subject, str(error), advice, fatal)


async def _database(settings: Settings) -> Finding:
    async def look() -> str:
        database = await open_database(settings.database.url)
        await database.close()
        return "opens, and its schema is the newest"

    shown = settings.database.url.rpartition("@")[2]
    advice = "see that the folder of the file, or the PostgreSQL server, is there and may be written to"
    return await _looked_at(f"database {shown}", look, advice, fatal=True)


_MEANS = {
    holds.CHECKS: ("nothing is checked", "see which nodes answer, below"),
    holds.MAINTENANCE: (
        "somebody holds all reminders",
        "`python -m bot reminders resume` lets them go on sooner",
    ),
    holds.NEW_CONVERSATIONS: (
        "Discord lets the bot open no new DM",
        "wait; if it was flagged as spam, appeal in the developer portal",
    ),
    holds.SENDS: ("nothing is sent to Discord", "see the alarm, or the log: a token, a limit, or too many refusals"),
}


async def _held(settings: Settings) -> AsyncIterator[Finding]:
    """Yield a note for whatever a running copy holds back now."""
    try:
        database = await open_database(settings.database.url)
    except (PatchbellError, OSError):
        return  # as was said before
    try:
        async with database.read() as connection:
            held = await holds.all_held(connection, utc_now())
    finally:
        await database.close()
    for name, until in held.items():
        found, advice = _MEANS[name]
        yield Finding("held back", f"{found} before {until:%Y-%m-%d %H:%M} UTC", advice)


def _public_url(settings: Settings) -> Finding:
    subject = "web.public_url"
    if settings.sign_origin:
        return Finding(subject, f"sign links begin with {settings.sign_origin}")
    found = "is not set" if settings.web.public_url is None else f"{settings.web.public_url} is not https"
    return Finding(
        subject, f"{found}, so no sign link is made", "put an https proxy before web.port and set its address"
    )


def _proxies(settings: Settings) -> Finding:
    believed = ", ".join(map(str, settings.web.trusted_proxies))
    found = f"X-Forwarded-For is believed from {believed}" if believed else "X-Forwarded-For is believed from nobody"
    elsewhere = settings.web.host not in ("127.0.0.1", "::1", "localhost")
    from_elsewhere = any(not network.is_loopback for network in settings.web.trusted_proxies)
    advice = ""
    if not believed or (elsewhere and not from_elsewhere):
        advice = "add the network of the proxy (of a container's bridge) before it, or all its visitors count as one"
    return Finding("web.trusted_proxies", found, advice)


def _operators(settings: Settings) -> Finding:
    voices = {node.voice for node in settings.ao.nodes}
    found = f"{len(settings.ao.nodes)} nodes of {len(voices)} operators"
    advice = "" if len(voices) > 1 else "add a node of another operator; until then messages say 'one node says'"
    return Finding("ao.nodes", found, advice)


async def _discord(settings: Settings) -> Finding:
    subject = f"Discord at {settings.discord.api_url}"
    if settings.discord.token is None:
        return Finding(subject, "no token", "set PATCHBELL_DISCORD__TOKEN (developer portal → Bot → Reset Token)", True)
    authorization = {"authorization": f"Bot {settings.discord.token.get_secret_value()}"}

    async def look() -> str:
        url = f"{settings.discord.api_url}/users/@me"
        async with Transport(trusted=trusted_origins([url])) as transport:  # its own: nodes may not lead there
            answer = await transport.exchange(url, "GET", deadline=DEADLINE_S, headers=authorization)
        if answer.status != 200:
            raise PeerError(f"Discord refused the token (status {answer.status})", reason="refused")
        return f"the token is {json.loads(answer.body).get('username', 'somebody')}'s"

    return await _looked_at(subject, look, "check the token and that this machine reaches Discord", fatal=True)


async def _gateway(transport: Transport, url: str) -> Finding:
    async def look() -> str:
        query = json.dumps({"query": "query{transactions(first:1){edges{node{id}}}}"}).encode()
        headers = {"content-type": "application/json"}
        answer = await transport.exchange(url, "POST", deadline=DEADLINE_S, headers=headers, body=query)
        if answer.status != 200 or b'"data"' not in answer.body:
            raise PeerError(f"answered {answer.status}, not GraphQL", reason="protocol")
        return "answers GraphQL"

    return await _looked_at(f"gateway {url}", look, "wait, or take it out of ao.gateways")
