"""REST routes about the application, its commands, its guilds, and the people in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.discord import wire
from sandbox.discord.bodies import read_body
from sandbox.discord.command_rules import check_command, check_commands
from sandbox.discord.commands import Commands
from sandbox.discord.errors import Form, Json, refusal
from sandbox.discord.gateway import Gateway
from sandbox.discord.models import Guild
from sandbox.discord.world import World

Handler = Callable[[web.Request], Awaitable[web.Response]]
IDENTIFIES = 1000
"""A bot may IDENTIFY so often a day (docs: events/gateway.mdx)."""


class ApplicationRoutes:
    """The bot's requests about itself and what it may see."""

    def __init__(self, world: World, commands: Commands, gateway: Gateway) -> None:
        self._world = world
        self._commands = commands
        self._gateway = gateway

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        for scope in ("", "/guilds/{guild_id}"):
            path = f"/applications/{{application_id}}{scope}/commands"
            app.router.add_get(path, self.list_commands)
            app.router.add_put(path, self.overwrite_commands)
            app.router.add_post(path, self.upsert_command)
            app.router.add_get(path + "/{command_id}", self.read_command)
            app.router.add_delete(path + "/{command_id}", self.delete_command)
        app.add_routes(
            [
                web.get("/gateway", self.gateway),
                web.get("/gateway/bot", self.gateway_bot),
                web.get("/applications/@me", self.application),
                web.get("/oauth2/applications/@me", self.application),
                web.get("/users/@me", self.me),
                web.get("/users/@me/guilds", self.my_guilds),
                web.get("/users/{user_id}", self.user),
                web.get("/guilds/{guild_id}", self.guild),
                web.get("/guilds/{guild_id}/channels", self.channels),
                web.get("/guilds/{guild_id}/roles", self.roles),
                web.get("/guilds/{guild_id}/roles/{role_id}", self.role),
                web.get("/guilds/{guild_id}/members/{user_id}", self.member),
            ]
        )

    async def gateway(self, _: web.Request) -> web.Response:
        """Answer GET /gateway."""
        return web.json_response({"url": self._gateway.url})

    async def gateway_bot(self, _: web.Request) -> web.Response:
        """Answer GET /gateway/bot."""
        left = max(IDENTIFIES - self._gateway.identified, 0)
        starts = {"total": IDENTIFIES, "remaining": left, "reset_after": 14_400_000, "max_concurrency": 1}
        about = {"url": self._gateway.url, "shards": self._gateway.shards, "session_start_limit": starts}
        return web.json_response(about)

    async def application(self, _: web.Request) -> web.Response:
        """Answer GET /applications/@me and its older name."""
        world = self._world
        install = {"scopes": ["applications.commands", "bot"], "permissions": "0"}
        return web.json_response(
            {
                "id": str(world.application_id),
                "name": world.me.name,
                "icon": None,
                "description": "",
                "bot_public": True,
                "bot_require_code_grant": False,
                "verify_key": "0" * 64,
                "owner": wire.user(world.owner),
                "team": None,
                "summary": "",
                "flags": 0,
                "bot": wire.user(world.me),
                "approximate_guild_count": len(world.guilds),
                "approximate_user_install_count": len(world.user_installs),
                "redirect_uris": [],
                "interactions_endpoint_url": None,
                "role_connections_verification_url": None,
                "tags": [],
                "integration_types_config": {"0": {"oauth2_install_params": install}, "1": {}},
            }
        )

    async def me(self, _: web.Request) -> web.Response:
        """Answer GET /users/@me."""
        return web.json_response(wire.user(self._world.me) | {"verified": True, "mfa_enabled": False, "flags": 0})

    async def my_guilds(self, _: web.Request) -> web.Response:
        """Answer GET /users/@me/guilds."""
        mine = [guild for guild in self._world.guilds.values() if self._world.me.id in guild.members]
        partial = ({"id": str(guild.id), "name": guild.name, "icon": None, "owner": False} for guild in mine)
        return web.json_response([guild | {"permissions": "0", "features": []} for guild in partial])

    async def user(self, request: web.Request) -> web.Response:
        """Answer GET /users/{id}."""
        user = self._world.users.get(_id(request, "user_id"))
        if user is None:
            raise refusal(10013)
        return web.json_response(wire.user(user))

    # Guilds

    async def guild(self, request: web.Request) -> web.Response:
        """Answer GET /guilds/{id}."""
        return web.json_response(wire.guild(self._guild(request), self._world.users))

    async def channels(self, request: web.Request) -> web.Response:
        """Answer GET /guilds/{id}/channels."""
        channels = self._guild(request).channels.values()
        return web.json_response([wire.channel(channel, self._world.users) for channel in channels])

    async def roles(self, request: web.Request) -> web.Response:
        """Answer GET /guilds/{id}/roles."""
        return web.json_response([wire.role(role) for role in self._guild(request).roles.values()])

    async def role(self, request: web.Request) -> web.Response:
        """Answer GET /guilds/{id}/roles/{id}."""
        role = self._guild(request).roles.get(_id(request, "role_id"))
        if role is None:
            raise refusal(10011)
        return web.json_response(wire.role(role))

    async def member(self, request: web.Request) -> web.Response:
        """Answer GET /guilds/{id}/members/{id}."""
        member = self._guild(request).members.get(_id(request, "user_id"))
        if member is None:
            raise refusal(10007 if _id(request, "user_id") in self._world.users else 10013)
        return web.json_response(wire.member(member))

    def _guild(self, request: web.Request) -> Guild:
        guild = self._world.guilds.get(_id(request, "guild_id"))
        if guild is None:
            raise refusal(10004)
        if self._world.me.id not in guild.members:
            raise refusal(50001)
        return guild

    # Commands

    async def list_commands(self, request: web.Request) -> web.Response:
        """Answer GET …/commands; translations only where `with_localizations` asks for them."""
        commands = self._commands.of_scope(self._scope(request))
        if request.query.get("with_localizations") in ("1", "true", "True"):
            return web.json_response(commands)
        return web.json_response([_untranslated(command) for command in commands])

    async def overwrite_commands(self, request: web.Request) -> web.Response:
        """Answer PUT …/commands: these, and no others."""
        scope = self._scope(request)
        given = (await read_body(request)).json
        commands = check_commands(given.get("", given) if isinstance(given, dict) else given)
        return web.json_response(self._commands.overwrite(scope, commands))

    async def upsert_command(self, request: web.Request) -> web.Response:
        """Answer POST …/commands."""
        scope, form = self._scope(request), Form()
        command = check_command(form, (await read_body(request)).json, [])
        form.done()
        stored, new = self._commands.upsert(scope, command)
        return web.json_response(stored, status=201 if new else 200)

    async def read_command(self, request: web.Request) -> web.Response:
        """Answer GET …/commands/{id}."""
        return web.json_response(self._commands.get(self._scope(request), _id(request, "command_id")))

    async def delete_command(self, request: web.Request) -> web.Response:
        """Answer DELETE …/commands/{id}."""
        self._commands.delete(self._scope(request), _id(request, "command_id"))
        return web.Response(status=204)

    def _scope(self, request: web.Request) -> int | None:
        if _id(request, "application_id") != self._world.application_id:
            raise refusal(50001)
        return self._guild(request).id if "guild_id" in request.match_info else None


def _id(request: web.Request, name: str) -> int:
    given = request.match_info[name]
    return int(given) if given.isdigit() else 0


def _untranslated(node: Json) -> Json:
    kept = {key: value for key, value in node.items() if not key.endswith("_localizations")}
    if kept.get("options"):
        kept["options"] = [_untranslated(option) for option in kept["options"]]
    return kept
