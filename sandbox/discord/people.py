"""What a person can do with their Discord client, and nothing that the client would not let them do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.discord.bodies import CONTENT, Draft, Upload
from sandbox.discord.command_rules import CommandType
from sandbox.discord.commands import find_leaf, leaves
from sandbox.discord.controls import Kind
from sandbox.discord.errors import Json
from sandbox.discord.events import MessageGone
from sandbox.discord.filling import modal_data, select_values
from sandbox.discord.interactions import State, Type
from sandbox.discord.models import Channel, Message, User
from sandbox.discord.permissions import Can
from sandbox.discord.publishing import create_message
from sandbox.discord.refusals import (
    CannotSend,
    ComponentIsDisabled,
    NoModal,
    NoSuchCommand,
    NotVisible,
    OpensALink,
    TheBotDidNotAnswer,
)
from sandbox.discord.reply import PATIENCE, Matching, Reply
from sandbox.discord.resolving import File, Resolver
from sandbox.discord.seen import Modal, SeenMessage
from sandbox.discord.server import DiscordServer
from sandbox.discord.threads import needed_to_write
from sandbox.discord.typing_commands import command_data
from sandbox.discord.wire import allows
from sandbox.discord.wire import message as message_json


class Person:
    """One person's client. `Person(server, user_id)`; there may be many of the same person."""

    def __init__(self, server: DiscordServer, user_id: int, *, patience: float = PATIENCE) -> None:
        self.server = server
        self.world = server.world
        self.user: User = server.world.users[user_id]
        self.patience = patience

    @property
    def id(self) -> int:
        """The person's user id."""
        return self.user.id

    # Looking

    def channels(self) -> list[Channel]:
        """Give the channels and DMs that the person sees."""
        return [channel for channel in self.world.channels.values() if self._permissions(channel) & Can.VIEW_CHANNEL]

    def dm_channel(self) -> int:
        """Open the DM with the bot, as by a click on its name, and give its id."""
        return self.world.dm(self.id, self.world.me.id).id

    def messages(self, channel_id: int) -> list[SeenMessage]:
        """Give what the person sees in a channel, oldest first, ephemeral messages for them too. Raises NotVisible."""
        channel = self._channel(channel_id)
        return [SeenMessage(message, self.world) for message in self.world.messages(channel.id, seen_by=self.id)]

    def commands(self, channel_id: int) -> list[tuple[str, Json]]:
        """Give the commands that the client offers in a channel: (what is typed, its description)."""
        offered = self.server.commands.offered(self.id, self._channel(channel_id))
        found = [(name, leaf, command["type"]) for command in offered for name, leaf in leaves(command)]
        return [(name, leaf | {"type": kind}) for name, leaf, kind in found]

    async def wait_message(
        self,
        channel_id: int,
        matching: Matching = lambda message: True,
        *,
        after: int = 0,
        timeout: float | None = None,  # noqa: ASYNC109 -- ends in our own error
    ) -> SeenMessage:
        """Wait for a fitting message of the bot with an id above `after`; the newest. Raises TheBotDidNotAnswer."""

        def found() -> SeenMessage | None:
            fitting = (each for each in reversed(self.messages(channel_id)) if each.id > after and each.author.bot)
            return next((each for each in fitting if matching(each)), None)

        def complaint() -> str:
            return f"no such message came. The last ones: {[each.text for each in self.messages(channel_id)][-3:]!r}"

        await self._watch(lambda: found() is not None, self.patience if timeout is None else timeout, complaint)
        message = found()
        if message is None:
            raise TheBotDidNotAnswer(complaint())
        return message

    async def wait_bot(self, *, online: bool = True, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 -- as above
        """Wait until the green dot beside the bot's name is there, or gone. Raises TheBotDidNotAnswer."""
        await self._watch(
            lambda: self.server.gateway.online is online, timeout, lambda: "the bot's dot did not change."
        )

    async def _watch(self, is_so: Callable[[], bool], timeout: float, complaint: Callable[[], str]) -> None:  # noqa: ASYNC109 -- as above
        with self.server.events.watch() as watch:
            try:
                async with asyncio.timeout(timeout):
                    while not is_so():
                        await watch.next()
            except TimeoutError:
                raise TheBotDidNotAnswer(f"{timeout:g} seconds went by: {complaint()}") from None

    async def wait_dm(
        self,
        matching: Matching = lambda message: True,
        *,
        after: int = 0,
        timeout: float | None = None,  # noqa: ASYNC109 -- ends in our own error
    ) -> SeenMessage:
        """Wait for a DM of the bot, as `wait_message`."""
        return await self.wait_message(self.dm_channel(), matching, after=after, timeout=timeout)

    # Commands

    async def slash(
        self,
        channel_id: int,
        command: str,
        options: Mapping[str, Any] | None = None,
        *,
        files: Mapping[str, File] | None = None,
    ) -> Reply:
        """Type a command ("group sub" where nested) and press Enter; give what came first.

        Users, roles and channels are given as ids; `files` are {option: (name, bytes)}.
        Raises NoSuchCommand, BadOption, NotVisible, TheBotDidNotAnswer.
        """
        channel = self._channel(channel_id)
        found, leaf = self._command(channel, command, CommandType.SLASH)
        resolver = Resolver(self.world, channel, self.id)
        data = command_data(found, command, leaf, options or {}, files or {}, resolver)
        return await self._act(Type.COMMAND, channel, data, name=command, command=found)

    async def autocomplete(
        self, channel_id: int, command: str, options: Mapping[str, Any], focused: str
    ) -> list[tuple[str, Any]]:
        """Type on in the option `focused`; give what is suggested, as (name, value). Raises as `slash`."""
        channel = self._channel(channel_id)
        found, leaf = self._command(channel, command, CommandType.SLASH)
        resolver = Resolver(self.world, channel, self.id)
        data = command_data(found, command, leaf, options, {}, resolver, focused=focused)
        reply = await self._act(Type.AUTOCOMPLETE, channel, data, name=command, command=found)
        return [(choice["name"], choice["value"]) for choice in reply.interaction.choices]

    async def message_command(self, channel_id: int, message_id: int, name: str) -> Reply:
        """Choose a command from a message's menu. Raises as `slash`."""
        channel = self._channel(channel_id)
        found, _ = self._command(channel, name, CommandType.MESSAGE)
        message = self._message(message_id)
        resolved = {"messages": {str(message.id): message_json(message, self.world.users)}}
        data = {
            "id": found["id"],
            "name": name,
            "type": found["type"],
            "target_id": str(message.id),
            "resolved": resolved,
        }
        return await self._act(Type.COMMAND, channel, data, name=name, command=found)

    # Buttons, selects, dialogs

    async def press(self, message: SeenMessage | int, custom_id_or_label: str) -> Reply:
        """Press a button. Raises NoSuchComponent, ComponentIsDisabled, OpensALink, NotVisible, TheBotDidNotAnswer."""
        seen = SeenMessage(self._message(message), self.world)
        button = seen.button(custom_id_or_label)
        if button.disabled:
            raise ComponentIsDisabled(f"The button {button.label!r} is greyed out.")
        if button.url is not None or button.custom_id is None:
            raise OpensALink(button.url or "a shop")
        data = {"custom_id": button.custom_id, "component_type": int(Kind.BUTTON), "id": button.raw["id"]}
        return await self._use(seen, data)

    async def choose(self, message: SeenMessage | int, custom_id: str, values: Sequence[Any]) -> Reply:
        """Choose in a select menu, named by custom_id or placeholder; options by label or value.

        Raises as `press`, and BadChoice.
        """
        seen = SeenMessage(self._message(message), self.world)
        select = seen.select(custom_id)
        if select.disabled:
            raise ComponentIsDisabled(f"The select {select.placeholder!r} is greyed out.")
        resolver = Resolver(self.world, self.world.channels[seen.channel_id], self.id)
        chosen = select_values(select.raw, values, resolver)
        data: Json = {"custom_id": select.custom_id, "component_type": select.raw["type"], "values": chosen}
        data |= {"id": select.raw["id"]} | ({"resolved": resolver.found} if resolver.found else {})
        return await self._use(seen, data)

    async def submit(self, modal: Modal, values: Mapping[str, Any]) -> Reply:
        """Fill a dialog's fields, named by custom_id or label, and send it. It closes once the bot has answered.

        Text: str. Radio: one option. Selects, checkbox groups: a list. Checkbox: bool. Files: a list of (name, bytes).
        Raises NoModal, NoSuchComponent, BadChoice, TheBotDidNotAnswer.
        """
        opener = modal.interaction
        if not modal.open or opener.user is not self.user:
            raise NoModal("This dialog is not open.")
        resolver = Resolver(self.world, opener.channel, self.id)
        data = modal_data(modal, values, resolver)
        name = str(data["custom_id"])
        reply = await self._act(Type.MODAL, opener.channel, data, name=name, source=opener.source)
        self.server.interactions.close_modal(opener)
        return reply

    def dismiss_modal(self, modal: Modal) -> None:
        """Close a dialog without sending it. The bot hears nothing of that."""
        self.server.interactions.close_modal(modal.interaction)

    # The rest of the client

    def say(self, channel_id: int, content: str, *, files: Sequence[File] = ()) -> SeenMessage:
        """Write a message. Raises CannotSend, NotVisible."""
        channel = self._channel(channel_id)
        if not allows(self._permissions(channel), needed_to_write(channel) | (Can.ATTACH_FILES if files else 0)):
            raise CannotSend("You do not have permission to send messages in this channel.")
        if len(content) > CONTENT or not (content.strip() or files):
            raise CannotSend(f"A message has 1 to {CONTENT} characters.")
        uploads = tuple((Upload(name, data, None), None) for name, data in files)
        draft = Draft(content, None, None, 0, None, uploads, None)
        return SeenMessage(create_message(self.world, draft, author=self.user, channel=channel), self.world)

    def dismiss(self, message: SeenMessage | int) -> None:
        """Take an ephemeral message off the screen. Raises NotVisible for any other."""
        found = self._message(message)
        if found.only_for != self.id:
            raise NotVisible("Only messages that nobody else sees can be dismissed.")
        found.dismissed = True
        self.server.events.publish(MessageGone(found))

    def close_dms(self, closed: bool = True) -> None:
        """Turn the privacy switch for direct messages from the server's members."""
        if closed:
            self.server.faults.closed_dms.add(self.id)
        else:
            self.server.faults.closed_dms.discard(self.id)

    def install_app(self, installed: bool = True) -> None:
        """Add the app to the person's own account, or remove it."""
        if installed:
            self.world.user_installs.add(self.id)
        else:
            self.world.user_installs.discard(self.id)

    # What the above have in common

    def _permissions(self, channel: Channel) -> int:
        return self.world.permissions(self.id, channel)

    def _channel(self, channel_id: int) -> Channel:
        channel = self.world.channels.get(channel_id)
        if channel is None or not self._permissions(channel) & Can.VIEW_CHANNEL:
            raise NotVisible(f"{self.user.name} sees no channel {channel_id}.")
        return channel

    def _message(self, given: SeenMessage | int) -> Message:
        message = given.message if isinstance(given, SeenMessage) else self.world.message(given)
        if message is None or message.deleted or message.dismissed or message.only_for not in (None, self.id):
            raise NotVisible(f"{self.user.name} does not see this message.")
        self._channel(message.channel_id)
        return message

    def _command(self, channel: Channel, name: str, kind: CommandType) -> tuple[Json, Json]:
        found = find_leaf(self.server.commands.offered(self.id, channel), name, kind)
        if found is None:
            raise NoSuchCommand(f"The client offers {self.user.name} no command {name!r} here.")
        return found

    async def _use(self, seen: SeenMessage, data: Json) -> Reply:
        if seen.author is not self.world.me:
            raise NotVisible("This message is not the bot's.")
        channel = self.world.channels[seen.channel_id]
        return await self._act(Type.COMPONENT, channel, data, name=str(data["custom_id"]), source=seen.message)

    async def _act(self, type: Type, channel: Channel, data: Json, **more: Any) -> Reply:
        interaction = self.server.interactions.start(type, self.user, channel, data, **more)
        if not await interaction.wait_for(lambda: interaction.state is not State.WAITING, self.patience):
            raise TheBotDidNotAnswer(f"{interaction.name}: nothing came, and the clock stood still.")
        if interaction.state is State.FAILED:
            raise TheBotDidNotAnswer(f"{interaction.name}: {interaction.why_failed}")
        return Reply(self.server, interaction)
