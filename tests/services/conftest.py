"""A clock that tests move, and a Sender that keeps what it is given: a real peer of delivery, at its own seam."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.application import Application
from bot.domain.card import Role
from bot.domain.notices import Envelope, Sent
from bot.services.registering import RegisterOutcome, RegisterRequest
from bot.settings import AoSettings, DatabaseSettings, Settings, WebSettings
from sandbox.ao import AoNetwork
from sandbox.ao.ans104 import random_id

Register = Callable[..., Awaitable[RegisterOutcome]]

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class ListSender:
    """Keeps what arrives, once for each nonce, as Discord does; `faults` are raised first, in order.

    `keep_then` faults are raised after the message was kept: the reply that is lost.
    """

    ready = True

    def __init__(self) -> None:
        self.received: dict[str, Envelope] = {}
        self.sends = 0
        self.lookups = 0
        self.edits = 0
        self.deleted: list[Sent] = []
        self.faults: list[Exception] = []
        self.keep_then: list[Exception] = []
        self.while_sending: Callable[[], None] | None = None

    @property
    def envelopes(self) -> list[Envelope]:
        return list(self.received.values())

    async def send(self, envelope: Envelope) -> Sent:
        self.sends += 1
        if self.faults:
            raise self.faults.pop(0)
        self.received.setdefault(envelope.nonce, envelope)
        if self.while_sending is not None:
            self.while_sending()
        if self.keep_then:
            raise self.keep_then.pop(0)
        return self._sent(envelope)

    async def already_sent(self, envelope: Envelope) -> Sent | None:
        self.lookups += 1
        arrived = any(each.delivery_id == envelope.delivery_id for each in self.envelopes)
        return self._sent(envelope) if arrived else None

    async def edit(self, sent: Sent, envelope: Envelope) -> None:
        if self.faults:
            raise self.faults.pop(0)
        (nonce,) = (nonce for nonce, each in self.received.items() if each.delivery_id == sent.message_id)
        self.received[nonce] = envelope
        self.edits += 1

    async def delete(self, sent: Sent) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.deleted.append(sent)

    def forget_nonces(self) -> None:
        """Do as Discord does after a few minutes: the message is still there, its nonce is not."""
        self.received = {f"{nonce} (forgotten)": envelope for nonce, envelope in self.received.items()}

    def _sent(self, envelope: Envelope) -> Sent:
        return Sent(channel_id=envelope.channel_id or 9000 + (envelope.user_id or 0), message_id=envelope.delivery_id)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the services on PostgreSQL to the whole suite: `tests/store` holds both databases to one contract."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("postgresql"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def database_url(upgraded_url: str) -> str:
    """URL of a database without rows."""
    return upgraded_url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sender() -> ListSender:
    return ListSender()


LUA = """
Balances = { alice = "100" }
Handlers.add("EnableStatePatch", Handlers.utils.hasMatchingTag("Action", "EnableStatePatch"), function(msg)
  ao.send({ device = "patch@1.0", cache = { balances = Balances } })
end)
"""


class World:
    """The AO network that a test plays on, in its own words."""

    def __init__(self, network: AoNetwork) -> None:
        self.network = network
        self.owner = random_id()

    def unpatched(self, name: str = "Vault") -> str:
        """A process with a handler that was never called."""
        return self.network.spawn(self.owner, LUA, {"Name": name})

    def patched(self) -> str:
        """A process that shows its balances."""
        return self.network.spawn(self.owner, patches=[{"cache": {"balances": {"alice": "100"}}}])

    def nowhere(self) -> str:
        """An id that no node and no gateway knows."""
        return random_id()

    def patch(self, process: str) -> None:
        """The owner sends the message that enables patching."""
        self.network.send(process, self.owner, {"Action": "EnableStatePatch"})

    def sign(
        self, process: str, *, sender: str | None = None, mined: bool = True, action: str = "EnableStatePatch"
    ) -> None:
        """Somebody (its owner) sends the same, and gateways hear of it."""
        identity, sender = random_id(), sender or self.owner
        self.network.send(process, sender, {"Action": action}, identity=identity)
        self.network._record(identity, sender, process, (("Action", action),), mined=mined)

    def let_nodes_compute(self, process: str) -> None:
        """Somebody else asks every node for the newest state."""
        for node in self.network.nodes:
            node.answer(f"/{process}~process@1.0/now/at-slot", bundle=True)

    def fail(self) -> None:
        """Every node answers with a login page."""
        for node in self.network.nodes:
            node.faults.login_page = True

    def recover(self) -> None:
        for node in self.network.nodes:
            node.faults.clear()


@pytest.fixture
async def world(clock: Clock) -> AsyncIterator[World]:
    async with AoNetwork(clock=clock) as network:
        yield World(network)


@pytest.fixture
async def app(world: World, clock: Clock, sender: ListSender, database_url: str) -> AsyncIterator[Application]:
    """The whole application, open, with no loop running: tests turn the loops by hand."""
    nodes = [{"url": node.url, "operator": node.operator} for node in world.network.nodes]
    settings = Settings(
        database=DatabaseSettings(url=database_url),
        web=WebSettings(public_url="https://patchbell.test"),
        ao=AoSettings.model_validate(
            {
                "nodes": nodes,
                "gateways": [world.network.gateway_url],
                "cu_url": world.network.cu_url,
                "su_url": world.network.su_url,
                "allowed_hosts": world.network.allowed_hosts,
            }
        ),
        operators=(900,),
    )
    app = Application(settings, clock=clock)
    await app.database.open()
    app.delivering.sender = sender
    async with app.transport:
        yield app
    await app.database.close()


@pytest.fixture
def register(app: Application) -> Register:
    """Registers what is in a text, and delivers what that owes."""

    async def register(text: str, user_id: int = 101, role: Role = Role.MINE, **values: Any) -> RegisterOutcome:
        outcome = await app.registering.register(RegisterRequest(user_id, text, role, **values))
        await app.delivering.deliver_due()
        return outcome

    return register
