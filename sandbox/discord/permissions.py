"""Permission bits, and how Discord computes them (docs: topics/permissions.mdx)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag


class Can(IntFlag):
    """The permissions that the sandbox knows."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    SEND_MESSAGES_IN_THREADS = 1 << 38


ALL = (1 << 52) - 1
READ_AND_WRITE = Can.VIEW_CHANNEL | Can.SEND_MESSAGES | Can.EMBED_LINKS | Can.ATTACH_FILES | Can.READ_MESSAGE_HISTORY
EVERYONE = READ_AND_WRITE | Can.SEND_MESSAGES_IN_THREADS | Can.ADD_REACTIONS | Can.USE_APPLICATION_COMMANDS
"""What a new guild allows everybody, as far as the sandbox has it."""
IN_DM = (
    READ_AND_WRITE | Can.ADD_REACTIONS | Can.MENTION_EVERYONE | Can.USE_APPLICATION_COMMANDS | Can.USE_EXTERNAL_EMOJIS
)


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What one channel allows and denies a role (`kind` 0) or a member (`kind` 1)."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0


def compute(base: int, overwrites: Iterable[Overwrite], *, everyone: int, roles: Iterable[int], member: int) -> int:
    """Give what a channel leaves of `base`, the roles' permissions together: everyone, then roles, then the member."""
    if base & Can.ADMINISTRATOR:
        return ALL
    by_id = {overwrite.id: overwrite for overwrite in overwrites}
    mine = [by_id[role] for role in roles if role in by_id and role != everyone]
    for layer in ([by_id[everyone]] if everyone in by_id else [], mine, [by_id[member]] if member in by_id else []):
        for overwrite in layer:
            base &= ~overwrite.deny
        for overwrite in layer:
            base |= overwrite.allow
    return base if base & Can.VIEW_CHANNEL else 0
