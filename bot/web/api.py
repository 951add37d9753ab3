"""What the signing page asks of the bot: JSON in, JSON out, the ticket always in the body.

POST /api/ticket  {"ticket"}                        → for whom and for what the link was made
POST /api/signed  {"ticket", "process", "message"?} → {"checking": true}; the process is read again at once
POST /api/status  {"ticket", "process"}             → {"status", "checking", "latest"}
POST /api/qr      {"ticket"}                        → {"svg"}: the link as a QR code, for a wallet on a phone

A refusal is {"error": one sentence}. No key, seed or signature comes here: `message` is only an id.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TypeVar

import segno
import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.process_id import parse_process_id
from bot.errors import MalformedProcessId, NotYours, TicketEnded
from bot.services.ticketing import TicketContents, Ticketing, TicketProcess
from bot.settings import Settings
from bot.web import metrics
from bot.web.watches import Watches

BODY_LIMIT = 2048
"""Bytes: a ticket and two ids fit into a tenth of it."""

BODY_SECONDS = 10
"""A body that takes longer is given up."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    ticket: str = Field(max_length=128)


class _ProcessBody(_Body):
    process: str = Field(max_length=128)
    message: str | None = Field(default=None, max_length=128)


_log = structlog.get_logger()
_Given = TypeVar("_Given", bound=_Body)


@dataclass(frozen=True, slots=True)
class Api:
    """The four questions, answered."""

    ticketing: Ticketing
    watches: Watches
    settings: Settings

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the API."""
        return [
            web.post("/api/ticket", self.ticket),
            web.post("/api/signed", self.signed),
            web.post("/api/status", self.status),
            web.post("/api/qr", self.qr),
        ]

    async def ticket(self, request: web.Request) -> web.Response:
        """Show what the link is for. Changes nothing."""
        contents = await self._open(await _read(request, _Body))
        ao = self.settings.ao
        return web.json_response(_as_json(contents) | {"network": {"mu": ao.mu_url, "cu": ao.cu_url}})

    async def signed(self, request: web.Request) -> web.Response:
        """Have the process read again at once."""
        body = await _read(request, _ProcessBody)
        process = await self._process(body)
        metrics.SIGNED.inc()
        _log.info("web.signed", process=process.process, message=body.message)
        if not self.watches.begin(process.process):
            raise refusal(web.HTTPServiceUnavailable, "Many people are signing just now. Your process is checked soon.")
        return web.json_response({"checking": True})

    async def status(self, request: web.Request) -> web.Response:
        """Say what is confirmed, and what the newest reading saw."""
        process = await self._process(await _read(request, _ProcessBody))
        watch = self.watches.of(process.process)
        return web.json_response({"status": process.status, "checking": watch.running, "latest": watch.latest})

    async def qr(self, request: web.Request) -> web.Response:
        """Draw the link. Only a ticket that opens is drawn, so that this draws nothing else."""
        body = await _read(request, _Body)
        await self._open(body)
        origin = self.settings.sign_origin
        if origin is None:
            raise refusal(web.HTTPNotFound, "This server has no public address to draw.")
        drawing = io.BytesIO()
        segno.make(f"{origin}/sign#{body.ticket}", error="m").save(
            drawing, kind="svg", border=3, xmldecl=False, light="#fff"
        )
        return web.json_response({"svg": drawing.getvalue().decode()})

    async def _open(self, body: _Body) -> TicketContents:
        try:
            contents = await self.ticketing.open(body.ticket)
        except TicketEnded as error:
            metrics.TICKETS.labels("ended").inc()
            raise refusal(web.HTTPGone, str(error)) from None
        metrics.TICKETS.labels("opened").inc()
        return contents

    async def _process(self, body: _ProcessBody) -> TicketProcess:
        try:
            wanted = parse_process_id(body.process)
            if body.message is not None:
                parse_process_id(body.message)  # a message's id has the same shape
        except MalformedProcessId as error:
            raise refusal(web.HTTPBadRequest, str(error)) from None
        for process in (await self._open(body)).processes:
            if process.process == wanted:
                return process
        raise refusal(web.HTTPForbidden, str(NotYours("This link is not for that process.")))


def refusal(kind: type[web.HTTPException], sentence: str) -> web.HTTPException:
    """Make an HTTP error that carries one sentence for the page."""
    return kind(text=sentence)


async def _read(request: web.Request, shape: type[_Given]) -> _Given:
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise refusal(web.HTTPUnsupportedMediaType, "Send plain application/json.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return shape.model_validate_json(await request.read())
    except TimeoutError:
        raise refusal(web.HTTPRequestTimeout, "The request took too long to arrive.") from None
    except ValidationError:
        raise refusal(web.HTTPBadRequest, "That is not what this page sends. Reload it.") from None


def _as_json(contents: TicketContents) -> dict[str, object]:
    return {
        "name": contents.display_name_hint,
        "community": contents.community,
        "action": contents.action,
        "expires_at": contents.expires_at.isoformat(),
        "processes": [
            {
                "process": process.process,
                "label": process.label,
                "name": process.name,
                "owner": process.owner,
                "status": process.status,
                "keys": list(process.keys),
                "handler": process.handler_lua,
            }
            for process in contents.processes
        ],
    }
