"""Good news: what turned patched, told to each person once, and within ten minutes in one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.digest import NAMED_AT_MOST
from bot.domain.notices import Notice, Patched, ProcessLine
from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement
from bot.store import gathering, outbox, registrations
from bot.store.gathering import Recent
from bot.store.people import Person
from bot.store.registrations import Registration, counting


class GoodNews:
    """Gathers what some people are told, and writes it at once. `recent` has what each of them was just sent."""

    def __init__(self, recent: Mapping[int, Recent]) -> None:
        self._recent = dict(recent)
        self._told: list[int] = []
        self._new: dict[int, Notice] = {}
        self._grown: dict[int, Recent] = {}

    def tell(
        self,
        person: Person,
        followed: Sequence[Registration],
        registration: Registration,
        line: ProcessLine,
        judgement: Judgement,
    ) -> None:
        """Tell it, unless something is still missing that this person expects of the process, or it was told just now.

        `followed` is all that they follow, `line` how the process is named to them.
        """
        same = counting([each for each in followed if each.process == registration.process])
        if any(each.id in self._told or each.verdict is not Verdict.PATCHED for each in same):
            return
        self._told += [each.id for each in same]
        notice = Patched(
            safe_word=person.safe_word,
            process=line,
            shown=tuple(key for key, _ in judgement.shown) or judgement.exposed,
            nodes=len(judgement.nodes),
            node_url=proof_url(registration.process, judgement),
            open_processes=len({each.process for each in followed if each.open} - {registration.process}),
        )
        self._have_it_join(person.user_id, notice)

    def _have_it_join(self, user_id: int, notice: Patched) -> None:
        """Have it join the message before: in ten minutes a person gets one, which grows, not twenty."""
        if isinstance(before := self._new.get(user_id), Patched):
            self._new[user_id] = _joined(before, notice)
            return
        recent = self._recent.get(user_id)
        if recent is None or not isinstance(before := recent.notice, Patched):
            self._new[user_id] = notice
        elif notice.process.process not in _processes(before):
            joined = _joined(before, notice)
            self._recent[user_id] = self._grown[recent.delivery_id] = recent._replace(notice=joined)
        elif not recent.waits:  # it came undone since; what waits says it anyway
            self._new[user_id] = notice

    async def write(self, connection: AsyncConnection, now: datetime) -> None:
        """Owe it."""
        await registrations.change(connection, self._told, told=Verdict.PATCHED, blocked=None)
        await outbox.owe_each(connection, self._new, now)
        for recent in self._grown.values():  # one that waits for the morning is looked at anew: its reader may be awake
            await gathering.join(connection, recent.delivery_id, recent.notice, due=now if recent.waits else None)


def _joined(before: Patched, notice: Patched) -> Patched:
    others = (*before.others, notice.process)
    return before.model_copy(
        update={
            "others": others[: NAMED_AT_MOST - 1],
            "more": before.more + max(0, len(others) - NAMED_AT_MOST + 1),
            "open_processes": notice.open_processes,
        }
    )


def _processes(notice: Patched) -> set[str]:
    return {each.process for each in (notice.process, *notice.others)}


def proof_url(process: str, judgement: Judgement) -> str | None:
    """Give where anybody sees the keys for themselves: the node's listing, cheap whatever the state's size."""
    paths = [path for _, path in judgement.shown] or list(judgement.exposed)
    if not judgement.nodes or not paths:
        return None
    folder = "cache/keys" if paths[0].startswith("cache/") else "keys"
    return f"{judgement.nodes[0].rstrip('/')}/{process}~process@1.0/compute/{folder}/serialize~json@1.0"
