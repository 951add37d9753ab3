"""The `resolved` part of an interaction: the users, roles, channels and files behind the ids that a person chose."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

from sandbox.discord import wire
from sandbox.discord.controls import Kind
from sandbox.discord.errors import Json
from sandbox.discord.models import Channel
from sandbox.discord.refusals import BadChoice
from sandbox.discord.world import World

File: TypeAlias = "tuple[str, bytes]"
"""A file's name and its bytes."""

_MAY_BE = {
    Kind.USER_SELECT: ("users",),
    Kind.ROLE_SELECT: ("roles",),
    Kind.MENTIONABLE_SELECT: ("users", "roles"),
    Kind.CHANNEL_SELECT: ("channels",),
}


class Resolver:
    """Collects what one interaction refers to, as its person's client sees it."""

    def __init__(self, world: World, channel: Channel, user_id: int) -> None:
        self._world = world
        self._channel = channel
        self._user_id = user_id
        self.found: Json = {}

    def pick(self, kind: Kind, ids: Iterable[object]) -> list[str]:
        """Resolve the values of a select of people, roles or channels; give them as texts. Raises BadChoice."""
        return [self.one(_MAY_BE[kind], each) for each in ids]

    def one(self, may_be: tuple[str, ...], given: object, channel_types: Collection[int] | None = None) -> str:
        """Resolve one id, of whichever of "users", "roles", "channels" it may be. Raises BadChoice.

        `channel_types`: the kinds of channel that are offered; None: all.
        """
        wanted = int(getattr(given, "id", given))  # type: ignore[call-overload] # an object with an id, or the id itself
        channel = self._world.channels.get(wanted)
        if channel is not None and channel_types and channel.type not in channel_types:
            raise BadChoice(f"The client offers no channel of this kind ({channel.type.name}).")
        for kind in may_be:
            if getattr(self, f"_{kind}")(wanted):
                return str(wanted)
        raise BadChoice(f"The client offers no {' or '.join(may_be)} {wanted} here.")

    def upload(self, file: File) -> str:
        """Upload a file, and give its id. Raises BadChoice where it is too large."""
        name, data = file
        if len(data) > self._world.attachment_size_limit:
            raise BadChoice(f"Your files are too powerful: {name} has {len(data)} bytes.")
        attachment = self._world.upload(name, data, ephemeral=True)
        self.found.setdefault("attachments", {})[str(attachment.id)] = wire.attachment(attachment)
        return str(attachment.id)

    def _users(self, user_id: int) -> bool:
        user = self._world.users.get(user_id)
        guild = self._world.guilds.get(self._channel.guild_id or 0)
        member = guild.members.get(user_id) if guild else None
        if user is None or (guild is None and user_id not in self._channel.recipients):
            return False
        self.found.setdefault("users", {})[str(user_id)] = wire.user(user)
        if member is not None:
            mine = wire.member(member, permissions=self._world.permissions(user_id, self._channel))
            partial = {key: value for key, value in mine.items() if key not in ("user", "deaf", "mute")}
            self.found.setdefault("members", {})[str(user_id)] = partial
        return True

    def _roles(self, role_id: int) -> bool:
        guild = self._world.guilds.get(self._channel.guild_id or 0)
        role = guild.roles.get(role_id) if guild else None
        if role is None:
            return False
        self.found.setdefault("roles", {})[str(role_id)] = wire.role(role)
        return True

    def _channels(self, channel_id: int) -> bool:
        channel = self._world.channels.get(channel_id)
        mine = self._world.permissions(self._user_id, channel) if channel else 0
        if channel is None or not mine or channel.guild_id != self._channel.guild_id:
            return False
        partial = wire.partial_channel(channel, self._world.users, permissions=mine, seen_by=self._user_id)
        self.found.setdefault("channels", {})[str(channel_id)] = partial
        return True
