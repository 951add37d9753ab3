"""What Discord demands of a dialog (docs: receiving-and-responding.mdx "Modal", components/reference.mdx)."""

from __future__ import annotations

from copy import deepcopy

from sandbox.discord.controls import SELECTS, Controls, Kind
from sandbox.discord.errors import Form, Json, Path
from sandbox.discord.layouts import walk

FIELDS = SELECTS | {Kind.TEXT_INPUT, Kind.FILE_UPLOAD, Kind.RADIO_GROUP, Kind.CHECKBOX_GROUP, Kind.CHECKBOX}
TOP = frozenset({Kind.ROW, Kind.TEXT, Kind.LABEL})


def check_modal(data: Json) -> Json:
    """Give the dialog's data with ids filled in. Raises ApiError."""
    form, modal = Form(), deepcopy(data)
    form.text(["custom_id"], modal.get("custom_id"), at_least=1, at_most=100)
    form.text(["title"], modal.get("title"), at_least=1, at_most=45)
    if form.items(["components"], modal.get("components"), at_least=1, at_most=5):
        controls = Controls(form, in_modal=True)
        for index, component in enumerate(modal["components"]):
            _top(form, controls, component, ["components", index])
    form.done()
    for number, component in enumerate(walk(modal["components"]), start=1):
        component["id"] = component.get("id") or number
    return modal


def _top(form: Form, controls: Controls, given: Json, path: Path) -> None:
    kind = given.get("type")
    if kind == Kind.LABEL:
        form.text([*path, "label"], given.get("label"), at_least=1, at_most=45)
        if given.get("description") is not None:
            form.text([*path, "description"], given["description"], at_most=100)
        _field(form, controls, given.get("component"), [*path, "component"], FIELDS)
    elif kind == Kind.TEXT:
        form.text([*path, "content"], given.get("content"), at_least=1, at_most=4000)
    elif kind == Kind.ROW:
        if form.items([*path, "components"], given.get("components"), at_least=1, at_most=1):
            field = given["components"][0]
            _field(form, controls, field, [*path, "components", 0], {Kind.TEXT_INPUT})
            form.text([*path, "components", 0, "label"], field.get("label"), at_least=1, at_most=45)
    else:
        _must_be(form, path, TOP)


def _field(form: Form, controls: Controls, given: object, path: Path, allowed: frozenset[int] | set[int]) -> None:
    if isinstance(given, dict) and given.get("type") in allowed:
        controls.check(given, path)
    else:
        _must_be(form, path, allowed)


def _must_be(form: Form, path: Path, allowed: frozenset[int] | set[int]) -> None:
    words = f'Value of field "type" must be one of {tuple(sorted(map(int, allowed)))}.'
    form.wrong([*path, "type"], "UNION_TYPE_CHOICES", words)


def fields_of(modal: Json) -> list[tuple[Json, Json]]:
    """Give each field with the Label around it (for an old-style row, the field itself)."""
    return [
        (component["component"], component)
        if component["type"] == Kind.LABEL
        else (component["components"][0], component["components"][0])
        for component in modal["components"]
        if component["type"] != Kind.TEXT
    ]
