"""What moderators do: announce with a preview, and watch; and that nobody else can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import BadInput
from bot.settings import WebSettings
from cogs.moderators import read_date
from sandbox.discord.permissions import Can
from sandbox.discord.refusals import NoSuchCommand
from sandbox.discord.seen import SeenMessage

SOME_DAY = (datetime.now(UTC) + timedelta(days=300)).strftime("%Y-%m-%d")


async def announce(stage: Any, mo: Any, **values: Any) -> SeenMessage:
    reply = await mo.slash(stage.channel.id, "announce")
    filled = {"title": "Permaville `moves` @everyone", "date": SOME_DAY, "preset": ["token"]} | values
    return await (await mo.submit(reply.modal, filled)).wait_final()


async def test_announce_post_register_progress(stage: Any) -> None:
    mo = stage.moderator()
    preview = await announce(stage, mo)
    assert preview.ephemeral
    assert "only you see this" in preview.text
    assert "`Permaville 'moves' @everyone`" in preview.text
    assert [message for message in stage.ada.messages(stage.channel.id) if message.author.bot] == []
    posted = await (await mo.press(preview, "Post")).wait_final()
    assert "**Posted into <#" in posted.text
    announcement = await stage.ada.wait_message(stage.channel.id)
    assert not announcement.ephemeral
    assert announcement.mentions == ()
    await (await mo.press(preview, "Post")).wait_final()  # twice pressed, once posted
    assert len([message for message in stage.ada.messages(stage.channel.id) if message.author.bot]) == 1

    await stage.restart()
    one, two = stage.unpatched(), stage.patched()
    reply = await stage.ada.press(announcement, "Register my process")
    answered = await stage.ada.submit(reply.modal, {"processes": f"{one}\n{two}", "label": "Mine"})
    registered = await answered.wait_until(lambda message: "first DM: please" in message.text)
    assert "**Saved 2 processes.**" in registered.text
    progress = await (await mo.slash(stage.channel.id, "progress")).wait_final()
    assert progress.ephemeral
    assert "2 processes registered" in progress.text
    assert one not in progress.text
    assert str(stage.ada.id) not in progress.text


async def test_others_are_not_offered_the_commands_and_are_refused_all_the_same(stage: Any) -> None:
    with pytest.raises(NoSuchCommand):
        await stage.ada.slash(stage.channel.id, "announce")
    for command in stage.discord.commands.of_scope(None):
        command["default_member_permissions"] = None  # an admin let everybody see them
    for name in ("announce", "progress"):
        refused = await (await stage.ada.slash(stage.channel.id, name)).wait_final()
        assert "for moderators" in refused.text
        assert refused.ephemeral
    with pytest.raises(NoSuchCommand):
        await stage.ada.slash(stage.ada.dm_channel(), "progress")


async def test_only_who_drafted_it_posts_it(stage: Any) -> None:
    mo = stage.moderator()
    preview = await announce(stage, mo)
    jo = stage.person("jo", int(Can.MANAGE_GUILD))
    preview.message.only_for = jo.id
    refused = await (await jo.press(preview, "Post")).wait_final()
    assert "Only the moderator who drafted" in refused.text


async def test_who_is_no_moderator_any_more_posts_nothing(stage: Any) -> None:
    mo = stage.moderator()
    preview = await announce(stage, mo)
    stage.guild.members[mo.id].roles.clear()
    assert "for moderators" in (await (await mo.press(preview, "Post")).wait_final()).text
    assert [message for message in stage.ada.messages(stage.channel.id) if message.author.bot] == []


async def test_bad_input_gets_one_sentence(stage: Any) -> None:
    mo = stage.moderator()
    assert "year-month-day" in (await announce(stage, mo, date="30.06.2027")).text
    assert "That date has passed" in (await announce(stage, mo, date="2020-01-01")).text
    assert "needs a title" in (await announce(stage, mo, title="\u200b ")).text


async def test_without_an_https_address_moderators_are_told(off_stage: Any) -> None:
    off_stage.changes["web"] = WebSettings(port=0)
    await off_stage.start()
    mo = off_stage.moderator()
    assert "web.public_url" in (await announce(off_stage, mo)).text
    assert "web.public_url" in (await (await mo.slash(off_stage.channel.id, "progress")).wait_final()).text


async def test_a_channel_that_the_bot_may_not_write_to_is_said_first(stage: Any) -> None:
    role = next(role for role in stage.guild.roles.values() if role.managed)
    stage.discord.world.set_role_permissions(stage.guild, role, 0)
    everyone = stage.guild.roles[stage.guild.id]
    stage.discord.world.set_role_permissions(stage.guild, everyone, int(Can.VIEW_CHANNEL))
    mo = stage.person("mo", int(Can.MANAGE_GUILD | Can.USE_APPLICATION_COMMANDS))
    message = await (await mo.slash(stage.channel.id, "announce")).wait_final()
    assert "Send Messages" in message.text


def test_dates_are_days_in_utc() -> None:
    assert read_date(" 2027-06-30 ") == datetime(2027, 6, 30, 23, 59, tzinfo=UTC)
    assert read_date("") is None
    for text in ("2027-13-01", "tomorrow", "2027-06-31", "٢٠٢٧-٠٦-٣٠x"):
        with pytest.raises(BadInput):
            read_date(text)
