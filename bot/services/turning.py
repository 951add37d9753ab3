"""What people are told when a status turns: owed in the transaction that turns it, once each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.cadence import ONCE_A_DAY
from bot.domain.card import Role
from bot.domain.digest import NAMED_AT_MOST
from bot.domain.notices import Patched, ProcessLine, Regressed, Unreadable
from bot.domain.observation import Verdict
from bot.domain.status import TargetStatus
from bot.domain.verdict import Judgement
from bot.services.naming import names_of
from bot.services.ticketing import Ticketing
from bot.settings import CheckSettings
from bot.store import gathering, outbox, people, registrations
from bot.store.people import Person
from bot.store.processes import Target
from bot.store.registrations import Registration, counting


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One target after a look: what it was, with its status as it is now, and what the look concluded.

    `caught_up` has, by registration, what newcomers knew who may know as much as everybody from this look on.
    """

    target: Target
    before: Verdict
    judgement: Judgement
    caught_up: Mapping[int, Verdict]

    def before_for(self, registration: Registration) -> Verdict:
        """Give the verdict that this person knew before the look; a newcomer's own, who has yet to catch up, stays."""
        if registration.own is not None:
            return registration.verdict
        return self.caught_up.get(registration.id, self.before)


class Turning:
    """Owes the messages of a look."""

    def __init__(self, settings: CheckSettings, ticketing: Ticketing, *, together: timedelta) -> None:
        self._together = together
        self._unreadable_after = settings.unreadable_after
        self._ticketing = ticketing

    async def tell(self, connection: AsyncConnection, turns: list[Turn], now: datetime) -> set[int]:
        """Owe what these turns cause; give whose agenda has to be planned anew.

        Patched: told to everybody who was not told so before. Regressed: to owners who were told that it was patched.
        Unreadable: to owners, once ever. Watchers hear only "patched". Who pressed *Stop* hears only good news.
        """
        by_target = {turn.target.id: turn for turn in turns if self._matters(turn, now)}
        if not by_target:
            return set()
        changed: set[int] = set()
        for registration in await registrations.of_targets(connection, sorted(by_target)):
            turn = by_target[registration.target_id]
            person = await people.find(connection, registration.user_id, lock=True)
            if person is not None:
                await self._tell_one(connection, registration, person, turn, now)
                changed.add(person.user_id)
        return changed

    def _matters(self, turn: Turn, now: datetime) -> bool:
        turned = turn.target.status.verdict is not turn.before
        return turned or bool(turn.caught_up) or self._unreadable(turn.target.status, now)

    def _unreadable(self, status: TargetStatus, now: datetime) -> bool:
        since = status.unknown_since
        return since is not None and now - since >= self._unreadable_after

    async def _tell_one(
        self, connection: AsyncConnection, registration: Registration, person: Person, turn: Turn, now: datetime
    ) -> None:
        verdict = registration.verdict
        mine = registration.role is Role.MINE
        listening = mine and person.stopped_at is None
        if (
            verdict is Verdict.PATCHED
            and turn.before_for(registration) is not verdict
            and registration.told is not verdict
        ):
            await self._patched(connection, registration, person, turn, now)
        elif verdict is Verdict.NOT_PATCHED and registration.told is Verdict.PATCHED and mine:
            await self._regressed(connection, registration, person, now, listening=listening)
        elif self._unreadable(registration.status, now) and listening and not registration.told_unreadable:
            await registrations.change(connection, [registration.id], told_unreadable=True)
            line = await _line(connection, registration, now)
            notice = Unreadable(safe_word=person.safe_word, process=line, reason=turn.judgement.reason.value)
            await outbox.owe(connection, notice, now=now, user_id=person.user_id)

    async def _patched(
        self, connection: AsyncConnection, registration: Registration, person: Person, turn: Turn, now: datetime
    ) -> None:
        """Tell it once, and only when nothing that this person expects of the process is missing any more."""
        judgement = turn.judgement
        followed = await registrations.of_person(connection, person.user_id)
        same = counting([each for each in followed if each.process == registration.process])
        told_meanwhile = any(each.told is Verdict.PATCHED for each in same if each.id == registration.id)
        if told_meanwhile or any(each.verdict is not Verdict.PATCHED for each in same):
            return
        await registrations.change(connection, [each.id for each in same], told=Verdict.PATCHED, blocked=None)
        shown = Patched(
            safe_word=person.safe_word,
            process=await _line(connection, registration, now),
            shown=tuple(key for key, _ in judgement.shown) or judgement.exposed,
            nodes=len(judgement.nodes),
            node_url=proof_url(registration.process, judgement),
            open_processes=len({each.process for each in followed if each.open} - {registration.process}),
        )
        await self._owe_patched(connection, person, shown, now)

    async def _owe_patched(self, connection: AsyncConnection, person: Person, notice: Patched, now: datetime) -> None:
        """Owe it, or have it join the one before: in ten minutes a person gets one, which grows, not twenty."""
        recent = await gathering.since(connection, person.user_id, notice.kind, now - self._together)
        before = recent[1] if recent is not None else None
        came_undone = isinstance(before, Patched) and notice.process.process in _processes(before)
        if recent is None or not isinstance(before, Patched) or came_undone:
            await outbox.owe(connection, notice, now=now, user_id=person.user_id)
            return
        others = (*before.others, notice.process)
        joined = before.model_copy(
            update={
                "others": others[: NAMED_AT_MOST - 1],
                "more": before.more + max(0, len(others) - NAMED_AT_MOST + 1),
                "open_processes": notice.open_processes,
            }
        )
        await gathering.join(connection, recent[0], joined)

    async def _regressed(
        self, connection: AsyncConnection, registration: Registration, person: Person, now: datetime, *, listening: bool
    ) -> None:
        """Note it for all that this person has of the process, and tell it once, unless it was open to them anyway."""
        same = await registrations.of_person(connection, person.user_id, registration.process)
        open_anyway = any(each.open and each.told is not Verdict.PATCHED for each in same)
        await registrations.change(connection, [each.id for each in same], told=Verdict.NOT_PATCHED)
        if open_anyway or not listening or registration.blocked is not None:
            return
        await people.change(connection, person.user_id, reminders_sent=0)
        await self._owe_regressed(connection, person, await _line(connection, registration, now), now)

    async def _owe_regressed(
        self, connection: AsyncConnection, person: Person, line: ProcessLine, now: datetime
    ) -> None:
        """Owe it, together with what came undone before it went; not within a day of a reminder."""
        waiting = await gathering.untried(connection, person.user_id, "regressed")
        before = waiting[1] if waiting is not None else None
        named = [before.process, *before.others, line] if isinstance(before, Regressed) else [line]
        processes = {each.process for each in named}
        followed = await registrations.of_person(connection, person.user_id)
        undone = [each for each in followed if each.process in processes]
        notice = Regressed(
            safe_word=person.safe_word,
            process=named[0],
            others=tuple(named[1:NAMED_AT_MOST]),
            more=max(0, len(named) - NAMED_AT_MOST) + (before.more if isinstance(before, Regressed) else 0),
            ticket=await self._ticketing.mint_in(connection, person.user_id, undone, now),
        )
        if waiting is not None:
            await gathering.join(connection, waiting[0], notice)
            return
        reminded = person.last_reminder_at
        not_before = None if reminded is None else max(now, reminded + ONCE_A_DAY)
        await outbox.owe(connection, notice, now=now, user_id=person.user_id, not_before=not_before)


def _processes(notice: Patched) -> set[str]:
    return {notice.process.process, *(each.process for each in notice.others)}


async def _line(connection: AsyncConnection, registration: Registration, now: datetime) -> ProcessLine:
    same = await registrations.of_person(connection, registration.user_id, registration.process)
    since = registration.status.since or registration.created_at
    return (await names_of(connection, same)).line(registration, min(max(since, registration.created_at), now))


def proof_url(process: str, judgement: Judgement) -> str | None:
    """Give where anybody sees the keys for themselves: the node's listing, cheap whatever the state's size."""
    paths = [path for _, path in judgement.shown] or list(judgement.exposed)
    if not judgement.nodes or not paths:
        return None
    folder = "cache/keys" if paths[0].startswith("cache/") else "keys"
    return f"{judgement.nodes[0].rstrip('/')}/{process}~process@1.0/compute/{folder}/serialize~json@1.0"
