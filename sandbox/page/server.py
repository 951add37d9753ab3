"""The page's server: everything of the sandbox under `/sandbox/`, everything else is the bot's, through the proxy.

GET  /sandbox/                the page
GET  /sandbox/api/state       → State (stage.py)
GET  /sandbox/api/looks       → [Look] (looking.py), one for each seeded process
GET  /sandbox/api/feed        server-sent events: {"type": "state", …State}, {"type": "signed"} and
                              {"type": "discord", "event": Event of sandbox/discord/people_http.py}
POST /sandbox/api/skip-day    {}
POST /sandbox/api/kill        {}
POST /sandbox/api/nodes       {"down": how many}
…    /sandbox/discord/…       people's actions and the feed of their messages (sandbox/discord/people_http.py)
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.page import STATIC
from sandbox.page.stage import Stage

# The page of the sandbox obeys the same kind of policy as the bot's: nothing but our own files.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
KEY = web.AppKey("stage", Stage)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_page(stage: Stage) -> web.Application:
    """Make the application. `stage` need not have started yet."""
    app = web.Application(middlewares=[_only_from_here])
    app[KEY] = stage
    app.add_routes(
        [
            web.get("/", _to_the_page),
            web.get("/sandbox", _to_the_page),
            web.get("/sandbox/", _page),
            web.static("/sandbox/static", STATIC),
            web.get("/sandbox/api/state", _state),
            web.get("/sandbox/api/looks", _looks),
            web.get("/sandbox/api/feed", stage.feed.listen),
            web.post("/sandbox/api/skip-day", _acted(lambda stage, _: stage.skip_day())),
            web.post("/sandbox/api/kill", _acted(lambda stage, _: stage.kill_bot())),
            web.post("/sandbox/api/nodes", _acted(lambda stage, given: stage.set_nodes_down(int(given["down"])))),
        ]
    )
    stage.add_routes(app)
    app.router.add_route("*", "/{path:(?!sandbox/).*}", stage.proxy.handle)
    return app


@web.middleware
async def _only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that only lead here (DNS rebinding), and posts that other sites' pages make."""
    host = request.host.rpartition(":")[0] or request.host
    origin = request.headers.get("Origin")
    if host not in LOOPBACK or (origin is not None and origin != f"{request.scheme}://{request.host}"):
        return web.Response(status=403, text="The sandbox is for this machine's own browser.")
    return await handler(request)


async def _to_the_page(_: web.Request) -> web.Response:
    raise web.HTTPFound("/sandbox/")


async def _page(_: web.Request) -> web.StreamResponse:
    return web.FileResponse(
        STATIC / "index.html", headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    )


async def _state(request: web.Request) -> web.Response:
    return web.json_response(request.app[KEY].state())


async def _looks(request: web.Request) -> web.Response:
    return web.json_response(await request.app[KEY].look())


def _acted(act: Callable[[Stage, dict[str, object]], Awaitable[None]]) -> Handler:
    """Answer a switch: read its JSON, turn it, give the new state. 400 where the JSON is not what it must be."""

    async def handle(request: web.Request) -> web.Response:
        stage: Stage = request.app[KEY]
        try:
            await act(stage, await request.json())
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response(stage.state())

    return handle
