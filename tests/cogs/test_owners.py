"""What owners do: register, look, ask for their status, and leave. The real client against a Discord on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from bot.settings import CheckSettings
from sandbox.ao.ans104 import random_id
from sandbox.discord.seen import SeenMessage

EDIT = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


def labels(message: SeenMessage) -> list[str]:
    return [button.label for button in message.buttons]


def link(message: SeenMessage) -> str:
    return next(button.url for button in message.buttons if button.label == "Sign") or ""


async def registered(stage: Any, ids: str, **options: Any) -> SeenMessage:
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": ids} | options)
    assert reply.interaction.original is None or reply.message.ephemeral
    return await reply.wait_until(lambda message: "first DM: please" in message.text)


async def test_registering_one_answers_with_its_card_and_a_first_dm(stage: Any) -> None:
    process = stage.unpatched("Vault")
    message = await registered(stage, process, label="My vault")
    assert message.ephemeral
    assert "**Saved.**" in message.text
    assert "**Not patched yet:** `My vault`" in message.text or "**Looks not patched yet:** `My vault`" in message.text
    assert process in message.text
    assert "Checked <t:" in message.text
    assert "Next check <t:" in message.text
    assert {"Check now", "Not mine"} <= set(labels(message))
    first = await stage.ada.wait_dm()
    word = message.text.split("Your safe word is **")[1].split("**")[0]
    assert f"Safe word: **{word}**" in first.text
    assert "`Permaville`" in first.text
    assert "`My vault`" in first.text
    assert "seed phrase" in first.text
    assert labels(first)[-2:] == ["Tonight", "Next week"]
    assert [value for _, value in first.selects[0].options] == ["date", "cannot", "stop"]


async def test_a_patched_process_says_what_can_be_read(stage: Any) -> None:
    message = await registered(stage, stage.patched())
    assert "atched:** " in message.text
    assert "can read `cache/balances`" in message.text


async def test_registering_many_with_anything_between_is_one_list(stage: Any) -> None:
    ids = [stage.unpatched(f"P{n}") for n in range(3)]
    pasted = f"https://ao.link/#/entity/{ids[0]}, '{ids[1]}';\n[{ids[2]}] {ids[0]} {ids[0][:42]}"
    message = await registered(stage, pasted)
    assert "**Saved 3 processes.**" in message.text
    assert f"`{ids[0][:42]}` is no process id" in message.text
    assert [value for _, value in message.selects[0].options] != []
    reply = await stage.ada.choose(message, message.selects[0].custom_id, [message.selects[0].options[1][1]])
    card = await reply.wait_final()
    assert "**Details**" in card.text
    assert sum(process in card.text for process in ids) == 1


async def test_a_file_of_ids_is_read(stage: Any) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        data = "\r\n".join(stage.patched() for _ in range(2)).encode(encoding)
        reply = await stage.ada.slash(
            stage.channel.id, "register", {"yours": "watching"}, files={"file": ("ids.txt", data)}
        )
        message = await reply.wait_until(lambda message: "**Watching 2 processes.**" in message.text)
        assert "2 processes:" in message.text
    assert stage.ada.messages(stage.ada.dm_channel()) == []  # watchers hear only "patched", and get no first DM


BAD_INPUT: list[tuple[dict[str, str], str]] = [
    ({}, "Give me a process id"),
    ({"process": "hello"}, "I found no process id in that"),
    ({"process": "a" * 42}, "exactly 43"),
    ({"process": "a" * 44}, "exactly 43"),
    ({"process": "VALID", "keys": "Owner"}, "key"),
    ({"process": "VALID", "keys": "a?b"}, "key"),
    ({"wallet": "nope"}, "not a wallet address"),
]


async def test_bad_input_gets_one_clear_sentence(stage: Any) -> None:
    process = stage.patched()
    for number, (options, answer) in enumerate(BAD_INPUT):
        person = stage.person(f"person-{number}")
        given = {name: value.replace("VALID", process) for name, value in options.items()}
        message = await (await person.slash(stage.channel.id, "register", given)).wait_final()
        assert answer in message.text
        assert message.ephemeral
        assert "reference" not in message.text
        assert await stage.application.registering.cards(person.id) == []


async def test_too_large_a_file_is_refused(stage: Any) -> None:
    data = b"x" * (2 * 1024 * 1024 + 1)
    reply = await stage.ada.slash(stage.channel.id, "register", {}, files={"file": ("ids.txt", data)})
    assert "too large" in (await reply.wait_final()).text


async def test_closed_dms_name_the_switch_and_try_again_works(stage: Any) -> None:
    stage.ada.close_dms()
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": stage.unpatched()})
    message = await reply.wait_until(lambda message: "I can't send you DMs" in message.text)
    assert "*Privacy Settings*" in message.text
    assert "*Direct Messages*" in message.text
    again = await stage.ada.press(message, "Try again")
    assert "I can't send you DMs" in (await again.wait_final()).text
    stage.ada.close_dms(False)
    again = await stage.ada.press(again.message, "Try again")
    assert "first DM: please check" in (await again.wait_final()).text
    assert "Safe word" in (await stage.ada.wait_dm()).text


async def test_no_server_in_common_has_words_of_its_own(stage: Any) -> None:
    stage.discord.faults.no_mutual_guild.add(stage.ada.id)
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": stage.unpatched()})
    await reply.wait_until(lambda message: "We share no server" in message.text)


async def test_while_discord_opens_no_dm_nothing_is_lost(stage: Any) -> None:
    stage.discord.faults.opening_too_fast = True
    reply = await stage.ada.slash(stage.channel.id, "register", {"process": stage.unpatched()})
    message = await reply.wait_until(lambda message: "I'm sending you a first DM" in message.text)
    assert "Details" in message.text


async def test_status_suggests_and_shows_only_ones_own(stage: Any) -> None:
    mine, other = stage.unpatched("Mine"), stage.unpatched("Other")
    await registered(stage, mine, label="My vault")
    bo = stage.person("bo")
    assert await bo.autocomplete(stage.channel.id, "status", {"process": "v"}, "process") == []
    suggested = await stage.ada.autocomplete(stage.channel.id, "status", {"process": "vault"}, "process")
    assert [value for _, value in suggested] == [mine]
    assert suggested[0][0].startswith("My vault · ")
    reply = await stage.ada.slash(stage.channel.id, "status", {"process": mine})
    shown = await reply.wait_final()
    assert mine in shown.text
    assert shown.ephemeral
    reply = await stage.ada.slash(stage.channel.id, "status", {"process": other})
    assert "You don't follow that process" in (await reply.wait_final()).text
    reply = await bo.slash(stage.channel.id, "status")
    assert "You follow no process yet" in (await reply.wait_final()).text


async def test_unregister_forgets(stage: Any) -> None:
    process = stage.unpatched()
    await registered(stage, process)
    reply = await stage.ada.slash(stage.channel.id, "unregister", {"process": process})
    assert "**I no longer follow**" in (await reply.wait_final()).text
    reply = await stage.ada.slash(stage.channel.id, "unregister", {"process": process})
    assert "You don't follow that process" in (await reply.wait_final()).text
    assert await stage.application.registering.cards(stage.ada.id) == []


async def test_check_keeps_nothing_and_looks_again(stage: Any) -> None:
    process = stage.patched()
    reply = await stage.ada.slash(stage.channel.id, "check", {"process": process})
    message = await reply.wait_final()
    assert "can read `cache/balances`" in message.text
    assert "I keep nothing of this" in message.text
    again = await (await stage.ada.press(message, "Look again")).wait_final()
    assert process in again.text
    assert await stage.application.registering.cards(stage.ada.id) == []


async def test_check_says_what_is_missing_and_what_is_there_instead(stage: Any) -> None:
    reply = await stage.ada.slash(stage.channel.id, "check", {"process": stage.patched(), "keys": "token-info"})
    message = await reply.wait_final()
    assert "Missing: `token-info`. Exposed instead: `cache/balances`." in message.text


async def test_any_message_can_be_checked(stage: Any) -> None:
    bo = stage.person("bo")
    one, two = stage.patched(), stage.unpatched()
    said = bo.say(stage.channel.id, f"is {one} done? and https://ao.link/{two}?x=1")
    reply = await stage.ada.message_command(stage.channel.id, said.id, "Check this process")
    message = await reply.wait_final()
    assert "2 processes" in message.text
    assert message.ephemeral
    said = bo.say(stage.channel.id, "hello")
    reply = await stage.ada.message_command(stage.channel.id, said.id, "Check this process")
    assert "no process id in that message" in (await reply.wait_final()).text


async def test_a_wallet_is_listed_and_registered_by_choosing(stage: Any) -> None:
    ids = [stage.unpatched(f"P{n}") for n in range(30)]
    reply = await stage.ada.slash(stage.channel.id, "register", {"wallet": stage.wallet})
    message = await reply.wait_final()
    assert "**30 processes**" in message.text
    assert await stage.application.registering.cards(stage.ada.id) == []
    second = await stage.ada.press(message, "More (page 2 of 2)")
    turned = await second.wait_until(lambda message: "Earlier" in labels(message))
    assert len(turned.selects[0].options) == 5
    stage.unpatched("P30")
    first = await stage.ada.press(turned, "Earlier")
    back = await first.wait_until(lambda message: "Earlier" not in labels(message))
    assert "**30 processes**" in back.text  # to turn pages asks no gateway, and is none of the day's look-ups
    chosen = [value for _, value in back.selects[0].options][:2]
    reply = await stage.ada.choose(back, back.selects[0].custom_id, chosen)
    await reply.wait_until(lambda message: "**Saved 2 processes.**" in message.text)
    assert {card.process for card in await stage.application.registering.cards(stage.ada.id)} == set(chosen) <= set(ids)


async def test_strangers_names_stay_code(stage: Any) -> None:
    process = stage.network.spawn(stage.wallet, "", {"Name": "x` @everyone **<@1>** \u202e[y](https://evil.example)"})
    reply = await stage.ada.slash(stage.channel.id, "check", {"process": process})
    message = await reply.wait_final()
    assert "`x' @everyone **<@1>**" in message.text
    assert message.mentions == ()


async def test_an_error_of_ours_gets_an_apology_with_a_reference(stage: Any) -> None:
    stage.discord.faults.refuse(EDIT, 50013)
    reply = await stage.ada.slash(stage.channel.id, "status")
    message = await reply.wait_until(lambda message: "it is my fault" in message.text)
    assert "reference `" in message.text


async def test_an_unknown_id_is_not_called_unpatched(stage: Any) -> None:
    reply = await stage.ada.slash(stage.channel.id, "check", {"process": random_id()})
    message = await reply.wait_final()
    assert "No process has this id" in message.text or "I could not tell" in message.text or "Nobody" in message.text
    assert "ot patched" not in message.text


async def test_in_a_dm_it_works_too(stage: Any) -> None:
    dm = stage.ada.dm_channel()
    reply = await stage.ada.slash(dm, "register", {"process": stage.unpatched()})
    await reply.wait_until(lambda message: "first DM: please" in message.text)
    assert "1 process" not in (await (await stage.ada.slash(dm, "status")).wait_final()).text


@pytest.mark.slow
async def test_two_hundred_are_one_answer_and_one_more_is_refused(off_stage: Any) -> None:
    stage = off_stage
    stage.changes["checks"] = CheckSettings(requests_per_minute=100_000)  # or manners would take half a minute
    await stage.start()
    ids = [stage.patched() for _ in range(201)]
    reply = await stage.ada.slash(
        stage.channel.id, "register", {}, files={"file": ("ids.txt", "\n".join(ids).encode())}
    )
    refused = await reply.wait_final(30.0)
    assert "one person can follow 200" in refused.text
    assert "Nothing was saved" in refused.text
    for node in stage.network.nodes:
        node.faults.delay = 0.05
    reply = await stage.ada.slash(
        stage.channel.id, "register", {}, files={"file": ("ids.txt", "\n".join(ids[:200]).encode())}
    )
    await reply.wait_until(lambda message: "of 200 processes done" in message.text, 30.0)
    message = await reply.wait_until(lambda message: "**Saved 200 processes.**" in message.text, 120.0)
    assert "200 processes: 200 patched" in message.text
    assert reply.followups == []
