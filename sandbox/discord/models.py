"""Who and what there is: people, guilds, channels, messages. Plain data; `wire.py` says it in Discord's JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Any, TypeAlias

from sandbox.discord.permissions import EVERYONE, Overwrite

Json: TypeAlias = "dict[str, Any]"


_ODD_IN_NAME = re.compile(r"[^\w.\-]+", re.ASCII)


def safe_name(name: str) -> str:
    """Give a file's name as Discord stores it: letters, numbers, dots, dashes and underscores."""
    return _ODD_IN_NAME.sub("_", name).strip("_") or "file"


class ChannelType(IntEnum):
    """The kinds of channel that the sandbox knows (docs: resources/channel.mdx)."""

    TEXT = 0
    DM = 1
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12


THREADS = frozenset({ChannelType.ANNOUNCEMENT_THREAD, ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD})


class Flag(IntFlag):
    """Message flags (docs: resources/message.mdx)."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


@dataclass(slots=True, eq=False)
class User:
    """A person or a bot. `locale` is the language that the person's client is set to."""

    id: int
    username: str
    global_name: str | None = None
    bot: bool = False
    locale: str = "en-US"

    @property
    def name(self) -> str:
        """The name that others see."""
        return self.global_name or self.username


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild. That of everybody has the guild's id."""

    id: int
    name: str
    permissions: int = 0
    managed: bool = False


@dataclass(slots=True, eq=False)
class Member:
    """One user in one guild."""

    user: User
    joined_at: datetime
    roles: list[int] = field(default_factory=list)
    nick: str | None = None


@dataclass(slots=True, eq=False)
class Channel:
    """A guild's channel, or a DM of two `recipients` (user ids). A DM may be there before anybody wrote in it.

    Of a thread: its `parent`, the ids of its `thread_members`, and when it was last archived or opened.
    """

    id: int
    type: ChannelType
    name: str = ""
    topic: str | None = None
    guild_id: int | None = None
    recipients: tuple[int, ...] = ()
    overwrites: list[Overwrite] = field(default_factory=list)
    parent: Channel | None = None
    thread_members: set[int] = field(default_factory=set)
    archived: bool = False
    locked: bool = False
    changed_at: datetime | None = None

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread of another channel."""
        return self.type in THREADS


@dataclass(slots=True, eq=False)
class Guild:
    """A server, as people call it."""

    id: int
    name: str
    owner_id: int
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roles.setdefault(self.id, Role(self.id, "@everyone", EVERYONE))


@dataclass(slots=True, eq=False)
class Attachment:
    """A file that somebody uploaded."""

    id: int
    name: str
    data: bytes
    url: str
    content_type: str | None = None
    description: str | None = None
    ephemeral: bool = False


@dataclass(slots=True, eq=False)
class Via:
    """The interaction that a message answers. `command` is None for a press or a dialog."""

    interaction_id: int
    type: int
    user: User
    command: str | None = None


@dataclass(slots=True, eq=False)
class Message:
    """A message as it is now: edits change it in place. `only_for`: ephemeral, for the user of this id."""

    id: int
    channel_id: int
    author: User
    at: datetime
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    type: int = 0
    nonce: str | int | None = None
    mentions: tuple[int, ...] = ()
    mention_roles: tuple[int, ...] = ()
    mention_everyone: bool = False
    only_for: int | None = None
    webhook_id: int | None = None
    reply_to: int | None = None
    via: Via | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    dismissed: bool = False

    @property
    def is_v2(self) -> bool:
        """Whether it is made of components alone."""
        return bool(self.flags & Flag.COMPONENTS_V2)

    @property
    def is_loading(self) -> bool:
        """Whether the person sees "… is thinking"."""
        return bool(self.flags & Flag.LOADING)
