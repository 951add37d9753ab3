"""The bot in the language of each person's client: commands, answers, forms and DMs, over the real client."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.discord.people import Person
from tests import pseudo


@pytest.fixture
def german(pseudo_german: str, stage: Any) -> Person:
    """Somebody whose Discord is in the language that nobody speaks."""
    user = stage.discord.world.add_user("greta", locale=pseudo_german)
    stage.discord.world.add_member(stage.guild, user, [])
    return Person(stage.discord, user.id)


def english(message: Any, word: str = "") -> list[str]:
    shown = "\n".join([message.text, *(button.label for button in message.buttons)])
    return pseudo.unsaid(shown.replace(word, "") if word else shown)


async def test_a_person_is_answered_in_their_language_and_others_in_theirs(german: Person, stage: Any) -> None:
    process = stage.unpatched("Vault")
    reply = await german.slash(stage.channel.id, "register", {"process": process})
    message = await reply.wait_until(lambda each: pseudo.pseudo("please check that it arrived.")[1:9] in each.text)
    first = await german.wait_dm()
    word = first.text.split("**")[1]
    assert english(message, word) == []
    assert english(first, word) == []
    for command, options in (("status", {}), ("check", {"process": "x" * 43}), ("unregister", {"process": process})):
        reply = await german.slash(stage.channel.id, command, options)
        assert english(await reply.wait_final(), word) == []
    reply = await stage.ada.slash(stage.channel.id, "status")
    assert "You follow no process yet." in (await reply.wait_final()).text


async def test_what_a_person_did_wrong_is_said_in_their_language(german: Person, stage: Any) -> None:
    for command, options in (
        ("register", {"process": "too-short-to-be-an-id"}),
        ("check", {"process": "x" * 43, "keys": "status"}),
        ("check", {"process": "x" * 43, "keys": "a/b/c/d/e/f"}),
        ("unregister", {"process": "x"}),
    ):
        reply = await german.slash(stage.channel.id, command, options)
        message = await reply.wait_final()
        assert "⟦" in message.text
        assert english(message) == [], message.text


async def test_commands_are_described_in_each_language(pseudo_german: str, off_stage: Any) -> None:
    """Their names stay: every message says `/status`."""
    await off_stage.start()
    commands = off_stage.discord.commands.of_scope(None)
    assert commands
    for command in commands:
        assert pseudo_german not in (command.get("name_localizations") or {}) or command.get("type") == 3
        for each in (command, *command.get("options", [])):
            if each.get("description"):
                assert each["description_localizations"][pseudo_german] == pseudo.pseudo(each["description"])


async def test_a_form_is_in_the_language_of_whoever_opens_it(german: Person, stage: Any) -> None:
    mo = stage.moderator()
    opened = await mo.slash(stage.channel.id, "announce")
    preview = await (
        await mo.submit(opened.modal, {"title": "Permaville", "date": "", "preset": ["token"]})
    ).wait_final()
    await (await mo.press(preview, "Post")).wait_final()
    announcement = await german.wait_message(stage.channel.id)
    assert "Do you own an AO process" in announcement.text  # the server's language, whoever reads it
    reply = await german.press(announcement, "Register my process")
    assert reply.modal.title == pseudo.pseudo("Register my process")
    answered = await (await german.submit(reply.modal, {"processes": "x" * 30, "label": ""})).wait_final()
    assert "⟦" in answered.text
    assert english(answered) == []
