"""The sandbox's world: who is there, where, and what was said. Every list in it has an end.

Whoever changes it goes through its methods, so that the gateway and the watchers hear of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import timedelta

from bot.clock import Clock
from sandbox.discord import wire
from sandbox.discord.events import ChannelAppeared, Events, MessageChanged, MessageGone
from sandbox.discord.models import (
    Attachment,
    Channel,
    ChannelType,
    Guild,
    Json,
    Member,
    Message,
    Role,
    User,
    safe_name,
)
from sandbox.discord.permissions import IN_DM, READ_AND_WRITE, Can, Overwrite, compute
from sandbox.discord.snowflakes import Snowflakes

MESSAGES_PER_CHANNEL = 1_000
CHANNELS = 50_000
STORED_BYTES = 64 << 20
"""Bytes of uploaded files that are kept; the oldest go first."""
NONCE_MEMORY = timedelta(minutes=3)
"""Discord says "the past few minutes" (docs: resources/message.mdx)."""
NONCES = 20_000

Dispatch = Callable[[str, Json, int | None], None]
"""Takes an event's name, its data, and the guild it belongs to (None for a DM); the gateway puts itself here."""


class World:
    """People, guilds, channels, messages, files. `me` is the bot's own user, `application_id` its application's id."""

    def __init__(self, clock: Clock, events: Events) -> None:
        self.clock = clock
        self.events = events
        self.new_id = Snowflakes(clock).next
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.attachments: OrderedDict[int, Attachment] = OrderedDict()
        self.webhooks: dict[int, tuple[str, Channel]] = {}
        self.user_installs: set[int] = set()
        self.attachment_size_limit = 10 << 20
        self.files_url = ""
        self.dispatch: Dispatch = lambda name, data, guild_id: None
        self._messages: dict[int, OrderedDict[int, Message]] = {}
        self._dms: dict[frozenset[int], Channel] = {}
        self._nonces: OrderedDict[tuple[int, str], Message] = OrderedDict()
        self._stored_bytes = 0
        self.me = self.add_user("patchbell", "Patchbell", bot=True)
        self.application_id = self.me.id  # of one age with its bot, as with all newer applications
        self.owner = self.add_user("patchbell_operator", "Operator")

    # Who and where

    def add_user(self, username: str, name: str | None = None, *, bot: bool = False, locale: str = "en-US") -> User:
        """Make somebody. `name` is what others see."""
        user = User(self.new_id(), username, name, bot, locale)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner: User, *, bot_permissions: int | None = READ_AND_WRITE) -> Guild:
        """Make a guild. The bot joins it with a role of these permissions; None: the bot is not in it."""
        guild = Guild(self.new_id(), name, owner.id)
        self.guilds[guild.id] = guild
        self.add_member(guild, owner)
        if bot_permissions is not None:
            self.add_bot(guild, bot_permissions)
        return guild

    def add_bot(self, guild: Guild, permissions: int = READ_AND_WRITE) -> Role:
        """Let the bot join, as by its invite link with these permissions."""
        role = self.add_role(guild, self.me.name, permissions, managed=True)
        self.add_member(guild, self.me, [role])
        self.dispatch("GUILD_CREATE", self.guild_create(guild), guild.id)
        return role

    def guild_create(self, guild: Guild) -> Json:
        """Give what the bot is told of a guild that it is in."""
        threads = [
            each
            for each in guild.channels.values()
            if each.is_thread and not each.archived and self.permissions(self.me.id, each)
        ]
        return wire.guild_create(guild, self.users, self.me.id, threads)

    def remove_bot(self, guild: Guild) -> None:
        """Throw the bot out."""
        guild.members.pop(self.me.id, None)
        self.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)

    def add_role(self, guild: Guild, name: str, permissions: int = 0, *, managed: bool = False) -> Role:
        """Make a role."""
        role = Role(self.new_id(), name, permissions, managed)
        guild.roles[role.id] = role
        self.dispatch("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": wire.role(role)}, guild.id)
        return role

    def set_role_permissions(self, guild: Guild, role: Role, permissions: int) -> None:
        """Change what a role may do."""
        role.permissions = permissions
        self.dispatch("GUILD_ROLE_UPDATE", {"guild_id": str(guild.id), "role": wire.role(role)}, guild.id)

    def add_member(self, guild: Guild, user: User, roles: Iterable[Role] = ()) -> Member:
        """Let somebody join."""
        member = Member(user, self.clock(), [role.id for role in roles])
        guild.members[user.id] = member
        return member

    def remove_member(self, guild: Guild, user: User) -> None:
        """Let somebody leave."""
        guild.members.pop(user.id, None)

    def add_channel(
        self,
        guild: Guild,
        name: str,
        *,
        type: ChannelType = ChannelType.TEXT,
        topic: str | None = None,
        overwrites: Iterable[Overwrite] = (),
    ) -> Channel:
        """Make a channel of a guild."""
        channel = Channel(self.new_id(), type, name, topic, guild.id, overwrites=list(overwrites))
        guild.channels[channel.id] = self.channels[channel.id] = channel
        self.dispatch("CHANNEL_CREATE", wire.channel(channel, self.users), guild.id)
        self.events.publish(ChannelAppeared(channel.id))
        return channel

    def set_overwrites(self, channel: Channel, overwrites: Iterable[Overwrite]) -> None:
        """Change who may do what in a channel."""
        channel.overwrites = list(overwrites)
        self.dispatch("CHANNEL_UPDATE", wire.channel(channel, self.users), channel.guild_id)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a guild's channel with all its messages."""
        self.channels.pop(channel.id)
        self._messages.pop(channel.id, None)
        if channel.guild_id is not None:
            self.guilds[channel.guild_id].channels.pop(channel.id, None)
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        self.dispatch(event, wire.channel(channel, self.users), channel.guild_id)

    def dm(self, one: int, other: int) -> Channel:
        """Give the DM of two users, which is made the first time."""
        key = frozenset((one, other))
        if key not in self._dms:
            channel = Channel(self.new_id(), ChannelType.DM, recipients=(one, other))
            self._dms[key] = self.channels[channel.id] = channel
            self._drop_oldest_dms()
            self.events.publish(ChannelAppeared(channel.id, channel.recipients))
        return self._dms[key]

    def _drop_oldest_dms(self) -> None:
        while len(self._dms) > CHANNELS:
            oldest = self._dms.pop(next(iter(self._dms)))
            self.channels.pop(oldest.id)
            self._messages.pop(oldest.id, None)

    def dms_of(self, user_id: int) -> list[Channel]:
        """Give all DMs of a user, in the order in which they were made."""
        return [channel for pair, channel in self._dms.items() if user_id in pair]

    def add_webhook(self, channel: Channel) -> tuple[int, str]:
        """Make an incoming webhook, for alarms; give its id and token."""
        webhook_id = self.new_id()
        self.webhooks[webhook_id] = (f"webhook-{webhook_id:x}", channel)
        return webhook_id, self.webhooks[webhook_id][0]

    # Who may do what

    def permissions(self, user_id: int, channel: Channel) -> int:
        """Give what somebody may do in a channel; 0 where they are not in it."""
        if channel.type is ChannelType.DM:
            return IN_DM if user_id in channel.recipients else 0
        guild = self.guilds[channel.guild_id or 0]
        if guild.owner_id == user_id:
            return compute(Can.ADMINISTRATOR, (), everyone=guild.id, roles=(), member=user_id)
        member = guild.members.get(user_id)
        if member is None:
            return 0
        base = guild.roles[guild.id].permissions
        for role in member.roles:
            base |= guild.roles[role].permissions
        overwrites = (channel.parent or channel).overwrites
        mine = compute(base, overwrites, everyone=guild.id, roles=member.roles, member=user_id)
        if channel.type is ChannelType.PRIVATE_THREAD and not (
            user_id in channel.thread_members or wire.allows(mine, Can.MANAGE_THREADS)
        ):
            return 0
        return mine

    def share_a_guild(self, one: int, other: int) -> bool:
        """Tell whether two users are in one guild."""
        return any(one in guild.members and other in guild.members for guild in self.guilds.values())

    # What was said

    def post(self, message: Message, *, remember_nonce: bool = False) -> None:
        """Store a new message, and tell everybody who may see it."""
        stored = self._messages.setdefault(message.channel_id, OrderedDict())
        stored[message.id] = message
        if len(stored) > MESSAGES_PER_CHANNEL:
            stored.popitem(last=False)
        if remember_nonce and message.nonce is not None:
            self._nonces[message.author.id, str(message.nonce)] = message
            if len(self._nonces) > NONCES:
                self._nonces.popitem(last=False)
        self._tell("MESSAGE_CREATE", message)
        self.events.publish(MessageChanged(message, new=True))

    def edited(self, message: Message) -> None:
        """Tell that a message was changed in place."""
        self._tell("MESSAGE_UPDATE", message)
        self.events.publish(MessageChanged(message, new=False))

    def delete(self, message: Message) -> None:
        """Delete a message."""
        message.deleted = True
        self._messages.get(message.channel_id, OrderedDict()).pop(message.id, None)
        if message.only_for is None:
            channel = self.channels.get(message.channel_id)
            guild_id = channel.guild_id if channel else None
            gone: Json = {"id": str(message.id), "channel_id": str(message.channel_id)}
            self.dispatch("MESSAGE_DELETE", gone | ({"guild_id": str(guild_id)} if guild_id else {}), guild_id)
        self.events.publish(MessageGone(message))

    def _tell(self, name: str, message: Message) -> None:
        if message.only_for is not None:
            return
        channel = self.channels[message.channel_id]
        data = wire.message(message, self.users)
        if channel.guild_id is not None:
            member = self.guilds[channel.guild_id].members.get(message.author.id)
            data["guild_id"] = str(channel.guild_id)
            if member is not None:
                data["member"] = {key: value for key, value in wire.member(member).items() if key != "user"}
        self.dispatch(name, data, channel.guild_id)

    def message(self, message_id: int, channel_id: int | None = None) -> Message | None:
        """Find a message, an ephemeral one too."""
        if channel_id is not None:
            return self._messages.get(channel_id, OrderedDict()).get(message_id)
        return next((stored[message_id] for stored in self._messages.values() if message_id in stored), None)

    def messages(self, channel_id: int, *, seen_by: int) -> list[Message]:
        """Give what somebody sees in a channel, oldest first; without ephemeral messages for others."""
        stored = self._messages.get(channel_id, OrderedDict()).values()
        return [message for message in stored if message.only_for in (None, seen_by) and not message.dismissed]

    def with_nonce(self, author_id: int, nonce: str) -> Message | None:
        """Give the author's message with this nonce of the last minutes, even if it was deleted since."""
        message = self._nonces.get((author_id, nonce))
        return message if message is not None and self.clock() - message.at <= NONCE_MEMORY else None

    def upload(self, name: str, data: bytes, *, content_type: str | None = None, ephemeral: bool = False) -> Attachment:
        """Store a file."""
        attachment_id, name = self.new_id(), safe_name(name)
        url = f"{self.files_url}/{attachment_id}/{name}"
        attachment = Attachment(attachment_id, name, data, url, content_type, ephemeral=ephemeral)
        self.attachments[attachment_id] = attachment
        self._stored_bytes += len(data)
        while self._stored_bytes > STORED_BYTES and len(self.attachments) > 1:
            self._stored_bytes -= len(self.attachments.popitem(last=False)[1].data)
        return attachment
