"""REST routes by which the bot answers interactions. They need no bot token: the interaction's own token is enough."""

from __future__ import annotations

from aiohttp import web

from sandbox.discord.answering import Answering
from sandbox.discord.bodies import read_body
from sandbox.discord.rest_channels import ChannelRoutes


class InteractionRoutes:
    """The callback and the messages of an interaction."""

    def __init__(self, answering: Answering, channels: ChannelRoutes, application_id: int) -> None:
        self._answering = answering
        self._channels = channels
        self._application_id = application_id

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        webhook = "/webhooks/{webhook_id}/{webhook_token}"
        app.add_routes(
            [
                web.post("/interactions/{interaction_id}/{interaction_token}/callback", self.callback),
                web.post(webhook, self.followup),
                web.get(webhook + "/messages/{message_id}", self.read),
                web.patch(webhook + "/messages/{message_id}", self.edit),
                web.delete(webhook + "/messages/{message_id}", self.delete),
            ]
        )

    async def callback(self, request: web.Request) -> web.Response:
        """Answer POST /interactions/{id}/{token}/callback."""
        given = request.match_info["interaction_id"]
        body = await read_body(request)
        token = request.match_info["interaction_token"]
        response = self._answering.callback(int(given) if given.isdigit() else 0, token, body)
        if request.query.get("with_response") in ("1", "true", "True"):
            return web.json_response(response)
        return web.Response(status=204)

    async def followup(self, request: web.Request) -> web.Response:
        """Answer POST /webhooks/{application}/{token}; another id than the application's is an incoming webhook."""
        if request.match_info["webhook_id"] != str(self._application_id):
            return await self._channels.execute_webhook(request)
        body = await read_body(request)
        return web.json_response(self._answering.followup(request.match_info["webhook_token"], body))

    async def read(self, request: web.Request) -> web.Response:
        """Answer GET …/messages/{id or @original}."""
        return web.json_response(self._answering.read(*_which(request)))

    async def edit(self, request: web.Request) -> web.Response:
        """Answer PATCH …/messages/{id or @original}."""
        return web.json_response(self._answering.edit(*_which(request), await read_body(request)))

    async def delete(self, request: web.Request) -> web.Response:
        """Answer DELETE …/messages/{id or @original}."""
        self._answering.delete(*_which(request))
        return web.Response(status=204)


def _which(request: web.Request) -> tuple[str, str]:
    return request.match_info["webhook_token"], request.match_info["message_id"]
