"""How a node puts a value of the state into HTTP: statuses, telling headers and bodies as in the recorded corpus.

What is reproduced: `ao-types`, `ao-result`, `<key>+link`, `unavailable`, `content-type`, the signature headers' shape,
CORS, and that a table's own entries become headers and may decide the status.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.ao import pages
from sandbox.ao.state import Table, Value

CORS = (
    ("access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
    ("server", "Cowboy"),
)
# Framing belongs to the HTTP server; state entries of these names would break the connection, as they do on a node.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding", "date"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `broken` closes the connection instead of answering."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    broken: bool = False


def leaf(value: Value, *, as_json: bool) -> Answer:
    """Answer with a single value: raw text, or the JSON codec's wrapping of it."""
    if isinstance(value, bool):
        return failed()  # what the recorded build does with atoms
    kind = {int: "integer", float: "float"}.get(type(value))
    if as_json:
        return _json({"ao-result": "body", "body": value, "device": "json@1.0"})
    types = f'body="{kind}", status="integer"' if kind else 'status="integer"'
    return _signed(200, {"ao-result": "body", "ao-types": types}, str(value).encode())


def whole(value: Table, *, as_json: bool, bundle: bool) -> Answer:
    """Answer with a table: as JSON, or its entries as headers with an explorer page (or parts) as the body."""
    if as_json:
        return _json(plain(value) | {"device": "json@1.0"})
    status = _status_of(value)
    if status is None:
        return failed()
    if not 100 <= status < 1000:
        return Answer(0, (), broken=True)
    headers, types = _entries(value, links=not bundle)
    body = pages.EXPLORER
    if bundle:
        body, boundary = _parts(value)
        if boundary:
            headers["content-type"] = f'multipart/form-data; boundary="{boundary}"'
    else:
        headers["content-type"] = "text/html"
    if "body" in value and not isinstance(value["body"], Table):
        body = str(value["body"]).encode()
    headers.setdefault("ao-types", ", ".join(sorted((*types, 'status="integer"'))))
    return _signed(status, headers, body)


def listing(value: Table, *, as_json: bool) -> Answer:
    """Answer with the names of a table's keys, numbered in their order."""
    names = Table({str(number): name for number, name in enumerate(sorted(value), 1)})
    return whole(names, as_json=as_json, bundle=False)


def missing(*, bundle: bool) -> Answer:
    """Answer that the key is not there."""
    if not bundle:
        return _page(404, pages.NOT_FOUND)
    return _signed(404, {"ao-result": "body", "ao-types": 'body="atom", status="integer"'}, b"not_found")


def missing_message(*, bundle: bool) -> Answer:
    """Answer that no message has this id, at the id's own path."""
    if not bundle:
        return _page(404, pages.NOT_FOUND)
    return _signed(404, {"ao-types": 'body="atom", status="integer"'}, b"not_found")


def unavailable(process: str, *, bundle: bool) -> Answer:
    """Answer that the process is not known here."""
    if not bundle:
        return _page(404, pages.NOT_FOUND)
    body = f"Message necessary to resolve request not found: {process}".encode()
    return _signed(404, {"ao-types": 'status="integer"', "unavailable": process}, body)


def failed() -> Answer:
    """Answer that the request could not be resolved."""
    return _signed(500, {"ao-types": 'status="integer"', "content-type": "text/html"}, pages.OOPS)


def plain_text(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer unsigned, as proxies and limiters do."""
    return Answer(status, (*(headers or {}).items(), ("content-type", "text/plain")), text.encode())


def page(status: int, body: bytes) -> Answer:
    """Answer with a page that no node made."""
    return Answer(status, (("content-type", "text/html"),), body)


def plain(value: Value) -> Any:
    """Turn state back into what JSON can hold."""
    return {key: plain(inner) for key, inner in value.items()} if isinstance(value, Table) else value


def _page(status: int, body: bytes) -> Answer:
    return Answer(status, (*CORS, ("content-type", "text/html")), body)


def _json(value: Mapping[str, Any]) -> Answer:
    body = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    return _signed(200, {"ao-types": 'status="integer"', "content-type": "application/json"}, body)


def _status_of(value: Table) -> int | None:
    try:
        return int(value.get("status", 200))
    except (TypeError, ValueError):
        return None


def _entries(value: Table, *, links: bool) -> tuple[dict[str, str], list[str]]:
    headers, types = dict[str, str](), list[str]()
    for key, inner in value.items():
        if isinstance(inner, Table):
            if links:
                headers[f"{key}+link"] = inner.id
        elif key not in _FRAMING and key not in ("body", "status"):
            headers[_printable(key)] = _printable(str(inner))
            if kind := {int: "integer", float: "float", bool: "atom"}.get(type(inner)):
                types.append(f'{key}="{kind}"')
    return headers, types


def _parts(value: Table) -> tuple[bytes, str | None]:
    tables = {key: inner for key, inner in sorted(value.items()) if isinstance(inner, Table)}
    if not tables:
        return b"", None
    boundary = value.id
    parts = list[str]()
    for key, inner in tables.items():
        lines = {f'content-disposition: form-data;name="{key}"'}
        lines |= {f"{name}: {leaf}" for name, leaf in inner.items() if not isinstance(leaf, Table)}
        parts.append(f"--{boundary}\r\n" + "\r\n".join(sorted(lines)) + "\r\n")
    return ("".join(parts) + f"--{boundary}--").encode(), boundary


def _printable(text: str) -> str:
    return "".join(character if 32 <= ord(character) < 127 else "?" for character in text)


def _signed(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Add what a node signs its answers with: an HMAC under the public key id `ao`, as recorded."""
    named = dict(headers) | {"status": str(status)}
    if body and named.get("content-type") != "text/html":
        named["content-digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    covered = sorted(name for name in named if name != "content-type" or named[name] == "application/json")
    parameters = f'({" ".join(json.dumps(name) for name in covered)});alg="hmac-sha256";keyid="ao"'
    base = "\n".join([*(f'"{name}": {named[name]}' for name in covered), f'"@signature-params": {parameters}'])
    mac = hmac.digest(b"ao", base.encode(), "sha256")
    label = "sig-" + base64.urlsafe_b64encode(hashlib.sha256(mac).digest()).decode().rstrip("=").lower()
    named["signature"] = f"{label}=:{base64.b64encode(mac).decode()}:"
    named["signature-input"] = f"{label}={parameters}"
    return Answer(status, (*CORS, *named.items()), body)
