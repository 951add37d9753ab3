"""What the page sees, in the shapes that `people_http.py` describes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from sandbox.discord.errors import Json
from sandbox.discord.events import (
    BotMoved,
    ChannelAppeared,
    Event,
    InteractionMoved,
    MessageChanged,
    MessageGone,
    ModalMoved,
)
from sandbox.discord.interactions import Interaction
from sandbox.discord.layouts import walk
from sandbox.discord.models import THREADS, Attachment, Channel, ChannelType, Message, User
from sandbox.discord.people import Person
from sandbox.discord.permissions import Can
from sandbox.discord.seen import Modal
from sandbox.discord.server import DiscordServer

PAGE = 100
FILES = "/sandbox/discord/files"
_TYPES = {ChannelType.TEXT: "text", ChannelType.ANNOUNCEMENT: "announcement", ChannelType.DM: "dm"}
_TYPES |= dict.fromkeys(THREADS, "thread")
_LIMITS = ("min_length", "max_length", "min_value", "max_value")
_FIELD_KEYS = ("style", "placeholder", "min_length", "max_length", "min_values", "max_values")


def state(server: DiscordServer, person: Person | None) -> Json:
    """Give State."""
    world = server.world
    seen_by = person.id if person else world.me.id
    visible = [each for each in world.channels.values() if world.permissions(seen_by, each) & Can.VIEW_CHANNEL]
    guilds = [guild for guild in world.guilds.values() if seen_by in guild.members]
    people = [each for each in world.users.values() if not each.bot]
    return {
        "bot": {"id": str(world.me.id), "name": world.me.name, "online": server.gateway.online},
        "me": user(server, person.user) if person else None,
        "people": [user(server, each) for each in people],
        "guilds": [
            {
                "id": str(guild.id),
                "name": guild.name,
                "channels": [channel(server, each, seen_by) for each in visible if each.guild_id == guild.id],
            }
            for guild in guilds
        ],
        "dms": [channel(server, each, seen_by) for each in visible if each.type is ChannelType.DM],
        "modals": [modal(each) for each in server.interactions.open_modals(seen_by)],
    }


def user(server: DiscordServer, of: User) -> Json:
    """Give Person."""
    closed = of.id in server.faults.closed_dms
    return {"id": str(of.id), "name": of.name, "username": of.username, "locale": of.locale, "dms_closed": closed}


def channel(server: DiscordServer, of: Channel, seen_by: int) -> Json:
    """Give Channel, as somebody sees it."""
    others = [server.world.users[each].name for each in of.recipients if each != seen_by]
    return {
        "id": str(of.id),
        "name": of.name or "".join(others),
        "type": _TYPES[of.type],
        "topic": of.topic,
        "with": others[0] if others else None,
        "messages": messages(server, of.id, seen_by),
    }


def messages(server: DiscordServer, channel_id: int, seen_by: int) -> list[Json]:
    """Give the newest messages of a channel."""
    return [message(each) for each in server.world.messages(channel_id, seen_by=seen_by)[-PAGE:]]


def message(of: Message) -> Json:
    """Give Message."""
    return {
        "id": str(of.id),
        "channel": str(of.channel_id),
        "author": {"id": str(of.author.id), "name": of.author.name, "bot": of.author.bot},
        "content": of.content,
        "components": _from_here(of.components, of.attachments),
        "embeds": of.embeds,
        "files": [_file(each) for each in of.attachments],
        "ephemeral": of.only_for is not None,
        "only_for": str(of.only_for) if of.only_for else None,
        "loading": of.is_loading,
        "edited": of.edited_at is not None,
        "at": of.at.isoformat(),
        "mentions": [str(each) for each in of.mentions],
        "mentions_everyone": of.mention_everyone,
        "via": {"user": of.via.user.name, "command": of.via.command} if of.via else None,
        "reply_to": str(of.reply_to) if of.reply_to else None,
    }


def _file(of: Attachment) -> Json:
    url = f"{FILES}/{of.id}/{of.url.rpartition('/')[2]}"
    return {"id": str(of.id), "name": of.name, "size": len(of.data), "url": url, "content_type": of.content_type}


def _from_here(components: Sequence[Json], attachments: Sequence[Attachment]) -> list[Json]:
    """Give components whose attachments have addresses of the page's own origin."""
    own = {attachment.url: _file(attachment)["url"] for attachment in attachments}
    found = deepcopy(list(components))
    for component in walk(found):
        for item in (component, *(component.get("items") or ())):
            for key in ("media", "file"):
                if isinstance(item.get(key), dict):
                    item[key]["url"] = own.get(item[key]["url"], item[key]["url"])
    return found


def commands(offered: Sequence[tuple[str, Json]]) -> list[Json]:
    """Give [Command]."""
    return [
        {
            "name": name,
            "type": leaf["type"],
            "description": leaf.get("description") or "",
            "options": [_option(option) for option in leaf.get("options") or ()],
        }
        for name, leaf in offered
    ]


def _option(of: Json) -> Json:
    return {
        "name": of["name"],
        "type": of["type"],
        "description": of["description"],
        "required": bool(of.get("required")),
        "autocomplete": bool(of.get("autocomplete")),
        "choices": [{"name": each["name"], "value": each["value"]} for each in of.get("choices") or ()],
        **{key: of.get(key) for key in _LIMITS},
    }


def modal(of: Interaction) -> Json:
    """Give Modal."""
    shown = Modal(of)
    return {
        "id": str(of.id),
        "person": str(of.user.id),
        "title": shown.title,
        "texts": shown.texts,
        "fields": [
            {
                "custom_id": field.custom_id,
                "label": field.label,
                "description": field.description,
                "type": int(field.kind),
                "required": field.required,
                "value": field.raw.get("default") if field.raw.get("default") is not None else field.value,
                "options": [_choice(option) for option in field.raw.get("options") or ()],
                **{key: field.raw.get(key) for key in _FIELD_KEYS},
            }
            for field in shown.fields
        ],
    }


def _choice(of: Json) -> Json:
    texts = {key: of.get(key) or "" for key in ("label", "value", "description")}
    return texts | {"default": bool(of.get("default"))}


def reply(server: DiscordServer, of: Interaction) -> Json:
    """Give Reply."""
    return {
        "interaction": str(of.id),
        "state": of.state,
        "message": message(of.original) if of.original else None,
        "followups": [message(each) for each in of.followups],
        "modal": modal(of) if of.modal else None,
    }


def event(server: DiscordServer, of: Event, person: int | None) -> Json | None:
    """Give Event, or None where `person` sees nothing of it."""
    if person is not None and not _concerns(server, of, person):
        return None
    return _say(server, of)


def _concerns(server: DiscordServer, of: Event, person: int) -> bool:
    if isinstance(of, InteractionMoved | ModalMoved):
        return of.user_id == person
    if isinstance(of, BotMoved):
        return True
    if isinstance(of, MessageChanged | MessageGone) and of.message.only_for not in (None, person):
        return False
    where = of.channel_id if isinstance(of, ChannelAppeared) else of.message.channel_id
    found = server.world.channels.get(where)
    return found is not None and bool(server.world.permissions(person, found) & Can.VIEW_CHANNEL)


def _say(server: DiscordServer, of: Event) -> Json | None:
    if isinstance(of, MessageChanged):
        return {"type": "message", "message": message(of.message)}
    if isinstance(of, MessageGone):
        only_for: Any = str(of.message.only_for) if of.message.only_for else None
        where = str(of.message.channel_id)
        return {"type": "message_deleted", "id": str(of.message.id), "channel": where, "only_for": only_for}
    if isinstance(of, InteractionMoved):
        who = str(of.user_id)
        return {"type": "interaction", "id": str(of.id), "person": who, "state": of.state, "name": of.name}
    if isinstance(of, BotMoved):
        return {"type": "bot", "online": of.online}
    if isinstance(of, ChannelAppeared):
        return {"type": "channel", "channel": str(of.channel_id)}
    interaction = server.interactions.get(of.interaction_id)
    if of.open and interaction is not None and interaction.modal is not None:
        return {"type": "modal", "modal": modal(interaction)}
    return {"type": "modal_closed", "id": str(of.interaction_id), "person": str(of.user_id)}
