"""Mentions: what comes instead of a reminder where a person's DMs are closed, in the one place that they agreed to."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notices import Mention
from bot.store import guilds, people
from bot.store.people import Person


async def mention_of(connection: AsyncConnection, person: Person) -> tuple[Mention, int] | None:
    """Give the mention of this person, and the channel for it; None where they may not be mentioned now.

    Then nothing is planned for them. What they agreed to ends with the place, and with either's leaving the server. A
    pause of the server ends nothing: resuming plans anew.
    """
    if person.mention_guild_id is None:
        return None
    guild = await guilds.find(connection, person.mention_guild_id)
    if (
        guild is None
        or guild.channel_id is None
        or guild.left_at is not None
        or await guilds.is_stranger(connection, guild.guild_id, person.user_id)
    ):
        await people.change(connection, person.user_id, mention_guild_id=None, next_reminder_at=None)
        return None
    if guild.paused_at is not None:
        await people.change(connection, person.user_id, next_reminder_at=None)
        return None
    return Mention(user_id=person.user_id, guild_id=guild.guild_id), guild.channel_id


async def choose_place(connection: AsyncConnection, guild_id: int, channel_id: int | None) -> None:
    """Set where people of a server may be mentioned; None: nowhere. Who agreed to another place there did not to this.

    They see at their next command that nothing reaches them, and may agree anew.
    """
    before = await guilds.find(connection, guild_id, lock=True)
    if before is not None and before.channel_id == channel_id:
        return
    await guilds.change(connection, guild_id, channel_id=channel_id)
    for some in people.in_portions(await guilds.who_agreed(connection, guild_id)):
        for person in (await people.of(connection, some, lock=True)).values():
            reachable = {} if person.unreachable_code is None else {"next_reminder_at": None}
            await people.change(connection, person.user_id, mention_guild_id=None, **reachable)
