"""What a client checks of selects and dialogs before it sends them, and the data that it sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.discord.controls import OPTIONS_OF, Kind, value_range
from sandbox.discord.errors import Json
from sandbox.discord.refusals import BadChoice
from sandbox.discord.resolving import Resolver
from sandbox.discord.seen import Field, Modal

_MISSING = object()


def select_values(raw: Json, given: Sequence[Any], resolver: Resolver) -> list[str]:
    """Give a select's values as they are sent; options may be named by label or value. Raises BadChoice."""
    if raw["type"] in OPTIONS_OF:
        by_name = {name: option["value"] for option in raw["options"] for name in (option["label"], option["value"])}
        unknown = [each for each in given if each not in by_name]
        if unknown:
            offered = ", ".join(repr(option["label"]) for option in raw["options"])
            raise BadChoice(f"{unknown[0]!r} is not offered. There are: {offered}.")
        values = list(dict.fromkeys(by_name[each] for each in given))
    elif raw["type"] == Kind.FILE_UPLOAD:
        values = [resolver.upload(file) for file in given]
    else:
        values = resolver.pick(Kind(raw["type"]), given)
    low, high = value_range(raw)
    may_be_empty = not values and (low == 0 or not raw.get("required", True))
    if not (low <= len(values) <= high or may_be_empty):
        raise BadChoice(f"Choose {low} to {high}, not {len(values)}.")
    return values


def modal_data(modal: Modal, given: Mapping[str, Any], resolver: Resolver) -> Json:
    """Give a dialog's `data`. A field that is not named keeps what it shows. Raises BadChoice, NoSuchComponent."""
    values = {modal.field(name).custom_id: value for name, value in given.items()}
    filled = {field.custom_id: _fill(field, values.get(field.custom_id, _MISSING), resolver) for field in modal.fields}
    components = [_around(component, filled) for component in modal.raw["components"]]
    data: Json = {"custom_id": modal.raw["custom_id"], "components": components}
    return data | ({"resolved": resolver.found} if resolver.found else {})


def _around(component: Json, filled: Mapping[str, Json]) -> Json:
    base: Json = {"type": component["type"], "id": component["id"]}
    if component["type"] == Kind.LABEL:
        return base | {"component": filled[component["component"]["custom_id"]]}
    if component["type"] == Kind.ROW:
        return base | {"components": [filled[component["components"][0]["custom_id"]]]}
    return base


def _fill(field: Field, given: Any, resolver: Resolver) -> Json:
    base: Json = {"type": int(field.kind), "id": field.raw["id"], "custom_id": field.custom_id}
    if field.kind is Kind.TEXT_INPUT:
        return base | {"value": _text(field, field.value if given is _MISSING else given)}
    if field.kind is Kind.CHECKBOX:
        return base | {"value": bool(field.raw.get("default") if given is _MISSING else given)}
    chosen = _defaults(field.raw) if given is _MISSING else given
    if field.kind is Kind.RADIO_GROUP:
        chosen = [] if chosen in (None, []) else [chosen] if isinstance(chosen, str) else chosen
        if len(chosen) > 1 or (field.required and not chosen):
            raise BadChoice(f"{field.label}: choose one.")
        values = select_values({**field.raw, "required": False}, chosen, resolver)
        return base | {"value": values[0] if values else None}
    try:
        values = select_values(field.raw, [chosen] if isinstance(chosen, str) else list(chosen), resolver)
    except BadChoice as error:
        raise BadChoice(f"{field.label}: {error}") from None
    return base | {"values": values}


def _defaults(raw: Json) -> list[str]:
    picked = [str(each["id"]) for each in raw.get("default_values") or ()]
    return picked + [option["value"] for option in raw.get("options") or () if option.get("default")]


def _text(field: Field, given: Any) -> str:
    text = str(given)
    low, high = field.raw.get("min_length") or 0, field.raw.get("max_length") or 4000
    if field.required and not text.strip():
        raise BadChoice(f"{field.label}: this field is required.")
    if text and not low <= len(text) <= high:
        raise BadChoice(f"{field.label}: {low} to {high} characters, not {len(text)}.")
    if field.raw["style"] == 1:
        text = text.replace("\n", " ")  # a single line, whatever is pasted into it
    return text
