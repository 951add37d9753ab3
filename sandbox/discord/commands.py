"""The application's commands: stored, and offered to those who may use them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.discord.command_rules import NESTED, CommandType
from sandbox.discord.errors import Json, refusal
from sandbox.discord.models import Channel, ChannelType
from sandbox.discord.permissions import Can
from sandbox.discord.wire import allows
from sandbox.discord.world import World

CREATES_PER_DAY = 200
GUILD, BOT_DM, PRIVATE = range(3)
GUILD_INSTALL, USER_INSTALL = range(2)


class Commands:
    """Commands by scope: a guild's id, or None for the global ones."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scopes: dict[int | None, dict[int, Json]] = {}
        self._created: dict[int | None, deque[datetime]] = {}

    def of_scope(self, guild_id: int | None) -> list[Json]:
        """Give the commands of one scope."""
        return list(self._scopes.get(guild_id, {}).values())

    def get(self, guild_id: int | None, command_id: int) -> Json:
        """Give one command. Raises ApiError where there is none."""
        try:
            return self._scopes.get(guild_id, {})[command_id]
        except KeyError:
            raise refusal(10063) from None

    def overwrite(self, guild_id: int | None, given: list[Json]) -> list[Json]:
        """Put checked commands in the place of all that the scope had. Those of an old name and type keep their ids."""
        old = {(command["type"], command["name"]): command for command in self.of_scope(guild_id)}
        stored = [self._stored(guild_id, command, old.get((command["type"], command["name"]))) for command in given]
        self._scopes[guild_id] = {int(command["id"]): command for command in stored}
        return stored

    def upsert(self, guild_id: int | None, command: Json) -> tuple[Json, bool]:
        """Add one checked command, or put it in the place of that with its name and type; tell whether it is new."""
        found = (
            each
            for each in self.of_scope(guild_id)
            if (each["type"], each["name"]) == (command["type"], command["name"])
        )
        old = next(found, None)
        stored = self._stored(guild_id, command, old)
        self._scopes.setdefault(guild_id, {})[int(stored["id"])] = stored
        return stored, old is None

    def delete(self, guild_id: int | None, command_id: int) -> None:
        """Delete one command. Raises ApiError where there is none."""
        self.get(guild_id, command_id)
        del self._scopes[guild_id][command_id]

    def _stored(self, guild_id: int | None, command: Json, old: Json | None) -> Json:
        if old is None:
            self._count_create(guild_id)
        # Defaults fill only what is absent: a bot may send an explicit null, which Discord takes for the default too.
        given = {key: value for key, value in command.items() if value is not None}
        defaults: Json = {"default_member_permissions": None, "dm_permission": True, "contexts": None}
        if guild_id is None:
            defaults["integration_types"] = [GUILD_INSTALL]
        return {
            **defaults,
            **given,
            "id": old["id"] if old else str(self._world.new_id()),
            "application_id": str(self._world.application_id),
            "version": str(self._world.new_id()),
            **({"guild_id": str(guild_id)} if guild_id is not None else {}),
        }

    def _count_create(self, guild_id: int | None) -> None:
        now = self._world.clock()
        created = self._created.setdefault(guild_id, deque(maxlen=CREATES_PER_DAY))
        while created and now - created[0] > timedelta(days=1):
            created.popleft()
        if len(created) == CREATES_PER_DAY:
            raise refusal(30034)
        created.append(now)

    # What a client offers

    def offered(self, user_id: int, channel: Channel) -> list[Json]:
        """Give the commands that somebody's client offers in a channel: installed, in this context, permitted."""
        found = list(self.of_scope(None))
        if channel.guild_id is not None:
            found += self.of_scope(channel.guild_id)
        return [command for command in found if self._is_offered(command, user_id, channel)]

    def _is_offered(self, command: Json, user_id: int, channel: Channel) -> bool:
        if not self.owners(command, user_id, channel):
            return False
        if context_of(channel, self._world.me.id) not in self._contexts(command):
            return False
        if channel.guild_id is None:
            return True
        if channel.archived:
            return False
        mine = self._world.permissions(user_id, channel)
        needed = command["default_member_permissions"]
        if not allows(mine, Can.VIEW_CHANNEL | Can.USE_APPLICATION_COMMANDS):
            return False
        # "0" hides a command from all but administrators; None shows it to everybody.
        return needed is None or (bool(mine & Can.ADMINISTRATOR) if int(needed) == 0 else allows(mine, int(needed)))

    def _contexts(self, command: Json) -> tuple[int, ...]:
        if "guild_id" in command:
            return (GUILD,)
        if command["contexts"] is not None:
            return tuple(command["contexts"])
        return (GUILD, BOT_DM, PRIVATE) if command["dm_permission"] else (GUILD,)

    def owners(self, command: Json | None, user_id: int, channel: Channel) -> dict[str, str]:
        """Give Discord's `authorizing_integration_owners`: through which installs somebody reaches the app here.

        `command` None: for a press or a dialog, which any install may carry.
        """
        types = (
            [GUILD_INSTALL] if command and "guild_id" in command else (command or {}).get("integration_types", [0, 1])
        )
        found: dict[str, str] = {}
        if GUILD_INSTALL in types:
            if channel.guild_id is not None and self._world.me.id in self._world.guilds[channel.guild_id].members:
                found[str(GUILD_INSTALL)] = str(channel.guild_id)
            elif self._world.me.id in channel.recipients and self._world.share_a_guild(user_id, self._world.me.id):
                found[str(GUILD_INSTALL)] = "0"
        if USER_INSTALL in types and user_id in self._world.user_installs:
            found[str(USER_INSTALL)] = str(user_id)
        return found


def context_of(channel: Channel, me: int) -> int:
    """Give the interaction context of a channel."""
    if channel.type is not ChannelType.DM:
        return GUILD
    return BOT_DM if me in channel.recipients else PRIVATE


def leaves(command: Json) -> Iterator[tuple[str, Json]]:
    """Give what can be typed: the command itself, or each "group sub" with the option that describes it."""

    def below(name: str, node: Json) -> Iterator[tuple[str, Json]]:
        nested = [option for option in node.get("options") or () if option["type"] in NESTED]
        if not nested:
            yield name, node
        for option in nested:
            yield from below(f"{name} {option['name']}", option)

    yield from below(command["name"], command)


def find_leaf(commands: list[Json], name: str, kind: CommandType) -> tuple[Json, Json] | None:
    """Give the command and the node that describes what was typed; guild commands come before global ones."""
    for command in sorted(commands, key=lambda each: "guild_id" not in each):
        if command["type"] == kind:
            for leaf, node in leaves(command):
                if leaf == name:
                    return command, node
    return None
