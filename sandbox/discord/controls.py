"""What Discord demands of buttons, selects and the fields of dialogs (docs: components/reference.mdx, August 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from urllib.parse import urlsplit

from sandbox.discord.errors import Form, Json, Path


class Kind(IntEnum):
    """Component types."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT = 10
    THUMBNAIL = 11
    GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


class Style(IntEnum):
    """Button styles."""

    PRIMARY = 1
    SECONDARY = 2
    SUCCESS = 3
    DANGER = 4
    LINK = 5
    PREMIUM = 6


SELECTS = frozenset(range(Kind.STRING_SELECT, Kind.CHANNEL_SELECT + 1)) - {Kind.TEXT_INPUT}
URL_SCHEMES = ("http", "https", "discord")
OPTION_LENGTH = 100
OPTIONS_OF: Mapping[int, tuple[int, int]] = {
    Kind.STRING_SELECT: (1, 25),
    Kind.RADIO_GROUP: (2, 10),
    Kind.CHECKBOX_GROUP: (1, 10),
}
MOST_VALUES: Mapping[int, int] = {
    **dict.fromkeys(SELECTS, 25),
    Kind.FILE_UPLOAD: 10,
    Kind.CHECKBOX_GROUP: 10,
}


class Controls:
    """Checks interactive components of one message or dialog. `seen`: the custom_ids met so far, which must differ."""

    def __init__(self, form: Form, *, in_modal: bool) -> None:
        self.form = form
        self.in_modal = in_modal
        self.seen: set[str] = set()

    def check(self, given: Json, path: Path) -> None:
        """Check one interactive component of whatever kind."""
        kind = given["type"]
        if kind == Kind.BUTTON:
            self._button(given, path)
            return
        self._custom_id(given, path)
        if self.in_modal and given.get("disabled"):
            self.form.wrong(
                [*path, "disabled"], "COMPONENT_DISABLED_IN_MODAL", "Components in modals cannot be disabled"
            )
        if kind == Kind.TEXT_INPUT:
            self._text_input(given, path)
        if kind in OPTIONS_OF:
            self._options(given, path)
        if kind in MOST_VALUES:
            self._range(given, path)
        if kind in SELECTS and given.get("placeholder") is not None:
            self.form.text([*path, "placeholder"], given["placeholder"], at_most=150)

    def _custom_id(self, given: Json, path: Path) -> None:
        custom_id = given.get("custom_id")
        if not self.form.text([*path, "custom_id"], custom_id, at_least=1, at_most=100):
            return
        if custom_id in self.seen:
            code, words = "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
            self.form.wrong([*path, "custom_id"], code, words)
        self.seen.add(str(custom_id))

    def _button(self, given: Json, path: Path) -> None:
        form, style = self.form, given.get("style")
        if style not in set(Style):
            form.wrong([*path, "style"], "BASE_TYPE_CHOICES", f"Value must be one of {tuple(map(int, Style))}.")
            return
        if given.get("label"):
            form.text([*path, "label"], given["label"], at_most=80)
        elif not given.get("emoji") and style != Style.PREMIUM:
            form.wrong([*path, "label"], "BUTTON_COMPONENT_NO_CONTENT", "A button must have a label or an emoji")
        if given.get("emoji"):
            self.emoji(given["emoji"], [*path, "emoji"])
        if style == Style.LINK:
            self._link(given, path)
        elif style == Style.PREMIUM:
            form.text([*path, "sku_id"], given.get("sku_id"), at_least=1, at_most=20)
        else:
            self._custom_id(given, path)
            if given.get("url"):
                form.wrong([*path, "url"], "BUTTON_COMPONENT_URL", "A url can only be used on link buttons")

    def _link(self, given: Json, path: Path) -> None:
        if given.get("custom_id"):
            code, words = "BUTTON_COMPONENT_CUSTOM_ID", "A custom id and url cannot both be specified"
            self.form.wrong([*path, "custom_id"], code, words)
        if self.form.text([*path, "url"], given.get("url"), at_least=1, at_most=512):
            check_url(self.form, [*path, "url"], given["url"])

    def emoji(self, given: Json, path: Path) -> None:
        """Hold a partial emoji to being a Unicode emoji: the sandbox has no custom ones."""
        name = given.get("name")
        if given.get("id") or not isinstance(name, str) or not name or name.isascii() or name.isalpha():
            self.form.wrong([*path, "name"], "BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji")

    def _options(self, given: Json, path: Path) -> None:
        at_least, at_most = OPTIONS_OF[given["type"]]
        if not self.form.items([*path, "options"], given.get("options"), at_least=at_least, at_most=at_most):
            return
        values: set[object] = set()
        for index, option in enumerate(given["options"]):
            here = [*path, "options", index]
            self.form.text([*here, "label"], option.get("label"), at_least=1, at_most=OPTION_LENGTH)
            self.form.text([*here, "value"], option.get("value"), at_least=1, at_most=OPTION_LENGTH)
            if option.get("description") is not None:
                self.form.text([*here, "description"], option["description"], at_most=OPTION_LENGTH)
            if option.get("emoji"):
                self.emoji(option["emoji"], [*here, "emoji"])
            if option.get("value") in values:
                words = "The specified option value is already used"
                self.form.wrong([*here, "value"], "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", words)
            values.add(option.get("value"))
        chosen = sum(bool(option.get("default")) for option in given["options"])
        most = 1 if given["type"] == Kind.RADIO_GROUP else value_range(given)[1]
        if chosen > most:
            words = f"The number of default options exceeds {most}"
            self.form.wrong([*path, "options"], "SELECT_COMPONENT_TOO_MANY_DEFAULTS", words)

    def _range(self, given: Json, path: Path) -> None:
        most = MOST_VALUES[given["type"]]
        low, high = value_range(given)
        fine = self.form.number([*path, "min_values"], low, at_least=0, at_most=most)
        fine = self.form.number([*path, "max_values"], high, at_least=1, at_most=most) and fine
        options = len(given.get("options") or ()) if given["type"] in OPTIONS_OF else most
        if fine and (low > high or 0 < options < low):
            words = "min_values must not exceed max_values or the number of options"
            self.form.wrong([*path, "min_values"], "SELECT_COMPONENT_INVALID_RANGE", words)
        if self.in_modal and given.get("required", True) and given.get("min_values") == 0:
            words = "min_values must be at least 1 where a value is required"
            self.form.wrong([*path, "min_values"], "SELECT_COMPONENT_REQUIRED_MIN_VALUES", words)

    def _text_input(self, given: Json, path: Path) -> None:
        form = self.form
        if given.get("style") not in (1, 2):
            form.wrong([*path, "style"], "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
        for name, low in (("min_length", 0), ("max_length", 1)):
            if given.get(name) is not None:
                form.number([*path, name], given[name], at_least=low, at_most=4000)
        if (given.get("min_length") or 0) > (given.get("max_length") or 4000):
            form.wrong([*path, "min_length"], "TEXT_INPUT_INVALID_RANGE", "min_length must not exceed max_length")
        if given.get("value") is not None:
            form.text([*path, "value"], given["value"], at_most=given.get("max_length") or 4000)
        if given.get("placeholder") is not None:
            form.text([*path, "placeholder"], given["placeholder"], at_most=100)


def value_range(given: Json) -> tuple[int, int]:
    """Give how few and how many values may be chosen, defaults filled in."""
    every = len(given.get("options") or ()) if given["type"] == Kind.CHECKBOX_GROUP else 1
    low, high = given.get("min_values"), given.get("max_values")
    return (1 if given.get("required", True) else 0) if low is None else low, (every or 1) if high is None else high


def check_url(form: Form, path: Path, url: str) -> bool:
    """Hold an address to the schemes that Discord takes."""
    try:
        parts = urlsplit(url)
        fine = bool(parts.scheme in URL_SCHEMES and (parts.hostname or parts.scheme == "discord"))
    except ValueError:
        fine = False
    if not fine or any(character.isspace() for character in url):
        words = f"Not a well formed URL, or its scheme is none of {URL_SCHEMES}."
        form.wrong(path, "URL_TYPE_INVALID_SCHEME", words)
        return False
    return True
