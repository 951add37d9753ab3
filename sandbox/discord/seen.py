"""Messages and dialogs as people see them: live views that follow every edit."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.discord import wire
from sandbox.discord.bodies import text_of
from sandbox.discord.controls import SELECTS, Kind, Style
from sandbox.discord.errors import Json
from sandbox.discord.interactions import Interaction
from sandbox.discord.layouts import walk
from sandbox.discord.modals import fields_of
from sandbox.discord.models import Attachment, Message, User
from sandbox.discord.refusals import NoModal, NoSuchComponent
from sandbox.discord.world import World


@dataclass(frozen=True, slots=True)
class Button:
    """A button. Link buttons have a `url` and no `custom_id`."""

    label: str
    custom_id: str | None
    url: str | None
    disabled: bool
    style: Style
    raw: Json


@dataclass(frozen=True, slots=True)
class Select:
    """A select menu. `options` are (label, value), empty for selects of people, roles and channels."""

    custom_id: str
    placeholder: str
    options: tuple[tuple[str, str], ...]
    disabled: bool
    raw: Json


class SeenMessage:
    """A message as it is on somebody's screen now."""

    def __init__(self, message: Message, world: World) -> None:
        self.message = message
        self._world = world

    def __repr__(self) -> str:
        return f"<SeenMessage {self.id} {self.text!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeenMessage) and other.message is self.message

    def __hash__(self) -> int:
        return self.id

    @property
    def id(self) -> int:
        """Its id."""
        return self.message.id

    @property
    def channel_id(self) -> int:
        """Where it is."""
        return self.message.channel_id

    @property
    def author(self) -> User:
        """Who wrote it."""
        return self.message.author

    @property
    def text(self) -> str:
        """All its text, of whatever part, one part a line."""
        embeds = [line for embed in self.message.embeds for line in _embed_lines(embed)]
        return "\n".join(part for part in (self.message.content, *text_of(self.message.components), *embeds) if part)

    @property
    def buttons(self) -> list[Button]:
        """Its buttons, from top to bottom."""
        return [_button(each) for each in walk(self.message.components) if each["type"] == Kind.BUTTON]

    @property
    def selects(self) -> list[Select]:
        """Its select menus."""
        return [_select(each) for each in walk(self.message.components) if each["type"] in SELECTS]

    @property
    def files(self) -> list[Attachment]:
        """Its files; `.data` are the bytes."""
        return list(self.message.attachments)

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return self.message.only_for is not None

    @property
    def deleted(self) -> bool:
        """Whether it is gone."""
        return self.message.deleted

    @property
    def edited(self) -> bool:
        """Whether it says "(edited)"."""
        return self.message.edited_at is not None

    @property
    def mentions(self) -> tuple[int, ...]:
        """The ids of the users whom it pings."""
        return self.message.mentions

    @property
    def raw(self) -> Json:
        """Discord's JSON of it."""
        return wire.message(self.message, self._world.users)

    def button(self, custom_id_or_label: str) -> Button:
        """Find a button. Raises NoSuchComponent."""
        found = [each for each in self.buttons if custom_id_or_label in (each.custom_id, each.label)]
        if not found:
            labels = ", ".join(repr(each.label) for each in self.buttons) or "none"
            raise NoSuchComponent(f"There is no button {custom_id_or_label!r} here. There are: {labels}.")
        return found[0]

    def select(self, custom_id_or_placeholder: str) -> Select:
        """Find a select menu. Raises NoSuchComponent."""
        found = [each for each in self.selects if custom_id_or_placeholder in (each.custom_id, each.placeholder)]
        if not found:
            raise NoSuchComponent(f"There is no select {custom_id_or_placeholder!r} here.")
        return found[0]

    def link(self, label: str) -> str:
        """Give where a link button leads. Raises NoSuchComponent."""
        url = self.button(label).url
        if url is None:
            raise NoSuchComponent(f"The button {label!r} is not a link.")
        return url


def _button(raw: Json) -> Button:
    emoji = (raw.get("emoji") or {}).get("name")
    label = raw.get("label") or emoji or ""
    return Button(label, raw.get("custom_id"), raw.get("url"), bool(raw.get("disabled")), Style(raw["style"]), raw)


def _select(raw: Json) -> Select:
    options = tuple((option["label"], option["value"]) for option in raw.get("options") or ())
    return Select(raw["custom_id"], raw.get("placeholder") or "", options, bool(raw.get("disabled")), raw)


def _embed_lines(embed: Json) -> list[str]:
    fields = [text for field in embed.get("fields") or () for text in (field["name"], field["value"])]
    around = [(embed.get("author") or {}).get("name"), embed.get("title"), embed.get("description"), *fields]
    return [str(text) for text in (*around, (embed.get("footer") or {}).get("text")) if text]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a dialog. `kind` is a component type; `options` are (label, value)."""

    custom_id: str
    label: str
    description: str
    kind: Kind
    required: bool
    value: str
    options: tuple[tuple[str, str], ...]
    raw: Json


class Modal:
    """A dialog on somebody's screen. It is sent with `Person.submit`."""

    def __init__(self, interaction: Interaction) -> None:
        if interaction.modal is None:
            raise NoModal("No dialog is open.")
        self.interaction = interaction
        self.raw = interaction.modal

    @property
    def id(self) -> int:
        """The id of the interaction that opened it."""
        return self.interaction.id

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.raw["title"])

    @property
    def open(self) -> bool:
        """Whether it is still on the screen."""
        return self.interaction.modal is self.raw

    @property
    def texts(self) -> list[str]:
        """The texts between its fields."""
        return [component["content"] for component in self.raw["components"] if component["type"] == Kind.TEXT]

    @property
    def fields(self) -> list[Field]:
        """Its fields, from top to bottom."""
        return [_field(raw, label) for raw, label in fields_of(self.raw)]

    def field(self, custom_id_or_label: str) -> Field:
        """Find a field. Raises NoSuchComponent."""
        found = [each for each in self.fields if custom_id_or_label in (each.custom_id, each.label)]
        if not found:
            labels = ", ".join(repr(each.label) for each in self.fields)
            raise NoSuchComponent(f"The dialog has no field {custom_id_or_label!r}. It has: {labels}.")
        return found[0]


def _field(raw: Json, label: Json) -> Field:
    return Field(
        raw["custom_id"],
        str(label.get("label") or ""),
        str(label.get("description") or ""),
        Kind(raw["type"]),
        bool(raw.get("required", True)),
        str(raw.get("value") or ""),
        tuple((option["label"], option["value"]) for option in raw.get("options") or ()),
        raw,
    )
