"""The process-side handler: the Lua that an owner evaluates to show a process's state (ao-facts.md, section 3)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from importlib.resources import files

from bot.domain.keys import CACHE, StateKey, parse_key
from bot.errors import BadInput, MalformedHandler, MalformedKey

DEFAULT_ACTION = "EnableStatePatch"
HANDLER_VERSION = 2
"""Goes up with every change of the text; `docs/handler.md` has the sha256 of each version."""

HANDLER_FILE = "patchbell.lua"
"""What the handler is called as a file."""

OFF_FILE = "patchbell-off.lua"
"""What turns it off, as a file."""

ROOTS = (CACHE, "none")
"""Where keys may go: under `cache`, or at the process's own root."""

_GLOBAL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_ACTION = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_LONGEST = 128
_MOST_KEYS = 32

# Not state: showing one of these would show code, other people's messages, or the whole memory.
_NEVER_SHOWN = frozenset(
    """_G _ENV ao Handlers Inbox Owner Errors Dump Utils StatePatch StatePatchEnabled package string table math
    coroutine debug io os utf8 json crypto require""".split()
)
_LUA_WORDS = frozenset(
    """and break do else elseif end false for function goto if in local nil not or repeat return then true until
    while""".split()
)
# Root keys of every process (ao-facts.md, section 1) or fields of a message: a patch would overwrite or lose them.
_SYSTEM = frozenset(
    """anchor assignment authority data data-protocol device-stack execution-device from id initialized input-prefix
    module owner patch-from previous-device previous-input-prefix reference scheduler-device scheduler-location
    signature statepatch tags target type variant""".split()
)


def render_handler(keys: Mapping[str, str], *, action: str = DEFAULT_ACTION) -> str:
    """Give the whole Lua that publishes the global of each path: `{"cache/balances": "Balances"}`.

    A global may be a field of one (`Token.Balances`). Raises MalformedKey or MalformedHandler with one sentence.
    """
    if not keys:
        raise MalformedHandler("Name at least one key to publish, like cache/balances=Balances.")
    if len(keys) > _MOST_KEYS:
        raise MalformedHandler(
            "That is {keys} keys; one handler publishes {most} at most.", keys=len(keys), most=_MOST_KEYS
        )
    check_action(action)
    declared = {parse_key(path): parse_global(name) for path, name in keys.items()}
    if len(declared) != len(keys):
        raise MalformedHandler("One of the keys is named twice.")
    _refuse_system_keys(declared)
    _refuse_overlaps(declared)
    lines = "\n".join(f"  {_declaration(path, name)}" for path, name in declared.items())
    text = _read("handler.lua").replace("@VERSION@", str(HANDLER_VERSION))
    return text.replace("@ACTION@", action).replace("@DECLARED@", lines)


def check_action(action: str) -> None:
    """Raise MalformedHandler where it cannot be the action that switches a handler on."""
    if not _ACTION.fullmatch(action):
        raise MalformedHandler("An action is a letter, then up to 63 letters, digits and hyphens.")


def render_off() -> str:
    """Give the whole Lua that turns a handler off, whichever keys and action it has. It changes nothing else."""
    return _read("handler_off.lua")


def fingerprint(lua: str) -> str:
    """Give the sha256 of the text as a file has it (UTF-8), in hexadecimal."""
    return hashlib.sha256(lua.encode()).hexdigest()


def rooted(keys: Mapping[str, str], root: str) -> dict[str, str]:
    """Give the same keys at the root that was asked for: a path that begins with `cache/` stays. Raises BadInput."""
    if root not in ROOTS:
        raise BadInput("A root is cache or none.")
    begin = f"{CACHE}/"
    return {
        path if root != CACHE or path.lower().startswith(begin) else f"{begin}{path}": name
        for path, name in keys.items()
    }


def _read(name: str) -> str:
    return files("bot.domain").joinpath(name).read_text("utf-8")


def parse_global(text: str) -> str:
    """Give the name of a Lua global, or of a field of one, that `text` is. Raises MalformedHandler."""
    name = text.strip()
    if len(name) > _LONGEST or not _GLOBAL.fullmatch(name):
        raise MalformedHandler("A Lua name has letters, digits and _, and dots between fields, like Token.Balances.")
    first, *fields = name.split(".")
    if first in _NEVER_SHOWN:
        raise MalformedHandler("{name} belongs to aos itself and is never published.", name=first)
    if word := next((part for part in (first, *fields) if part in _LUA_WORDS), None):
        raise MalformedHandler("{name} is a word of Lua, so no global has that name.", name=word)
    return name


def _refuse_system_keys(paths: Iterable[StateKey]) -> None:
    for path in paths:
        if path.split("/")[0] in _SYSTEM:
            raise MalformedKey(
                "{path} belongs to the process's own definition: publish {instead} instead.",
                path=path,
                instead=f"cache/{path}",
            )


def _refuse_overlaps(paths: Collection[StateKey]) -> None:
    for outer in paths:
        for inner in paths:
            if inner.startswith(f"{outer}/"):
                raise MalformedKey("{inner} lies inside {outer}: publish one of the two.", inner=inner, outer=outer)


def _declaration(path: StateKey, name: str) -> str:
    def quoted(words: list[str]) -> str:
        return ", ".join(_quote(word) for word in words)

    return f"{{ path = {{ {quoted(path.split('/'))} }}, names = {{ {quoted(name.split('.'))} }} }},"


def _quote(word: str) -> str:
    """Write a Lua string that nothing can leave, even if it had not been validated before."""
    safe = re.sub(rb"[^A-Za-z0-9_-]", lambda match: b"\\%03d" % match[0][0], word.encode())
    return f'"{safe.decode()}"'
