"""/verify and *Is this Patchbell?* over the real client, also against one that takes our name and picture."""

from __future__ import annotations

from typing import Any

import aiohttp

from sandbox.discord.people import Person
from tests.cogs.test_privacy import registered

MENU = "Is this Patchbell?"


async def verify(stage: Any, what: str) -> Any:
    message = await (await stage.ada.slash(stage.channel.id, "verify", {"what": what})).wait_final()
    assert message.ephemeral
    return message


async def test_what_is_ours_and_what_is_not_is_said(stage: Any) -> None:
    _, word = await registered(stage, stage.ada)
    first = await stage.ada.wait_dm()
    home = stage.application.settings.web.public_url
    assert "**It carries your safe word,**" in (await verify(stage, first.text)).text
    fake = await verify(stage, f"{word} · Your process is waiting: {home}@evil.example/sign")
    assert "**Not from me.** That leads to `evil.example`" in fake.text
    assert "sign nothing" in fake.text
    assert home in fake.text
    assert "**Your safe word is not in that.**" in (await verify(stage, "Your process is waiting.")).text
    link = f"https://discord.com/channels/@me/{stage.ada.dm_channel()}/{first.id}"
    assert "**Yes, I sent you that message,** <t:" in (await verify(stage, link)).text
    assert "with https:// in front" in (await verify(stage, "patchbell.app")).text


async def is_patchbell(person: Any, channel_id: int, message_id: int) -> str:
    message = await (await person.message_command(channel_id, message_id, MENU)).wait_final()
    assert message.ephemeral
    return message.text


async def test_the_author_of_a_message_is_told_by_discord_alone(stage: Any) -> None:
    await registered(stage, stage.ada)
    first = await stage.ada.wait_dm()
    assert "**Yes, this message is from me.**" in await is_patchbell(stage.ada, stage.ada.dm_channel(), first.id)

    me = stage.discord.world.me
    fake = stage.discord.world.add_user("patchbell", me.name, bot=True)  # our name, and all that is ours to see
    stage.discord.world.add_member(stage.guild, fake, [])
    said = Person(stage.discord, fake.id).say(stage.channel.id, first.text)
    told = await is_patchbell(stage.ada, stage.channel.id, said.id)
    assert "**No, this message is not from me,**" in told
    assert "sign nothing" in told

    number, token = stage.discord.world.add_webhook(stage.channel)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{stage.discord.api_url}/webhooks/{number}/{token}?wait=1",
            json={"content": first.text, "username": me.name},
        ) as sent,
    ):
        by_webhook = int((await sent.json())["id"])
    assert "**No, this message is not from me,**" in await is_patchbell(stage.ada, stage.channel.id, by_webhook)


async def test_an_answer_of_ours_to_a_command_is_ours(stage: Any) -> None:
    mo = stage.moderator()
    opened = await mo.slash(stage.channel.id, "announce")
    filled = {"title": "Permaville", "date": "", "preset": ["token"]}
    preview = await (await mo.submit(opened.modal, filled)).wait_final()
    await (await mo.press(preview, "Post")).wait_final()
    announcement = await stage.ada.wait_message(stage.channel.id)
    assert "**Yes, this message is from me.**" in await is_patchbell(stage.ada, stage.channel.id, announcement.id)
    assert "**Yes, this message is from me.**" in await is_patchbell(mo, stage.channel.id, preview.id)
