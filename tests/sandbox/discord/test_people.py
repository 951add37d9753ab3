"""What a person's client does not let them do, without a bot: the interactions are answered by bare HTTP."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.discord import Person
from sandbox.discord.refusals import (
    BadChoice,
    BadOption,
    CannotSend,
    ComponentIsDisabled,
    NoModal,
    NoSuchCommand,
    NoSuchComponent,
    NotVisible,
    OpensALink,
    TheBotDidNotAnswer,
)

BUTTONS = [
    {"type": 2, "style": 1, "label": "Check", "custom_id": "check"},
    {"type": 2, "style": 2, "label": "Stop", "custom_id": "stop", "disabled": True},
    {"type": 2, "style": 5, "label": "Sign", "url": "https://a.example/sign"},
]
ROW = {"type": 1, "components": BUTTONS}
SELECT = {
    "type": 1,
    "components": [
        {
            "type": 3,
            "custom_id": "which",
            "placeholder": "Which?",
            "max_values": 2,
            "options": [{"label": each.upper(), "value": each} for each in "abc"],
        }
    ],
}


async def posted(send, server, **body):
    return server.world.message(int((await send(**body)).json()["id"])).id


async def test_options_reach_the_bot_as_typed(register, answered, owner, town, holder):
    options = {"process": "abc", "role": "Mine", "count": 3, "flag": True, "who": holder.id}
    reply = await owner.slash(town.general.id, "register", options, files={"file": ("a.txt", b"x")})
    assert (reply.message.text, reply.message.ephemeral) == ("yes", True)
    data = answered[0]["data"]
    values = {option["name"]: option["value"] for option in data["options"]}
    file_id = next(iter(data["resolved"]["attachments"]))
    assert values == {**options, "role": "mine", "who": str(holder.id), "file": file_id}
    assert data["resolved"]["users"][str(holder.id)]["username"] == "hugo"
    assert answered[0]["member"]["user"]["id"] == str(owner.id)
    assert (answered[0]["locale"], answered[0]["context"]) == ("en-US", 0)
    assert answered[0]["authorizing_integration_owners"] == {"0": str(town.guild.id)}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"process": ""},
        {"process": "a"},
        {"process": "abcdef"},
        {"process": 5},
        {"process": "abc", "role": "Other"},
        {"process": "abc", "count": 4},
        {"process": "abc", "count": 1.5},
        {"process": "abc", "count": True},
        {"process": "abc", "flag": "yes"},
        {"process": "abc", "who": 1},
        {"process": "abc", "who": "nobody"},
        {"process": "abc", "unknown": 1},
    ],
)
async def test_the_client_does_not_send_a_bad_option(register, answered, owner, town, options):
    with pytest.raises(BadOption):
        await owner.slash(town.general.id, "register", options)
    assert answered == []


async def test_a_file_too_large_is_not_sent(register, answered, owner, town):
    with pytest.raises(BadOption, match="too powerful"):
        await owner.slash(town.general.id, "register", {"process": "abc"}, files={"file": ("a", b"x" * (10 << 20 | 1))})


async def test_commands_are_offered_where_they_may_be_used(register, owner, moderator, server, town):
    def offered(person, channel):
        return [name for name, _ in person.commands(channel)]

    assert offered(owner, town.general.id) == ["register", "Check this"]
    assert offered(moderator, town.general.id) == ["register", "announce", "Check this"]
    assert offered(moderator, moderator.dm_channel()) == ["register", "secret", "Check this"]
    boss = Person(server, server.world.owner.id)
    assert offered(boss, town.general.id) == ["register", "announce", "secret", "Check this"]
    stranger = Person(server, town.stranger.id)
    assert offered(stranger, stranger.dm_channel()) == []
    with pytest.raises(NoSuchCommand):
        await owner.slash(town.general.id, "announce")
    with pytest.raises(NotVisible):
        stranger.commands(town.general.id)


async def test_a_message_command_brings_the_message(register, answered, owner, town):
    said = owner.say(town.general.id, "look")
    await owner.message_command(town.general.id, said.id, "Check this")
    data = answered[0]["data"]
    assert data["resolved"]["messages"][data["target_id"]]["content"] == "look"


async def test_a_button_is_pressed_by_label_or_custom_id(answered, send, server, owner):
    message = await posted(send, server, content="x", components=[ROW])
    for name in ("Check", "check"):
        await owner.press(message, name)
    assert [each["data"]["custom_id"] for each in answered] == ["check", "check"]
    assert answered[0]["message"]["id"] == str(message)


async def test_what_cannot_be_pressed(answered, send, server, owner, town):
    message = await posted(send, server, content="x", components=[ROW])
    with pytest.raises(NoSuchComponent, match="'Check', 'Stop', 'Sign'"):
        await owner.press(message, "Snooze")
    with pytest.raises(ComponentIsDisabled):
        await owner.press(message, "Stop")
    with pytest.raises(OpensALink) as link:
        await owner.press(message, "Sign")
    assert link.value.url == "https://a.example/sign"
    with pytest.raises(NotVisible):
        await Person(server, town.stranger.id).press(message, "Check")
    server.world.delete(server.world.message(message))
    with pytest.raises(NotVisible):
        await owner.press(message, "Check")
    assert answered == []


async def test_a_dms_buttons_belong_to_its_owner(answered, send, server, owner, holder):
    message = await posted(send, server, channel_id=owner.dm_channel(), content="x", components=[ROW])
    with pytest.raises(NotVisible):
        await holder.press(message, "Check")
    await owner.press(message, "Check")
    assert (answered[0]["user"]["id"], answered[0]["context"], "member" in answered[0]) == (str(owner.id), 1, False)


async def test_an_ephemeral_message_is_one_persons(register, answered, owner, holder, town):
    reply = await owner.slash(town.general.id, "register", {"process": "abc"})
    with pytest.raises(NotVisible):
        await holder.press(reply.message, "Check")
    owner.dismiss(reply.message)
    assert owner.messages(town.general.id) == []


async def test_a_select_takes_what_it_offers(answered, send, server, owner):
    message = await posted(send, server, content="x", components=[SELECT])
    await owner.choose(message, "Which?", ["A", "c"])
    assert (answered[0]["data"]["values"], answered[0]["data"]["component_type"]) == (["a", "c"], 3)
    for values in (["d"], [], ["a", "b", "c"]):
        with pytest.raises(BadChoice):
            await owner.choose(message, "which", values)


async def test_a_dialog_is_held_to_its_fields(interact, answer, server, owner, holder):
    interaction = interact()
    fields = [
        {"type": 4, "custom_id": "t", "style": 1, "min_length": 2, "max_length": 4},
        {"type": 21, "custom_id": "r", "options": [{"label": each, "value": each} for each in "ab"]},
        {"type": 5, "custom_id": "u", "required": False},
        {"type": 22, "custom_id": "c", "options": [{"label": "A", "value": "a", "default": True}]},
    ]
    labels = [{"type": 18, "label": f"Field {field['custom_id']}", "component": field} for field in fields]
    await answer(interaction, 9, custom_id="m", title="T", components=[{"type": 10, "content": "Hello"}, *labels])
    from sandbox.discord.seen import Modal

    modal = Modal(interaction)
    assert (modal.title, modal.texts, len(modal.fields)) == ("T", ["Hello"], 4)
    for values in (
        {},
        {"t": "abc"},
        {"t": "a", "r": "a"},
        {"t": "abcde", "r": "a"},
        {"t": "abc", "r": "c"},
        {"t": "abc", "r": "a", "u": [1]},
    ):
        with pytest.raises(BadChoice):
            await owner.submit(modal, values)
    with pytest.raises(NoSuchComponent):
        await owner.submit(modal, {"x": 1})
    with pytest.raises(NoModal):
        await holder.submit(modal, {"t": "abc", "r": "a"})
    seen = []
    server.interactions._deliver = lambda payload, guild_id: seen.append(payload) or False
    with pytest.raises(TheBotDidNotAnswer):
        await owner.submit(modal, {"Field t": "a\nb", "Field r": "a", "u": [holder.id]})
    assert modal.open  # it failed, so that it can be sent again
    components = [component.get("component", component) for component in seen[0]["data"]["components"]]
    assert [component.get("value", component.get("values")) for component in components] == [
        None,
        "a b",
        "a",
        [str(holder.id)],
        ["a"],
    ]
    owner.dismiss_modal(modal)
    with pytest.raises(NoModal):
        await owner.submit(modal, {"t": "abc", "r": "a"})


async def test_silence_by_the_servers_clock(register, server, owner, town, clock):
    server.interactions._deliver = lambda payload, guild_id: True
    action = asyncio.create_task(owner.slash(town.general.id, "register", {"process": "abc"}))
    await asyncio.sleep(0)
    interaction = next(iter(server.interactions._by_id.values()))
    clock.skip(3.1)
    server.interactions._watch(interaction)
    with pytest.raises(TheBotDidNotAnswer, match="did not respond"):
        await action


async def test_no_bot_no_answer(register, owner, town):
    with pytest.raises(TheBotDidNotAnswer, match="not connected"):
        await owner.slash(town.general.id, "register", {"process": "abc"})


async def test_waiting_ends(owner):
    with pytest.raises(TheBotDidNotAnswer, match=r"0\.05 seconds"):
        await owner.wait_dm(timeout=0.05)


async def test_writing_needs_permission(owner, town, server):
    for content in ("", " ", "x" * 2001):
        with pytest.raises(CannotSend):
            owner.say(town.general.id, content)
    with pytest.raises(NotVisible):
        Person(server, town.stranger.id).say(town.general.id, "x")
