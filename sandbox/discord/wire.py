"""Discord's JSON of what there is (docs: resources/*.mdx). Keys that Discord leaves out are left out, never null."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sandbox.discord.models import Attachment, Channel, ChannelType, Guild, Json, Member, Message, Role, User
from sandbox.discord.permissions import Can, Overwrite


def instant(at: datetime) -> str:
    """Give a time as Discord writes it."""
    return at.isoformat(timespec="microseconds")


def user(of: User) -> Json:
    """Give a user object."""
    return {
        "id": str(of.id),
        "username": of.username,
        "discriminator": "0",
        "global_name": of.global_name,
        "avatar": None,
        "public_flags": 0,
        **({"bot": True} if of.bot else {}),
    }


def role(of: Role) -> Json:
    """Give a role object."""
    return {
        "id": str(of.id),
        "name": of.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": str(int(of.permissions)),
        "managed": of.managed,
        "mentionable": False,
        "flags": 0,
    }


def member(of: Member, *, permissions: int | None = None) -> Json:
    """Give a guild member object; inside an interaction it has the member's `permissions`."""
    return {
        "user": user(of.user),
        "nick": of.nick,
        "avatar": None,
        "roles": [str(role_id) for role_id in of.roles],
        "joined_at": instant(of.joined_at),
        "deaf": False,
        "mute": False,
        "flags": 0,
        **({} if permissions is None else {"permissions": str(int(permissions))}),
    }


def _overwrite(of: Overwrite) -> Json:
    return {"id": str(of.id), "type": of.kind, "allow": str(int(of.allow)), "deny": str(int(of.deny))}


def channel(of: Channel, people: dict[int, User], *, seen_by: int | None = None) -> Json:
    """Give a channel object; of a DM, the recipients other than `seen_by`."""
    base: Json = {"id": str(of.id), "type": int(of.type), "flags": 0, "last_message_id": None}
    if of.type is ChannelType.DM:
        return base | {"recipients": [user(people[other]) for other in of.recipients if other != seen_by]}
    if of.parent is not None:
        return base | _thread(of, of.parent, seen_by)
    return base | {
        "guild_id": str(of.guild_id),
        "name": of.name,
        "topic": of.topic,
        "position": 0,
        "nsfw": False,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "permission_overwrites": [_overwrite(overwrite) for overwrite in of.overwrites],
    }


def _thread(of: Channel, parent: Channel, seen_by: int | None) -> Json:
    at = instant(of.changed_at) if of.changed_at else None
    found: Json = {
        "guild_id": str(of.guild_id),
        "parent_id": str(parent.id),
        "owner_id": str(min(of.thread_members, default=of.id)),
        "name": of.name,
        "rate_limit_per_user": 0,
        "message_count": 0,
        "member_count": len(of.thread_members),
        "total_message_sent": 0,
        "thread_metadata": {
            "archived": of.archived,
            "auto_archive_duration": 4320,
            "archive_timestamp": at,
            "locked": of.locked,
            "create_timestamp": None,
        },
    }
    if seen_by in of.thread_members:
        found["member"] = {"id": str(of.id), "user_id": str(seen_by), "join_timestamp": at, "flags": 0}
    return found


def partial_channel(of: Channel, people: dict[int, User], *, permissions: int, seen_by: int) -> Json:
    """Give the partial channel inside an interaction."""
    whole = channel(of, people, seen_by=seen_by)
    whole.pop("permission_overwrites", None)
    return whole | {"permissions": str(int(permissions))}


def guild(of: Guild, people: dict[int, User]) -> Json:
    """Give a guild object."""
    return {
        "id": str(of.id),
        "name": of.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": str(of.owner_id),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": [role(each) for each in of.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": ["COMMUNITY"],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": of.locale,
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "safety_alerts_channel_id": None,
        "max_members": 500_000,
        "approximate_member_count": len(of.members),
    }


def guild_create(of: Guild, people: dict[int, User], me: int, threads: Iterable[Channel]) -> Json:
    """Give what GUILD_CREATE tells without the members intent: of the members only the bot itself.

    `threads`: those that are open and that the bot may see.
    """
    mine = of.members.get(me)
    return guild(of, people) | {
        "joined_at": instant(mine.joined_at) if mine else None,
        "large": False,
        "unavailable": False,
        "member_count": len(of.members),
        "members": [member(mine)] if mine else [],
        "channels": [channel(each, people) for each in of.channels.values() if not each.is_thread],
        "voice_states": [],
        "threads": [channel(each, people, seen_by=me) for each in threads],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment(of: Attachment) -> Json:
    """Give an attachment object."""
    return {
        "id": str(of.id),
        "filename": of.name,
        "size": len(of.data),
        "url": of.url,
        "proxy_url": of.url,
        **({"content_type": of.content_type} if of.content_type else {}),
        **({"description": of.description} if of.description else {}),
        **({"ephemeral": True} if of.ephemeral else {}),
    }


def message(of: Message, people: dict[int, User]) -> Json:
    """Give a message object, as REST answers and interactions have it; MESSAGE_CREATE adds the guild."""
    found: Json = {
        "id": str(of.id),
        "channel_id": str(of.channel_id),
        "author": user(of.author),
        "content": of.content,
        "timestamp": instant(of.at),
        "edited_timestamp": instant(of.edited_at) if of.edited_at else None,
        "tts": False,
        "mention_everyone": of.mention_everyone,
        "mentions": [user(people[each]) for each in of.mentions if each in people],
        "mention_roles": [str(each) for each in of.mention_roles],
        "attachments": [attachment(each) for each in of.attachments],
        "embeds": of.embeds,
        "components": of.components,
        "pinned": False,
        "flags": int(of.flags),
        "type": of.type,
    }
    if of.nonce is not None:
        found["nonce"] = of.nonce
    if of.webhook_id is not None:
        found["webhook_id"] = str(of.webhook_id)
        if of.author.bot and of.via is not None:
            found["application_id"] = str(of.webhook_id)
    if of.reply_to is not None:
        found["message_reference"] = {"type": 0, "message_id": str(of.reply_to), "channel_id": str(of.channel_id)}
    if of.via is not None:
        found["interaction_metadata"] = {
            "id": str(of.via.interaction_id),
            "type": of.via.type,
            "user": user(of.via.user),
            "authorizing_integration_owners": {},
        }
    return found


def allows(permissions: int, needed: int) -> bool:
    """Tell whether all of `needed` is there."""
    return bool(permissions & Can.ADMINISTRATOR) or permissions & needed == needed
