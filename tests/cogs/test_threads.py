"""Threads as the place for mentions: chosen or refused with a sentence, and what happens to them later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.notices import Mention
from bot.store import outbox
from bot.store.outbox import Message
from sandbox.discord.models import Channel
from sandbox.discord.permissions import Can, Overwrite
from sandbox.discord.refusals import BadOption
from sandbox.discord.threads import change_thread, start_thread

pytestmark = pytest.mark.slow


@pytest.fixture
async def agreed(off_stage: Any) -> Any:
    """A thread is chosen, and Ada, whose DMs are closed, agreed to be mentioned there."""
    stage = off_stage
    stage.changes["operators"] = (stage.discord.world.owner.id,)
    await stage.start()
    stage.mo = stage.moderator()
    stage.thread = start_thread(stage.discord.world, stage.channel, "patching", members=[stage.mo.user])
    await chosen(stage, stage.thread)
    stage.ada.close_dms()
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": stage.unpatched()})
    closed = await reply.wait_until(lambda message: "I can't send you DMs" in message.text)
    assert f"mention you in <#{stage.thread.id}>" in closed.text
    await (await stage.ada.press(closed, "Mention me there")).wait_final()
    return stage


async def choose(stage: Any, place: Channel, *, typed_in: Channel | None = None) -> str:
    where = typed_in or stage.channel
    return (await (await stage.mo.slash(where.id, "mentions", {"channel": place.id})).wait_final()).text


async def chosen(stage: Any, place: Channel, **where: Channel) -> None:
    assert f"are mentioned in <#{place.id}>" in await choose(stage, place, **where)


async def owe_mention(stage: Any) -> int:
    application = stage.application
    notice = Mention(user_id=stage.ada.id, guild_id=stage.guild.id)
    async with application.database.write() as connection:
        delivery = await outbox.owe(connection, notice, now=application.clock(), channel_id=stage.thread.id)
    application.delivering.wake()
    return delivery


async def settled(stage: Any, delivery: int) -> Message:
    outcome = await stage.application.delivering.outcome(delivery, 30)
    assert outcome.state in ("sent", "refused")
    async with stage.application.database.read() as connection:
        message = await outbox.find(connection, delivery)
    assert message is not None
    return message


def as_it_is(stage: Any) -> None:
    """An open thread."""


def archived(stage: Any) -> None:
    """A quiet thread is archived by Discord itself, after some days."""
    change_thread(stage.discord.world, stage.thread, archived=True)


@pytest.mark.parametrize("meanwhile", [as_it_is, archived])
async def test_a_mention_arrives_in_a_thread_and_opens_an_archived_one(
    agreed: Any, meanwhile: Callable[[Any], None]
) -> None:
    meanwhile(agreed)
    assert (await settled(agreed, await owe_mention(agreed))).was_sent
    message = await agreed.ada.wait_message(agreed.thread.id)
    assert message.mentions == (agreed.ada.id,)
    assert not agreed.thread.archived
    assert "Show me" in [button.label for button in message.buttons]
    shown = await (await agreed.ada.press(message, "Show me")).wait_final()
    assert shown.ephemeral


def locked(stage: Any) -> None:
    change_thread(stage.discord.world, stage.thread, archived=False, locked=True)


def locked_and_archived(stage: Any) -> None:
    change_thread(stage.discord.world, stage.thread, archived=True, locked=True)


def deleted(stage: Any) -> None:
    stage.discord.world.delete_channel(stage.thread)


def silenced(stage: Any) -> None:
    overwrite = Overwrite(stage.discord.world.me.id, 1, deny=int(Can.SEND_MESSAGES_IN_THREADS))
    stage.discord.world.set_overwrites(stage.channel, [overwrite])


def hidden(stage: Any) -> None:
    overwrite = Overwrite(stage.discord.world.me.id, 1, deny=int(Can.VIEW_CHANNEL))
    stage.discord.world.set_overwrites(stage.channel, [overwrite])


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [(locked, 160005), (locked_and_archived, 50083), (deleted, 10003), (silenced, 50013), (hidden, 50001)],
)
async def test_a_place_that_takes_no_mention_is_chosen_no_more_and_told(
    agreed: Any, meanwhile: Callable[[Any], None], code: int
) -> None:
    meanwhile(agreed)
    message = await settled(agreed, await owe_mention(agreed))
    assert (message.state, message.code) == ("refused", code)
    application = agreed.application
    assert (await application.places.guild(agreed.guild.id)).channel_id is None
    person = await application.registering.person(agreed.ada.id)
    assert (person.mention_guild_id, person.next_reminder_at) == (None, None)
    async with application.database.read() as connection:
        told = [each.notice.sentence for each in await outbox.of_person(connection, application.settings.operators[0])]
    assert any(f"into <#{agreed.thread.id}> for good" in sentence and f"code {code}" in sentence for sentence in told)
    elsewhere = agreed.discord.world.add_channel(agreed.guild, "lobby")
    status = await agreed.ada.slash(elsewhere.id, "status")
    assert "Mention in the server: Discord refused it" in (await status.wait_final()).text
    assert "*Privacy Settings*" in (await status.wait_followup()).text


async def test_moderators_read_that_nobody_is_mentioned(agreed: Any) -> None:
    reply = await agreed.mo.slash(agreed.channel.id, "announce")
    draft = await agreed.mo.submit(reply.modal, {"title": "Move", "date": "", "preset": ["token"]})
    await (await agreed.mo.press(await draft.wait_final(), "Post")).wait_final()
    announcement = await agreed.ada.wait_message(agreed.channel.id, lambda message: "Register" in str(message.buttons))
    reply = await agreed.ada.press(announcement, "Register my process")
    await (await agreed.ada.submit(reply.modal, {"processes": agreed.unpatched(), "label": ""})).wait_final()

    async def progress() -> str:
        return (await (await agreed.mo.slash(agreed.channel.id, "progress")).wait_final()).text

    assert "Nobody is mentioned" not in await progress()
    deleted(agreed)
    await settled(agreed, await owe_mention(agreed))
    assert "Nobody is mentioned in this server: `/mentions` chooses a place" in await progress()


async def test_a_thread_is_chosen_from_within_it_or_refused_with_the_reason(stage: Any) -> None:
    world, stage.mo = stage.discord.world, stage.moderator()
    thread = start_thread(world, stage.channel, "patching")
    await chosen(stage, thread, typed_in=thread)
    nowhere = await (await stage.mo.slash(thread.id, "mentions")).wait_final()
    assert "Nobody is mentioned" in nowhere.text
    change_thread(world, thread, archived=False, locked=True)
    assert "That thread is locked" in await choose(stage, thread)
    change_thread(world, thread, archived=True)
    assert "A thread must be open, not archived" in await choose(stage, thread)
    change_thread(world, thread, archived=False)
    await chosen(stage, thread)
    private = start_thread(world, stage.channel, "team", private=True, members=[stage.mo.user])
    assert "somebody must invite me" in await choose(stage, private)
    invited = start_thread(world, stage.channel, "us", private=True, members=[stage.mo.user, world.me])
    await chosen(stage, invited)
    world.set_overwrites(stage.channel, [Overwrite(world.me.id, 1, deny=int(Can.SEND_MESSAGES_IN_THREADS))])
    assert "*Send Messages in Threads*" in await choose(stage, thread)
    refused = await (await stage.mo.slash(thread.id, "announce")).wait_final()
    assert "*Send Messages in Threads*" in refused.text
    with pytest.raises(BadOption):
        await choose(stage, world.dm(stage.mo.id, world.me.id))


async def test_threads_are_known_again_after_a_start(stage: Any) -> None:
    world, stage.mo = stage.discord.world, stage.moderator()
    thread = start_thread(world, stage.channel, "patching")
    gone = start_thread(world, stage.channel, "old")
    change_thread(world, gone, archived=True)
    await stage.restart()
    await chosen(stage, thread)
    assert "A thread must be open" in await choose(stage, gone)
