"""How interactions may be answered, by plain HTTP: once, in time, with what their kind allows."""

from __future__ import annotations

import pytest

from sandbox.discord.interactions import State, Type

EPHEMERAL, V2 = 64, 1 << 15
MESSAGE, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = range(4, 10)


def label(component, **more):
    return {"type": 18, "label": "Title", "component": component, **more}


def text_input(**more):
    return {"type": 4, "custom_id": "t", "style": 1, **more}


def modal(*components, **more):
    return {"custom_id": "m", "title": "Announce", "components": list(components), **more}


def choices(count, kind, **more):
    options = [{"label": f"{n}", "value": f"{n}"} for n in range(count)]
    return {"type": kind, "custom_id": "c", "options": options, **more}


MODALS = {
    "five fields": modal(*(label(text_input(custom_id=f"{n}")) for n in range(5)), title="x" * 45, custom_id="x" * 100),
    "the longest texts": modal(
        label(
            text_input(max_length=4000, value="x" * 4000, placeholder="x" * 100), label="x" * 45, description="x" * 100
        )
    ),
    "all kinds": modal(
        {"type": 10, "content": "Choose well."},
        label(choices(10, 21)),
        label(choices(10, 22, custom_id="d", min_values=1, max_values=10)),
        label({"type": 23, "custom_id": "e"}),
        label({"type": 19, "custom_id": "f", "max_values": 10}),
    ),
    "an old-style row": modal({"type": 1, "components": [text_input(label="Title")]}),
    "optional select": modal(label(choices(3, 3, min_values=0, required=False))),
}

BAD_MODALS = {
    "no fields": (modal(), "data.components: BASE_TYPE_BAD_LENGTH"),
    "six fields": (
        modal(*(label(text_input(custom_id=f"{n}")) for n in range(6))),
        "data.components: BASE_TYPE_BAD_LENGTH",
    ),
    "title over 45": (modal(label(text_input()), title="x" * 46), "data.title: BASE_TYPE_BAD_LENGTH"),
    "custom_id over 100": (modal(label(text_input()), custom_id="x" * 101), "data.custom_id: BASE_TYPE_BAD_LENGTH"),
    "label over 45": (modal(label(text_input(), label="x" * 46)), "data.components.0.label: BASE_TYPE_BAD_LENGTH"),
    "description over 100": (
        modal(label(text_input(), description="x" * 101)),
        "data.components.0.description: BASE_TYPE_MAX_LENGTH",
    ),
    "placeholder over 100": (
        modal(label(text_input(placeholder="x" * 101))),
        "data.components.0.component.placeholder: BASE_TYPE_MAX_LENGTH",
    ),
    "value over max_length": (
        modal(label(text_input(value="xxx", max_length=2))),
        "data.components.0.component.value: BASE_TYPE_MAX_LENGTH",
    ),
    "max_length over 4000": (
        modal(label(text_input(max_length=4001))),
        "data.components.0.component.max_length: NUMBER_TYPE_MAX",
    ),
    "one custom_id twice": (
        modal(label(text_input()), label(text_input())),
        "data.components.1.component.custom_id: COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    "a button": (
        modal(label({"type": 2, "style": 1, "label": "x", "custom_id": "x"})),
        "data.components.0.component.type: UNION_TYPE_CHOICES",
    ),
    "a bare field": (modal(text_input()), "data.components.0.type: UNION_TYPE_CHOICES"),
    "disabled": (
        modal(label(choices(2, 3, disabled=True))),
        "data.components.0.component.disabled: COMPONENT_DISABLED_IN_MODAL",
    ),
    "a radio group of one": (modal(label(choices(1, 21))), "data.components.0.component.options: BASE_TYPE_BAD_LENGTH"),
    "a radio group of eleven": (
        modal(label(choices(11, 21))),
        "data.components.0.component.options: BASE_TYPE_BAD_LENGTH",
    ),
    "checkboxes of eleven": (
        modal(label(choices(11, 22, max_values=1))),
        "data.components.0.component.options: BASE_TYPE_BAD_LENGTH",
    ),
    "eleven files": (
        modal(label({"type": 19, "custom_id": "f", "max_values": 11})),
        "data.components.0.component.max_values: NUMBER_TYPE_MAX",
    ),
    "required, yet none": (
        modal(label(choices(3, 3, min_values=0))),
        "data.components.0.component.min_values: SELECT_COMPONENT_REQUIRED_MIN_VALUES",
    ),
}


@pytest.mark.parametrize("data", MODALS.values(), ids=MODALS)
async def test_a_dialog_opens(interact, answer, owner, data):
    interaction = interact()
    response = await answer(interaction, MODAL, **data)
    assert response.status_code == 200, response.text
    assert interaction.state is State.MODAL


@pytest.mark.parametrize(("data", "fault"), BAD_MODALS.values(), ids=BAD_MODALS)
async def test_a_faulty_dialog_does_not(interact, answer, faults, data, fault):
    interaction = interact()
    assert faults(await answer(interaction, MODAL, **data)) == [fault]
    assert interaction.state is State.WAITING


async def test_the_first_answer_comes_within_three_seconds(interact, answer, clock):
    interaction = interact()
    clock.skip(3)
    assert (await answer(interaction, MESSAGE, content="just")).status_code == 200
    interaction = interact()
    clock.skip(3.001)
    response = await answer(interaction, MESSAGE, content="late")
    assert (response.status_code, response.json()["code"]) == (404, 10062)


async def test_it_comes_once(interact, answer):
    interaction = interact()
    await answer(interaction, DEFER)
    response = await answer(interaction, MESSAGE, content="x")
    assert (response.status_code, response.json()["code"]) == (400, 40060)


async def test_a_wrong_token_is_no_interaction(interact, api):
    interaction = interact()
    response = await api.post(f"/interactions/{interaction.id}/wrong/callback", json={"type": 5})
    assert (response.status_code, response.json()["code"]) == (404, 10062)


async def test_the_token_lives_for_fifteen_minutes(interact, answer, api, server, clock):
    interaction = interact()
    path = f"/webhooks/{server.world.application_id}/{interaction.token}"
    early = await api.post(path, json={"content": "early"})
    assert (early.status_code, early.json()["code"]) == (404, 10015)
    await answer(interaction, DEFER)
    clock.skip(15 * 60)
    assert (await api.patch(f"{path}/messages/@original", json={"content": "just"})).status_code == 200
    clock.skip(0.001)
    for response in (
        await api.patch(f"{path}/messages/@original", json={"content": "late"}),
        await api.post(path, json={"content": "late"}),
        await api.get(f"{path}/messages/@original"),
        await api.delete(f"{path}/messages/@original"),
    ):
        assert (response.status_code, response.json()["code"]) == (401, 50027)


@pytest.mark.parametrize(
    ("type_", "refused"),
    [
        (Type.COMMAND, {DEFER_UPDATE, UPDATE, CHOICES}),
        (Type.COMPONENT, {CHOICES}),
        (Type.AUTOCOMPLETE, {MESSAGE, DEFER, DEFER_UPDATE, UPDATE, MODAL}),
        (Type.MODAL, {DEFER_UPDATE, UPDATE, CHOICES, MODAL}),
    ],
)
async def test_each_kind_has_its_answers(interact, answer, faults, send, server, type_, refused):
    sent = (await send(content="source")).json()
    source = server.world.message(int(sent["id"])) if type_ is Type.COMPONENT else None
    data = modal(label(text_input())) | {"content": "x", "choices": []}
    for kind in range(MESSAGE, MODAL + 1):
        given = {"content": "x"} if kind in (MESSAGE, UPDATE) else data if kind == MODAL else {"choices": []}
        response = await answer(interact(type_, source=source), kind, **given)
        if kind in refused:
            assert faults(response) == ["type: BASE_TYPE_CHOICES"]
        else:
            assert response.status_code == 200, response.text


async def test_the_answer_tells_what_it_made(interact, answer, town):
    interaction = interact()
    made = (await answer(interaction, MESSAGE, content="x", flags=EPHEMERAL)).json()
    message = made["resource"]["message"]
    assert made["interaction"]["id"] == str(interaction.id)
    assert made["interaction"]["response_message_id"] == message["id"]
    assert (message["flags"], message["channel_id"]) == (EPHEMERAL, str(town.general.id))
    assert message["interaction_metadata"]["id"] == str(interaction.id)


async def test_an_answer_obeys_the_limits_of_messages(interact, answer, faults):
    assert faults(await answer(interact(), MESSAGE, content="x" * 2001)) == ["data.content: BASE_TYPE_MAX_LENGTH"]
    assert (await answer(interact(), MESSAGE)).json()["code"] == 50006


async def test_25_choices_are_suggested(interact, answer, faults):
    every = [{"name": "n" * 100, "value": "v" * 100}] * 25
    assert (await answer(interact(Type.AUTOCOMPLETE), CHOICES, choices=every)).status_code == 200
    assert faults(await answer(interact(Type.AUTOCOMPLETE), CHOICES, choices=[*every, every[0]])) == [
        "data.choices: BASE_TYPE_BAD_LENGTH"
    ]
    long = [{"name": "n" * 101, "value": "v"}]
    assert faults(await answer(interact(Type.AUTOCOMPLETE), CHOICES, choices=long)) == [
        "data.choices.0.name: BASE_TYPE_BAD_LENGTH"
    ]


async def test_ephemeral_messages_are_seen_by_one_person(interact, answer, api, town, owner, holder):
    made = (await answer(interact(), MESSAGE, content="secret", flags=EPHEMERAL)).json()["resource"]["message"]
    assert [message.text for message in owner.messages(town.general.id)] == ["secret"]
    assert holder.messages(town.general.id) == []
    assert (await api.get(f"/channels/{town.general.id}/messages")).json() == []
    response = await api.get(f"/channels/{town.general.id}/messages/{made['id']}")
    assert (response.status_code, response.json()["code"]) == (404, 10008)


async def test_a_followup_fills_a_deferred_answer(interact, answer, api, server):
    interaction = interact()
    await answer(interaction, DEFER, flags=EPHEMERAL)
    path = f"/webhooks/{server.world.application_id}/{interaction.token}"
    filled = (await api.post(path, json={"content": "x"})).json()
    assert (filled["id"], filled["flags"]) == (str(interaction.original.id), EPHEMERAL)
    assert (await api.post(path, json={"content": "y"})).json()["id"] != filled["id"]


async def test_a_deferred_answer_may_become_v2(interact, answer, api, server):
    interaction = interact()
    await answer(interaction, DEFER)
    path = f"/webhooks/{server.world.application_id}/{interaction.token}/messages/@original"
    card = {"flags": V2, "components": [{"type": 10, "content": "x"}]}
    assert (await api.patch(path, json=card)).json()["flags"] == V2
    assert (await api.get(path)).json()["components"][0]["content"] == "x"


async def test_only_its_own_messages_are_edited_by_a_token(interact, answer, api, send, server):
    other = (await send(content="other")).json()
    interaction = interact()
    await answer(interaction, MESSAGE, content="mine")
    path = f"/webhooks/{server.world.application_id}/{interaction.token}/messages"
    assert (await api.patch(f"{path}/{other['id']}", json={"content": "x"})).json()["code"] == 10008
    assert (await api.delete(f"{path}/@original")).status_code == 204
    assert (await api.patch(f"{path}/@original", json={"content": "x"})).json()["code"] == 10008


async def test_a_user_install_has_five_followups(interact, answer, api, server, owner):
    owner.install_app()
    elsewhere = server.world.add_guild("Elsewhere", server.world.owner, bot_permissions=None)
    server.world.add_member(elsewhere, owner.user)
    interaction = interact(channel=server.world.add_channel(elsewhere, "chat"))
    await answer(interaction, MESSAGE, content="x")
    path = f"/webhooks/{server.world.application_id}/{interaction.token}"
    codes = [(await api.post(path, json={"content": "x"})).status_code for _ in range(6)]
    assert codes == [200] * 5 + [400]


async def test_without_with_response_there_is_no_body(interact, api):
    interaction = interact()
    response = await api.post(f"/interactions/{interaction.id}/{interaction.token}/callback", json={"type": 5})
    assert (response.status_code, response.content) == (204, b"")
