"""Status cards: what one person may see of what they follow."""

from __future__ import annotations

from datetime import datetime

from bot.domain.card import Blocked, NoSignLink, Rest, Role, Seen, StatusCard
from bot.domain.handler import DEFAULT_ACTION
from bot.domain.observation import Verdict
from bot.domain.pace import next_look
from bot.domain.status import TargetStatus
from bot.services.resting import Resting
from bot.settings import CheckSettings
from bot.store.people import Person
from bot.store.processes import Process, Target
from bot.store.registrations import Registration


def make_card(
    registration: Registration,
    process: Process,
    target: Target,
    person: Person,
    *,
    checks: CheckSettings,
    now: datetime,
    resting: Resting | None = None,
    sign_url: str | None = None,
) -> StatusCard:
    """Give the card of one registration. What it says comes from what this person may know (design.md, rule 6)."""
    rest = _rest(registration, person, resting, checks, now)
    reason = why_no_link(registration, sign_url)
    status, seen = registration.status, registration.seen or target.seen
    return StatusCard(
        registration_id=registration.id,
        process=registration.process,
        role=registration.role,
        status=status.verdict,
        since=status.since,
        label=registration.label,
        metadata=process.metadata,
        keys=registration.keys,
        action=registration.action or DEFAULT_ACTION,
        latest=seen.judgement if seen else None,
        checked_at=seen.at if seen else None,
        evidence=seen.evidence if seen else (),
        requests=seen.requests if seen else 0,
        next_check=_next_check(status, process, seen, checks, now),
        next_reminder=person.next_reminder_at if registration.remindable and rest is None else None,
        rest=rest,
        stopped=person.stopped_at is not None,
        blocked=Blocked(registration.blocked) if registration.blocked else None,
        sign_url=sign_url if reason is None else None,
        no_sign_link=reason,
    )


def _rest(
    registration: Registration, person: Person, resting: Resting | None, checks: CheckSettings, now: datetime
) -> Rest | None:
    """Give why nobody is reminded of it meanwhile, or not when it was planned; None where they are."""
    if not registration.remindable:
        return None
    if registration.status.unread_for(checks.unreadable_after, now):
        return Rest.UNREADABLE
    planned = person.next_reminder_at
    return resting.why if resting is not None and planned is not None and resting.covers(planned) else None


def _next_check(
    status: TargetStatus, process: Process, seen: Seen | None, checks: CheckSettings, now: datetime
) -> datetime:
    """Give when the next look comes at the latest. It may come sooner, for somebody else: that is nobody's business."""
    if seen is None:
        return max(process.next_look_at, now)
    due = next_look(status, seen.judgement, now=seen.at, settings=checks, jitter=1.0)
    return max(due, now)


def wants_link(registration: Registration) -> bool:
    """Tell whether a link would be of use to this person."""
    return why_no_link(registration, "a link") is None


def why_no_link(registration: Registration, sign_url: str | None) -> NoSignLink | None:
    """Give why a card has no *Sign* link, or None where it has."""
    if registration.role is Role.WATCHING:
        return NoSignLink.WATCHING
    if registration.verdict is Verdict.PATCHED:
        return NoSignLink.PATCHED
    if registration.verdict is Verdict.NOT_FOUND:
        return NoSignLink.NOT_FOUND
    if registration.blocked is not None:
        return NoSignLink.BLOCKED
    return NoSignLink.NO_PUBLIC_URL if sign_url is None else None
