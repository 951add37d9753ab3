"""What came of a person's action, followed as the bot goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sandbox.discord.interactions import Interaction, State
from sandbox.discord.models import Message
from sandbox.discord.refusals import TheBotDidNotAnswer
from sandbox.discord.seen import Modal, SeenMessage
from sandbox.discord.server import DiscordServer

PATIENCE = 10.0
"""Real seconds that a person waits for something to come; the 3 seconds of a first answer go by the server's clock."""
Matching: TypeAlias = "Callable[[SeenMessage], bool]"


class Reply:
    """What came of one action. It follows what the bot does next."""

    def __init__(self, server: DiscordServer, interaction: Interaction) -> None:
        self._server = server
        self.interaction = interaction

    @property
    def state(self) -> State:
        """What the person sees now: deferred, answered, updated, a dialog…"""
        return self.interaction.state

    @property
    def message(self) -> SeenMessage:
        """The answer, or the message that was updated, as it is now. Raises TheBotDidNotAnswer where there is none."""
        if self.interaction.original is None:
            raise TheBotDidNotAnswer(f"There is no message: the interaction is {self.state}.")
        return self._seen(self.interaction.original)

    @property
    def followups(self) -> list[SeenMessage]:
        """Further messages of the same interaction, oldest first."""
        return [self._seen(message) for message in self.interaction.followups]

    @property
    def modal(self) -> Modal:
        """The dialog that opened. Raises NoModal where none did, or it is closed."""
        return Modal(self.interaction)

    async def wait_final(self, timeout: float = PATIENCE) -> SeenMessage:  # noqa: ASYNC109 -- ends in our own error
        """Wait until the bot no longer "thinks", and give its answer. Later edits are seen through the same message.

        Raises TheBotDidNotAnswer.
        """
        interaction = self.interaction

        def final() -> bool:
            gone = interaction.original is not None and interaction.original.deleted
            return gone or bool(interaction.followups) or self.state in (State.ANSWERED, State.UPDATED)

        await self._wait(final, timeout, "its answer")
        return self.message

    async def wait_until(self, matching: Matching, timeout: float = PATIENCE) -> SeenMessage:  # noqa: ASYNC109 -- as above
        """Wait until the answer, which may be edited on and on, is so. Raises TheBotDidNotAnswer."""
        original = self.interaction

        def so() -> bool:
            return original.original is not None and matching(self._seen(original.original))

        await self._wait(so, timeout, "what was waited for")
        return self.message

    async def wait_followup(self, count: int = 1, timeout: float = PATIENCE) -> SeenMessage:  # noqa: ASYNC109 -- as above
        """Wait for the `count`-th further message. Raises TheBotDidNotAnswer."""
        await self._wait(lambda: len(self.interaction.followups) >= count, timeout, "a follow-up")
        return self.followups[count - 1]

    async def _wait(self, is_so: Callable[[], bool], timeout: float, what: str) -> None:  # noqa: ASYNC109 -- as above
        if not await self.interaction.wait_for(is_so, timeout):
            shown = self.interaction.original
            now = f"shows {self._seen(shown).text!r}" if shown else "shows nothing"
            raise TheBotDidNotAnswer(f"{timeout:g} seconds went by without {what}: it is {self.state} and {now}.")

    def _seen(self, message: Message) -> SeenMessage:
        return SeenMessage(message, self._server.world)
