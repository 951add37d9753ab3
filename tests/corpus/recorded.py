"""The recorded exchanges beside this file, as typed rows. README.md says where they come from and what was cut."""

from __future__ import annotations

import base64
import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.domain.observation import Observation

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One recorded request and what came back. `status` None: no answer, and `fault` says what the recorder met."""

    process: str | None
    method: str
    path: str
    bundle: bool
    status: int | None
    reason: str
    headers: tuple[tuple[str, str | None], ...]
    body: bytes
    fault: str | None
    wire: bytes
    label: Mapping[str, Any]

    def observe(self, node: str = "https://node.test", operator: str = "node.test") -> Observation:
        """Give the exchange as the transport would have handed it on: what it refuses is a failure."""
        failure = self._failure()
        headers: dict[str, str] = {}
        for name, value in self.headers if failure is None else ():
            name, value = name.lower(), value or ""
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Observation(
            node=node,
            operator=operator,
            method="HEAD" if self.method == "HEAD" else "GET",
            path=self.path,
            status=None if failure else self.status,
            headers=headers,
            body=b"" if failure else self.body,
            failure=failure,
        )

    def _failure(self) -> str | None:
        if self.fault is not None:
            return "oversized" if self.fault in ("endless_body", "too_many_headers") else "protocol"
        if any(name.lower() == "content-encoding" for name, _ in self.headers):
            return "compressed"
        return "protocol" if self.status is None or self.status < 100 else None


def _row(line: bytes) -> Exchange:
    row: dict[str, Any] = json.loads(line)
    fault = row.get("fault")
    return Exchange(
        process=row["process"] if "process" in row else row["pid"],
        method=row["method"],
        path=row["path"],
        bundle=row["request_headers"].get("accept-bundle") == "true",
        status=row["status"],
        reason=row["reason"] or "",
        headers=tuple((name, value) for name, value in row["headers"]),
        body=base64.b64decode(row["body_b64"] or ""),
        fault=fault["kind"] if fault else None,
        wire=base64.b64decode(row.get("wire_b64", "")),
        label=row,
    )


@lru_cache
def load(name: str) -> tuple[Exchange, ...]:
    """Give all rows of `exchanges` or `cases`."""
    with lzma.open(HERE / f"{name}.jsonl.xz") as lines:
        return tuple(map(_row, lines))


def by(name: str, *fields: str) -> dict[tuple[str, ...], list[Exchange]]:
    """Group the rows of a file by fields of their labels, in the file's order."""
    groups: dict[tuple[str, ...], list[Exchange]] = {}
    for exchange in load(name):
        groups.setdefault(tuple(str(exchange.label[field]) for field in fields), []).append(exchange)
    return groups
