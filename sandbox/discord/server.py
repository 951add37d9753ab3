"""The server: Discord's REST API and gateway on loopback, spoken as the real one speaks them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from bot.clock import Clock, utc_now
from sandbox.discord.answering import Answering
from sandbox.discord.bodies import REQUEST_SIZE, too_large
from sandbox.discord.commands import Commands
from sandbox.discord.errors import ApiError, plain
from sandbox.discord.events import Events
from sandbox.discord.faults import Faults, Loss, Moment
from sandbox.discord.gateway import Gateway
from sandbox.discord.interactions import Interactions
from sandbox.discord.rate_limits import RateLimits
from sandbox.discord.rest_application import ApplicationRoutes
from sandbox.discord.rest_channels import ChannelRoutes
from sandbox.discord.rest_interactions import InteractionRoutes
from sandbox.discord.world import World

TOKEN = "sandbox.not-a-secret.patchbell"
API = "/api/v10"
REMEMBERED = 2_000
"""Requests that are remembered."""
OPEN_TO_ALL = ("/interactions/", "/webhooks/")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request of the bot. `route` is like "POST /channels/{channel_id}/messages", `status` the answer's."""

    method: str
    path: str
    route: str
    status: int


class DiscordServer:
    """A whole Discord. `world` is what there is, `faults` what goes wrong, `gateway` the bot's sessions.

    `unknown_requests` holds what the bot asked for and this server does not know: tests hold it to be empty.
    """

    def __init__(self, clock: Clock = utc_now, *, token: str = TOKEN) -> None:
        self.token = token
        self.clock = clock
        self.events = Events()
        self.world = World(clock, self.events)
        self.faults = Faults()
        self.rate_limits = RateLimits()
        self.gateway = Gateway(self.world, token)
        self.commands = Commands(self.world)
        self.interactions = Interactions(self.world, self.commands, self.gateway.deliver)
        self.requests: deque[Recorded] = deque(maxlen=REMEMBERED)
        self.unknown_requests: deque[str] = deque(maxlen=REMEMBERED)
        self.origin = ""
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        """Where the REST API is, as `https://discord.com/api/v10`."""
        return self.origin + API

    @property
    def gateway_url(self) -> str:
        """Where the gateway is, as `wss://gateway.discord.gg`."""
        return self.gateway.url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Port 0: any free one."""
        runner = web.AppRunner(self._build(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        self._runner = runner
        port = runner.addresses[0][1]
        self.origin = f"http://{host}:{port}"
        self.gateway.url = f"ws://{host}:{port}/gateway"
        self.world.files_url = f"{self.origin}/attachments"

    async def stop(self) -> None:
        """Close all connections and stop listening."""
        self.interactions.close()
        self.gateway.close()
        self.events.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _build(self) -> web.Application:
        api = web.Application(client_max_size=REQUEST_SIZE)
        channels = ChannelRoutes(self.world, self.faults)
        answering = Answering(self.world, self.interactions)
        ApplicationRoutes(self.world, self.commands, self.gateway).add_to(api)
        channels.add_to(api)
        InteractionRoutes(answering, channels, self.world.application_id).add_to(api)
        app = web.Application(client_max_size=REQUEST_SIZE, middlewares=[self._guard])
        app.add_subapp(API, api)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/resume", self.gateway.handle)
        app.router.add_get("/attachments/{attachment_id}/{name}", self._file)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record an API request, refuse what must be refused, and say every refusal as Discord does."""
        if not request.path.startswith(API):
            return await handler(request)
        route = self._route(request)
        headers: dict[str, str] = {}
        try:
            self._authorize(request)
            await self.faults.pass_by(request, route, Moment.ARRIVED)
            if self.faults.resets(route) and request.transport is not None:
                request.transport.abort()
                raise plain(500, "Reset")
            self.faults.before(route, request.path)
            headers = self.rate_limits.take(route, request.match_info, self.clock().timestamp())
            response = await handler(request)
        except ApiError as error:
            headers |= error.headers
            response = web.json_response(error.body, status=error.status)
        except web.HTTPException as error:
            refused = too_large(error) or plain(error.status, HTTPStatus(error.status).phrase)
            response = web.json_response(refused.body, status=refused.status)
        response.headers.update(headers)
        if response.content_type == "application/json":
            response.headers["Content-Type"] = "application/json"  # Discord names no charset, and clients compare
        self.requests.append(Recorded(request.method, request.path.removeprefix(API), route, response.status))
        await self.faults.pass_by(request, route, Moment.DONE)
        return await self._lose_or_send(request, route, response)

    async def _lose_or_send(self, request: web.Request, route: str, response: web.StreamResponse) -> web.StreamResponse:
        if route in self.faults.answer_delays:
            await asyncio.sleep(self.faults.answer_delays[route])
        loss = self.faults.after(route) if response.status < HTTPStatus.BAD_REQUEST else None
        if loss is Loss.CUT and request.transport is not None:
            request.transport.abort()
        if loss is Loss.SERVER_ERROR:
            lost = plain(500, "Internal Server Error")
            return web.json_response(lost.body, status=lost.status)
        return response

    def _route(self, request: web.Request) -> str:
        resource = request.match_info.route.resource
        if resource is None:
            unknown = f"{request.method} {request.path}"
            self.unknown_requests.append(unknown)
            return unknown
        return f"{request.method} {resource.canonical.removeprefix(API)}"

    def _authorize(self, request: web.Request) -> None:
        path = request.path.removeprefix(API)
        open_to_all = path == "/gateway" or path.startswith(OPEN_TO_ALL)
        if not open_to_all and request.headers.get("Authorization") != f"Bot {self.token}":
            raise plain(401, "Unauthorized")

    async def _file(self, request: web.Request) -> web.Response:
        """Answer as Discord's file server does."""
        given = request.match_info["attachment_id"]
        attachment = self.world.attachments.get(int(given)) if given.isdigit() else None
        if attachment is None:
            raise web.HTTPNotFound
        return web.Response(body=attachment.data, content_type=attachment.content_type or "application/octet-stream")
