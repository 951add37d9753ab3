"""An Arweave gateway's GraphQL: our queries, and its answers read with distrust (ao-facts.md, section 5).

Gateways differ: tag names come in any case, twice or not at all, blocks are null until mined, times are in seconds or,
on odd ones, in milliseconds, `hasNextPage` may lie, and errors come inside a 200.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.card import Metadata
from bot.domain.process_id import ProcessId, parse_process_id
from bot.errors import BrokenAnswer, MalformedProcessId

PAGE = 100
"""How many ids or edges go into one query: what gateways allow at most."""

_NODE = "node{id recipient owner{address} block{height timestamp} tags{name value}}"
_BY_ID = "query($ids:[ID!]!,$first:Int){transactions(ids:$ids,first:$first){edges{" + _NODE + "}}}"
_BY_OWNER = (
    "query($o:[String!]!,$c:String){transactions(owners:$o,"
    'tags:[{name:"Data-Protocol",values:["ao"]},{name:"Type",values:["Process"]}],'
    "first:100,after:$c,sort:HEIGHT_DESC){pageInfo{hasNextPage} edges{cursor " + _NODE + "}}}"
)
_TO_PROCESS = (
    "query($r:[String!]!,$t:[TagFilter!],$first:Int){transactions(recipients:$r,tags:$t,"
    "first:$first,sort:HEIGHT_DESC){pageInfo{hasNextPage} edges{cursor " + _NODE + "}}}"
)

# ANS-104 allows 128 tags of 4 KiB together. A gateway that says more of one process is not believed at all.
_MOST_TAGS = 512
_LONGEST_VALUE = 300
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One transaction or data item. `tags` as spawned, in order; `at` is None until it is mined."""

    id: str
    owner: str
    recipient: str
    at: datetime | None
    tags: tuple[tuple[str, str], ...]

    def tag(self, name: str) -> str | None:
        """Give a tag's value whatever the case of its name; of several, the first counts, as in aos."""
        wanted = name.lower()
        return next((value for key, value in self.tags if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer. `cursor` is that of the last edge; `more` is what the gateway claims."""

    items: tuple[Item, ...]
    edges: int
    cursor: str | None
    more: bool


def by_ids(processes: Iterable[str]) -> bytes:
    """Ask for items by id: without a tag filter, which misses bundled items."""
    ids = list(processes)
    return _query(_BY_ID, {"ids": ids, "first": len(ids)})


def by_owner(address: str, cursor: str | None) -> bytes:
    """Ask for one page of the processes that a wallet spawned."""
    return _query(_BY_OWNER, {"o": [address], "c": cursor})


def to_processes(processes: Iterable[str], *, action: str | None = None, first: int = PAGE) -> bytes:
    """Ask for the newest messages sent to any of `processes`, newest first."""
    tags = [{"name": "Action", "values": [action]}] if action is not None else None
    return _query(_TO_PROCESS, {"r": list(processes), "t": tags, "first": first})


def read_page(body: bytes, host: str) -> Page:
    """Read an answer. Edges that make no sense are left out. Raises BrokenAnswer where the whole does not."""
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise BrokenAnswer(f"{host} did not answer as a GraphQL gateway does.", reason="graphql") from error
    if answer.errors or answer.data is None or answer.data.transactions is None:
        raise BrokenAnswer(f"{host} answered a query with an error: {_first_error(answer.errors)}", reason="graphql")
    found = answer.data.transactions
    edges = found.edges[: 10 * PAGE]
    items = tuple(item for item in map(_item, edges) if item is not None)
    more = found.pageInfo.hasNextPage is True if found.pageInfo is not None else False
    return Page(items=items, edges=len(edges), cursor=_cursor(edges), more=more)


def metadata_of(item: Item) -> Metadata | None:
    """Give what an item says of the AO process that it spawned, or None if it spawned none."""
    if (item.tag("Type") or "").lower() != "process" or (item.tag("Data-Protocol") or "").lower() != "ao":
        return None
    try:
        process = parse_process_id(item.id)
    except MalformedProcessId:
        return None
    return Metadata(
        process=process,
        owner=_owner(item),
        name=item.tag("Name") or None,
        module=item.tag("Module") or None,
        variant=item.tag("Variant") or None,
        spawned_at=item.at,
        tags=item.tags,
    )


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _PageInfo(_Lenient):
    hasNextPage: Any = None


class _Transactions(_Lenient):
    edges: list[dict[str, Any] | None]
    pageInfo: _PageInfo | None = None


class _Data(_Lenient):
    transactions: _Transactions | None = None


class _Answer(_Lenient):
    data: _Data | None = None
    errors: Any = None


class _Tag(_Lenient):
    name: str
    value: str


class _Owner(_Lenient):
    address: str = Field(max_length=128)


class _Node(_Lenient):
    id: str = Field(max_length=128)
    recipient: str | None = Field(default=None, max_length=128)
    owner: _Owner
    block: dict[str, Any] | None = None
    tags: list[_Tag] = Field(max_length=_MOST_TAGS)


class _Edge(_Lenient):
    node: _Node


def _query(query: str, variables: Mapping[str, object]) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def _item(edge: object) -> Item | None:
    try:
        node = _Edge.model_validate(edge).node
    except ValidationError:
        return None
    return Item(
        id=node.id,
        owner=node.owner.address,
        recipient=node.recipient or "",
        at=_time(node.block.get("timestamp")) if node.block is not None else None,
        tags=tuple((tag.name[:_LONGEST_VALUE], tag.value[:_LONGEST_VALUE]) for tag in node.tags),
    )


def _time(value: object) -> datetime | None:
    """Read a block's time. Seconds as of now have ten digits; what has thirteen is milliseconds."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else float("nan")
        seconds = seconds / 1000 if seconds > 1e11 else seconds
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if seconds > 0 and at < _LATEST else None


def _cursor(edges: Sequence[dict[str, Any] | None]) -> str | None:
    last: object = edges[-1].get("cursor") if edges and edges[-1] is not None else None
    return last if isinstance(last, str) and 0 < len(last) <= 1024 else None


def _owner(item: Item) -> str:
    spawner = item.tag("From-Process")
    try:
        return parse_process_id(spawner or "")
    except MalformedProcessId:
        return item.owner


def _first_error(errors: object) -> str:
    try:
        return str(errors[0]["message"])[:200]  # type: ignore[index]  # any shape may come
    except (TypeError, KeyError, IndexError):
        return "it gave no reason."


def ids_of(items: Iterable[Item]) -> dict[ProcessId, Metadata]:
    """Give the processes among `items`; what is no AO process is left out."""
    found = (metadata_of(item) for item in items)
    return {metadata.process: metadata for metadata in found if metadata is not None}
