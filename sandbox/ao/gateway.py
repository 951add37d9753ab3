"""An Arweave gateway of the sandbox: GraphQL over the transactions of its ledger, with the schema's real names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from graphql import ExecutionResult, GraphQLError, build_schema, graphql_sync

from sandbox.ao.serving import Server

CORS = {"access-control-allow-origin": "*", "access-control-allow-headers": "*", "access-control-allow-methods": "*"}
PAGE_AT_MOST = 100

_SCHEMA = build_schema(
    """
    enum SortOrder { HEIGHT_ASC HEIGHT_DESC INGESTED_AT_ASC INGESTED_AT_DESC }
    enum TagOperator { EQ NEQ }
    input TagFilter { name: String, values: [String!], op: TagOperator = EQ }
    input BlockFilter { min: Int, max: Int }
    type Tag { name: String!, value: String! }
    type Owner { address: String!, key: String! }
    type Block { id: ID!, timestamp: Int!, height: Int! }
    type MetaData { size: String!, type: String }
    type Transaction {
      id: ID!, anchor: String!, signature: String!, recipient: String!, owner: Owner!, tags: [Tag!]!,
      block: Block, data: MetaData!
    }
    type PageInfo { hasNextPage: Boolean! }
    type TransactionEdge { cursor: String!, node: Transaction! }
    type TransactionConnection { pageInfo: PageInfo!, edges: [TransactionEdge!]! }
    type Query {
      transactions(
        ids: [ID!], owners: [String!], recipients: [String!], tags: [TagFilter!], block: BlockFilter,
        first: Int = 10, after: String, sort: SortOrder = HEIGHT_DESC
      ): TransactionConnection!
    }
    """
)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction. `height` and `timestamp` (seconds) are None until it is mined."""

    id: str
    owner: str
    recipient: str
    tags: tuple[tuple[str, str], ...]
    height: int | None
    timestamp: int | None
    size: int = 0

    def as_node(self) -> dict[str, Any]:
        """Give it as GraphQL sees it."""
        block = None if self.height is None else {"id": "", "timestamp": self.timestamp, "height": self.height}
        return {
            "id": self.id,
            "anchor": "",
            "signature": "",
            "recipient": self.recipient,
            "owner": {"address": self.owner, "key": ""},
            "tags": [{"name": name, "value": value} for name, value in self.tags],
            "block": block,
            "data": {"size": str(self.size), "type": None},
        }


class Ledger:
    """All transactions, found by id, owner and recipient without walking through the others."""

    def __init__(self) -> None:
        self._by_id: dict[str, tuple[int, Transaction]] = {}
        self._by_owner: dict[str, list[str]] = {}
        self._by_recipient: dict[str, list[str]] = {}

    def add(self, transaction: Transaction) -> None:
        """Add one, or put one that has been mined in the place of its younger self."""
        known = self._by_id.get(transaction.id)
        self._by_id[transaction.id] = (known[0] if known else len(self._by_id), transaction)
        if known is None:
            self._by_owner.setdefault(transaction.owner, []).append(transaction.id)
            if transaction.recipient:
                self._by_recipient.setdefault(transaction.recipient, []).append(transaction.id)

    def remove(self, identity: str) -> None:
        """Forget one, as an index that has not heard of it."""
        _, transaction = self._by_id.pop(identity)
        self._by_owner[transaction.owner].remove(identity)
        if transaction.recipient:
            self._by_recipient[transaction.recipient].remove(identity)

    def select(self, wanted: dict[str, Any]) -> list[tuple[int, Transaction]]:
        """Give what fits a query's filters, newest first (or last, where `sort` says so). Unmined is newest."""
        found = [entry for entry in self._candidates(wanted) if _fits(entry[1], wanted)]
        ascending = str(wanted.get("sort", "")).endswith("_ASC")
        return sorted(found, key=lambda entry: (_height(entry[1]), entry[0]), reverse=not ascending)

    def _candidates(self, wanted: dict[str, Any]) -> Iterable[tuple[int, Transaction]]:
        if (ids := wanted.get("ids")) is not None:
            names: Iterable[str] = dict.fromkeys(ids)
        elif (recipients := wanted.get("recipients")) is not None:
            names = (name for recipient in recipients for name in self._by_recipient.get(recipient, ()))
        elif (owners := wanted.get("owners")) is not None:
            names = (name for owner in owners for name in self._by_owner.get(owner, ()))
        else:
            names = self._by_id
        return (self._by_id[name] for name in names if name in self._by_id)


def _height(transaction: Transaction) -> float:
    return float("inf") if transaction.height is None else transaction.height


def _fits(transaction: Transaction, wanted: dict[str, Any]) -> bool:
    owners, recipients, block = wanted.get("owners"), wanted.get("recipients"), wanted.get("block") or {}
    return (
        (owners is None or transaction.owner in owners)
        and (recipients is None or transaction.recipient in recipients)
        and _height(transaction) >= block.get("min", 0)
        and ("max" not in block or _height(transaction) <= block["max"])
        and all(_has(transaction.tags, tag) for tag in wanted.get("tags") or ())
    )


def _has(tags: Sequence[tuple[str, str]], wanted: dict[str, Any]) -> bool:
    hit = any(
        name == wanted.get("name", name) and ("values" not in wanted or value in wanted["values"])
        for name, value in tags
    )
    return hit if wanted.get("op", "EQ") == "EQ" else not hit


class SandboxGateway:
    """The gateway's server. `graphql_url` is what goes into `ao.gateways`; `down` hangs up on everybody."""

    def __init__(self, ledger: Ledger) -> None:
        self.down = False
        self.requests = 0
        self._ledger = ledger
        self._server = Server(self._respond)

    @property
    def url(self) -> str:
        """Where the gateway answers, without a trailing slash."""
        return self._server.url

    @property
    def graphql_url(self) -> str:
        """Where its GraphQL answers."""
        return f"{self.url}/graphql"

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        if self.down and request.transport is not None:
            request.transport.abort()
            return web.Response()
        self.requests += 1
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=CORS)
        if request.method != "POST" or request.path != "/graphql":
            return web.Response(status=404, headers=CORS, text="Not Found")
        try:
            asked = json.loads(await request.read())
            query, variables = asked["query"], asked.get("variables")
        except (ValueError, KeyError, TypeError, AttributeError):
            return web.json_response({"errors": [{"message": "Must provide query string."}]}, status=400, headers=CORS)
        result = graphql_sync(
            _SCHEMA, query, root_value={"transactions": self._transactions}, variable_values=variables
        )
        return web.json_response(_as_json(result), status=400 if result.data is None else 200, headers=CORS)

    def _transactions(self, _info: object, **wanted: Any) -> dict[str, Any]:
        first = wanted.get("first", 10)
        if not 0 <= first <= PAGE_AT_MOST:
            raise GraphQLError(f"first must be between 0 and {PAGE_AT_MOST}")
        found = self._ledger.select(wanted)
        if after := wanted.get("after"):
            at = next((at for at, (number, _) in enumerate(found) if str(number) == after), len(found))
            found = found[at + 1 :]
        return {
            "pageInfo": {"hasNextPage": len(found) > first},
            "edges": [{"cursor": str(number), "node": one.as_node()} for number, one in found[:first]],
        }


def _as_json(result: ExecutionResult) -> dict[str, Any]:
    errors = {"errors": [error.formatted for error in result.errors]} if result.errors else {}
    return {"data": result.data} | errors
