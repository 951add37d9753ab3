"""Interactions: what a person does with the bot, and how the bot may answer (docs: receiving-and-responding.mdx).

The first answer must come within 3 seconds, once; the token then lives for 15 minutes. Both by the injected clock.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from sandbox.discord import wire
from sandbox.discord.command_rules import CommandType
from sandbox.discord.commands import Commands, context_of
from sandbox.discord.errors import Json
from sandbox.discord.events import InteractionMoved, ModalMoved
from sandbox.discord.models import Channel, Message, User, Via
from sandbox.discord.world import World

FIRST_ANSWER = timedelta(seconds=3)
TOKEN_LIFE = timedelta(minutes=15)
KEPT = 10_000
"""Interactions that are remembered; the oldest are forgotten first."""
_TICK = 0.05


class Type(IntEnum):
    """Interaction types."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class State(StrEnum):
    """What the person sees of an interaction."""

    WAITING = "waiting"
    DEFERRED = "deferred"
    ANSWERED = "answered"
    ACKNOWLEDGED = "acknowledged"
    UPDATED = "updated"
    MODAL = "modal"
    CHOICES = "choices"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Interaction:
    """One interaction. `source`: the message whose component was used, also when a dialog of it is sent.

    `original` is what `@original` means: the answer, or the source where the bot chose to update that.
    """

    id: int
    token: str
    type: Type
    user: User
    channel: Channel
    name: str
    data: Json
    owners: dict[str, str]
    at: datetime
    source: Message | None = None
    state: State = State.WAITING
    why_failed: str = ""
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] = field(default_factory=list)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def via(self) -> Via:
        """Give what its answers show of it."""
        return Via(self.id, self.type, self.user, self.name if self.type is Type.COMMAND else None)

    @property
    def reply_type(self) -> int:
        """The type of the message that answers it: 20 slash command, 23 context menu, 19 reply to a message, 0."""
        if self.type is Type.COMMAND:
            return 20 if self.data["type"] == CommandType.SLASH else 23
        return 19 if self.source is not None else 0

    def moved(self) -> None:
        """Wake all who wait for something about it."""
        waiting, self._moved = self._moved, asyncio.Event()
        waiting.set()

    async def wait_for(self, is_so: Callable[[], bool], timeout: float) -> bool:  # noqa: ASYNC109 -- gives False, raises nothing
        """Wait until something is so; give False if it did not come within `timeout` real seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not is_so():
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True


Deliver = Callable[[Json, int | None], bool]
"""Sends INTERACTION_CREATE to the shard of a guild (None: of DMs); False where the bot is not there."""


class Interactions:
    """All interactions of the last minutes."""

    def __init__(self, world: World, commands: Commands, deliver: Deliver) -> None:
        self._world = world
        self._commands = commands
        self._deliver = deliver
        self._by_id: OrderedDict[int, Interaction] = OrderedDict()
        self._by_token: dict[str, Interaction] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def start(
        self,
        type: Type,
        user: User,
        channel: Channel,
        data: Json,
        *,
        name: str,
        command: Json | None = None,
        source: Message | None = None,
    ) -> Interaction:
        """Begin one, and hand it to the bot. It has failed at once where no bot is connected."""
        owners = self._commands.owners(command, user.id, channel)
        token = secrets.token_urlsafe(48)
        now = self._world.clock()
        interaction = Interaction(
            self._world.new_id(), token, type, user, channel, name, data, owners, now, source=source
        )
        self._by_id[interaction.id] = self._by_token[token] = interaction
        if len(self._by_id) > KEPT:
            self._by_token.pop(self._by_id.popitem(last=False)[1].token)
        self._publish(interaction)
        if self._deliver(self._payload(interaction), channel.guild_id):
            self._watch(interaction)
        else:
            self.fail(interaction, "The bot is not connected.")
        return interaction

    def get(self, interaction_id: int) -> Interaction | None:
        """Find one by its id."""
        return self._by_id.get(interaction_id)

    def with_token(self, token: str) -> Interaction | None:
        """Find one by its token, also an expired one."""
        return self._by_token.get(token)

    def is_late(self, interaction: Interaction) -> bool:
        """Tell whether the 3 seconds are over."""
        return interaction.state is State.FAILED or self._world.clock() - interaction.at > FIRST_ANSWER

    def is_expired(self, interaction: Interaction) -> bool:
        """Tell whether the 15 minutes are over."""
        return self._world.clock() - interaction.at > TOKEN_LIFE

    def open_modals(self, user_id: int) -> list[Interaction]:
        """Give the interactions whose dialogs are open on somebody's screen."""
        return [each for each in self._by_id.values() if each.user.id == user_id and each.modal is not None]

    def enter(self, interaction: Interaction, state: State) -> None:
        """Put it into its next state, and tell."""
        interaction.state = state
        if state is not State.WAITING and (timer := self._timers.pop(interaction.id, None)) is not None:
            timer.cancel()
        self._publish(interaction)
        interaction.moved()

    def fail(self, interaction: Interaction, why: str) -> None:
        """Show the person that the interaction failed."""
        interaction.why_failed = why
        self.enter(interaction, State.FAILED)

    def open_modal(self, interaction: Interaction, modal: Json) -> None:
        """Open a dialog on the person's screen."""
        interaction.modal = modal
        self.enter(interaction, State.MODAL)
        self._world.events.publish(ModalMoved(interaction.id, interaction.user.id, open=True))

    def close_modal(self, interaction: Interaction) -> None:
        """Take the dialog off the screen: it was sent, or dismissed."""
        interaction.modal = None
        self._world.events.publish(ModalMoved(interaction.id, interaction.user.id, open=False))

    def close(self) -> None:
        """Let nobody wait on."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _publish(self, interaction: Interaction) -> None:
        moved = InteractionMoved(interaction.id, interaction.user.id, interaction.state, interaction.name)
        self._world.events.publish(moved)

    def _watch(self, interaction: Interaction) -> None:
        """Let it fail once its 3 seconds are over by the injected clock, which may skip, or stand still."""
        left = (interaction.at + FIRST_ANSWER - self._world.clock()).total_seconds()
        if left < 0:
            self._timers.pop(interaction.id, None)
            self.fail(interaction, "The application did not respond.")
            return
        loop = asyncio.get_running_loop()
        self._timers[interaction.id] = loop.call_later(max(left, _TICK), self._watch, interaction)

    def _payload(self, interaction: Interaction) -> Json:
        world, user, channel = self._world, interaction.user, interaction.channel
        mine = world.permissions(user.id, channel)
        payload: Json = {
            "id": str(interaction.id),
            "application_id": str(world.application_id),
            "type": int(interaction.type),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": wire.partial_channel(channel, world.users, permissions=mine, seen_by=user.id),
            "locale": user.locale,
            "app_permissions": str(int(world.permissions(world.me.id, channel))),
            "entitlements": [],
            "authorizing_integration_owners": interaction.owners,
            "context": context_of(channel, world.me.id),
            "attachment_size_limit": world.attachment_size_limit,
        }
        if interaction.source is not None:
            payload["message"] = wire.message(interaction.source, world.users)
        if channel.guild_id is None:
            return payload | {"user": wire.user(user)}
        guild = world.guilds[channel.guild_id]
        return payload | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": guild.locale, "features": ["COMMUNITY"]},
            "guild_locale": guild.locale,
            "member": wire.member(guild.members[user.id], permissions=mine),
        }
