"""What a process shows: tables that only patch messages change, merged as HyperBEAM's `patch@1.0` merges them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

Value = Any
"""A leaf (str, int, float, bool), or a Table."""

UNSET = "__ao-unset__"
"""Deletes an entry on nodes of 2026; older ones store the string."""

_NEVER_MERGED = frozenset({"device", "path", "method", "commitments", "priv", "target", "data", "anchor"})


class Table(dict[str, Value]):
    """A table of the state. Never changed once made: merging makes new ones and shares what stayed the same."""

    @cached_property
    def id(self) -> str:
        """43 base64url characters that change exactly when the content does, as a node's `+link` ids do."""
        digest = hashlib.sha256()
        for key in sorted(self):
            value = self[key]
            leaf = f"t{value.id}" if isinstance(value, Table) else f"{type(value).__name__}{value}"
            digest.update(f"{len(key)}:{key}{len(leaf)}:{leaf}".encode())
        return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def linked(identity: str) -> Table:
    """Give a table that is shown under an id of its own, as a process's definition is under the process's id."""
    made = Table()
    made.__dict__["id"] = identity
    return made


def table(value: Value) -> Value:
    """Turn decoded JSON into state: keys lower-cased, lists as tables numbered from 1."""
    if isinstance(value, Mapping):
        return Table({str(key).lower(): table(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return Table({str(number): table(inner) for number, inner in enumerate(value, 1)})
    return value


def merge(state: Table, patch: Table) -> Table:
    """Merge deeply: absent entries stay, an empty table wipes the key, `UNSET` deletes."""
    merged = Table(state)
    for key, value in patch.items():
        before = merged.get(key)
        if value == UNSET:
            merged.pop(key, None)
        elif isinstance(value, Table) and value and isinstance(before, Table):
            merged[key] = merge(before, value)
        else:
            merged[key] = merge(Table(), value) if isinstance(value, Table) else value
    return merged


def patch_of(tags: list[Mapping[str, Value]]) -> Table | None:
    """Give what an outgoing message patches, or None where it is no patch message.

    `device=patch@1.0` makes it one; every other tag that is not the protocol's own names a root key.
    """
    named = {str(tag["name"]): tag["value"] for tag in tags}
    if named.get("device") != "patch@1.0":
        return None
    return Table(
        {
            name.lower(): table(value)
            for name, value in named.items()
            if name.lower() == name and name not in _NEVER_MERGED and value is not None
        }
    )


def resolve(root: Table, segments: list[str]) -> Value | None:
    """Walk down a path, names compared without case. None: there is nothing."""
    value: Value = root
    for segment in segments:
        if not isinstance(value, Table):
            return None
        value = value.get(segment.lower())
        if value is None:
            return None
    return value
