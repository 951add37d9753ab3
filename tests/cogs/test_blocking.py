"""*I can't*: from a late reminder to `/status`, `/progress` and back, with a restart in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.notices import ProcessLine, Reminder
from bot.errors import NotYours
from bot.store import outbox
from sandbox.discord.seen import SeenMessage

pytestmark = pytest.mark.slow


async def remind(stage: Any, person: Any, processes: list[str], **values: Any) -> SeenMessage:
    application = stage.application
    now = application.clock()
    lines = tuple(ProcessLine(process=process) for process in processes)
    notice = Reminder(safe_word="amber otter", processes=lines, **values)
    async with application.database.write() as connection:
        await outbox.owe(connection, notice, now=now, user_id=person.id)
    application.delivering.wake()
    return await person.wait_dm(lambda message: "amber otter" in message.text)


async def choose(stage: Any, message: SeenMessage, value: str) -> SeenMessage:
    """Choose in the list under a DM."""
    return await (await stage.ada.choose(message, message.selects[0].custom_id, [value])).wait_final()


async def register(stage: Any, *processes: str) -> None:
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": " ".join(processes)})
    await reply.wait_until(lambda message: "first DM: please" in message.text)


async def test_what_cannot_be_signed_is_said_once_and_taken_back(stage: Any) -> None:
    lost = stage.unpatched("Lost")
    await register(stage, lost)
    reminder = await remind(stage, stage.ada, [lost], number=3)
    assert "Choose *I can't*" in reminder.text
    await stage.restart()
    asked = await choose(stage, reminder, "cannot")
    assert "What is in the way?" in asked.text
    assert "`Lost`" in asked.text
    await stage.restart()
    answer = await (await stage.ada.choose(asked, asked.selects[0].custom_id, ["lost-wallet"])).wait_final()
    assert "**No more reminders** of `Lost`" in answer.text
    card = await (await stage.ada.slash(stage.channel.id, "status", {"process": lost})).wait_final()
    assert "You told me that the wallet is lost" in card.text
    assert "Sign" not in [button.label for button in card.buttons]
    again = await (await stage.ada.press(card, "Remind me again")).wait_final()
    assert "Next reminder" in again.text
    assert "Sign" in [button.label for button in again.buttons]
    nothing = await choose(stage, reminder, "cannot")
    assert "What is in the way?" in nothing.text


async def test_of_several_one_chooses_which_cannot_be_signed(stage: Any) -> None:
    lost, other, unnamed = stage.unpatched("Lost"), stage.unpatched("Other"), stage.unpatched("Unnamed")
    await register(stage, lost, other, unnamed)
    reminder = await remind(stage, stage.ada, [lost, other], number=3, more=1)
    asked = await choose(stage, reminder, "cannot")
    assert "Then you choose which of them" in asked.text
    which = await (await stage.ada.choose(asked, asked.selects[0].custom_id, ["lost-wallet"])).wait_final()
    assert {value for _, value in which.selects[0].options} == {lost, other, unnamed}
    cards = await stage.application.registering.cards(stage.ada.id)
    assert [card.blocked for card in cards] == [None] * 3, "nothing yet"
    await stage.restart()
    answer = await (await stage.ada.choose(which, which.selects[0].custom_id, [lost])).wait_final()
    assert "**No more reminders** of `Lost`" in answer.text
    cards = await stage.application.registering.cards(stage.ada.id)
    assert {card.process for card in cards if card.blocked} == {lost}


async def test_registering_again_takes_it_back(stage: Any) -> None:
    lost = stage.unpatched("Lost")
    await register(stage, lost)
    first = await stage.ada.wait_dm()
    asked = await choose(stage, first, "cannot")
    await (await stage.ada.choose(asked, asked.selects[0].custom_id, ["other"])).wait_final()
    (card,) = await stage.application.registering.cards(stage.ada.id)
    assert (card.blocked, card.next_reminder) == ("other", None)
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": lost})
    await reply.wait_final()
    (card,) = await stage.application.registering.cards(stage.ada.id)
    assert card.blocked is None
    assert card.next_reminder is not None


async def test_one_of_several_is_blocked_on_its_card(stage: Any) -> None:
    lost, other = stage.unpatched("Lost"), stage.unpatched("Other")
    await register(stage, lost, other)
    card = await (await stage.ada.slash(stage.channel.id, "status", {"process": lost})).wait_final()
    asked = await (await stage.ada.press(card, "I can't")).wait_final()
    await stage.restart()
    answer = await (await stage.ada.choose(asked, asked.selects[0].custom_id, ["not-mine-to-sign"])).wait_final()
    assert "**No more reminders** of `Lost`" in answer.text
    listed = await (await stage.ada.slash(stage.channel.id, "status")).wait_final()
    assert "**2 processes: 1 not patched yet, 1 you can't sign.**" in listed.text
    (left,) = [each for each in await stage.application.registering.cards(stage.ada.id) if each.next_reminder]
    assert left.process == other


async def test_it_is_asked_late_only_and_of_whom_it_was_sent(stage: Any) -> None:
    process = stage.unpatched()
    await register(stage, process)
    now = stage.application.clock()
    early = await remind(stage, stage.ada, [process], number=2, deadline=now + timedelta(days=8))
    assert "in the way" not in early.text
    bob = stage.person("bob")
    reply = await bob.slash(stage.channel.id, "register", {"process": process})
    await reply.wait_until(lambda message: "first DM: please" in message.text)
    late = await remind(stage, bob, [process], number=3)
    assert "Something in the way?" in late.text
    blocking = stage.application.reminding.blocking
    async with stage.application.database.read() as connection:
        (newest, *_) = await outbox.of_person(connection, bob.id)
    assert [line.process for line in await blocking.in_question(bob.id, newest.id)] == [process]
    for user_id, delivery in ((stage.ada.id, newest.id), (bob.id, 10**6)):
        with pytest.raises(NotYours):
            await blocking.in_question(user_id, delivery)
