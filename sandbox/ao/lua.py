"""One process's Lua, run by a real Lua 5.3 with bounds on instructions and memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lupa import lua53

_PRELUDE = (Path(__file__).parent / "prelude.lua").read_text("utf-8")
_INSTRUCTIONS = 50_000_000
_MEMORY = 256 * 1024 * 1024

Message = dict[str, Any]
Result = dict[str, Any]


class ComputeFailed(Exception):
    """The runtime itself gave up (out of memory, a message that cannot be read): the slot cannot be computed."""


def _refuse(_object: object, name: object, _setting: bool) -> object:
    raise AttributeError(f"{name} is not for processes")


class LuaProcess:
    """The memory of one process. Feed it the messages in the order of their slots."""

    def __init__(self, process: Message) -> None:
        self._lua: Any = lua53.LuaRuntime(
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_refuse,
            max_memory=_MEMORY,
        )
        self._env = self._lua.table_from({"Process": process}, recursive=True)
        prelude = self._lua.eval("function(text, ...) return assert(load(text, '@prelude'))(...) end")
        self._handle = prelude(_PRELUDE, self._encode, self._decode, _INSTRUCTIONS)

    def handle(self, message: Message, source: str | None = None) -> Result:
        """Evaluate one message, or with `source` the process's own Lua at the start. Raises ComputeFailed."""
        try:
            answer = self._handle(self._lua.table_from(message, recursive=True), self._env, source)
            result = to_python(answer)
        except (lua53.LuaError, ValueError, RecursionError) as error:
            raise ComputeFailed(str(error)) from error
        if "Error" in result:
            return {"Messages": [], "Spawns": [], "Assignments": [], "Output": {}, "Error": result["Error"]}
        return result

    def _encode(self, value: Any) -> str:
        return json.dumps(to_python(value), separators=(",", ":"), allow_nan=False)

    def _decode(self, text: Any) -> Any:
        value = json.loads(text)
        return self._lua.table_from(value, recursive=True) if isinstance(value, (dict, list)) else value


def to_python(value: Any, depth: int = 0) -> Any:
    """Turn a Lua value into JSON's kinds as aos's JSON library does: an empty table is an array.

    Raises ValueError where that library fails: mixed or sparse keys, functions, tables nested over 100 deep.
    """
    kind = lua53.lua_type(value)
    if kind is None:
        return value
    if kind != "table":
        raise ValueError(f"unexpected type '{kind}'")
    if depth > 100:
        raise ValueError("circular reference")
    keys = list(value)
    if not keys or value[1] is not None:
        if sorted(keys, key=str) != sorted(range(1, len(keys) + 1), key=str):
            raise ValueError("invalid table: mixed or invalid key types")
        return [to_python(value[index], depth + 1) for index in range(1, len(keys) + 1)]
    if not all(isinstance(key, str) for key in keys):
        raise ValueError("invalid table: mixed or invalid key types")
    return {key: to_python(inner, depth + 1) for key, inner in value.items()}
