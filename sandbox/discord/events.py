"""What happens, told to those who watch: the page, and people who wait for something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sandbox.discord.models import Message

BEHIND_AT_MOST = 500
"""Events that a watcher may be behind before it is let go."""


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message appeared, or was edited."""

    message: Message
    new: bool


@dataclass(frozen=True, slots=True)
class MessageGone:
    """A message was deleted, or an ephemeral one dismissed."""

    message: Message


@dataclass(frozen=True, slots=True)
class InteractionMoved:
    """An interaction has a new state (interactions.State). `name` is the command's, or the component's custom_id."""

    id: int
    user_id: int
    state: str
    name: str


@dataclass(frozen=True, slots=True)
class ModalMoved:
    """A dialog opened for a person, or closed."""

    interaction_id: int
    user_id: int
    open: bool


@dataclass(frozen=True, slots=True)
class ChannelAppeared:
    """A channel or a DM is new. `users` are the two of a DM, or None: all who may see the guild's channel."""

    channel_id: int
    users: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class BotMoved:
    """The bot connected to the gateway, or is gone."""

    online: bool


Event: TypeAlias = "MessageChanged | MessageGone | InteractionMoved | ModalMoved | ChannelAppeared | BotMoved"


class Watch:
    """One watcher's queue: `async for event in watch`, which ends when it was let go."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(BEHIND_AT_MOST)

    def put(self, event: Event) -> Literal["kept", "let go"]:
        """Hand an event on; a watcher too far behind is let go."""
        if self._queue.full():
            self.end()
            return "let go"
        self._queue.put_nowait(event)
        return "kept"

    def end(self) -> None:
        """Let the watcher go."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self) -> Event | None:
        """Wait for the next event; None when it was let go."""
        return await self._queue.get()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self.next()) is not None:
            yield event


class Events:
    """Hands each event to all who watch."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()

    def publish(self, event: Event) -> None:
        """Tell all."""
        for watch in tuple(self._watches):
            if watch.put(event) == "let go":
                self._watches.discard(watch)

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Watch from now on: `with events.watch() as watch`."""
        watch = Watch()
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def close(self) -> None:
        """Let all go."""
        for watch in self._watches:
            watch.end()
        self._watches.clear()
