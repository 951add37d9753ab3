"""Makes and changes messages from bodies that passed their checks."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from sandbox.discord.bodies import Draft
from sandbox.discord.errors import Json
from sandbox.discord.layouts import ATTACHED, attach
from sandbox.discord.mentions import find_pings
from sandbox.discord.models import Attachment, Channel, Flag, Message, User
from sandbox.discord.permissions import Can
from sandbox.discord.world import World


def create_message(world: World, draft: Draft, *, author: User, channel: Channel, **more: Any) -> Message:
    """Make, store and tell a message. `more` are further fields of Message."""
    remember_nonce = bool(more.pop("remember_nonce", False))
    message = Message(world.new_id(), channel.id, author, world.clock(), **more)
    message.flags |= draft.flags
    _apply(world, message, draft, channel)
    world.post(message, remember_nonce=remember_nonce)
    return message


def edit_message(world: World, message: Message, draft: Draft) -> None:
    """Change a message in place, and tell. What the draft does not name stays. The first edit ends "is thinking"."""
    was_loading = message.is_loading
    message.flags = (message.flags & ~Flag.LOADING) | draft.flags
    if draft.kept is not None:
        message.attachments = [each for each in message.attachments if each.id in draft.kept]
    _apply(world, message, draft, world.channels[message.channel_id])
    if not was_loading:
        message.edited_at = world.clock()
    world.edited(message)


def _apply(world: World, message: Message, draft: Draft, channel: Channel) -> None:
    message.attachments = message.attachments + [_store(world, upload, text, message) for upload, text in draft.files]
    if message.is_v2:
        message.content, message.embeds = "", []
    if draft.content is not None and not message.is_v2:
        message.content = draft.content
    if draft.embeds is not None:
        message.embeds = [_attach_embed(embed, message.attachments) for embed in draft.embeds]
    if draft.components is not None:
        message.components = deepcopy(draft.components)
        shown = attach(message.components, message.attachments)
        if message.is_v2:
            # A V2 message shows only what its components refer to (docs: components/reference.mdx).
            message.attachments = [each for each in message.attachments if each.id in shown]
    if draft.content is not None or draft.components is not None:
        _ping(world, message, draft, channel)


def _store(world: World, upload: Any, description: str | None, message: Message) -> Attachment:
    ephemeral = message.only_for is not None
    attachment = world.upload(upload.name, upload.data, content_type=upload.content_type, ephemeral=ephemeral)
    attachment.description = description
    return attachment


def _attach_embed(embed: Json, attachments: list[Attachment]) -> Json:
    by_name = {attachment.name: attachment for attachment in attachments}
    for holder in ("image", "thumbnail"):
        url = str((embed.get(holder) or {}).get("url", ""))
        if url.startswith(ATTACHED) and url.removeprefix(ATTACHED) in by_name:
            embed = embed | {holder: {**embed[holder], "url": by_name[url.removeprefix(ATTACHED)].url}}
    return embed


def _ping(world: World, message: Message, draft: Draft, channel: Channel) -> None:
    may_ping_everyone = bool(world.permissions(message.author.id, channel) & Can.MENTION_EVERYONE)
    texts = [message.content, *draft.texts[1:]]
    pings = find_pings(texts, draft.allowed_mentions, may_ping_everyone=may_ping_everyone)
    message.mentions = tuple(user for user in pings.users if user in world.users)
    message.mention_roles = pings.roles
    message.mention_everyone = pings.everyone
