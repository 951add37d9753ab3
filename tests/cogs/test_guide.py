"""/guide, and *I use aos* on a card: the handler as a file that aos can load."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from bot.domain.handler import HANDLER_VERSION, fingerprint, render_off
from bot.errors import NotYours
from sandbox.ao.ans104 import random_id
from sandbox.discord.seen import SeenMessage
from tests.domain.test_handler_lua import Aos

LUA = 'Balances = { alice = "100" }'


def files(message: SeenMessage) -> dict[str, str]:
    return {each.name: each.data.decode() for each in message.files}


async def card_of(stage: Any, process: str, **options: str) -> SeenMessage:
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": process} | options)
    await reply.wait_until(lambda message: "**Details**" in message.text)
    reply = await stage.ada.slash(stage.channel.id, "status", {"process": process})
    return await reply.wait_final()


async def test_the_guide_has_both_files_and_the_fingerprint_that_is_published(stage: Any) -> None:
    reply = await stage.ada.slash(stage.channel.id, "guide")
    message = await reply.wait_final()
    assert message.ephemeral
    lua = stage.application.presets["token"].handler
    assert files(message) == {"patchbell.lua": lua, "patchbell-off.lua": render_off()}
    (shown,) = re.findall(rf"Version {HANDLER_VERSION}. Its sha256 is `([0-9a-f]{{64}})`", message.text)
    assert shown == hashlib.sha256(message.files[0].data).hexdigest()
    assert "aos <process>\n.load patchbell.lua" in message.text
    assert "moves no tokens" in message.text


async def test_an_owner_with_a_key_file_gets_the_file_and_the_two_lines(stage: Any) -> None:
    process = stage.network.spawn(stage.wallet, LUA)
    card = await card_of(stage, process)
    reply = await stage.ada.press(card, "I use aos")
    message = await reply.wait_final()
    assert message.ephemeral
    lua = files(message)["patchbell.lua"]
    assert f"`{fingerprint(lua)}`" in message.text
    named = f"-- {process}" if process.startswith("-") else process
    assert f"```\naos {named}\n.load patchbell.lua\n```" in message.text
    assert Aos(LUA).evaluate(f"\n\n{lua}") == [{"cache": {"balances": {"alice": "100"}}}]

    stage.network.send(process, stage.wallet, {"Action": "Eval"}, f"\n\n{lua}")
    again = await stage.ada.press(message, "Check now")
    assert "atched:** " in (await again.wait_final()).text
    await again.wait_until(lambda seen: "`cache/balances`" in seen.text)


async def test_an_id_that_begins_with_a_hyphen_is_no_option_of_aos(stage: Any) -> None:
    process = stage.network.spawn(stage.wallet, LUA, process="-" + random_id()[1:])
    reply = await stage.ada.press(await card_of(stage, process), "I use aos")
    assert f"aos -- {process}\n" in (await reply.wait_final()).text


@pytest.mark.slow
async def test_the_button_is_there_only_where_the_file_is_of_use(stage: Any) -> None:
    for process, options in (
        (stage.patched(), {}),
        (stage.unpatched(), {"yours": "watching"}),
        (stage.network.spawn(stage.wallet, LUA, {"Module": random_id()}), {}),
        (stage.network.spawn(stage.unpatched(), LUA), {}),
    ):
        card = await card_of(stage, process, **options)
        assert "I use aos" not in [button.label for button in card.buttons]


async def test_somebody_else_pressing_it_learns_nothing(stage: Any) -> None:
    process = stage.network.spawn(stage.wallet, LUA)
    await card_of(stage, process)
    bo = stage.person("bo")
    reply = await bo.slash(stage.channel.id, "register", {"process": process, "yours": "watching"})
    await reply.wait_until(lambda message: "**Details**" in message.text)
    await stage.application.registering.unregister(stage.ada.id, process)
    for person in (bo.id, stage.ada.id):
        with pytest.raises(NotYours, match="You don't follow that process"):
            await stage.application.handing.lua_for(person, process)
