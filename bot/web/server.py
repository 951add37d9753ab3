"""The bot's web server: the signing page, its small API, health and metrics."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from yarl import URL

from bot.domain.presets import Preset
from bot.services.showing import Showing
from bot.services.ticket_acts import TicketActs
from bot.services.ticketing import Ticketing
from bot.settings import Settings
from bot.web import metrics
from bot.web.api import Api
from bot.web.bodies import BODY_LIMIT, refusal
from bot.web.files import file_handler
from bot.web.headers import security_headers
from bot.web.health import Health
from bot.web.limits import RateLimit, client_address
from bot.web.public import Public
from bot.web.watches import Believes, Watches

STATIC: Final = Path(__file__).parent / "static"
SCRIPTS: Final = ("ao", "bot", "help", "sending", "sign", "view", "watch")
FILES: Final = (*(f"{name}.js" for name in SCRIPTS), "sign.css", "bell.svg")
API_BURST, API_PER_SECOND = 60, 5.0
PUBLIC_BURST, PUBLIC_PER_SECOND = 30, 0.5
UNTICKETED_COST = 15
"""Of the API's tokens, for "I signed" without a ticket: four at once and one in three seconds of an address, so that
none takes more than a third of the places that `bot.web.watches` has for a minute each."""
HEALTH_SECONDS = 5

_log = structlog.get_logger()


def build_app(
    *,
    ticketing: Ticketing,
    acts: TicketActs,
    showing: Showing,
    believing: Believes,
    preset: Preset,
    settings: Settings,
    health: Callable[[], Awaitable[Health]],
) -> web.Application:
    """Put the web server together. `bot.web.serving` listens with it.

    Raises ConfigurationError where an AO host of the settings cannot be named in a content security policy.
    """
    guard = _Guard(settings)
    watches = Watches(showing, believing)
    app = web.Application(middlewares=[_measure, _as_json_errors, guard.middleware], client_max_size=BODY_LIMIT)
    app.on_response_prepare.append(_adding(security_headers(settings)))
    app.cleanup_ctx.append(_stopping(watches, showing))
    app.add_routes(Api(ticketing, acts, watches, settings).routes())
    app.add_routes(Public(showing, watches, settings, preset).routes())
    app.router.add_get("/sign", file_handler(STATIC / "sign.html"))
    app.router.add_get("/p/{process}", file_handler(STATIC / "sign.html"))
    for name in FILES:
        app.router.add_get(f"/static/{name}", file_handler(STATIC / name))
    app.router.add_get("/healthz", _healthz(health))
    app.router.add_get("/metrics", _metrics)
    return app


class _Guard:
    """Lets only our own page use the API, and each address only so often."""

    def __init__(self, settings: Settings) -> None:
        self._public_url = settings.web.public_url
        # As browsers write an origin: lower-cased, without a default port.
        self._origin = str(URL(self._public_url).origin()) if self._public_url else None
        self._proxies = settings.web.trusted_proxies
        self._limit = RateLimit(burst=API_BURST, per_second=API_PER_SECOND)
        self._public_limit = RateLimit(burst=PUBLIC_BURST, per_second=PUBLIC_PER_SECOND)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what is not ours, before anything is read or looked up."""
        if not request.path.startswith("/api/"):
            return await handler(request)
        address = client_address(request.remote, request.headers.getall("X-Forwarded-For", []), self._proxies)
        public = request.method == "GET" and request.path.startswith("/api/p/")
        cost = UNTICKETED_COST if not public and request.path.startswith("/api/p/") else 1
        if wait := (self._public_limit if public else self._limit).wait(address, cost):
            error = refusal(web.HTTPTooManyRequests, "That was often. Wait a moment, then try again.")
            error.headers["Retry-After"] = str(math.ceil(wait))
            if public:  # a page elsewhere reads why
                error.headers["Access-Control-Allow-Origin"] = "*"
            raise error
        if not public and not self._same_origin(request):
            home = f" Open it at {self._public_url}/sign." if self._public_url else ""
            raise refusal(web.HTTPForbidden, f"This server answers only its own page.{home}")
        return await handler(request)

    def _same_origin(self, request: web.Request) -> bool:
        """Every browser sends Origin with a POST; Sec-Fetch-Site, where it is sent, cannot be forged by a page."""
        ours = self._origin or f"{request.scheme}://{request.host}"
        return (
            request.headers.get("Origin") == ours
            and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        )


@web.middleware
async def _measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count by route pattern, so that no path that a stranger made up becomes a label."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "none"
    started = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        metrics.REQUESTS.labels(route, str(status)).inc()
        metrics.SECONDS.labels(route).observe(time.perf_counter() - started)


@web.middleware
async def _as_json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every refusal as `{"error": sentence}`, and every fault of ours as one that tells nothing."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = web.json_response({"error": _sentence(error)}, status=error.status)
        response.headers.update({name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers})
    except Exception:
        resource = request.match_info.route.resource
        _log.exception("web.failed", route=resource.canonical if resource is not None else "unknown")
        response = web.json_response({"error": "Something broke here, and is in our log. Try again."}, status=500)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


_KEPT_HEADERS: Final = ("Allow", "Retry-After", "Access-Control-Allow-Origin")
_SENTENCES: Final = {
    404: "There is nothing here. Signing links come by DM, or from /status in Discord.",
    405: "This address does not take that method.",
    413: "That is too much.",
}


def _sentence(error: web.HTTPException) -> str:
    return _SENTENCES.get(error.status) or error.text or error.reason


def _adding(headers: dict[str, str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)

    return add


def _stopping(watches: Watches, showing: Showing) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        yield
        await watches.stop()
        await showing.stop()

    return context


def _healthz(health: Callable[[], Awaitable[Health]]) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                report = (await health()).as_json()
        except TimeoutError:
            report = {"ok": False, "parts": [{"name": "health", "ok": False, "note": "did not answer in time"}]}
        return web.json_response(report, status=200 if report["ok"] else 503)

    return answer


async def _metrics(request: web.Request) -> web.Response:
    """Answer whoever is beside us. What comes through a proxy comes from outside, and is told nothing."""
    address = client_address(request.remote, (), ())
    if (
        address is None
        or not address.is_private
        or "X-Forwarded-For" in request.headers
        or "Forwarded" in request.headers
    ):
        raise web.HTTPNotFound
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
