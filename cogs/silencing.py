"""What people press who don't want a reminder now, or not any more, or say that they can't sign."""

from __future__ import annotations

from bot.application import Application
from bot.domain.card import Blocked
from bot.domain.process_id import parse_process_id
from bot.errors import BadInput
from cogs import following
from cogs.answering import Interaction, defer, show
from cogs.controls import Press, chosen
from cogs.messages import answers, wishes


class Silencing:
    """One method for each verb; each answers the one who pressed, and nobody else sees it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._wishing = application.wishing
        self._blocking = application.reminding.blocking

    def presses(self) -> dict[str, Press]:
        """Give the methods by verb. Verbs live as long as the messages that carry them: never reuse one."""
        return {
            "snooze": self.snooze,
            "more": self.more,
            "until": self.until,
            "stop": self.stop,
            "quit": self.quit,
            "whystop": self.whystop,
            "resume": self.resume,
            "cannot": self.cannot,
            "why": self.why,
            "which": self.which,
            "cant": self.cant,
            "whyone": self.whyone,
            "again": self.again,
            "mention": self.mention,
            "unpause": self.unpause,
        }

    async def snooze(self, interaction: Interaction, delivery: str, choice: str) -> None:
        """*Tonight*, *Next week*, and what older messages have: *Later*, *Tomorrow*."""
        await defer(interaction)
        await self._silence(interaction, int(delivery), choice)

    async def _silence(self, interaction: Interaction, delivery: int, choice: str) -> None:
        user_id = interaction.user.id
        until = await self._wishing.when(user_id, choice)
        following_one = await self._wishing.snooze(user_id, delivery, until, private=_is_private(interaction))
        wish = await self._wishing.wishes(user_id)
        zone_known = wish.person.zone is not None
        await show(interaction, answers.snoozed(until, following_one, zone_known=zone_known))

    async def more(self, interaction: Interaction, delivery: str) -> None:
        """The list under a DM: another day, *I can't*, *Stop*."""
        match chosen(interaction):
            case ["date"]:
                await defer(interaction)
                wish = await self._wishing.wishes(interaction.user.id)
                await show(interaction, wishes.which_day(wish, int(delivery), self._application.clock()))
            case ["cannot"]:
                await self.cannot(interaction, delivery)
            case ["stop"]:
                await self.stop(interaction, delivery)
            case _:
                raise BadInput("That choice is from an older version of me. Type /reminders for what there is now.")

    async def until(self, interaction: Interaction, delivery: str) -> None:
        """A day, chosen."""
        await defer(interaction)
        await self._silence(interaction, int(delivery), "".join(chosen(interaction)))

    async def stop(self, interaction: Interaction, delivery: str) -> None:
        """*Stop* under a message."""
        await defer(interaction)
        await self._wishing.stop(interaction.user.id, int(delivery), private=_is_private(interaction))
        await show(interaction, wishes.stopped())

    async def quit(self, interaction: Interaction, _all: str) -> None:
        """*Stop* in `/reminders`, and *No reminders*."""
        await defer(interaction)
        await self._wishing.stop(interaction.user.id)
        await show(interaction, wishes.stopped())

    async def whystop(self, interaction: Interaction, _all: str) -> None:
        """Why somebody stopped, if they like to say."""
        await defer(interaction)
        await self._wishing.say_why(interaction.user.id, "".join(chosen(interaction)))
        await show(interaction, wishes.thanks())

    async def resume(self, interaction: Interaction, _all: str) -> None:
        """*Remind me again*."""
        await defer(interaction)
        await show(interaction, answers.resumed(await self._wishing.resume(interaction.user.id)))

    async def cannot(self, interaction: Interaction, delivery: str) -> None:
        """*I can't*: ask what is in the way."""
        await defer(interaction)
        private = _is_private(interaction)
        lines = await self._blocking.in_question(interaction.user.id, int(delivery), private=private)
        await show(interaction, answers.what_is_in_the_way(f"why:{delivery}", lines))

    async def why(self, interaction: Interaction, delivery: str) -> None:
        """What is in the way, chosen: of one process its reminders end, of several it is asked which."""
        await defer(interaction)
        reason = Blocked("".join(chosen(interaction)))
        private = _is_private(interaction)
        lines = await self._blocking.cannot(interaction.user.id, int(delivery), reason, private=private)
        several = len(lines) > 1
        await show(interaction, wishes.which_processes(reason, lines) if several else answers.blocked(reason, lines))

    async def which(self, interaction: Interaction, reason: str) -> None:
        """Of which processes something is in the way, chosen."""
        await defer(interaction)
        blocked = await self._blocking.block_some(interaction.user.id, chosen(interaction), Blocked(reason))
        await show(interaction, answers.blocked(Blocked(reason), blocked))

    async def cant(self, interaction: Interaction, process: str) -> None:
        """*I can't* on a card."""
        await defer(interaction)
        lines = await self._blocking.open_one(interaction.user.id, parse_process_id(process))
        await show(interaction, answers.what_is_in_the_way(f"whyone:{process}", lines))

    async def whyone(self, interaction: Interaction, process: str) -> None:
        """What is in the way of one process, chosen."""
        await defer(interaction)
        reason, wanted = Blocked("".join(chosen(interaction))), parse_process_id(process)
        lines = await self._blocking.open_one(interaction.user.id, wanted)
        await self._blocking.block(interaction.user.id, wanted, reason)
        await show(interaction, answers.blocked(reason, lines))

    async def again(self, interaction: Interaction, process: str) -> None:
        """*Remind me again* on the card of a process that could not be signed."""
        await defer(interaction)
        wanted = parse_process_id(process)
        await self._blocking.block(interaction.user.id, wanted, None)
        cards = await self._application.registering.cards(interaction.user.id, wanted)
        await show(interaction, following.cards_page(cards))

    async def mention(self, interaction: Interaction, _all: str) -> None:
        """*Mention me there*."""
        await defer(interaction)
        if interaction.guild_id is None:
            raise BadInput("That works in a server only.")
        channel, _ = await self._application.places.mention_there(interaction.user.id, interaction.guild_id)
        await show(interaction, wishes.mentioned(channel, await self._wishing.wishes(interaction.user.id)))

    async def unpause(self, interaction: Interaction, guild: str) -> None:
        """*Resume its reminders*, on the alarm that says that a server was paused."""
        await defer(interaction)
        await self._application.places.resume(interaction.user.id, int(guild))
        await show(interaction, wishes.resumed_server(int(guild)))


def _is_private(interaction: Interaction) -> bool:
    """Tell whether it was pressed in the person's own DMs, where nobody else can press."""
    return interaction.guild_id is None
