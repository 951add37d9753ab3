"""Presets: what sorts of apps expose, shipped in `presets/*.toml` or the operator's own (ao-facts.md, section 2)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.handler import DEFAULT_ACTION, check_action, parse_global, render_handler
from bot.domain.keys import StateKey, candidate_paths, parse_key
from bot.errors import BadInput, ConfigurationError

DEFAULT_PRESET = "token"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MOST_PRESETS = 100
_LARGEST_FILE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetKey:
    """One key: where it may be seen, and which Lua global the handler publishes there (at the first path).

    Not `required`: published with the others, never asked for.
    """

    key: StateKey
    paths: tuple[str, ...]
    lua_global: str | None = None
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What one sort of app exposes, and the action that makes its processes publish it."""

    name: str
    title: str
    keys: tuple[PresetKey, ...]
    action: str = DEFAULT_ACTION

    @property
    def required(self) -> tuple[StateKey, ...]:
        """Keys that a process must show to be patched; empty: any exposed key will do."""
        return tuple(key.key for key in self.keys if key.required)

    @property
    def globals(self) -> Mapping[str, str]:
        """Path → Lua global, for `render_handler`; empty where the app must bring its own handler."""
        return {key.paths[0]: key.lua_global for key in self.keys if key.lua_global is not None}

    @cached_property
    def handler(self) -> str | None:
        """The whole Lua that installs the handler, or None where the preset names no global."""
        return render_handler(self.globals, action=self.action) if self.globals else None


def load_presets(folder: Path | None = None) -> dict[str, Preset]:
    """Give all presets by name: the shipped ones, then the operator's from `folder`, which win over shipped names.

    Raises ConfigurationError with one sentence that names the file.
    """
    presets = {preset.name: preset for preset in _read_all(files("presets"))}
    if folder is not None:
        if not folder.is_dir():
            raise ConfigurationError(f"There is no folder of presets {folder}.")
        presets |= {preset.name: preset for preset in _read_all(folder)}
    return presets


class _KeyModel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str
    paths: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=4)
    lua_global: str | None = None
    required: bool = True


class _PresetModel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=80)
    action: str = DEFAULT_ACTION
    keys: tuple[_KeyModel, ...] = Field(max_length=32)


def _read_all(folder: Traversable | Path) -> Iterator[Preset]:
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    if len(found) > _MOST_PRESETS:
        raise ConfigurationError(f"{folder} has {len(found)} presets; {_MOST_PRESETS} are the most.")
    return (_read(entry) for entry in found)


def _read(entry: Traversable | Path) -> Preset:
    name = entry.name.removesuffix(".toml")
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"The preset {entry.name} needs a name of up to 32 of a-z, 0-9 and -, then .toml.")
    try:
        return _build(name, _PresetModel.model_validate(_load(entry)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"The preset {entry.name} is wrong at {where}: {first['msg']}.") from error
    except BadInput as error:
        raise ConfigurationError(f"The preset {entry.name} is wrong: {error}") from error


def _load(entry: Traversable | Path) -> dict[str, Any]:
    try:
        raw = entry.read_bytes()
        if len(raw) > _LARGEST_FILE:
            raise ConfigurationError(f"The preset {entry.name} is larger than {_LARGEST_FILE // 1024} KiB.")
        return tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The preset {entry.name} is not valid TOML: {error}.") from error
    except OSError as error:
        raise ConfigurationError(f"The preset {entry.name} cannot be read: {error.strerror}.") from error


def _build(name: str, model: _PresetModel) -> Preset:
    preset = Preset(
        name=name,
        title=" ".join(model.title.split()),
        keys=tuple(_build_key(key) for key in model.keys),
        action=model.action,
    )
    if len({key.key for key in preset.keys}) != len(preset.keys):
        raise BadInput("a key is named twice.")
    check_action(preset.action)
    _ = preset.handler  # rendered now, so that one whose handler cannot be made is refused at start
    return preset


def _build_key(model: _KeyModel) -> PresetKey:
    key = parse_key(model.key)
    paths = candidate_paths(key) if model.paths is None else tuple(parse_key(path) for path in model.paths)
    name = None if model.lua_global is None else parse_global(model.lua_global)
    return PresetKey(key=key, paths=paths, lua_global=name, required=model.required)
