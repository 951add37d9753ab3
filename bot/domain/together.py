"""One process is one thing to its owner: what they follow of it, privately and in migrations, shown as one card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.card import Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.verdict import Judgement

_FURTHEST_FIRST = (Verdict.NOT_PATCHED, Verdict.UNKNOWN, Verdict.NOT_FOUND, Verdict.PATCHED)


def furthest(verdict: Verdict) -> int:
    """Give the rank by which several sets of keys are one verdict: the one that is furthest from patched counts."""
    return _FURTHEST_FIRST.index(verdict)


def one_each(cards: Iterable[StatusCard]) -> list[StatusCard]:
    """Give one person's cards with each process once, in the order in which the processes first come.

    Any key that is expected of it and missing makes it not patched. What is only watched does not count where the
    person has it as theirs too. Their own label comes first, wherever they gave it.
    """
    by_process: dict[str, list[StatusCard]] = {}
    for card in cards:
        by_process.setdefault(card.process, []).append(card)
    return [_as_one(same) if len(same) > 1 else same[0] for same in by_process.values()]


def _as_one(same: Sequence[StatusCard]) -> StatusCard:
    counting = [card for card in same if card.role is Role.MINE] or same
    shown = min(counting, key=lambda card: furthest(card.status))
    alike = [card for card in counting if card.status is shown.status]
    return replace(
        shown,
        label=next((card.label for card in same if card.label), None),
        keys=tuple(sorted({key for card in counting for key in card.keys})),
        latest=_together([card.latest for card in alike if card.latest is not None]),
        since=_since(alike),
        next_check=min((card.next_check for card in counting if card.next_check), default=None),
        next_reminder=min((card.next_reminder for card in counting if card.next_reminder), default=None),
        arrival=next((card.arrival for card in same if card.arrival), None),
    )


def _together(looks: Sequence[Judgement]) -> Judgement | None:
    """Give the look with everything that is missing by any set of keys. Looks that differ are not mixed."""
    if not looks:
        return None
    shown = min(looks, key=lambda look: furthest(look.verdict))
    alike = [look for look in looks if look.verdict is shown.verdict]
    missing = dict.fromkeys(key for look in alike for key in look.missing)
    found = dict.fromkeys(pair for look in alike for pair in look.shown)
    return replace(shown, missing=tuple(missing), shown=tuple(found))


def _since(alike: Sequence[StatusCard]) -> datetime | None:
    """Patched since the last of its keys came; everything else since the first was so."""
    moments = [card.since for card in alike if card.since is not None]
    patched = alike[0].status is Verdict.PATCHED
    return max(moments) if moments and patched else min(moments, default=None)
