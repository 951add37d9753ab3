"""What Discord demands of the components of a message, of both generations (docs: components/reference.mdx)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import deepcopy

from sandbox.discord.controls import SELECTS, Controls, Kind, check_url
from sandbox.discord.errors import Form, Json, Path
from sandbox.discord.models import Attachment

COMPONENTS = 40
TEXT = 4000
LEGACY_ROWS = 5
DEPTH = 6
"""More than any layout that is allowed: a guard for whoever nests on."""

TOP_LEGACY = frozenset({Kind.ROW})
IN_CONTAINER = frozenset({Kind.ROW, Kind.TEXT, Kind.SECTION, Kind.GALLERY, Kind.SEPARATOR, Kind.FILE})
TOP_V2 = IN_CONTAINER | {Kind.CONTAINER}
IN_ROW = SELECTS | {Kind.BUTTON}
ACCESSORIES = frozenset({Kind.BUTTON, Kind.THUMBNAIL})
ATTACHED = "attachment://"


def check_components(form: Form, given: Sequence[Json], *, v2: bool, files: Collection[str]) -> list[Json]:
    """Note all that is wrong with a message's components; give them with ids filled in. `files`: names to refer to."""
    layout = _Layout(form, files)
    if not v2:
        form.items(["components"], list(given), at_most=LEGACY_ROWS)
    components = deepcopy(list(given))
    for index, component in enumerate(components):
        layout.check(component, ["components", index], TOP_V2 if v2 else TOP_LEGACY, depth=0)
    if layout.count > COMPONENTS:
        words = f"Total number of components exceeds the maximum of {COMPONENTS}"
        form.wrong(["components"], "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", words)
    if layout.text > TEXT:
        words = f"Components displayable text size exceeds maximum size of {TEXT}"
        form.wrong(["components"], "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", words)
    if not form.faulty:
        _number(form, components)
    return components


class _Layout:
    """Walks one message's components; counts components and characters on its way."""

    def __init__(self, form: Form, files: Collection[str]) -> None:
        self.form = form
        self.files = files
        self.controls = Controls(form, in_modal=False)
        self.count = 0
        self.text = 0
        self._by_kind: Mapping[int, Callable[[Json, Path, int], None]] = {
            Kind.ROW: self._row,
            Kind.SECTION: self._section,
            Kind.TEXT: self._text,
            Kind.THUMBNAIL: self._thumbnail,
            Kind.GALLERY: self._gallery,
            Kind.FILE: self._file,
            Kind.SEPARATOR: self._separator,
            Kind.CONTAINER: self._container,
        }

    def check(self, given: object, path: Path, allowed: Collection[int], *, depth: int) -> None:
        self.count += 1
        kind = given.get("type", 0) if isinstance(given, dict) else 0
        if not isinstance(given, dict) or kind not in allowed or depth > DEPTH:
            words = f'Value of field "type" must be one of {tuple(sorted(map(int, allowed)))}.'
            self.form.wrong([*path, "type"], "UNION_TYPE_CHOICES", words)
        elif kind in self._by_kind:
            self._by_kind[kind](given, path, depth)
        else:
            self.controls.check(given, path)

    def _children(self, given: Json, path: Path, allowed: Collection[int], depth: int) -> None:
        for index, child in enumerate(given["components"]):
            self.check(child, [*path, "components", index], allowed, depth=depth + 1)

    def _row(self, given: Json, path: Path, depth: int) -> None:
        if not self.form.items([*path, "components"], given.get("components"), at_least=1, at_most=5):
            return
        self._children(given, path, IN_ROW, depth)
        if len(given["components"]) > 1 and any(child.get("type") in SELECTS for child in given["components"]):
            words = "The specified component exceeds the maximum width"
            self.form.wrong([*path, "components"], "COMPONENT_LAYOUT_WIDTH_EXCEEDED", words)

    def _section(self, given: Json, path: Path, depth: int) -> None:
        if self.form.items([*path, "components"], given.get("components"), at_least=1, at_most=3):
            self._children(given, path, {Kind.TEXT}, depth)
        self.check(given.get("accessory"), [*path, "accessory"], ACCESSORIES, depth=depth + 1)

    def _container(self, given: Json, path: Path, depth: int) -> None:
        if self.form.items([*path, "components"], given.get("components"), at_least=1, at_most=COMPONENTS):
            self._children(given, path, IN_CONTAINER, depth)
        colour = given.get("accent_color")
        if colour is not None:
            self.form.number([*path, "accent_color"], colour, at_least=0, at_most=0xFFFFFF)

    def _text(self, given: Json, path: Path, _: int) -> None:
        if self.form.text([*path, "content"], given.get("content"), at_least=1, at_most=TEXT):
            self.text += len(given["content"])

    def _separator(self, given: Json, path: Path, _: int) -> None:
        if given.get("spacing", 1) not in (1, 2):
            self.form.wrong([*path, "spacing"], "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")

    def _thumbnail(self, given: Json, path: Path, _: int) -> None:
        self._media(given.get("media"), [*path, "media"])
        self._alt(given, path)

    def _gallery(self, given: Json, path: Path, _: int) -> None:
        if self.form.items([*path, "items"], given.get("items"), at_least=1, at_most=10):
            for index, item in enumerate(given["items"]):
                self._media(item.get("media"), [*path, "items", index, "media"])
                self._alt(item, [*path, "items", index])

    def _file(self, given: Json, path: Path, _: int) -> None:
        self._media(given.get("file"), [*path, "file"], only_attached=True)

    def _alt(self, given: Json, path: Path) -> None:
        if given.get("description") is not None:
            self.form.text([*path, "description"], given["description"], at_most=1024)

    def _media(self, given: object, path: Path, *, only_attached: bool = False) -> None:
        url = given.get("url") if isinstance(given, dict) else None
        if not self.form.text([*path, "url"], url, at_least=1, at_most=2048):
            return
        url = str(url)
        if url.startswith(ATTACHED):
            if url.removeprefix(ATTACHED) not in self.files:
                words = "The referenced attachment was not found"
                self.form.wrong([*path, "url"], "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", words)
        elif only_attached:
            words = "Only attachment:// references may be used here"
            self.form.wrong([*path, "url"], "UNFURLED_MEDIA_ITEM_ATTACHMENT_REQUIRED", words)
        else:
            check_url(self.form, [*path, "url"], url)


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Give every component, outer ones first, in the order in which they are seen."""
    for component in components:
        yield component
        yield from walk(component.get("components") or ())
        for single in ("accessory", "component"):
            if component.get(single):
                yield from walk([component[single]])


def _number(form: Form, components: Sequence[Json]) -> None:
    """Give each component an `id`, from 1 on, leaving out those that were given and must differ."""
    everything = [component for component in walk(components) if isinstance(component, dict)]
    given = [component["id"] for component in everything if component.get("id")]
    if len(given) != len(set(given)):
        form.wrong(["components"], "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
    number, taken = 0, set(given)
    for component in everything:
        if not component.get("id"):
            number = next(each for each in range(number + 1, number + 2 + len(taken)) if each not in taken)
            component["id"] = number


def attach(components: Sequence[Json], attachments: Sequence[Attachment]) -> set[int]:
    """Put real addresses in the place of `attachment://name`; give the ids of the attachments that are shown."""
    by_name = {attachment.name: attachment for attachment in attachments}
    shown: set[int] = set()
    for component in walk(components):
        items = [component, *(component.get("items") or ())]
        for media in [item[key] for item in items for key in ("media", "file") if isinstance(item.get(key), dict)]:
            attachment = by_name.get(str(media["url"]).removeprefix(ATTACHED))
            if str(media["url"]).startswith(ATTACHED) and attachment is not None:
                media |= {"url": attachment.url, "proxy_url": attachment.url, "attachment_id": str(attachment.id)}
                media["content_type"] = attachment.content_type
                shown.add(attachment.id)
                if component["type"] == Kind.FILE:
                    component |= {"name": attachment.name, "size": len(attachment.data)}
    return shown
