"""What Discord refuses of application commands, by plain HTTP."""

from __future__ import annotations

import pytest


def command(name="register", **more):
    return {"name": name, "description": "Follow a process", **more}


def option(name="process", kind=3, **more):
    return {"name": name, "type": kind, "description": "Its id", **more}


FINE = {
    "nothing": [],
    "the longest texts": [command("a" * 32, description="d" * 100)],
    "other scripts": [command("проверить"), command("ตรวจสอบ"), command("स्थिति"), command("it's-a_b1")],
    "25 options": [command(options=[option(f"o{number}") for number in range(25)])],
    "nested twice": [
        command(
            options=[
                option(
                    "group", 2, options=[option("sub", 1, options=[option("process", required=True), option("key")])]
                )
            ]
        )
    ],
    "choices": [command(options=[option(choices=[{"name": f"{n}", "value": f"{n}"} for n in range(25)])])],
    "numbers": [command(options=[option(kind=4, min_value=1, max_value=5), option("ratio", 10, autocomplete=True)])],
    "one name for two types": [command("look"), {"name": "look", "type": 3}],
    "a message command": [{"name": "Check this Process", "type": 3}],
    "translated": [command(name_localizations={"de": "melden"}, description_localizations={"de": "Folgen"})],
    "nulls": [command(name_localizations=None, contexts=None, integration_types=None, default_member_permissions=None)],
    "everywhere": [command(contexts=[0, 1, 2], integration_types=[0, 1], default_member_permissions="32")],
    "100 commands": [command(f"c{number}") for number in range(100)],
}

FORMS = {
    "name over 32": ([command("a" * 33)], "0.name: BASE_TYPE_BAD_LENGTH"),
    "capitals": ([command("Register")], "0.name: APPLICATION_COMMAND_INVALID_NAME"),
    "space": ([command("register me")], "0.name: APPLICATION_COMMAND_INVALID_NAME"),
    "emoji": ([command("bell🔔")], "0.name: APPLICATION_COMMAND_INVALID_NAME"),
    "no description": ([command(description="")], "0.description: BASE_TYPE_BAD_LENGTH"),
    "description over 100": ([command(description="d" * 101)], "0.description: BASE_TYPE_BAD_LENGTH"),
    "no type": ([command(type=9)], "0.type: BASE_TYPE_CHOICES"),
    "name twice": ([command(), command()], "1.name: APPLICATION_COMMANDS_DUPLICATE_NAME"),
    "26 options": ([command(options=[option(f"o{n}") for n in range(26)])], "0.options: BASE_TYPE_BAD_LENGTH"),
    "option twice": (
        [command(options=[option(), option()])],
        "0.options.1.name: APPLICATION_COMMAND_OPTIONS_NAME_NOT_UNIQUE",
    ),
    "option in capitals": (
        [command(options=[option("Process")])],
        "0.options.0.name: APPLICATION_COMMAND_INVALID_NAME",
    ),
    "option of no type": ([command(options=[option(kind=12)])], "0.options.0.type: BASE_TYPE_CHOICES"),
    "option's description": (
        [command(options=[option(description="d" * 101)])],
        "0.options.0.description: BASE_TYPE_BAD_LENGTH",
    ),
    "required after optional": (
        [command(options=[option("a"), option("b", required=True)])],
        "0.options.1.required: APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    "26 choices": (
        [command(options=[option(choices=[{"name": f"{n}", "value": f"{n}"} for n in range(26)])])],
        "0.options.0.choices: BASE_TYPE_BAD_LENGTH",
    ),
    "choice name over 100": (
        [command(options=[option(choices=[{"name": "n" * 101, "value": "v"}])])],
        "0.options.0.choices.0.name: BASE_TYPE_BAD_LENGTH",
    ),
    "choice of another type": (
        [command(options=[option(kind=4, choices=[{"name": "n", "value": "v"}])])],
        "0.options.0.choices.0.value: NUMBER_TYPE_COERCE",
    ),
    "choices and autocomplete": (
        [command(options=[option(choices=[{"name": "n", "value": "v"}], autocomplete=True)])],
        "0.options.0.autocomplete: APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES",
    ),
    "autocomplete of a user": (
        [command(options=[option(kind=6, autocomplete=True)])],
        "0.options.0.type: APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID_TYPE",
    ),
    "max_length over 6000": ([command(options=[option(max_length=6001)])], "0.options.0.max_length: NUMBER_TYPE_MAX"),
    "sub-commands beside options": (
        [command(options=[option("sub", 1), option("process")])],
        "0.options: APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    ),
    "a group in a group": (
        [command(options=[option("g", 2, options=[option("h", 2)])])],
        "0.options.0.options.0.type: BASE_TYPE_CHOICES",
    ),
    "a message command with a description": (
        [{"name": "Look", "type": 3, "description": "x"}],
        "0.description: APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION",
    ),
    "a message command with options": (
        [{"name": "Look", "type": 3, "options": [option()]}],
        "0.options: APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS",
    ),
    "an unknown language": ([command(name_localizations={"xx": "a"})], "0.name_localizations.xx: BASE_TYPE_CHOICES"),
    "a translation in capitals": (
        [command(name_localizations={"de": "Melden"})],
        "0.name_localizations.de: APPLICATION_COMMAND_INVALID_NAME",
    ),
    "contexts": ([command(contexts=[3])], "0.contexts: BASE_TYPE_CHOICES"),
    "no contexts": ([command(contexts=[])], "0.contexts: BASE_TYPE_BAD_LENGTH"),
    "installs": ([command(integration_types=[2])], "0.integration_types: BASE_TYPE_CHOICES"),
    "permissions": ([command(default_member_permissions="manage")], "0.default_member_permissions: NUMBER_TYPE_COERCE"),
    "over 8000 characters": (
        [
            command(
                options=[
                    option(f"o{n}", choices=[{"name": f"{c}".ljust(60), "value": f"{c}"} for c in range(25)])
                    for n in range(6)
                ]
            )
        ],
        "0: APPLICATION_COMMAND_TOO_LARGE",
    ),
}


@pytest.fixture
def put(api, server):
    async def put(commands, guild=None):
        scope = f"/guilds/{guild.id}" if guild else ""
        return await api.put(f"/applications/{server.world.application_id}{scope}/commands", json=commands)

    return put


@pytest.mark.parametrize("commands", FINE.values(), ids=FINE)
async def test_takes_what_is_at_the_limit(put, commands):
    response = await put(commands)
    assert response.status_code == 200, response.text
    assert [stored["name"] for stored in response.json()] == [given["name"] for given in commands]


@pytest.mark.parametrize(("commands", "fault"), FORMS.values(), ids=FORMS)
async def test_refuses_what_is_past_it(put, faults, server, commands, fault):
    assert faults(await put(commands)) == [fault]
    assert server.commands.of_scope(None) == []


async def test_there_are_100_slash_and_15_message_commands(put):
    assert (await put([command(f"c{n}") for n in range(101)])).json()["code"] == 30032
    assert (await put([{"name": f"m{n}", "type": 3} for n in range(15)])).status_code == 200
    assert (await put([{"name": f"m{n}", "type": 3} for n in range(16)])).json()["code"] == 30032


async def test_200_creates_a_day(put, clock):
    for start in (0, 100):
        assert (await put([command(f"c{n}") for n in range(start, start + 100)])).status_code == 200
    assert (await put([command("c150"), command("c151")])).status_code == 200  # no creates
    response = await put([command("new")])
    assert (response.status_code, response.json()["code"]) == (429, 30034)
    clock.skip(24 * 3600 + 1)
    assert (await put([command("new")])).status_code == 200


async def test_ids_last_and_versions_grow(put):
    first = (await put([command()])).json()[0]
    second = (await put([command(description="Other")])).json()[0]
    assert second["id"] == first["id"]
    assert int(second["version"]) > int(first["version"])


async def test_a_guilds_commands_are_its_own(put, api, town, server, owner):
    stored = (await put([command("here")], town.guild)).json()[0]
    assert stored["guild_id"] == str(town.guild.id)
    assert (await api.get(f"/applications/{server.world.application_id}/commands")).json() == []
    assert [name for name, _ in owner.commands(town.general.id)] == ["here"]
    assert owner.commands(owner.dm_channel()) == []


async def test_one_command_is_added_read_and_deleted(api, server):
    path = f"/applications/{server.world.application_id}/commands"
    assert (await api.post(path, json=command())).status_code == 201
    stored = await api.post(path, json=command(description="Again"))
    assert (stored.status_code, stored.json()["description"]) == (200, "Again")
    one = f"{path}/{stored.json()['id']}"
    assert (await api.get(one)).json() == stored.json()
    assert (await api.delete(one)).status_code == 204
    assert (await api.get(one)).json()["code"] == 10063


async def test_another_application_has_nothing_here(api):
    assert (await api.put("/applications/1/commands", json=[])).json()["code"] == 50001
