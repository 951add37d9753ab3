"""/privacy over the real client: what is kept is said, handed over as a file, and erased after a question."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.discord.faults import Moment
from sandbox.discord.seen import SeenMessage

pytestmark = pytest.mark.slow


async def registered(stage: Any, person: Any) -> tuple[str, str]:
    process = stage.unpatched("Vault")
    reply = await person.slash(stage.channel.id, "register", {"process": process, "label": "My vault"})
    message = await reply.wait_until(lambda each: "first DM: please" in each.text)
    return process, message.text.split("Your safe word is **")[1].split("**")[0]


async def privacy(stage: Any, person: Any) -> SeenMessage:
    return await (await person.slash(stage.channel.id, "privacy")).wait_final()


async def test_everything_is_handed_over_and_erased(stage: Any) -> None:
    process, word = await registered(stage, stage.ada)
    bob = stage.person("bob")
    await registered(stage, bob)
    page = await privacy(stage, stage.ada)
    assert page.ephemeral
    assert "1 process that you registered" in page.text
    assert "90 days after its date" in page.text
    handed = await (await stage.ada.press(page, "Send me all of it")).wait_until(lambda each: each.files)
    assert handed.ephemeral
    (file,) = handed.files
    told = json.loads(file.data)
    assert told["user_id"] == stage.ada.id
    assert told["tables"]["people"][0]["safe_word"] == word
    assert told["tables"]["registrations"][0]["process"] == process
    assert str(bob.id) not in file.data.decode()

    question = await (await stage.ada.press(page, "Erase all of it")).wait_final()
    assert "It can't be taken back." in question.text
    await (await stage.ada.press(question, "Keep it")).wait_until(lambda each: "Nothing was erased" in each.text)
    question = await (await stage.ada.press(page, "Erase all of it")).wait_final()
    await stage.restart()  # the buttons live across restarts
    await (await stage.ada.press(question, "Yes, erase it")).wait_until(lambda each: "**Erased.**" in each.text)
    assert "**I keep nothing of you.**" in (await privacy(stage, stage.ada)).text
    status = await (await stage.ada.slash(stage.channel.id, "status")).wait_final()
    assert "You follow no process yet." in status.text
    assert "My vault" in (await (await bob.slash(stage.channel.id, "status")).wait_final()).text


@pytest.mark.parametrize("again", [False, True], ids=["register", "try-again"])
async def test_who_erases_all_while_the_first_dm_waits_is_told_so(stage: Any, again: bool) -> None:
    if again:
        stage.discord.faults.closed_dms.add(stage.ada.id)
        before = await stage.ada.slash(stage.channel.id, "register", {"process": stage.unpatched("Vault")})
        closed = await before.wait_until(lambda each: "I can't send you DMs" in each.text)
        stage.discord.faults.closed_dms.clear()
    send = "POST /channels/{channel_id}/messages" if again else "POST /users/@me/channels"
    held = stage.discord.faults.hold_up(send, Moment.ARRIVED)
    if again:
        reply = await stage.ada.press(closed, "Try again")
    else:
        reply = await stage.ada.slash(stage.channel.id, "register", {"process": stage.unpatched("Vault")})
    await held.reached.wait()
    question = await (await stage.ada.press(await privacy(stage, stage.ada), "Erase all of it")).wait_final()
    await (await stage.ada.press(question, "Yes, erase it")).wait_until(lambda each: "**Erased.**" in each.text)
    answer = await reply.wait_until(lambda each: "**Erased.**" in each.text)
    assert "I keep nothing of you" in answer.text
    held.let_go()


async def test_the_safe_word_is_in_status(stage: Any) -> None:
    process, word = await registered(stage, stage.ada)
    for options in ({}, {"process": process}):
        status = await (await stage.ada.slash(stage.channel.id, "status", options)).wait_final()
        assert status.ephemeral
        assert f"Your safe word is **{word}**" in status.text


async def test_a_name_is_shown_to_moderators_by_its_own_switch_only(stage: Any) -> None:
    mo = stage.moderator()
    opened = await mo.slash(stage.channel.id, "announce")
    preview = await (
        await mo.submit(opened.modal, {"title": "Permaville", "date": "", "preset": ["token"]})
    ).wait_final()
    await (await mo.press(preview, "Post")).wait_final()
    announcement = await stage.ada.wait_message(stage.channel.id)
    process = stage.unpatched("Vault")
    form = await stage.ada.press(announcement, "Register my process")
    answered = await stage.ada.submit(form.modal, {"processes": process, "label": "Mine"})
    await answered.wait_until(lambda each: "first DM: please" in each.text)
    progress = await (await mo.slash(stage.channel.id, "progress")).wait_final()

    async def told() -> str:
        return (await (await mo.press(progress, "What is still open")).wait_final()).text

    assert process in await told()
    assert f"<@{stage.ada.id}>" not in await told()
    page = await privacy(stage, stage.ada)
    assert "never who is behind one" in page.text
    await (await stage.ada.press(page, "Let moderators see my name")).wait_until(
        lambda each: "as you allowed it" in each.text
    )
    assert f"{process}` · <@{stage.ada.id}>" in await told()
    await (await stage.ada.press(page, "Hide my name again")).wait_until(
        lambda each: "never who is behind one" in each.text
    )
    assert f"<@{stage.ada.id}>" not in await told()
