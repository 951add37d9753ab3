"""What Discord demands of application commands (docs: interactions/application-commands.mdx)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import IntEnum

from sandbox.discord.errors import Form, Json, Path, refusal


class CommandType(IntEnum):
    """Kinds of command."""

    SLASH = 1
    USER = 2
    MESSAGE = 3


class OptionType(IntEnum):
    """Kinds of option."""

    SUB_COMMAND = 1
    SUB_COMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


MOST = {CommandType.SLASH: 100, CommandType.USER: 15, CommandType.MESSAGE: 15}
NESTED = (OptionType.SUB_COMMAND, OptionType.SUB_COMMAND_GROUP)
TYPED = (OptionType.STRING, OptionType.INTEGER, OptionType.NUMBER)
NUMBERS = (OptionType.INTEGER, OptionType.NUMBER)
LOCALES = frozenset(
    "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th zh-CN ja "
    "zh-TW ko".split()
)
OPTIONS = 25
CHOICES = 25
SIZE = 8000
"""Characters of all names, descriptions and choice values of one command together; of each, the longest translation."""


def check_commands(given: object) -> list[Json]:
    """Check a bulk overwrite; give the commands. Raises ApiError."""
    if not isinstance(given, list):
        form = Form()
        form.wrong([], "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        form.done()
    form, commands, seen = Form(), [], set()
    for index, command in enumerate(given if isinstance(given, list) else ()):
        checked = check_command(form, command, [index])
        key = (checked.get("type"), checked.get("name"))
        if key in seen:
            form.wrong(
                [index, "name"], "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
        seen.add(key)
        commands.append(checked)
    form.done()
    for kind, most in MOST.items():
        if sum(command["type"] == kind for command in commands) > most:
            raise refusal(30032)
    return commands


def check_command(form: Form, given: object, path: Path) -> Json:
    """Note all that is wrong with one command; give it with its defaults filled in."""
    if not isinstance(given, dict):
        form.wrong(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return {}
    command: Json = {"type": CommandType.SLASH, "description": "", "options": [], "nsfw": False, **given}
    if command["type"] not in set(CommandType):
        form.wrong([*path, "type"], "BASE_TYPE_CHOICES", f"Value must be one of {tuple(map(int, CommandType))}.")
        return command
    slash = command["type"] == CommandType.SLASH
    _named(form, command, path, slash=slash)
    if slash:
        _described(form, command, path)
        _options(form, command.get("options") or [], path, level=0)
    else:
        _only_for_slash(form, command, path)
    _where(form, command, path)
    if command_size(command) > SIZE:
        form.wrong(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({SIZE})")
    return command


def _only_for_slash(form: Form, command: Json, path: Path) -> None:
    if command.get("description"):
        words = "Context menu commands cannot have description"
        form.wrong([*path, "description"], "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", words)
    if command.get("options"):
        words = "Context menu commands cannot have options"
        form.wrong([*path, "options"], "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS", words)


def is_name(name: str) -> bool:
    """Tell whether a text may be the name of a slash command or an option: lower-case letters, numbers, `-_'`."""
    return 1 <= len(name) <= 32 and name == name.lower() and all(_may_name(character) for character in name)


def _may_name(character: str) -> bool:
    if character in "-_'" or unicodedata.category(character)[0] in "LN":
        return True
    # The documented pattern also takes every character of the scripts Devanagari and Thai: their marks are no letters.
    return "\u0900" <= character <= "\u097f" or "\u0e01" <= character <= "\u0e5b"


def _named(form: Form, given: Json, path: Path, *, slash: bool) -> None:
    names = [(["name"], given.get("name")), *_translations(form, given, "name", path)]
    for steps, name in names:
        here = [*path, *steps]
        if form.text(here, name, at_least=1, at_most=32) and slash and not is_name(str(name)):
            form.wrong(here, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _described(form: Form, given: Json, path: Path) -> None:
    for steps, text in [(["description"], given.get("description")), *_translations(form, given, "description", path)]:
        form.text([*path, *steps], text, at_least=1, at_most=100)


def _translations(form: Form, given: Json, name: str, path: Path) -> list[tuple[list[str], object]]:
    translated = given.get(f"{name}_localizations") or {}
    for locale in translated.keys() - LOCALES:
        words = f"Value must be one of {tuple(sorted(LOCALES))}."
        form.wrong([*path, f"{name}_localizations", locale], "BASE_TYPE_CHOICES", words)
    return [([f"{name}_localizations", locale], text) for locale, text in translated.items()]


def _options(form: Form, options: object, path: Path, *, level: int) -> None:
    if not form.items([*path, "options"], options, at_most=OPTIONS) or not isinstance(options, list):
        return
    names: set[object] = set()
    optional_seen = False
    kinds = {option.get("type") in NESTED for option in options}
    if kinds == {True, False}:
        words = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        form.wrong([*path, "options"], "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", words)
    for index, option in enumerate(options):
        here = [*path, "options", index]
        _option(form, option, here, level=level)
        if option.get("name") in names:
            words = "Option name is not unique"
            form.wrong([*here, "name"], "APPLICATION_COMMAND_OPTIONS_NAME_NOT_UNIQUE", words)
        names.add(option.get("name"))
        if option.get("required") and optional_seen:
            words = "Required options must be placed before non-required options"
            form.wrong([*here, "required"], "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", words)
        optional_seen = optional_seen or not option.get("required")


def _option(form: Form, option: Json, path: Path, *, level: int) -> None:
    kind = option.get("type")
    _named(form, option, path, slash=True)
    _described(form, option, path)
    allowed = set(OptionType) if level == 0 else set(OptionType) - {OptionType.SUB_COMMAND_GROUP}
    if level == 2:
        allowed -= {OptionType.SUB_COMMAND}
    if kind not in allowed:
        form.wrong([*path, "type"], "BASE_TYPE_CHOICES", f"Value must be one of {tuple(sorted(map(int, allowed)))}.")
    elif kind in NESTED:
        _options(form, option.get("options") or [], path, level=2 if kind == OptionType.SUB_COMMAND else 1)
        _only_subcommands(form, option, path)
    else:
        _typed(form, option, path)


def _only_subcommands(form: Form, option: Json, path: Path) -> None:
    inner: Sequence[Json] = option.get("options") or ()
    group = option["type"] == OptionType.SUB_COMMAND_GROUP
    if group and any(each.get("type") not in NESTED for each in inner):
        form.wrong([*path, "options"], "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "A group holds sub-commands only")


def _typed(form: Form, option: Json, path: Path) -> None:
    kind = option["type"]
    choices = option.get("choices") or []
    if (choices or option.get("autocomplete")) and kind not in TYPED:
        words = "Only string, integer and number options have choices or autocomplete"
        form.wrong([*path, "type"], "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID_TYPE", words)
    if choices and option.get("autocomplete"):
        words = "Autocomplete is mutually exclusive with choices"
        form.wrong([*path, "autocomplete"], "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES", words)
    if form.items([*path, "choices"], choices, at_most=CHOICES):
        check_choices(form, choices, kind, [*path, "choices"])
    for name, low in (("min_length", 0), ("max_length", 1)):
        if option.get(name) is not None:
            form.number([*path, name], option[name], at_least=low, at_most=6000)
    for name in ("min_value", "max_value"):
        if option.get(name) is not None:
            form.number([*path, name], option[name], at_least=-(2**53), at_most=2**53)


def check_choices(form: Form, choices: Sequence[Json], kind: int, path: Path) -> None:
    """Check choices, also those that an autocomplete answer offers."""
    for index, choice in enumerate(choices):
        here = [*path, index]
        form.text([*here, "name"], choice.get("name"), at_least=1, at_most=100)
        value = choice.get("value")
        if kind == OptionType.STRING:
            form.text([*here, "value"], value, at_least=1, at_most=100)
        elif kind in NUMBERS:
            form.number([*here, "value"], value, at_least=-(2**53), at_most=2**53)


def _where(form: Form, command: Json, path: Path) -> None:
    """Check permissions, contexts (0 guild, 1 DM with the bot, 2 other DMs) and installs (0 guild, 1 user)."""
    permissions = command.get("default_member_permissions")
    if permissions is not None and not str(permissions).isdigit():
        form.wrong([*path, "default_member_permissions"], "NUMBER_TYPE_COERCE", "Value is not a permission bit set.")
    for name, most in (("contexts", 3), ("integration_types", 2)):
        values = command.get(name)
        if values is None:
            continue
        if not isinstance(values, list) or not values or len(set(values)) != len(values):
            form.wrong([*path, name], "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
        elif any(value not in range(most) for value in values):
            form.wrong([*path, name], "BASE_TYPE_CHOICES", f"Value must be one of {tuple(range(most))}.")


def command_size(given: Json) -> int:
    """Count the characters of a command that Discord limits together."""

    def longest(name: str) -> int:
        return max(map(len, map(str, [given.get(name) or "", *(given.get(f"{name}_localizations") or {}).values()])))

    choices = sum(
        len(str(choice.get("name", ""))) + len(str(choice.get("value", ""))) for choice in given.get("choices") or ()
    )
    return longest("name") + longest("description") + choices + sum(map(command_size, given.get("options") or ()))
