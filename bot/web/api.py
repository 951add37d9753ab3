"""What the signing page asks of the bot: JSON in, JSON out, the ticket always in the body.

POST /api/ticket    {"ticket"}                       → for whom, how many, what may be signed; no process is named
POST /api/processes {"ticket", "address"?, "others"?} → those that this address owns, and how many it does not
POST /api/signing   {"ticket", "messages"}            → {"kept": true}; told before anything is sent to the network
POST /api/unsigned  {"ticket", "processes"}           → {"kept": false}; the network refused what was signed for them
POST /api/signed    {"ticket", "messages"}            → {"checking": [ids]}; believed when the network shows them
POST /api/status    {"ticket", "processes"}           → {id: {"status", "checking", "latest"}}
POST /api/cannot    {"ticket", "processes", "reason"} → {"blocked": reason}; the owner can't act, and why
POST /api/tonight   {"ticket", "until"}               → {"next": time}; reminders wait until then
POST /api/qr        {"ticket"}                        → {"svg"}: the link as a QR code, for a wallet on a phone

A refusal is {"error": one sentence}. No key, seed or signature comes here: a message is only its id.

Why the list waits for an address: a link can be relayed or leak. Before a wallet is connected, and to a wallet that
owns none of it, it shows how many processes there are, not which; labels, which only their owner gave, are shown to
that owner's address alone. An address is public, so whoever knows both it and the link sees what a gateway would tell
them of that address anyway. To ask for a signature first would keep no more from them, and would teach owners to sign
in order to look. `others` is the owner's *continue anyway*: owners change, and gateways go on naming the first.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import segno
import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from bot.domain.card import Blocked
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId, parse_process_id
from bot.domain.ways import Way
from bot.errors import BadInput, MalformedProcessId, NotYours, TicketEnded
from bot.services.ticket_acts import TicketActs
from bot.services.ticketing import SignedMessage, Template, TicketContents, Ticketing, TicketProcess
from bot.settings import Settings
from bot.web import metrics
from bot.web.bodies import network_of, packed, process_as_json, read_body, refusal, template_as_json
from bot.web.watches import Watches

_MOST = 200
_log = structlog.get_logger()


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    ticket: str = Field(max_length=128)


class _List(_Body):
    address: str | None = Field(default=None, max_length=64)
    others: bool = False


class _Processes(_Body):
    processes: tuple[str, ...] = Field(max_length=_MOST)


class _Cannot(_Processes):
    reason: Blocked | None


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    process: str = Field(max_length=64)
    message: str = Field(max_length=64)
    installs: bool = False


class _Messages(_Body):
    messages: tuple[_Message, ...] = Field(max_length=_MOST)


class _Tonight(_Body):
    until: float = Field(gt=0, lt=1e11)  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Api:
    """The questions, answered."""

    ticketing: Ticketing
    acts: TicketActs
    watches: Watches
    settings: Settings

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the API."""
        names = ("ticket", "processes", "signing", "unsigned", "signed", "status", "cannot", "tonight", "qr")
        return [web.post(f"/api/{name}", getattr(self, name)) for name in names]

    async def ticket(self, request: web.Request) -> web.Response:
        """Show what the link is for. Changes nothing."""
        contents = await self._open((await read_body(request, _Body)).ticket)
        todo = [each for each in contents.processes if each.status is not Verdict.PATCHED]
        return packed(
            {
                "name": contents.display_name_hint,
                "community": contents.community,
                "expires_at": contents.expires_at.isoformat(),
                "all": len(contents.processes),
                "open": len(todo),
                "network": network_of(self.settings),
                "templates": [template_as_json(each) for each in _templates(contents)],
            }
        )

    async def processes(self, request: web.Request) -> web.Response:
        """List what an address owns, and with `others` what it does not, without labels. Changes nothing."""
        body = await read_body(request, _List)
        contents = await self._open(body.ticket)
        mine = [each for each in contents.processes if each.owner is not None and each.owner == body.address]
        rest = [each for each in contents.processes if each not in mine]
        shown = [*mine, *rest] if body.others else mine
        templates = _templates(contents)
        return web.json_response(
            {
                "others": 0 if body.others else sum(each.status is not Verdict.PATCHED for each in rest),
                "nobodys": sum(each.way is Way.PROCESS for each in rest),
                "processes": [_as_json(each, templates, own=each in mine) for each in shown],
            }
        )

    async def signing(self, request: web.Request) -> web.Response:
        """Keep what was signed, before the page sends it: whoever opens the link again goes on from there."""
        body = await read_body(request, _Messages)
        messages = _messages(body.messages)
        with _refusals():
            await self.ticketing.keep_signed(body.ticket, messages)
        return web.json_response({"kept": True})

    async def unsigned(self, request: web.Request) -> web.Response:
        """Forget what the network refused: it may be signed again."""
        body = await read_body(request, _Processes)
        with _refusals():
            await self.ticketing.forget_signed(body.ticket, _ids(body.processes))
        return web.json_response({"kept": False})

    async def signed(self, request: web.Request) -> web.Response:
        """Have processes read at once, as soon as the network shows these messages."""
        body = await read_body(request, _Messages)
        messages = _messages(body.messages)
        await self._on_it(body.ticket, [each.process for each in messages])
        begun: list[str] = []
        for each in messages:
            metrics.SIGNED.inc()
            _log.info("web.signed", process=each.process, message=each.message)
            if self.watches.begin(each.process, each.message, ticketed=True):
                begun.append(each.process)
        if messages and not begun:
            raise refusal(web.HTTPServiceUnavailable, "Many people are signing just now. Your process is checked soon.")
        return web.json_response({"checking": begun})

    async def status(self, request: web.Request) -> web.Response:
        """Say what is confirmed, and what the newest reading saw."""
        body = await read_body(request, _Processes)
        listed = await self._on_it(body.ticket, _ids(body.processes))
        return web.json_response(
            {
                each.process: {
                    "status": each.status,
                    "checking": self.watches.checking(each.process),
                    "latest": self.watches.latest(each.process),
                }
                for each in listed
            }
        )

    async def cannot(self, request: web.Request) -> web.Response:
        """Note why the owner can't act; null takes back that the network refused."""
        body = await read_body(request, _Cannot)
        with _refusals():
            await self.acts.cannot(body.ticket, _ids(body.processes), body.reason)
        return web.json_response({"blocked": body.reason})

    async def tonight(self, request: web.Request) -> web.Response:
        """Put the reminders off until this evening, as the page's clock has it."""
        body = await read_body(request, _Tonight)
        with _refusals():
            upcoming = await self.acts.put_off(body.ticket, datetime.fromtimestamp(body.until, UTC))
        return web.json_response({"next": upcoming.isoformat() if upcoming is not None else None})

    async def qr(self, request: web.Request) -> web.Response:
        """Draw the link. Only a ticket that opens is drawn, so that this draws nothing else."""
        body = await read_body(request, _Body)
        await self._open(body.ticket)
        origin = self.settings.sign_origin
        if origin is None:
            raise refusal(web.HTTPNotFound, "This server has no public address to draw.")
        drawing = io.BytesIO()
        segno.make(f"{origin}/sign#{body.ticket}", error="m").save(
            drawing, kind="svg", border=3, xmldecl=False, light="#fff"
        )
        return web.json_response({"svg": drawing.getvalue().decode()})

    async def _open(self, ticket: str) -> TicketContents:
        with _refusals():
            contents = await self.ticketing.open(ticket)
        metrics.TICKETS.labels("opened").inc()
        return contents

    async def _on_it(self, ticket: str, wanted: Sequence[ProcessId]) -> list[TicketProcess]:
        on_it = {each.process: each for each in (await self._open(ticket)).processes}
        if not {*wanted} <= on_it.keys():
            raise refusal(web.HTTPForbidden, "This link is not for that process.")
        return [on_it[process] for process in wanted]


class _refusals:
    """Turns what a person can act on into an answer of one sentence."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TicketEnded):
            metrics.TICKETS.labels("ended").inc()
            raise refusal(web.HTTPGone, str(error)) from None
        if isinstance(error, NotYours):
            raise refusal(web.HTTPForbidden, str(error)) from None
        if isinstance(error, BadInput):
            raise refusal(web.HTTPBadRequest, str(error)) from None


def _ids(texts: Sequence[str]) -> list[ProcessId]:
    try:
        return [*dict.fromkeys(parse_process_id(text) for text in texts)]
    except MalformedProcessId as error:
        raise refusal(web.HTTPBadRequest, str(error)) from None


def _messages(messages: Sequence[_Message]) -> list[SignedMessage]:
    by_process = {
        process: SignedMessage(process=process, message=message, installs=each.installs)
        for each in messages
        for process, message in [_ids([each.process]) + _ids([each.message])]  # a message's id has the same shape
    }
    return [*by_process.values()]


def _templates(contents: TicketContents) -> list[Template]:
    return [*dict.fromkeys(each.template for each in contents.processes)]


def _as_json(each: TicketProcess, templates: Sequence[Template], *, own: bool) -> dict[str, object]:
    signed: dict[str, object] | None = None
    if each.signed is not None:
        signed = {"message": each.signed.message, "installs": each.signed.installs}
    shown = process_as_json(
        process=each.process,
        label=each.label if own else None,
        name=each.name,
        owner=each.owner,
        status=each.status,
        way=each.way,
        blocked=each.blocked,
        signed=signed,
    )
    return shown | {"template": templates.index(each.template)}
