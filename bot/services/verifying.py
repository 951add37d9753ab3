"""Whether a message or a link is from us; told to the person that it would be for, and only about their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.links import MessageLink, SortedLinks, hosts, is_bare_address, sort_links
from bot.domain.ticket import hash_ticket
from bot.errors import BadInput
from bot.store import outbox, people, tickets
from bot.store.database import Database

MOST_CHARACTERS = 6000


class Trust(StrEnum):
    """What can be told; each has its own words. Above is worse: of several, the first is said."""

    ELSEWHERE = "elsewhere"  # a link leads to another place
    NOT_SENT = "not-sent"  # a link to a message that we did not send to this person
    TOO_OLD = "too-old"  # a link to a message from before what is kept of those that we sent
    NOT_THEIRS = "not-theirs"  # our page, but no link of this person's
    NO_SAFE_WORD = "no-safe-word"
    SENT = "sent"  # a link to a message that we sent to this person
    THEIR_LINK = "their-link"
    SAFE_WORD = "safe-word"
    OUR_PAGE = "our-page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is true of a text. `places` are where links lead that are not ours; `at` when it was sent, or ends."""

    trust: Trust
    places: tuple[str, ...] = ()
    at: datetime | None = None


class Verifying:
    """Compares with this person's own deliveries and tickets; whose else something may be is never told."""

    def __init__(self, database: Database, clock: Clock, public_url: str | None, keeps: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._public_url = public_url
        self._keeps = keeps

    async def verify(self, user_id: int, text: str) -> Verified:
        """Tell whether a link or the text of a message is from us. Raises BadInput where there is nothing to tell."""
        if len(text) > MOST_CHARACTERS:
            raise BadInput("That is too long: a message or a link, please.")
        if is_bare_address(text):
            raise BadInput("Please give the whole link, with https:// in front: copy it, don't type it.")
        links = sort_links(text, self._public_url)
        if links.others:
            return Verified(trust=Trust.ELSEWHERE, places=tuple(hosts(links.others)))
        async with self._database.read() as connection:
            found = [*await self._messages(connection, user_id, links), *await self._links(connection, user_id, links)]
            if (not links.ours and not links.messages) or _has_words_around(text):
                found.append(await self._safe_word(connection, user_id, text))
        return min(found, key=lambda each: list(Trust).index(each.trust))

    async def _messages(self, connection: AsyncConnection, user_id: int, links: SortedLinks) -> list[Verified]:
        return [await self._message(connection, user_id, each) for each in links.messages]

    async def _message(self, connection: AsyncConnection, user_id: int, link: MessageLink) -> Verified:
        at = await outbox.sent_as(connection, user_id, link.channel_id, link.message_id)
        if at is not None:
            return Verified(trust=Trust.SENT, at=at)
        too_old = link.written_at < self._clock() - self._keeps
        return Verified(trust=Trust.TOO_OLD if too_old else Trust.NOT_SENT)

    async def _links(self, connection: AsyncConnection, user_id: int, links: SortedLinks) -> list[Verified]:
        return [await self._link(connection, user_id, fragment) for fragment in links.fragments]

    async def _link(self, connection: AsyncConnection, user_id: int, fragment: str) -> Verified:
        if not fragment:
            return Verified(trust=Trust.OUR_PAGE)
        hashed = hash_ticket(fragment)
        ticket = None if hashed is None else await tickets.find(connection, hashed, self._clock())
        if ticket is None or ticket.user_id != user_id:
            return Verified(trust=Trust.NOT_THEIRS)
        return Verified(trust=Trust.THEIR_LINK, at=ticket.expires_at)

    async def _safe_word(self, connection: AsyncConnection, user_id: int, text: str) -> Verified:
        person = await people.find(connection, user_id)
        words = " ".join(text.replace("*", " ").casefold().split())
        carried = person is not None and person.safe_word in words
        return Verified(trust=Trust.SAFE_WORD if carried else Trust.NO_SAFE_WORD)


def _has_words_around(text: str) -> bool:
    """Tell a message that has links in it from links alone."""
    return any("://" not in word for word in text.split())
