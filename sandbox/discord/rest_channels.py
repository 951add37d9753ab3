"""REST routes about channels and their messages (docs: resources/message.mdx, channel.mdx, user.mdx)."""

from __future__ import annotations

from aiohttp import web

from sandbox.discord import wire
from sandbox.discord.bodies import SENDABLE, Draft, check_nonce, read_body, read_draft
from sandbox.discord.errors import Form, Json, refusal
from sandbox.discord.faults import Faults
from sandbox.discord.models import Channel, ChannelType, Flag, Message, User
from sandbox.discord.permissions import Can
from sandbox.discord.publishing import create_message, edit_message
from sandbox.discord.threads import check_open, needed_to_write
from sandbox.discord.world import World

PAGE = 100
REPLY = 19


class ChannelRoutes:
    """The bot's requests about channels. `known` are users whom the bot wrote to before: a quarantine spares them."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._known: dict[int, None] = {}

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        messages = "/channels/{channel_id}/messages"
        app.add_routes(
            [
                web.get("/channels/{channel_id}", self.read_channel),
                web.post("/channels/{channel_id}/typing", self.type),
                web.get(messages, self.list),
                web.post(messages, self.create),
                web.get(messages + "/{message_id}", self.read),
                web.patch(messages + "/{message_id}", self.edit),
                web.delete(messages + "/{message_id}", self.delete),
                web.post("/users/@me/channels", self.open_dm),
            ]
        )

    async def read_channel(self, request: web.Request) -> web.Response:
        """Answer GET /channels/{id}."""
        channel = self._channel(request)
        return web.json_response(wire.channel(channel, self._world.users, seen_by=self._world.me.id))

    async def type(self, request: web.Request) -> web.Response:
        """Answer POST …/typing."""
        channel = self._channel(request)
        self._may(channel, needed_to_write(channel))
        return web.Response(status=204)

    async def list(self, request: web.Request) -> web.Response:
        """Answer GET …/messages: newest first, `limit` 1 to 100, and one of `before`, `after`, `around`."""
        channel = self._channel(request)
        query, form = request.query, Form()
        limit = int(query["limit"]) if query.get("limit", "").isdigit() else 50
        form.number(["limit"], limit, at_least=1, at_most=PAGE)
        form.done()
        found = [
            message for message in self._world.messages(channel.id, seen_by=self._world.me.id) if not message.only_for
        ]
        if not wire.allows(self._mine(channel), Can.READ_MESSAGE_HISTORY):
            found = []
        if "before" in query:
            found = [message for message in found if message.id < int(query["before"])]
        if "after" in query:
            found = [message for message in found if message.id > int(query["after"])][:limit]
        if "around" in query:
            near = sorted(found, key=lambda message: abs(message.id - int(query["around"])))[:limit]
            found = [message for message in found if message in near]
        return web.json_response([self._json(message) for message in reversed(found[-limit:])])

    async def create(self, request: web.Request) -> web.Response:
        """Answer POST …/messages."""
        channel = self._channel(request)
        body = await read_body(request)
        self._may(channel, needed_to_write(channel) | (Can.ATTACH_FILES if body.files else 0))
        other = self._other(channel)
        if other is not None:
            self._refuse_closed(other)
        nonce = body.json.get("nonce")
        check_nonce(nonce)
        enforced = bool(body.json.get("enforce_nonce")) and nonce is not None
        if enforced and (before := self._world.with_nonce(self._world.me.id, str(nonce))) is not None:
            if before.deleted:
                raise refusal(10008)
            return web.json_response(self._json(before))
        draft = read_draft(body, file_limit=self._world.attachment_size_limit)
        check_open(self._world, self._world.me.id, channel, writes=True)
        message = self._post(channel, draft, body.json, nonce, remember_nonce=enforced)
        if other is not None:
            self._known[other.id] = None
        return web.json_response(self._json(message))

    def _post(self, channel: Channel, draft: Draft, given: Json, nonce: object, *, remember_nonce: bool) -> Message:
        reply_to = self._reference(channel, given.get("message_reference"))
        return create_message(
            self._world,
            draft,
            author=self._world.me,
            channel=channel,
            nonce=nonce,
            remember_nonce=remember_nonce,
            reply_to=reply_to,
            type=REPLY if reply_to else 0,
        )

    async def read(self, request: web.Request) -> web.Response:
        """Answer GET …/messages/{id}."""
        channel = self._channel(request)
        self._may(channel, Can.READ_MESSAGE_HISTORY)
        return web.json_response(self._json(self._message(request, channel)))

    async def edit(self, request: web.Request) -> web.Response:
        """Answer PATCH …/messages/{id}."""
        channel = self._channel(request)
        message = self._message(request, channel)
        if message.author is not self._world.me:
            raise refusal(50005)
        check_open(self._world, self._world.me.id, channel, writes=False)
        body = await read_body(request)
        # Of an edit's flags, only V2 and the hiding of embeds are read (docs: "Edit Message").
        settable = SENDABLE & ~Flag.SUPPRESS_NOTIFICATIONS
        draft = read_draft(body, file_limit=self._world.attachment_size_limit, settable=settable, current=message)
        edit_message(self._world, message, draft)
        return web.json_response(self._json(message))

    async def delete(self, request: web.Request) -> web.Response:
        """Answer DELETE …/messages/{id}."""
        channel = self._channel(request)
        message = self._message(request, channel)
        if message.author is not self._world.me:
            if channel.type is ChannelType.DM:
                raise refusal(50003)
            self._may(channel, Can.MANAGE_MESSAGES)
        self._world.delete(message)
        return web.Response(status=204)

    async def open_dm(self, request: web.Request) -> web.Response:
        """Answer POST /users/@me/channels."""
        recipient = str((await read_body(request)).json.get("recipient_id", ""))
        user = self._world.users.get(int(recipient)) if recipient.isdigit() else None
        if user is None or user.bot:
            raise refusal(50033)
        if self._faults.opening_too_fast:
            raise refusal(40003)
        if self._faults.quarantined and user.id not in self._known:
            raise refusal(20026)
        channel = self._world.dm(self._world.me.id, user.id)
        return web.json_response(wire.channel(channel, self._world.users, seen_by=self._world.me.id))

    async def execute_webhook(self, request: web.Request) -> web.Response:
        """Answer POST /webhooks/{id}/{token} of an incoming webhook, as for alarms."""
        token, channel = self._world.webhooks.get(int(request.match_info["webhook_id"]), ("", None))
        if channel is None:
            raise refusal(10015)
        if token != request.match_info["webhook_token"]:
            raise refusal(50027)
        body = await read_body(request)
        draft = read_draft(body, file_limit=self._world.attachment_size_limit)
        webhook_id = int(request.match_info["webhook_id"])
        author = User(webhook_id, str(body.json.get("username") or "Alarms"), bot=True)
        message = create_message(self._world, draft, author=author, channel=channel, webhook_id=webhook_id)
        if request.query.get("wait") in ("1", "true", "True"):
            return web.json_response(self._json(message))
        return web.Response(status=204)

    # Who may

    def _channel(self, request: web.Request) -> Channel:
        """Give the channel, which the bot must be able to see."""
        given = request.match_info["channel_id"]
        channel = self._world.channels.get(int(given)) if given.isdigit() else None
        if channel is None:
            raise refusal(10003)
        if not wire.allows(self._mine(channel), Can.VIEW_CHANNEL):
            raise refusal(50001)
        return channel

    def _mine(self, channel: Channel) -> int:
        return self._world.permissions(self._world.me.id, channel)

    def _may(self, channel: Channel, needed: int) -> None:
        if not wire.allows(self._mine(channel), needed):
            raise refusal(50013)

    def _message(self, request: web.Request, channel: Channel) -> Message:
        given = request.match_info["message_id"]
        message = self._world.message(int(given), channel.id) if given.isdigit() else None
        if message is None or message.only_for is not None:
            raise refusal(10008)
        return message

    def _other(self, channel: Channel) -> User | None:
        """Give the other side of a DM."""
        others = [user_id for user_id in channel.recipients if user_id != self._world.me.id]
        return self._world.users[others[0]] if others else None

    def _refuse_closed(self, user: User) -> None:
        """Refuse a DM that cannot arrive: the person's switch, no guild in common, or our quarantine."""
        if user.id in self._faults.closed_dms:
            raise refusal(50007)
        reachable = self._world.share_a_guild(user.id, self._world.me.id) or user.id in self._world.user_installs
        if user.id in self._faults.no_mutual_guild or not reachable:
            raise refusal(50278)
        if self._faults.quarantined and user.id not in self._known:
            raise refusal(20026)

    def _reference(self, channel: Channel, given: Json | None) -> int | None:
        if given is None:
            return None
        found = self._world.message(int(given.get("message_id") or 0), channel.id)
        if found is not None and found.only_for is None:
            self._may(channel, Can.READ_MESSAGE_HISTORY)
            return found.id
        if given.get("fail_if_not_exists", True):
            form = Form()
            form.wrong(["message_reference"], "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
            form.done()
        return None

    def _json(self, message: Message) -> Json:
        return wire.message(message, self._world.users)
