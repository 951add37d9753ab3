"""What goes wrong gets an answer: modals over a restart, commands that changed, floods."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cogs import answering
from cogs.errors import Form
from sandbox.discord.faults import Loss


async def test_a_modal_left_open_over_a_restart_is_answered(stage: Any) -> None:
    mo = stage.moderator()
    opened = await mo.slash(stage.channel.id, "announce")
    Form.waiting.clear()  # a new process remembers nothing; here both are one
    await stage.restart()
    reply = await mo.submit(opened.modal, {"title": "Permaville", "date": "", "preset": ["token"]})
    message = await reply.wait_final()
    assert "**I restarted since you opened this.**" in message.text
    assert message.ephemeral


async def test_a_modal_that_waits_is_answered_once(stage: Any) -> None:
    mo = stage.moderator()
    opened = await mo.slash(stage.channel.id, "announce")
    reply = await mo.submit(opened.modal, {"title": "Permaville", "date": "", "preset": ["token"]})
    message = await reply.wait_final()
    assert "Preview" in message.text
    assert reply.followups == []
    bot_answers = [each for each in stage.discord.requests if each.route.startswith("POST /interactions/")]
    assert all(each.status < 400 for each in bot_answers)


async def test_a_changed_command_is_sent_again(stage: Any) -> None:
    command = next(each for each in stage.discord.commands.of_scope(None) if each["name"] == "unregister")
    command["options"][0]["name"] = "which"  # as another version of ours had it
    command["options"][0]["autocomplete"] = False
    reply = await stage.ada.slash(stage.channel.id, "unregister", {"which": "x"})
    assert "My commands have just changed" in (await reply.wait_final()).text
    async with asyncio.timeout(5):
        while _syncs(stage) < 2:  # noqa: ASYNC110 -- a request of the other side
            await asyncio.sleep(0.01)
    reply = await stage.ada.slash(stage.channel.id, "unregister", {"process": "x"})
    assert "not a process id" in (await reply.wait_final()).text


def _syncs(stage: Any) -> int:
    return sum(each.method == "PUT" and each.path.endswith("/commands") for each in stage.discord.requests)


async def test_one_at_a_time_is_asked_for(stage: Any) -> None:
    texts: list[str] = []
    for _ in range(11):
        reply = await stage.ada.slash(stage.channel.id, "check", {"process": "x"})
        texts.append((await reply.wait_final()).text)
    assert all("no process id" in text for text in texts[:10])
    assert "One at a time, please" in texts[10]


async def test_commands_are_sent_only_when_they_changed(stage: Any) -> None:
    assert _syncs(stage) == 1
    await stage.restart()
    assert _syncs(stage) == 1
    await stage.application.remember(f"commands:{stage.client.application_id}", "of another version")
    await stage.restart()
    assert _syncs(stage) == 2


CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"
EDIT = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


@pytest.mark.parametrize("route", [CALLBACK, EDIT])
@pytest.mark.parametrize("how", [Loss.CUT, None], ids=["answered and lost", "reset"])
async def test_an_answer_on_its_way_that_is_lost_is_given_again(stage: Any, route: str, how: Loss | None) -> None:
    process = stage.unpatched()
    if how is None:
        stage.discord.faults.reset(route, times=2)
    else:
        stage.discord.faults.lose_reply(route, times=2, how=how)
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": process})
    assert process in (await reply.wait_until(lambda message: "first DM: please" in message.text)).text
    assert reply.followups == []


async def test_a_refusal_is_said_where_the_answer_to_the_first_word_was_lost(stage: Any) -> None:
    stage.discord.faults.lose_reply(CALLBACK, how=Loss.CUT)
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": "x"})
    assert "no process id" in (await reply.wait_final()).text


async def test_progress_that_cannot_be_shown_ends_no_work(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_EDIT_AT_MOST_EVERY", 0.0)
    stage.discord.faults.reset(EDIT, times=1_000)
    both = f"{stage.unpatched()} {stage.unpatched()}"
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": both})
    async with asyncio.timeout(30):
        while len(await stage.application.registering.cards(stage.ada.id)) < 2:  # noqa: ASYNC110 -- saved by the bot
            await asyncio.sleep(0.01)
    stage.discord.faults._resets.clear()
    await reply.wait_until(lambda message: "first DM: please" in message.text)
