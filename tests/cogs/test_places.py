"""Closed DMs and their fallback, servers that the bot leaves, and what moderators and `/status` say of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.notices import Alarm, Mention
from bot.store import outbox
from sandbox.discord.permissions import Can
from sandbox.discord.seen import SeenMessage

pytestmark = pytest.mark.slow


def labels(message: SeenMessage) -> list[str]:
    return [button.label for button in message.buttons]


async def register_closed(stage: Any, *processes: str) -> SeenMessage:
    stage.ada.close_dms()
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": " ".join(processes)})
    return await reply.wait_until(lambda message: "I can't send you DMs" in message.text)


async def choose_channel(stage: Any, mo: Any) -> Any:
    """A moderator chooses a channel of its own; give it."""
    channel = stage.discord.world.add_channel(stage.guild, "reminders")
    chosen = await (await mo.slash(stage.channel.id, "mentions", {"channel": channel.id})).wait_final()
    assert f"<#{channel.id}>" in chosen.text
    return channel


async def owe_mention(stage: Any, channel: Any) -> SeenMessage:
    application = stage.application
    notice = Mention(user_id=stage.ada.id, guild_id=stage.guild.id)
    async with application.database.write() as connection:
        await outbox.owe(connection, notice, now=application.clock(), channel_id=channel.id)
    application.delivering.wake()
    return await stage.ada.wait_message(channel.id)


async def test_a_mention_is_agreed_to_pings_one_and_names_nothing(off_stage: Any) -> None:
    stage = off_stage
    await stage.start()
    mo = stage.moderator()
    channel = await choose_channel(stage, mo)
    process = stage.unpatched("Vault")
    closed = await register_closed(stage, process)
    assert f"mention you in <#{channel.id}>" in closed.text
    assert {"Try again", "Mention me there", "No reminders"} <= set(labels(closed))
    agreed = await (await stage.ada.press(closed, "Mention me there")).wait_final()
    assert f"I'll mention you in <#{channel.id}>" in agreed.text
    await stage.restart()
    message = await owe_mention(stage, channel)
    assert message.mentions == (stage.ada.id,)
    assert "Vault" not in message.text
    assert process[:4] not in message.text
    assert labels(message) == ["Show me", "Tonight", "Next week", "Stop"]
    shown = await (await stage.ada.press(message, "Show me")).wait_final()
    assert shown.ephemeral
    assert process in shown.text
    refused = await (await mo.press(message, "Stop")).wait_final()
    assert "somebody else's" in refused.text
    assert refused.ephemeral
    later = await (await stage.ada.press(message, "Next week")).wait_final()
    assert "No reminders until" in later.text
    assert "**No more reminders.**" in (await (await stage.ada.press(message, "Stop")).wait_final()).text
    assert (await stage.application.registering.person(stage.ada.id)).mention_guild_id is None


async def test_closed_dms_are_told_at_the_next_command_and_counted(stage: Any) -> None:
    mo = stage.moderator()
    reply = await mo.slash(stage.channel.id, "announce")
    draft = await mo.submit(reply.modal, {"title": "Move", "date": "", "preset": ["token"]})
    await (await mo.press(await draft.wait_final(), "Post")).wait_final()
    announcement = await stage.ada.wait_message(stage.channel.id)
    stage.ada.close_dms()
    reply = await stage.ada.press(announcement, "Register my process")
    answer = await stage.ada.submit(reply.modal, {"processes": stage.unpatched(), "label": ""})
    closed = await answer.wait_until(lambda message: "I can't send you DMs" in message.text)
    assert "Mention me there" not in labels(closed), "moderators chose no channel"
    stage.discord.faults.reset("POST /webhooks/{webhook_id}/{webhook_token}")
    lost = await stage.ada.slash(stage.channel.id, "status")
    assert "**What I sent you**" in (await lost.wait_final()).text
    status = await stage.ada.slash(stage.channel.id, "status")
    assert "**What I sent you**" in (await status.wait_final()).text
    assert "First DM: refused <t:" in (await status.wait_final()).text
    told = await status.wait_followup()
    assert "*Privacy Settings*" in told.text
    assert told.ephemeral
    assert lost.followups == [], "nor that it went wrong: the answer is there"
    progress = await (await mo.slash(stage.channel.id, "progress")).wait_final()
    assert "Of 1 person: 1 takes no DMs from me." in progress.text
    stage.ada.close_dms(False)
    again = await (await stage.ada.press(told, "Try again")).wait_final()
    assert "first DM: please check" in again.text
    status = await stage.ada.slash(stage.channel.id, "status")
    assert "First DM: sent <t:" in (await status.wait_final()).text
    assert status.followups == []
    progress = await (await mo.slash(stage.channel.id, "progress")).wait_final()
    assert "Reminders reach the one person" in progress.text


async def test_a_channel_that_the_bot_may_not_write_to_is_not_chosen(stage: Any) -> None:
    mo = stage.moderator()
    role = next(role for role in stage.guild.roles.values() if role.managed)
    stage.discord.world.set_role_permissions(stage.guild, role, 0)
    stage.discord.world.set_role_permissions(stage.guild, stage.guild.roles[stage.guild.id], int(Can.VIEW_CHANNEL))
    mo = stage.person("moderator", int(Can.MANAGE_GUILD | Can.USE_APPLICATION_COMMANDS))
    refused = await (await mo.slash(stage.channel.id, "mentions", {"channel": stage.channel.id})).wait_final()
    assert "I can't write there" in refused.text
    nowhere = await (await mo.slash(stage.channel.id, "mentions")).wait_final()
    assert "Nobody is mentioned" in nowhere.text


async def _migration(stage: Any) -> int:
    application = stage.application
    deadline = application.clock() + timedelta(days=60)
    draft = await application.announcing.draft(stage.guild.id, stage.channel.id, 1, "Move", deadline, "token")
    await application.announcing.post(draft.migration_id, 1)
    announcement = await stage.ada.wait_message(stage.channel.id)
    reply = await stage.ada.press(announcement, "Register my process")
    answer = await stage.ada.submit(reply.modal, {"processes": stage.unpatched(), "label": ""})
    await answer.wait_until(lambda message: "first DM: please" in message.text)
    return draft.migration_id


async def _until(stage: Any, *, planned: bool) -> None:
    """Wait until the person's next reminder is planned, or is not."""
    async with asyncio.timeout(30):
        while (await _next(stage) is not None) is not planned:  # noqa: ASYNC110 -- the bot's loops tell nobody
            await asyncio.sleep(0.02)


async def _next(stage: Any) -> datetime | None:
    return (await stage.application.registering.person(stage.ada.id)).next_reminder_at


@pytest.mark.slow  # starts twice
async def test_a_bot_that_is_removed_reminds_nobody_there_also_if_it_was_away(stage: Any) -> None:
    await _migration(stage)
    await _until(stage, planned=True)
    stage.discord.world.remove_bot(stage.guild)
    await _until(stage, planned=False)
    stage.discord.world.add_bot(stage.guild)
    await _until(stage, planned=True)
    await stage.stop()
    stage.discord.world.remove_bot(stage.guild)
    await stage.start()
    await _until(stage, planned=False)


@pytest.mark.slow
async def test_who_left_is_known_before_a_reminder(stage: Any) -> None:
    await _migration(stage)
    members = stage.application.places.members
    assert await members.is_member(stage.guild.id, stage.ada.id) is True
    assert await members.is_member(1, stage.ada.id) is None
    stage.discord.world.remove_member(stage.guild, stage.discord.world.users[stage.ada.id])
    assert await members.is_member(stage.guild.id, stage.ada.id) is False
    await stage.application.places.ask_members([stage.ada.id])
    async with stage.application.database.write() as connection:
        await stage.application.agenda.plan(connection, [stage.ada.id], stage.application.clock())
    assert (await stage.application.registering.person(stage.ada.id)).next_reminder_at is None


async def test_an_operator_resumes_a_paused_server_from_the_alarm(off_stage: Any) -> None:
    stage = off_stage
    stage.changes["operators"] = (stage.ada.id,)
    await stage.start()
    application = stage.application
    async with application.database.write() as connection:
        alarm = Alarm(sentence="Paused.", guild_id=stage.guild.id)
        await outbox.owe(connection, alarm, now=application.clock(), user_id=stage.ada.id)
    application.delivering.wake()
    message = await stage.ada.wait_dm()
    await stage.restart()
    resumed = await (await stage.ada.press(message, "Resume its reminders")).wait_final()
    assert "go on" in resumed.text
