"""What a client checks of a command before it sends it, and the data that it sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.discord.command_rules import NESTED, NUMBERS, OptionType
from sandbox.discord.errors import Json
from sandbox.discord.refusals import BadChoice, BadOption
from sandbox.discord.resolving import File, Resolver

LONGEST = 6000
_PICKED = {
    OptionType.USER: ("users",),
    OptionType.CHANNEL: ("channels",),
    OptionType.ROLE: ("roles",),
    OptionType.MENTIONABLE: ("users", "roles"),
}


def command_data(
    command: Json,
    name: str,
    leaf: Json,
    given: Mapping[str, Any],
    files: Mapping[str, File],
    resolver: Resolver,
    *,
    focused: str | None = None,
) -> Json:
    """Give an interaction's `data`. With `focused` it is still being typed: nothing is required, and texts are partial.

    Raises BadOption.
    """
    known = {option["name"]: option for option in leaf.get("options") or () if option["type"] not in NESTED}
    for unknown in (given.keys() | files.keys()) - known.keys():
        raise BadOption(f"/{name} has no option {unknown!r}.")
    options = []
    for option_name, option in known.items():
        value = files.get(option_name, given.get(option_name))
        if value is None or value == "":
            if option_name != focused and (focused is not None or not option.get("required")):
                continue
            if focused is None:
                raise BadOption(f"/{name} needs the option {option_name!r}.")
            value = ""
        partial = focused is not None and option["type"] in (OptionType.STRING, *NUMBERS)
        checked = value if partial else check_option(option, value, resolver)
        mark = {"focused": True} if option_name == focused else {}
        options.append({"name": option_name, "type": option["type"], "value": checked, **mark})
    if focused is not None and not (known.get(focused) or {}).get("autocomplete"):
        raise BadOption(f"/{name} suggests nothing for {focused!r}.")
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    nested = _nest(command, name, options)
    return data | ({"options": nested} if nested else {}) | ({"resolved": resolver.found} if resolver.found else {})


def _nest(command: Json, name: str, options: list[Json]) -> list[Json]:
    """Put options below the sub-command and group through which they were typed."""
    node, around = command, []
    for step in name.split(" ")[1:]:
        node = next(option for option in node["options"] if option["type"] in NESTED and option["name"] == step)
        around.append({"name": step, "type": node["type"]})
    for layer in reversed(around):
        options = [layer | {"options": options}]
    return options


def check_option(option: Json, value: Any, resolver: Resolver) -> Any:
    """Give the value as it is sent. Raises BadOption where the client would not take it."""
    kind, name = option["type"], option["name"]
    try:
        if kind == OptionType.ATTACHMENT:
            return resolver.upload(value)
        if kind in _PICKED:
            return resolver.one(_PICKED[kind], value, option.get("channel_types"))
    except (BadChoice, TypeError, ValueError) as error:
        raise BadOption(f"{name}: {error}") from None
    if kind == OptionType.BOOLEAN:
        return _must(isinstance(value, bool), name, "True or False", value)
    if option.get("choices"):
        return _choice(option, value)
    if kind == OptionType.STRING:
        low, high = option.get("min_length") or 0, option.get("max_length") or LONGEST
        fine = isinstance(value, str) and low <= len(value) <= high
        return _must(fine, name, f"a text of {low} to {high} characters", value)
    whole = kind == OptionType.INTEGER
    low, high = option.get("min_value", -(2**53)), option.get("max_value", 2**53)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    return _must(number and low <= value <= high, name, f"a number from {low} to {high}", value)


def _choice(option: Json, value: Any) -> Any:
    for choice in option["choices"]:
        if value in (choice["value"], choice["name"]):
            return choice["value"]
    names = ", ".join(repr(choice["name"]) for choice in option["choices"])
    raise BadOption(f"{option['name']}: {value!r} is not offered. There are: {names}.")


def _must(fine: bool, name: str, expected: str, value: Any) -> Any:
    if not fine:
        raise BadOption(f"{name} must be {expected}, not {str(value)[:60]!r}.")
    return value
