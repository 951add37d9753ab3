"""What apps and their visitors use without a ticket: a process's page, its verdict, and word that it was signed.

GET  /p/{pid}                       → the signing page, with the default preset
GET  /api/p/{pid}[?key=…]           → the verdict, for any origin (docs/apps.md)
GET  /api/p/{pid}/page              → the verdict with what the page needs to sign
POST /api/p/{pid}/signed {"message"} → {"checking": true}, from our own page only; believed when the network shows it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from bot.domain.card import StatusCard
from bot.domain.presets import Preset
from bot.domain.process_id import ProcessId, parse_process_id
from bot.domain.ways import way_of
from bot.errors import BadInput, Busy, MalformedProcessId
from bot.services.showing import Showing
from bot.services.ticketing import template_of
from bot.settings import Settings
from bot.web.bodies import network_of, packed, process_as_json, read_body, refusal, template_as_json
from bot.web.watches import Watches

_OPEN_TO_ALL = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_CACHE_SECONDS = 30


class _Signed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    message: str = Field(max_length=64)


@dataclass(frozen=True, slots=True)
class Public:
    """The answers. `preset` is the default one."""

    showing: Showing
    watches: Watches
    settings: Settings
    preset: Preset

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the API; the page itself is a file of the server's."""
        return [
            web.get("/api/p/{process}", self.verdict),
            web.get("/api/p/{process}/page", self.page),
            web.post("/api/p/{process}/signed", self.signed),
        ]

    async def verdict(self, request: web.Request) -> web.Response:
        """Say how a process is, to any app."""
        process = _process(request)
        card = await self._card(process, request.query.getall("key", []))
        headers = _OPEN_TO_ALL | {"Cache-Control": f"public, max-age={_CACHE_SECONDS}"}
        return web.json_response(_verdict(card) | {"sign": self._address(process)}, headers=headers)

    async def page(self, request: web.Request) -> web.Response:
        """Say what the page without a ticket shows."""
        process = _process(request)
        card = await self._card(process, ())
        latest = self.watches.latest(process)
        metadata = card.metadata
        way = way_of(metadata)
        status = latest or (card.latest.verdict if card.latest is not None else card.status)
        shown = process_as_json(
            process=process,
            label=None,
            name=metadata.name if metadata is not None else None,
            owner=metadata.owner if metadata is not None else None,
            status=status,
            way=way,
        )
        return packed(
            _verdict(card)
            | {
                "processes": [shown | {"template": 0}],
                "templates": [template_as_json(template_of(self.preset, way))],
                "network": network_of(self.settings),
                "checking": self.watches.checking(process),
                "latest": latest,
            }
        )

    async def signed(self, request: web.Request) -> web.Response:
        """Have the process read at once, if the network shows that message."""
        process = _process(request)
        message = _id((await read_body(request, _Signed)).message)
        if not self.watches.begin(process, message, ticketed=False):
            raise refusal(web.HTTPServiceUnavailable, "Many people are signing just now. Come back in a minute.")
        return web.json_response({"checking": True})

    async def _card(self, process: ProcessId, keys: Sequence[str]) -> StatusCard:
        try:
            return await self.showing.verdict(process, keys)
        except Busy as error:
            busy = refusal(web.HTTPServiceUnavailable, str(error))
            busy.headers.update({"Retry-After": "60"} | _OPEN_TO_ALL)
            raise busy from None
        except BadInput as error:
            raise refusal(web.HTTPBadRequest, str(error)) from None

    def _address(self, process: ProcessId) -> str | None:
        origin = self.settings.sign_origin
        return None if origin is None else f"{origin}/p/{process}"


def _process(request: web.Request) -> ProcessId:
    return _id(request.match_info["process"])


def _id(text: str) -> ProcessId:
    try:
        return parse_process_id(text)
    except MalformedProcessId as error:
        raise refusal(web.HTTPBadRequest, str(error)) from None


def _verdict(card: StatusCard) -> dict[str, object]:
    judgement = card.latest
    metadata = card.metadata
    return {
        "process": card.process,
        "verdict": judgement.verdict if judgement is not None else card.status,
        "reason": judgement.reason if judgement is not None else None,
        "exposes": list(judgement.exposed) if judgement is not None else [],
        "missing": list(judgement.missing) if judgement is not None else [],
        "operators": list(judgement.operators) if judgement is not None else [],
        "checked_at": card.checked_at.isoformat() if card.checked_at is not None else None,
        "owner": metadata.owner if metadata is not None else None,
        "name": metadata.name if metadata is not None else None,
    }
