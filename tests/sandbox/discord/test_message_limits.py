"""What Discord refuses of messages, by plain HTTP. Each limit is tried at its edge and one past it."""

from __future__ import annotations

import pytest

V2 = 1 << 15


def button(**more):
    return {"type": 2, "style": 1, "label": "Go", "custom_id": "go", **more}


def link(**more):
    return {"type": 2, "style": 5, "label": "Sign", "url": "https://patchbell.example/sign", **more}


def row(*components):
    return {"type": 1, "components": list(components)}


def text(content):
    return {"type": 10, "content": content}


def select(**more):
    return {"type": 3, "custom_id": "s", "options": [{"label": "A", "value": "a"}], **more}


def options(count):
    return [{"label": f"{number}", "value": f"{number}"} for number in range(count)]


FINE = {
    "content of 2000": {"content": "x" * 2000},
    "nonce of 25": {"content": "x", "nonce": "n" * 25},
    "ten embeds": {"embeds": [{"title": "x"}] * 10},
    "full embed": {"embeds": [{"title": "x" * 256, "description": "x" * 4096, "footer": {"text": "x" * 1648}}]},
    "25 fields": {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 25}]},
    "five rows of five": {
        "content": "x",
        "components": [row(*(button(custom_id=f"{line}-{place}") for place in range(5))) for line in range(5)],
    },
    "label of 80, custom_id of 100": {"components": [row(button(label="x" * 80, custom_id="x" * 100))]},
    "url of 512": {"components": [row(link(url="https://a.example/".ljust(512, "x")))]},
    "select of 25": {"components": [row(select(options=options(25), max_values=25, placeholder="x" * 150))]},
    "emoji alone": {"components": [row(button(label=None, emoji={"name": "🔔"}))]},
    "V2 text of 4000": {"flags": V2, "components": [text("x" * 3999), text("x")]},
    "V2 of 40": {"flags": V2, "components": [text("x")] * 40},
    "V2 nested": {
        "flags": V2,
        "components": [
            {
                "type": 17,
                "accent_color": 0xFFFFFF,
                "components": [
                    {"type": 9, "components": [text("x")] * 3, "accessory": button()},
                    {"type": 14, "spacing": 2},
                    row(link()),
                ],
            }
        ],
    },
    "a picture from elsewhere": {
        "flags": V2,
        "components": [{"type": 12, "items": [{"media": {"url": "https://a.example/p.png"}}] * 10}],
    },
}

# name: (body, where the fault is and what it is called)
FORMS = {
    "content over 2000": ({"content": "x" * 2001}, "content: BASE_TYPE_MAX_LENGTH"),
    "content no text": ({"content": 5}, "content: STRING_TYPE_CONVERT"),
    "nonce over 25": ({"content": "x", "nonce": "n" * 26}, "nonce: BASE_TYPE_MAX_LENGTH"),
    "flags no number": ({"content": "x", "flags": "64"}, "flags: NUMBER_TYPE_COERCE"),
    "eleven embeds": ({"embeds": [{"title": "x"}] * 11}, "embeds: BASE_TYPE_BAD_LENGTH"),
    "embed title": ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title: BASE_TYPE_MAX_LENGTH"),
    "embed description": ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description: BASE_TYPE_MAX_LENGTH"),
    "embed fields": (
        {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]},
        "embeds.0.fields: BASE_TYPE_BAD_LENGTH",
    ),
    "embed field name": (
        {"embeds": [{"fields": [{"name": "n" * 257, "value": "v"}]}]},
        "embeds.0.fields.0.name: BASE_TYPE_BAD_LENGTH",
    ),
    "embed field value": (
        {"embeds": [{"fields": [{"name": "n", "value": "v" * 1025}]}]},
        "embeds.0.fields.0.value: BASE_TYPE_BAD_LENGTH",
    ),
    "embed footer": ({"embeds": [{"footer": {"text": "x" * 2049}}]}, "embeds.0.footer.text: BASE_TYPE_MAX_LENGTH"),
    "embed author": ({"embeds": [{"author": {"name": "x" * 257}}]}, "embeds.0.author.name: BASE_TYPE_MAX_LENGTH"),
    "embeds over 6000": ({"embeds": [{"description": "x" * 3001}] * 2}, "embeds: MAX_EMBED_SIZE_EXCEEDED"),
    "six rows": (
        {"components": [row(button(custom_id=str(number))) for number in range(6)]},
        "components: BASE_TYPE_BAD_LENGTH",
    ),
    "six buttons": (
        {"components": [row(*(button(custom_id=str(number)) for number in range(6)))]},
        "components.0.components: BASE_TYPE_BAD_LENGTH",
    ),
    "an empty row": ({"components": [row()]}, "components.0.components: BASE_TYPE_BAD_LENGTH"),
    "label over 80": (
        {"components": [row(button(label="x" * 81))]},
        "components.0.components.0.label: BASE_TYPE_MAX_LENGTH",
    ),
    "neither label nor emoji": (
        {"components": [row(button(label=""))]},
        "components.0.components.0.label: BUTTON_COMPONENT_NO_CONTENT",
    ),
    "custom_id over 100": (
        {"components": [row(button(custom_id="x" * 101))]},
        "components.0.components.0.custom_id: BASE_TYPE_BAD_LENGTH",
    ),
    "no custom_id": (
        {"components": [row(button(custom_id=None))]},
        "components.0.components.0.custom_id: BASE_TYPE_REQUIRED",
    ),
    "custom_id twice": (
        {"components": [row(button()), row(button())]},
        "components.1.components.0.custom_id: COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    "style unknown": ({"components": [row(button(style=9))]}, "components.0.components.0.style: BASE_TYPE_CHOICES"),
    "no emoji": (
        {"components": [row(button(emoji={"name": "bell"}))]},
        "components.0.components.0.emoji.name: BUTTON_COMPONENT_INVALID_EMOJI",
    ),
    "url over 512": (
        {"components": [row(link(url="https://a.example/".ljust(513, "x")))]},
        "components.0.components.0.url: BASE_TYPE_BAD_LENGTH",
    ),
    "url of another scheme": (
        {"components": [row(link(url="javascript:alert(1)"))]},
        "components.0.components.0.url: URL_TYPE_INVALID_SCHEME",
    ),
    "link with custom_id": (
        {"components": [row(link(custom_id="x"))]},
        "components.0.components.0.custom_id: BUTTON_COMPONENT_CUSTOM_ID",
    ),
    "button with url": (
        {"components": [row(button(url="https://a.example"))]},
        "components.0.components.0.url: BUTTON_COMPONENT_URL",
    ),
    "26 options": (
        {"components": [row(select(options=options(26)))]},
        "components.0.components.0.options: BASE_TYPE_BAD_LENGTH",
    ),
    "no options": (
        {"components": [row(select(options=[]))]},
        "components.0.components.0.options: BASE_TYPE_BAD_LENGTH",
    ),
    "option label over 100": (
        {"components": [row(select(options=[{"label": "x" * 101, "value": "x"}]))]},
        "components.0.components.0.options.0.label: BASE_TYPE_BAD_LENGTH",
    ),
    "option value over 100": (
        {"components": [row(select(options=[{"label": "x", "value": "x" * 101}]))]},
        "components.0.components.0.options.0.value: BASE_TYPE_BAD_LENGTH",
    ),
    "option description over 100": (
        {"components": [row(select(options=[{"label": "x", "value": "x", "description": "x" * 101}]))]},
        "components.0.components.0.options.0.description: BASE_TYPE_MAX_LENGTH",
    ),
    "option twice": (
        {"components": [row(select(options=[*options(1), *options(1)]))]},
        "components.0.components.0.options.1.value: SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
    "too many defaults": (
        {"components": [row(select(options=[option | {"default": True} for option in options(2)]))]},
        "components.0.components.0.options: SELECT_COMPONENT_TOO_MANY_DEFAULTS",
    ),
    "placeholder over 150": (
        {"components": [row(select(placeholder="x" * 151))]},
        "components.0.components.0.placeholder: BASE_TYPE_MAX_LENGTH",
    ),
    "max_values over 25": (
        {"components": [row(select(max_values=26))]},
        "components.0.components.0.max_values: NUMBER_TYPE_MAX",
    ),
    "more to choose than there is": (
        {"components": [row(select(min_values=2, max_values=2))]},
        "components.0.components.0.min_values: SELECT_COMPONENT_INVALID_RANGE",
    ),
    "select beside a button": (
        {"components": [row(select(), button())]},
        "components.0.components: COMPONENT_LAYOUT_WIDTH_EXCEEDED",
    ),
    "button outside a row": ({"content": "x", "components": [button()]}, "components.0.type: UNION_TYPE_CHOICES"),
    "text input in a message": (
        {"content": "x", "components": [row({"type": 4, "custom_id": "x", "style": 1})]},
        "components.0.components.0.type: UNION_TYPE_CHOICES",
    ),
    "V2 component without the flag": (
        {"content": "x", "components": [text("x")]},
        "components.0.type: UNION_TYPE_CHOICES",
    ),
    "component of no type": ({"components": ["x"]}, "components.0.type: UNION_TYPE_CHOICES"),
    "V2 with content": (
        {"flags": V2, "content": "x", "components": [text("x")]},
        "content: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    "V2 with embeds": (
        {"flags": V2, "embeds": [{"title": "x"}], "components": [text("x")]},
        "embeds: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    "V2 over 40": (
        {"flags": V2, "components": [text("x")] * 41},
        "components: COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    "V2 over 40, nested ones counted": (
        {"flags": V2, "components": [{"type": 17, "components": [text("x")] * 40}]},
        "components: COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    "V2 text over 4000 in total": (
        {"flags": V2, "components": [text("x" * 2001), {"type": 17, "components": [text("x" * 2000)]}]},
        "components: COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
    ),
    "V2 empty text": ({"flags": V2, "components": [text("")]}, "components.0.content: BASE_TYPE_BAD_LENGTH"),
    "section of four texts": (
        {"flags": V2, "components": [{"type": 9, "components": [text("x")] * 4, "accessory": button()}]},
        "components.0.components: BASE_TYPE_BAD_LENGTH",
    ),
    "section without accessory": (
        {"flags": V2, "components": [{"type": 9, "components": [text("x")]}]},
        "components.0.accessory.type: UNION_TYPE_CHOICES",
    ),
    "container in a container": (
        {"flags": V2, "components": [{"type": 17, "components": [{"type": 17, "components": [text("x")]}]}]},
        "components.0.components.0.type: UNION_TYPE_CHOICES",
    ),
    "accent colour": (
        {"flags": V2, "components": [{"type": 17, "accent_color": 0x1000000, "components": [text("x")]}]},
        "components.0.accent_color: NUMBER_TYPE_MAX",
    ),
    "gallery of eleven": (
        {"flags": V2, "components": [{"type": 12, "items": [{"media": {"url": "https://a.example/p"}}] * 11}]},
        "components.0.items: BASE_TYPE_BAD_LENGTH",
    ),
    "file from elsewhere": (
        {"flags": V2, "components": [{"type": 13, "file": {"url": "https://a.example/p"}}]},
        "components.0.file.url: UNFURLED_MEDIA_ITEM_ATTACHMENT_REQUIRED",
    ),
    "attachment that is not there": (
        {"flags": V2, "components": [{"type": 13, "file": {"url": "attachment://p"}}]},
        "components.0.file.url: UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    ),
    "separator's spacing": (
        {"flags": V2, "components": [text("x"), {"type": 14, "spacing": 3}]},
        "components.1.spacing: BASE_TYPE_CHOICES",
    ),
    "id twice": (
        {"flags": V2, "components": [text("x") | {"id": 7}, text("y") | {"id": 7}]},
        "components: COMPONENT_ID_DUPLICATED",
    ),
    "attachment without a file": (
        {"content": "x", "attachments": [{"id": 0, "filename": "p"}]},
        "attachments.0: ATTACHMENT_NOT_FOUND",
    ),
    "mentions parsed and named": (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions: MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    "mentions of no kind": (
        {"content": "x", "allowed_mentions": {"parse": ["all"]}},
        "allowed_mentions.parse.0: BASE_TYPE_CHOICES",
    ),
    "answer to nothing": (
        {"content": "x", "message_reference": {"message_id": "1"}},
        "message_reference: MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
    ),
}

CODES = {
    "empty": ({}, 50006),
    "blank": ({"content": " \n"}, 50006),
    "V2 without components": ({"flags": V2, "components": []}, 50006),
}


@pytest.mark.parametrize("body", FINE.values(), ids=FINE)
async def test_takes_what_is_at_the_limit(send, body):
    response = await send(**body)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(("body", "fault"), FORMS.values(), ids=FORMS)
async def test_refuses_what_is_past_it(send, faults, owner, town, body, fault):
    assert faults(await send(**body)) == [fault]
    assert owner.messages(town.general.id) == []


@pytest.mark.parametrize(("body", "code"), CODES.values(), ids=CODES)
async def test_refuses_a_message_of_nothing(send, body, code):
    response = await send(**body)
    assert (response.status_code, response.json()["code"]) == (400, code)


async def test_a_file_may_have_ten_mebibytes(send, owner, town):
    assert (await send(files={0: ("a.bin", b"x" * (10 << 20))})).status_code == 200
    response = await send(files={0: ("a.bin", b"x" * ((10 << 20) + 1))})
    assert (response.status_code, response.json()["code"]) == (413, 40005)
    assert len(owner.messages(town.general.id)) == 1


async def test_a_request_may_have_25_mebibytes(send):
    response = await send(files=dict.fromkeys(range(3), ("a.bin", b"x" * (9 << 20))))
    assert (response.status_code, response.json()["code"]) == (413, 40005)


async def test_a_message_has_ten_files(send, faults):
    assert (await send(files={number: (f"{number}", b"x") for number in range(10)})).status_code == 200
    assert faults(await send(files={number: (f"{number}", b"x") for number in range(11)})) == [
        "attachments: BASE_TYPE_BAD_LENGTH"
    ]


async def test_v2_shows_only_the_files_that_it_refers_to(send):
    components = [{"type": 13, "file": {"url": "attachment://a_b.csv"}}]
    files = {0: ("a b.csv", b"1"), 1: ("other.csv", b"2")}
    message = (await send(files=files, flags=V2, components=components)).json()
    assert [file["filename"] for file in message["attachments"]] == ["a_b.csv"]
    assert message["components"][0]["file"]["url"] == message["attachments"][0]["url"]
    assert (message["components"][0]["name"], message["components"][0]["size"]) == ("a_b.csv", 1)


async def test_broken_json_is_refused(api, town):
    response = await api.post(
        f"/channels/{town.general.id}/messages", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()["code"]) == (400, 50109)


async def test_an_edit_keeps_what_it_does_not_name(send, api, town, clock):
    sent = (await send(content="one", components=[row(button())], files={0: ("a", b"1")})).json()
    clock.skip(1)
    path = f"/channels/{town.general.id}/messages/{sent['id']}"
    edited = (await api.patch(path, json={"content": "two"})).json()
    assert (edited["content"], len(edited["components"]), len(edited["attachments"])) == ("two", 1, 1)
    assert edited["edited_timestamp"] == "2026-05-04T12:00:01.000000+00:00"
    edited = (await api.patch(path, json={"attachments": [], "components": []})).json()
    assert (edited["content"], edited["components"], edited["attachments"]) == ("two", [], [])


async def test_an_edit_must_not_leave_nothing(send, api, town):
    sent = (await send(content="one")).json()
    response = await api.patch(f"/channels/{town.general.id}/messages/{sent['id']}", json={"content": None})
    assert response.json()["code"] == 50006


async def test_v2_cannot_be_taken_back_and_must_empty_the_rest(send, api, town, faults):
    sent = (await send(content="one")).json()
    path = f"/channels/{town.general.id}/messages/{sent['id']}"
    becoming = {"flags": V2, "components": [text("two")]}
    legacy = "content: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    assert faults(await api.patch(path, json=becoming)) == [legacy]
    assert (await api.patch(path, json=becoming | {"content": None})).json()["flags"] == V2
    assert (await api.patch(path, json={"flags": 0, "components": [text("three")]})).json()["flags"] == V2
    assert faults(await api.patch(path, json={"content": "back"})) == [legacy]


async def test_a_nonce_is_remembered_for_some_minutes(send, clock, owner, town):
    first = (await send(content="x", nonce="n", enforce_nonce=True)).json()
    assert (await send(content="x", nonce="n", enforce_nonce=True)).json()["id"] == first["id"]
    assert (await send(content="x", nonce="n")).json()["id"] != first["id"]
    clock.skip(181)
    assert (await send(content="x", nonce="n", enforce_nonce=True)).json()["id"] != first["id"]
    assert len(owner.messages(town.general.id)) == 3


async def test_the_nonce_of_a_deleted_message_is_refused(send, api, town):
    first = (await send(content="x", nonce="n", enforce_nonce=True)).json()
    assert (await api.delete(f"/channels/{town.general.id}/messages/{first['id']}")).status_code == 204
    assert (await send(content="x", nonce="n", enforce_nonce=True)).json()["code"] == 10008


async def test_only_allowed_mentions_ping(send, owner, holder):
    content = f"<@{owner.id}> <@{holder.id}> @everyone"
    every = (await send(content=content)).json()
    assert ([user["id"] for user in every["mentions"]], every["mention_everyone"]) == (
        [str(owner.id), str(holder.id)],
        False,
    )
    one = (await send(content=content, allowed_mentions={"users": [str(owner.id)]})).json()
    assert [user["id"] for user in one["mentions"]] == [str(owner.id)]
    card = (await send(flags=V2, components=[text(content)], allowed_mentions={"parse": []})).json()
    assert card["mentions"] == []
