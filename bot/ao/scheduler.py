"""Whether a message really was sent: by the scheduler, which has it at once, or by a gateway, which indexes it later.

"I signed" from a page is only a claim. It is believed where one of them shows the recipient, the signer and the tags
of one of our templates (`bot/web/static/ao.js`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.ao.gateway import Gateways
from bot.ao.graphql import Item
from bot.ao.routed import Routed
from bot.domain.process_id import ProcessId
from bot.errors import PeerError

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message as the network has it. `sender` is the address that signed it."""

    message: str
    sender: str
    recipient: str
    tags: tuple[tuple[str, str], ...]

    def follows(self, process: ProcessId, actions: Sequence[str]) -> bool:
        """Tell whether it is for this process, and made after a template with one of these actions."""
        wanted = {name.lower(): value for name, value in reversed(self.tags)}
        return (
            self.recipient == process
            and wanted.get("action") in actions
            and (wanted.get("data-protocol"), wanted.get("type")) == ("ao", "Message")
        )


class Scheduler:
    """Asks the scheduler unit, then the gateways. Never raises for what a peer does."""

    def __init__(self, unit: Routed, gateways: Gateways) -> None:
        self._unit = unit
        self._gateways = gateways

    async def find(self, process: ProcessId, message: str) -> SentMessage | None:
        """Give the message, or None where nobody has it yet or nobody could say."""
        try:
            answer = await self._unit.ask(f"/{message}?process-id={process}")
            if answer.status == 200:
                return _scheduled(answer.body, message)
        except PeerError as error:
            _log.info("the scheduler could not say", process=process, message=message, reason=error.reason)
        try:
            item = await self._gateways.item(message)
        except PeerError as error:
            _log.info("no gateway could say", process=process, message=message, reason=error.reason)
            return None
        return None if item is None else _indexed(item)


class _Tag(BaseModel):
    name: str = Field(max_length=4096)
    value: str = Field(max_length=4096)


class _Owner(BaseModel):
    address: str = Field(max_length=64)


class _Message(BaseModel):
    id: str
    owner: _Owner
    target: str | None = None
    tags: list[_Tag] = Field(max_length=200)


class _Scheduled(BaseModel):
    model_config = ConfigDict(extra="ignore")

    message: _Message


def _scheduled(body: bytes, message: str) -> SentMessage | None:
    try:
        found = _Scheduled.model_validate_json(body).message
    except ValidationError:
        return None
    if found.id != message:
        return None
    tags = tuple((tag.name, tag.value) for tag in found.tags)
    return SentMessage(message=message, sender=found.owner.address, recipient=found.target or "", tags=tags)


def _indexed(item: Item) -> SentMessage:
    return SentMessage(message=item.id, sender=item.owner, recipient=item.recipient, tags=item.tags)
