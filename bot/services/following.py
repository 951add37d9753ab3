"""What one person follows: shown, suggested and ended. Everything here is about the asker's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ao.gateway import Gateways
from bot.clock import Clock
from bot.domain.card import Metadata, Role, StatusCard
from bot.domain.digest import NAMED_AT_MOST
from bot.domain.notices import FirstDm
from bot.domain.process_id import ProcessId, parse_process_id, shorten
from bot.domain.together import one_each
from bot.errors import BadInput, MalformedAddress, MalformedProcessId, NotYours
from bot.services.agenda import Agenda
from bot.services.cards import make_card, wants_link
from bot.services.explaining import Explaining
from bot.services.naming import names_of
from bot.services.resting import resting
from bot.services.ticketing import Ticketing
from bot.settings import Settings
from bot.store import outbox, people, privacy, processes, registrations
from bot.store.database import Database, again_after_deadlock
from bot.store.people import Person
from bot.store.registrations import Registration

Progress = Callable[[int, int], Awaitable[None]]
"""Is told how many are done, of how many."""

_SUGGESTIONS = 25
_SUGGESTION_AT_MOST = 100  # Discord's, for the name of a choice


class Following:
    """Answers people about what is theirs. `Registering` adds to it."""

    def __init__(
        self,
        database: Database,
        gateways: Gateways,
        settings: Settings,
        clock: Clock,
        *,
        ticketing: Ticketing,
        agenda: Agenda,
        explaining: Explaining,
    ) -> None:
        self._database = database
        self._gateways = gateways
        self._checks = settings.checks
        self._limits = settings.registrations
        self._clock = clock
        self._ticketing = ticketing
        self._agenda = agenda
        self._explaining = explaining

    @again_after_deadlock
    async def unregister(self, user_id: int, process: ProcessId) -> StatusCard:
        """End what this person follows of a process, and its place on their links; give its last card.

        Raises NotYours.
        """
        now = self._clock()
        async with self._database.write() as connection:
            mine = await registrations.of_person(connection, user_id, process)
            if not mine:
                raise NotYours("You don't follow that process.")
            card = (await self.make_cards(connection, user_id, mine, now, link=False))[0]
            await registrations.remove(connection, [each.id for each in mine])
            await processes.forget_unfollowed(connection, process)
            await self._agenda.plan(connection, [user_id], now)
        return card

    async def cards(self, user_id: int, process: ProcessId | None = None, *, link: bool = True) -> list[StatusCard]:
        """Give a person's cards, oldest first, with one new link for all that is open; [] where they follow nothing."""
        async with self._database.write() as connection:
            now = self._clock()
            await privacy.note_seen(connection, user_id, now)
            mine = await registrations.of_person(connection, user_id, process)
            cards = await self.make_cards(connection, user_id, mine, now, link=link)
        return await self._explaining.explain(cards)

    async def make_cards(
        self,
        connection: AsyncConnection,
        user_id: int,
        mine: Sequence[Registration],
        now: datetime,
        *,
        link: bool = True,
    ) -> list[StatusCard]:
        """Give the cards of these registrations of one person, each process once, in their order.

        With `link`, mint one for all that wants one.
        """
        person = await people.find(connection, user_id)
        if person is None or not mine:
            return []
        names = list({each.process for each in mine})
        known = await processes.find_many(connection, names)
        targets = {t.id: t for listed in (await processes.targets_of(connection, names)).values() for t in listed}
        rest = await resting(connection, self._agenda.settings, now)
        wanting = [each for each in mine if wants_link(each)]
        url = self._ticketing.url(await self._ticketing.mint_in(connection, user_id, wanting, now)) if link else None
        return one_each(
            make_card(
                each,
                known[each.process],
                targets[each.target_id],
                person,
                checks=self._checks,
                now=now,
                resting=rest,
                sign_url=url,
            )
            for each in mine
        )

    async def person(self, user_id: int) -> Person | None:
        """Give what is kept of a person themselves (their safe word, whether DMs arrive), or None."""
        async with self._database.read() as connection:
            return await people.find(connection, user_id)

    async def suggest(self, user_id: int, typed: str) -> list[tuple[str, ProcessId]]:
        """Give up to 25 of a person's own processes that match what they typed: what to show, and the id."""
        async with self._database.read() as connection:
            mine = await registrations.of_person(connection, user_id)
            names = await names_of(connection, mine)
        sought = typed.strip().casefold()
        suggestions: dict[ProcessId, str] = {}
        for each in mine:
            name = names.label(each) or names.name(each.process) or ""
            if sought in name.casefold() or sought in each.process.casefold():
                shown = f"{' '.join(name.split())} · {shorten(each.process)}" if name else shorten(each.process)
                suggestions.setdefault(each.process, shown[-_SUGGESTION_AT_MOST:])
            if len(suggestions) == _SUGGESTIONS:
                break
        return [(shown, process) for process, shown in suggestions.items()]

    async def owned_by(self, user_id: int, address: str, progress: Progress | None = None) -> list[Metadata]:
        """List the processes that a wallet spawned itself; nothing is stored but that one of today's look-ups is used.

        Raises MalformedAddress, BadInput where today's are used up, and PeerError where no gateway could tell.
        """
        try:
            wallet = parse_process_id(address)  # an address has the same shape
        except MalformedProcessId:
            raise MalformedAddress(
                "That is not a wallet address: an address has 43 letters, digits, - and _."
            ) from None
        limit = self._limits.wallet_lookups_per_day
        async with self._database.write() as connection:
            day = self._clock().date().isoformat()
            if not await people.spend(connection, user_id, "wallet", day=day, limit=limit):
                raise BadInput("You have looked up {limit} wallets today; tomorrow you can look up more.", limit=limit)
        found: list[Metadata] = []
        async for metadata in self._gateways.list_owned(wallet):
            found.append(metadata)
            if progress is not None and len(found) % 100 == 0:
                await progress(len(found), len(found))
        return found

    async def try_again(self, user_id: int) -> int | None:
        """Owe the first DM again, by the person's own act, after they opened their DMs; give the delivery to wait for.

        None where they follow nothing as its owner.
        """
        now = self._clock()
        async with self._database.write() as connection:
            person = await people.find(connection, user_id, lock=True)
            mine = await registrations.of_person(connection, user_id)
            if person is None:
                return None
            await people.change(connection, user_id, unreachable_code=None)
            await self._agenda.plan(connection, [user_id], now)
            return await self.owe_first_dm(connection, person, mine, now)

    async def owe_first_dm(
        self, connection: AsyncConnection, person: Person, listed: Sequence[Registration], now: datetime
    ) -> int | None:
        """Owe the DM that proves that DMs arrive; None where all is only watched: watchers hear only "patched"."""
        mine = [each for each in listed if each.role is Role.MINE]
        if not mine:
            return None
        wanting = [each for each in mine if wants_link(each)]
        communities = {each.guild_name for each in mine}
        names = await names_of(connection, await registrations.of_person(connection, person.user_id))
        each_once = list({each.process: each for each in mine}.values())
        notice = FirstDm(
            safe_word=person.safe_word,
            processes=tuple(names.line(each) for each in each_once[:NAMED_AT_MOST]),
            more=max(0, len(each_once) - NAMED_AT_MOST),
            community=communities.pop() if len(communities) == 1 else None,
            added_at=now,
            ticket=await self._ticketing.mint_in(connection, person.user_id, wanting, now),
        )
        return await outbox.owe(connection, notice, now=now, user_id=person.user_id)
