"""Threads of a guild's channels (docs: topics/threads.mdx): who may write, and what becomes of archived ones."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.discord import wire
from sandbox.discord.errors import refusal
from sandbox.discord.events import ChannelAppeared
from sandbox.discord.models import Channel, ChannelType, User
from sandbox.discord.permissions import Can
from sandbox.discord.world import World


def start_thread(
    world: World, parent: Channel, name: str, *, private: bool = False, members: Iterable[User] = ()
) -> Channel:
    """Start a thread. A private one is there for its `members` alone, and for whoever may manage threads."""
    guild = world.guilds[parent.guild_id or 0]
    kinds = {ChannelType.ANNOUNCEMENT: ChannelType.ANNOUNCEMENT_THREAD}
    kind = ChannelType.PRIVATE_THREAD if private else kinds.get(parent.type, ChannelType.PUBLIC_THREAD)
    thread = Channel(world.new_id(), kind, name, guild_id=guild.id, parent=parent, changed_at=world.clock())
    thread.thread_members.update(user.id for user in members)
    guild.channels[thread.id] = world.channels[thread.id] = thread
    _tell(world, "THREAD_CREATE", thread)
    world.events.publish(ChannelAppeared(thread.id))
    return thread


def change_thread(world: World, thread: Channel, *, archived: bool, locked: bool = False) -> None:
    """Archive a thread or open it again, and lock it or not."""
    thread.archived, thread.locked, thread.changed_at = archived, locked, world.clock()
    _tell(world, "THREAD_UPDATE", thread)


def check_open(world: World, user_id: int, channel: Channel, *, writes: bool) -> None:
    """Refuse what may not be done in a locked or archived thread. A new message opens an archived one again."""
    if not channel.is_thread:
        return
    if channel.locked and not wire.allows(world.permissions(user_id, channel), Can.MANAGE_THREADS):
        raise refusal(50083 if channel.archived else 160005)
    if channel.archived and not writes:
        raise refusal(50083)
    if channel.archived:
        change_thread(world, channel, archived=False, locked=channel.locked)


def needed_to_write(channel: Channel) -> Can:
    """Give the permission by which somebody may write there."""
    return Can.SEND_MESSAGES_IN_THREADS if channel.is_thread else Can.SEND_MESSAGES


def _tell(world: World, event: str, thread: Channel) -> None:
    """Tell the bot, who hears nothing of what it may not see."""
    if wire.allows(world.permissions(world.me.id, thread), Can.VIEW_CHANNEL):
        world.dispatch(event, wire.channel(thread, world.users, seen_by=world.me.id), thread.guild_id)
