"""The community in which a visitor finds themselves: one guild, three channels, three people to act as."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.discord.models import User
from sandbox.discord.permissions import Can
from sandbox.discord.world import World

GUILD = "Permaville"


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody to act as. `part` is what the walk calls them: owner, member or moderator."""

    part: str
    user: User
    about: str


@dataclass(frozen=True, slots=True)
class Community:
    """Who is there. `home` is the id of the channel where the walk begins."""

    roles: tuple[Role, ...]
    home: int


def settle(world: World) -> Community:
    """Make the guild with its channels and people."""
    people = (
        Role("owner", world.add_user("ada", "Ada"), "owns the processes"),
        Role("member", world.add_user("ben", "Ben"), "another member"),
        Role("moderator", world.add_user("mira", "Mira"), "moderates the server"),
    )
    guild = world.add_guild(GUILD, world.owner)
    moderators = world.add_role(guild, "Moderators", Can.MANAGE_GUILD | Can.MANAGE_MESSAGES)
    for role in people:
        world.add_member(guild, role.user, [moderators] if role.part == "moderator" else [])
    home = world.add_channel(guild, "patch-help", topic="Ask anything about patching your process")
    world.add_channel(guild, "announcements", topic="News from the team")
    world.add_channel(guild, "lounge", topic="Everything else")
    return Community(people, home.id)
