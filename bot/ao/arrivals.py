"""Whether the message that enables patching reached a process, and what came of it.

A process without a handler for it takes the message into its inbox and says nothing (ao-facts.md, section 3): to its
owner that looks like success, so it has to be told.
"""

from __future__ import annotations

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.ao.gateway import Gateways
from bot.ao.routed import Routed
from bot.ao.transport import Answer
from bot.domain.card import Arrival, Outcome
from bot.domain.handler import DEFAULT_ACTION
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement, Reason
from bot.errors import BrokenAnswer, PeerError

_log = structlog.get_logger()

_LONGEST_ERROR = 300


class Arrivals:
    """Asks gateways for the message and the compute unit for its result."""

    def __init__(self, gateways: Gateways, unit: Routed) -> None:
        self._gateways = gateways
        self._unit = unit

    @property
    def busy(self) -> bool:
        """Gateways are asked so much that whoever can do without an answer should not ask."""
        return self._gateways.busy

    async def newest(
        self, process: ProcessId, judgement: Judgement, *, sender: str | None = None, action: str = DEFAULT_ACTION
    ) -> Arrival | None:
        """Give the newest such message (of `sender`), or None if there is none or nobody could say.

        `judgement` is the newest of the process: it tells what came of the message where the compute unit does not.
        Never raises for what a peer does.
        """
        try:
            received = await self._gateways.messages_to(process, action, sender=sender)
        except PeerError as error:
            _log.info("no gateway could say what was sent", process=process, reason=error.reason)
            return None
        if received is None:
            return None
        outcome, error = _by_judgement(judgement), None
        if outcome is not Outcome.PATCHED:
            outcome, error = await self._result(process, received.message, outcome)
        return Arrival(message=received.message, sender=received.sender, at=received.at, outcome=outcome, error=error)

    async def outcome(self, process: ProcessId, message: str) -> Outcome:
        """Give what came of one message, by the compute unit alone. Never raises for what a peer does."""
        return (await self._result(process, message, Outcome.UNKNOWN))[0]

    async def _result(self, process: ProcessId, message: str, otherwise: Outcome) -> tuple[Outcome, str | None]:
        try:
            answer = await self._unit.ask(f"/result/{message}?process-id={process}")
            return _outcome(answer)
        except PeerError as error:
            _log.info("the compute unit could not say", process=process, message=message, reason=error.reason)
            return otherwise, None


class _Tag(BaseModel):
    name: str
    value: object = None


class _Message(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    tags: list[_Tag] = Field(default_factory=list[_Tag], alias="Tags", max_length=1000)


class _Result(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    messages: list[_Message] | None = Field(default=None, alias="Messages", max_length=10_000)
    error: object = Field(default=None, alias="Error")


def _by_judgement(judgement: Judgement) -> Outcome:
    """Tell by what nodes show: a process whose newest slot is computed, and that shows nothing, did nothing."""
    if judgement.verdict is Verdict.PATCHED:
        return Outcome.PATCHED
    settled = judgement.verdict is Verdict.NOT_PATCHED and judgement.reason is Reason.MISSING
    return Outcome.NO_HANDLER if settled and not judgement.exposed else Outcome.UNKNOWN


def _outcome(answer: Answer) -> tuple[Outcome, str | None]:
    """Read what a compute unit says came of a message. Raises BrokenAnswer where that can't be told."""
    if answer.status != 200:
        raise BrokenAnswer(f"The compute unit answered {answer.status}.", reason=f"http-{answer.status}")
    try:
        result = _Result.model_validate_json(answer.body)
    except ValidationError as error:
        raise BrokenAnswer("The compute unit gave no result.", reason="protocol") from error
    if result.error:
        return Outcome.FAILED, str(result.error)[:_LONGEST_ERROR]
    if result.messages is None:
        raise BrokenAnswer("The compute unit gave no result.", reason="protocol")
    if any(_is_patch(message) for message in result.messages):
        return Outcome.PATCHED, None
    return Outcome.NO_HANDLER, None


def _is_patch(message: _Message) -> bool:
    return any(tag.name.lower() == "device" and tag.value == "patch@1.0" for tag in message.tags)
