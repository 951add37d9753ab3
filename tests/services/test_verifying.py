"""/verify tells a person about their own deliveries and links, and nobody about anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.card import Role
from bot.errors import BadInput
from bot.services.registering import RegisterRequest
from bot.services.verifying import MOST_CHARACTERS, Trust
from bot.store import outbox

ADA, BOB = 1001, 1002
HOME = "https://patchbell.test"


async def register(app: Any, world: Any, user_id: int) -> Any:
    return await app.registering.register(RegisterRequest(user_id=user_id, text=world.unpatched(), role=Role.MINE))


async def trust(app: Any, user_id: int, text: str) -> Trust:
    return (await app.verifying.verify(user_id, text)).trust


async def test_a_link_is_somebody_s_own_or_it_is_not(app: Any, world: Any, clock: Any) -> None:
    outcome = await register(app, world, ADA)
    await register(app, world, BOB)
    link = outcome.cards[0].sign_url or (await app.registering.cards(ADA))[0].sign_url
    if link is None:  # a first look waits for its confirmation
        clock.move(hours=2)
        await app.checking.check_now(ADA, outcome.cards[0].process)
        link = (await app.registering.cards(ADA))[0].sign_url
    assert link.startswith(f"{HOME}/sign#")
    assert await trust(app, ADA, link) is Trust.THEIR_LINK
    assert await trust(app, BOB, link) is Trust.NOT_THEIRS
    assert await trust(app, BOB, f"{HOME}/sign#{'A' * 22}") is Trust.NOT_THEIRS, "the same as for one that is nobody's"
    assert await trust(app, 9, link) is Trust.NOT_THEIRS
    assert await trust(app, ADA, link.replace("patchbell.test", "patchbell.test.evil.example")) is Trust.ELSEWHERE
    assert await trust(app, ADA, f"{HOME}/p/{outcome.cards[0].process}") is Trust.OUR_PAGE
    clock.move(days=31)
    assert await trust(app, ADA, link) is Trust.NOT_THEIRS


async def test_a_message_carries_the_safe_word_or_it_does_not(app: Any, world: Any) -> None:
    word = (await register(app, world, ADA)).safe_word
    other = (await register(app, world, BOB)).safe_word
    assert await trust(app, ADA, f"**{word.title()}** · One process is waiting for you.") is Trust.SAFE_WORD
    assert await trust(app, ADA, "One process is waiting for you.") is Trust.NO_SAFE_WORD
    if other != word:
        assert await trust(app, ADA, f"{other} · One process is waiting.") is Trust.NO_SAFE_WORD
    assert await trust(app, ADA, f"{word} · Sign at {HOME}@evil.example/ now") is Trust.ELSEWHERE
    assert await trust(app, ADA, f"{word} · Sign at {HOME}/sign#{'A' * 22}") is Trust.NOT_THEIRS
    assert await trust(app, ADA, f"Sign at {HOME}/ now") is Trust.NO_SAFE_WORD
    assert await trust(app, 9, f"{word} · One process is waiting.") is Trust.NO_SAFE_WORD
    found = await app.verifying.verify(ADA, f"{word} https://evil.example/x https://patchbell.test:99/")
    assert found.places == ("evil.example", "patchbell.test:99")


async def test_a_message_s_own_link_is_looked_up_among_their_deliveries(app: Any, world: Any) -> None:
    outcome = await register(app, world, ADA)
    await app.delivering.deliver_due()
    async with app.database.read() as connection:
        sent = await outbox.find(connection, outcome.first_dm)
    link = f"https://discord.com/channels/@me/{sent.sent_channel_id}/{sent.sent_message_id}"
    found = await app.verifying.verify(ADA, link)
    assert (found.trust, found.at) == (Trust.SENT, sent.done_at)
    assert await trust(app, BOB, link) is not Trust.SENT


async def test_of_a_message_older_than_what_is_kept_nothing_is_said(app: Any) -> None:
    def link(age: timedelta) -> str:
        """Give a message's link: Discord's ids carry when it was written, in milliseconds since 2015."""
        written = (app.clock() - age - datetime(2015, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        return f"https://discord.com/channels/@me/9/{written << 22}"

    keeps = app.settings.privacy.keeps
    assert await trust(app, ADA, link(timedelta(0))) is Trust.NOT_SENT
    assert await trust(app, ADA, link(keeps - timedelta(hours=1))) is Trust.NOT_SENT
    assert await trust(app, ADA, link(keeps + timedelta(hours=1))) is Trust.TOO_OLD


@pytest.mark.parametrize("text", ["patchbell.test/sign", "x" * (MOST_CHARACTERS + 1)])
async def test_what_cannot_be_told_is_asked_for_again(app: Any, text: str) -> None:
    with pytest.raises(BadInput):
        await app.verifying.verify(ADA, text)
