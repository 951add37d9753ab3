"""What people are told when a status turns: owed in the transaction that turns it, once each.

However many follow a process, it takes some ten statements for each hundred of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.cadence import ONCE_A_DAY
from bot.domain.card import Role
from bot.domain.digest import NAMED_AT_MOST
from bot.domain.notices import ProcessLine, Regressed, Unreadable
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.verdict import Judgement
from bot.services.good_news import GoodNews
from bot.services.naming import Names, names_of
from bot.services.ticketing import Ticketing
from bot.settings import CheckSettings
from bot.store import gathering, outbox, people, registrations
from bot.store.people import Person
from bot.store.processes import Target
from bot.store.registrations import Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One target after a look: what it was, with its status as it is now, and what the look concluded.

    `caught_up` has, by registration, what newcomers knew who may know as much as everybody from this look on.
    `readable_again`: what could not be read for days was, and its owners are reminded of it again.
    """

    target: Target
    before: Verdict
    judgement: Judgement
    caught_up: Mapping[int, Verdict]
    readable_again: bool = False

    @property
    def turned(self) -> bool:
        """Whether everybody who follows it has to be told."""
        return self.target.status.verdict is not self.before

    def before_for(self, registration: Registration) -> Verdict:
        """Give the verdict that this person knew before the look; a newcomer's own, who has yet to catch up, stays."""
        if registration.own is not None:
            return registration.verdict
        return self.caught_up.get(registration.id, self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    """One person, with all that they follow and what its processes are called."""

    person: Person
    followed: Sequence[Registration]
    names: Names

    @property
    def user_id(self) -> int:
        return self.person.user_id

    def of(self, registration: Registration) -> list[Registration]:
        """Give all they have of the same process."""
        return [each for each in self.followed if each.process == registration.process]

    def line(self, registration: Registration, now: datetime) -> ProcessLine:
        since = registration.status.since or registration.created_at
        return self.names.line(registration, min(max(since, registration.created_at), now))


class Turning:
    """Owes the messages of looks."""

    def __init__(self, settings: CheckSettings, ticketing: Ticketing, *, together: timedelta) -> None:
        self._together = together
        self._unreadable_after = settings.unreadable_after
        self._ticketing = ticketing

    async def tell(self, connection: AsyncConnection, turns: Sequence[Turn], now: datetime) -> set[int]:
        """Owe what these turns cause; give whose agenda has to be planned anew.

        Patched: told to everybody who was not told so before. Regressed: to owners who were told that it was patched.
        Unreadable: to owners, once ever. Watchers hear only "patched". Who pressed *Stop* hears only good news.
        """
        by_target = {turn.target.id: turn for turn in turns}
        concerned = await registrations.concerned(
            connection,
            all_of=[turn.target.id for turn in turns if turn.turned or turn.readable_again],
            ids=[registration_id for turn in turns for registration_id in turn.caught_up],
            untold_of=[turn.target.id for turn in turns if turn.target.status.unread_for(self._unreadable_after, now)],
        )
        for user_ids in people.in_portions(concerned):
            await self._tell_some(connection, user_ids, by_target, now)
        return concerned

    async def _tell_some(
        self, connection: AsyncConnection, user_ids: Sequence[int], by_target: Mapping[int, Turn], now: datetime
    ) -> None:
        known = await people.of(connection, user_ids, lock=True)
        followed = await registrations.of_people(connection, list(known))
        processes = {turn.target.process for turn in by_target.values()}
        names = await names_of(connection, [e for mine in followed.values() for e in mine if e.process in processes])
        news = GoodNews(await gathering.since(connection, list(known), "patched", now - self._together))
        for user_id, person in known.items():
            listener = _Listener(person=person, followed=followed[user_id], names=names)
            undone: set[ProcessId] = set()
            for registration in listener.followed:
                if (turn := by_target.get(registration.target_id)) is None:
                    continue
                if _came_undone(registration) and registration.process not in undone:
                    undone.add(registration.process)
                    await self._regressed(connection, listener, registration, now)
                else:
                    await self._tell_one(connection, listener, registration, turn, news, now)
        await news.write(connection, now)

    async def _tell_one(
        self,
        connection: AsyncConnection,
        listener: _Listener,
        registration: Registration,
        turn: Turn,
        news: GoodNews,
        now: datetime,
    ) -> None:
        verdict = registration.verdict
        listening = registration.role is Role.MINE and listener.person.stopped_at is None
        unread = registration.status.unread_for(self._unreadable_after, now)
        if verdict is Verdict.PATCHED and turn.before_for(registration) is not verdict:
            if registration.told is not verdict:
                line = listener.line(registration, now)
                news.tell(listener.person, listener.followed, registration, line, turn.judgement)
        elif unread and listening and registration.blocked is None and not registration.told_unreadable:
            await registrations.change(connection, [registration.id], told_unreadable=True)
            notice = Unreadable(
                safe_word=listener.person.safe_word,
                process=listener.line(registration, now),
                reason=turn.judgement.reason.value,
            )
            await outbox.owe(connection, notice, now=now, user_id=listener.user_id)

    async def _regressed(
        self, connection: AsyncConnection, listener: _Listener, registration: Registration, now: datetime
    ) -> None:
        """Note it for all that this person has of the process, and tell it once, unless it was open to them anyway."""
        same = listener.of(registration)
        open_anyway = any(each.open and each.told is not Verdict.PATCHED for each in same)
        await registrations.change(connection, [each.id for each in same], told=Verdict.NOT_PATCHED)
        if open_anyway or listener.person.stopped_at is not None or registration.blocked is not None:
            return
        await people.change(connection, listener.user_id, reminders_sent=0)
        await self._owe_regressed(connection, listener, listener.line(registration, now), now)

    async def _owe_regressed(
        self, connection: AsyncConnection, listener: _Listener, line: ProcessLine, now: datetime
    ) -> None:
        """Owe it, together with what came undone before it went; not within a day of a reminder."""
        waiting = await gathering.untried(connection, listener.user_id, "regressed")
        before = waiting[1] if waiting is not None else None
        named = [before.process, *before.others, line] if isinstance(before, Regressed) else [line]
        processes = {each.process for each in named}
        undone = [each for each in listener.followed if each.process in processes]
        notice = Regressed(
            safe_word=listener.person.safe_word,
            process=named[0],
            others=tuple(named[1:NAMED_AT_MOST]),
            more=max(0, len(named) - NAMED_AT_MOST) + (before.more if isinstance(before, Regressed) else 0),
            ticket=await self._ticketing.mint_in(connection, listener.user_id, undone, now),
        )
        if waiting is not None:
            await gathering.join(connection, waiting[0], notice)
            return
        reminded = listener.person.last_reminder_at
        not_before = None if reminded is None else max(now, reminded + ONCE_A_DAY)
        await outbox.owe(connection, notice, now=now, user_id=listener.user_id, not_before=not_before)


def _came_undone(registration: Registration) -> bool:
    told_and_theirs = registration.told is Verdict.PATCHED and registration.role is Role.MINE
    return told_and_theirs and registration.verdict is Verdict.NOT_PATCHED
