"""The Sender against a Discord that loses answers, refuses, and throttles."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import discord
import pytest

import cogs
from bot.domain.notices import Alarm, Announcement, Envelope, FirstDm, ProcessLine
from bot.errors import MessageRefused, NewConversationsBlocked, RecipientUnreachable, SendError, SendLater
from cogs.delivery import stamp, translate
from sandbox.discord.faults import Loss

SEND = "POST /channels/{channel_id}/messages"
OPEN = "POST /users/@me/channels"
FIRST = FirstDm(safe_word="amber otter", processes=(ProcessLine(process="x" * 43),), ticket="t" * 22)


def envelope(stage: Any, **changes: Any) -> Envelope:
    values: dict[str, Any] = {
        "delivery_id": 7,
        "nonce": secrets.token_hex(12),
        "notice": FIRST,
        "user_id": stage.ada.id,
    }
    return Envelope(**values | changes)


def sender(stage: Any) -> Any:
    return cogs.sender(stage.application, stage.client)


def dms(stage: Any) -> list[str]:
    return [message.text for message in stage.ada.messages(stage.ada.dm_channel())]


def requests(stage: Any, route: str) -> int:
    return sum(each.route == route for each in stage.discord.requests)


async def test_a_conversation_is_opened_once_and_then_known_by_its_channel(stage: Any) -> None:
    sent = await sender(stage).send(envelope(stage))
    await stage.restart()  # with nothing in the client's memory
    again = await sender(stage).send(envelope(stage, channel_id=sent.channel_id))
    assert again.channel_id == sent.channel_id == stage.ada.dm_channel()
    assert requests(stage, OPEN) == 1
    assert len(dms(stage)) == 2


async def test_a_lost_answer_doubles_nothing(stage: Any) -> None:
    one = envelope(stage)
    stage.discord.faults.lose_reply(SEND, how=Loss.CUT)
    with pytest.raises(SendLater):
        await sender(stage).send(one)
    sent = await sender(stage).send(one)
    assert len(dms(stage)) == 1
    assert await sender(stage).already_sent(one) == sent
    assert await sender(stage).already_sent(envelope(stage)) is None


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_message_is_found_also_where_our_clock_was_set_since(stage: Any, hours: int) -> None:
    one = envelope(stage)
    sent = await sender(stage).send(one)
    tried = stage.clock() + timedelta(hours=hours)
    assert await sender(stage).already_sent(one.model_copy(update={"tried_since": tried})) == sent


async def test_messages_without_buttons_are_known_again_too(stage: Any) -> None:
    for notice, where in (
        (Alarm(sentence="A node is down."), {"user_id": stage.ada.id}),
        (Announcement(migration_id=1, title="Move"), {"user_id": None, "channel_id": stage.channel.id}),
    ):
        one = envelope(stage, notice=notice, **where)
        assert await sender(stage).already_sent(one) is None
        sent = await sender(stage).send(one)
        assert await sender(stage).already_sent(one) == sent


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (50007, RecipientUnreachable),
        (50278, RecipientUnreachable),
        (40003, NewConversationsBlocked),
        (20026, NewConversationsBlocked),
        (50001, MessageRefused),
    ],
)
def test_codes_are_ours(code: int, kind: type[SendError]) -> None:
    """Also where a compatible server answers with 400 what Discord answers with 403."""
    for status in (400, 403):
        error = translate(discord.HTTPException(_Response(status), {"code": code, "message": "no"}))
        assert type(error) is kind
        assert error.code == code


class _Response:
    """What discord.py's exceptions read of an answer."""

    def __init__(self, status: int, **headers: str) -> None:
        self.status = status
        self.reason = "because"
        self.headers = headers


async def test_refusals_over_the_wire(stage: Any) -> None:
    stage.discord.faults.closed_dms.add(stage.ada.id)
    with pytest.raises(RecipientUnreachable):
        await sender(stage).send(envelope(stage))
    stage.discord.faults.closed_dms.clear()
    stage.discord.faults.fail(SEND, 503)
    with pytest.raises(SendLater) as trouble:
        await sender(stage).send(envelope(stage))
    assert not trouble.value.everywhere
    stage.discord.faults.rate_limit(SEND, 300.0)
    with pytest.raises(SendLater) as slow:
        await sender(stage).send(envelope(stage))
    assert slow.value.retry_after == pytest.approx(300.0)
    stage.discord.faults.rate_limit(SEND, 1.0, via=False)
    with pytest.raises(SendLater) as banned:
        await sender(stage).send(envelope(stage))
    assert banned.value.everywhere
    assert banned.value.retry_after >= 600
    with pytest.raises(MessageRefused):
        await sender(stage).send(envelope(stage, user_id=None, channel_id=1))


async def test_after_the_client_is_gone_it_is_later(off_stage: Any) -> None:
    await off_stage.start()
    client = off_stage.client
    await off_stage.stop()
    assert client.user is not None
    with pytest.raises(SendLater):
        await cogs.sender(off_stage.application, client).send(envelope(off_stage))


def test_stamps_are_ids_that_discord_takes() -> None:
    stamps = {stamp(secrets.token_hex(12)) for _ in range(1000)}
    assert len(stamps) > 990
    assert all(100 <= each < 2**31 for each in stamps)
