"""A clock that tests move, and a Sender that keeps what it is given: a real peer of delivery, at its own seam."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.notices import Envelope, Sent

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

    def __init__(self) -> None:
        self.received: dict[str, Envelope] = {}
        self.sends = 0
        self.lookups = 0
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
        return self._sent(envelope) if envelope.nonce in self.received else None

    def forget_nonces(self) -> None:
        """Do as Discord does after a few minutes: the message is still there, its nonce is not."""
        self.received = {f"{nonce} (forgotten)": envelope for nonce, envelope in self.received.items()}

    def _sent(self, envelope: Envelope) -> Sent:
        return Sent(channel_id=envelope.channel_id or 9000 + (envelope.user_id or 0), message_id=envelope.delivery_id)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite for most; `tests/store` holds PostgreSQL to the same contract."""
    return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sender() -> ListSender:
    return ListSender()
