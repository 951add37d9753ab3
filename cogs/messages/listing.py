"""Many processes in one message: counts, a page of lines, and a select that opens one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.domain.card import Metadata, NoSignLink, Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.together import furthest
from cogs.messages import words
from cogs.messages.language import _, ngettext
from cogs.messages.page import AMBER, GREEN, GREY, MOST_OPTIONS, Button, Item, Page, choose, lines, link, page, press
from cogs.messages.text import ago, clean, named, plain

PER_PAGE = 20  # lines of at most 130 characters: with everything else within Discord's 4,000


def list_page(
    cards: Sequence[StatusCard],
    number: int = 0,
    *before: str | None,
    after: str | None = None,
    extra: Sequence[Button] = (),
) -> Page:
    """Give one page of these cards, the open ones first; `number` is counted from 0 and brought into range."""
    ordered = sorted(cards, key=lambda card: (_rank(card), card.label is None))
    last = max(0, (len(ordered) - 1) // PER_PAGE)
    number = min(max(number, 0), last)
    shown = ordered[number * PER_PAGE : (number + 1) * PER_PAGE]
    followed = all(card.registration_id for card in shown)
    return page(
        lines(before),
        _headline(cards),
        lines(_line(card) for card in shown),
        _unsigned(cards),
        _reminders(cards),
        after,
        extra,
        _select(shown, number) if followed else None,
        _buttons(ordered) if followed else None,
        leaves("leaf", number, last),
        colour=_colour(cards),
    )


def _select(shown: Sequence[StatusCard], number: int) -> list[Item]:
    options = [
        (plain(card.process, card.label, _name(card)), str(card.registration_id), words.short_state(card))
        for card in shown
    ]
    return choose(_("Look at one"), f"pick:{number}", options)


def _buttons(cards: Sequence[StatusCard]) -> list[Button]:
    sign_url = next((card.sign_url for card in cards if card.sign_url), None)
    again = [press(_("Remind me again"), "resume:all")] if any(card.stopped for card in cards) else []
    return [*link(_("Sign"), sign_url), press(_("Check now"), "check:0"), *again]


def _rank(card: StatusCard) -> int:
    return furthest(card.status)


def _name(card: StatusCard) -> str | None:
    return card.metadata.name if card.metadata else None


def _headline(cards: Sequence[StatusCard]) -> str:
    return ngettext(
        "**{number:,} process: {counts}.**",
        "**{number:,} processes: {counts}.**",
        len(cards),
        counts=", ".join(_counts(cards)),
    )


def _counts(cards: Sequence[StatusCard]) -> list[str]:
    counted = Counter((card.status, _is_blocked(card)) for card in cards)
    patched, unknown = counted[Verdict.PATCHED, False], counted[Verdict.UNKNOWN, False]
    waiting, blocked = counted[Verdict.NOT_PATCHED, False], counted[Verdict.NOT_PATCHED, True]
    missing = counted[Verdict.NOT_FOUND, False]
    said = (
        (patched, ngettext("{number:,} patched", "{number:,} patched", patched)),
        (waiting, ngettext("{number:,} not patched yet", "{number:,} not patched yet", waiting)),
        (blocked, ngettext("{number:,} you can't sign", "{number:,} you can't sign", blocked)),
        (unknown, ngettext("{number:,} unknown so far", "{number:,} unknown so far", unknown)),
        (missing, ngettext("{number:,} no such process", "{number:,} no such process", missing)),
    )
    return [sentence for number, sentence in said if number]


def _is_blocked(card: StatusCard) -> bool:
    return card.blocked is not None and card.status is Verdict.NOT_PATCHED


def _line(card: StatusCard) -> str:
    parts = [
        words.short_state(card),
        _("first seen {when}", when=ago(card.since)) if card.since and card.status is Verdict.NOT_PATCHED else None,
        _("watching") if card.role is Role.WATCHING else None,
    ]
    return f"{words.of_card(card)}: {', '.join(part for part in parts if part)}"


def _unsigned(cards: Sequence[StatusCard]) -> str | None:
    """Say why nothing can be signed at all; why one process can't is on its own card."""
    return next((words.no_link(card) for card in cards if card.no_sign_link is NoSignLink.NO_PUBLIC_URL), None)


def _reminders(cards: Sequence[StatusCard]) -> str | None:
    """Say when the one reminder of all comes, or why none does."""
    waiting = [card for card in cards if card.role is Role.MINE and card.status is Verdict.NOT_PATCHED]
    said = [words.reminders(card) for card in sorted(waiting, key=lambda card: card.next_reminder is None)]
    return next((sentence for sentence in said if sentence), None)


def _colour(cards: Sequence[StatusCard]) -> int:
    if any(card.status is Verdict.NOT_PATCHED for card in cards):
        return AMBER
    return GREEN if all(card.status is Verdict.PATCHED for card in cards) else GREY


def leaves(verb: str, number: int, last: int) -> list[Item]:
    """Give the buttons that turn pages, or none where there is one page."""
    if last == 0:
        return []
    buttons: list[Item] = []
    if number > 0:
        buttons.append(press(_("Earlier"), f"{verb}:{number - 1}"))
    if number < last:
        label = _("More (page {page} of {pages})", page=number + 2, pages=last + 1)
        buttons.append(press(label, f"{verb}:{number + 1}"))
    return buttons


def wallet_page(address: str, owned: Sequence[Metadata], number: int = 0) -> Page:
    """Give a page of the processes that a wallet owns. Nothing is stored until some of them are chosen."""
    last = max(0, (len(owned) - 1) // MOST_OPTIONS)
    number = min(max(number, 0), last)
    shown = owned[number * MOST_OPTIONS : (number + 1) * MOST_OPTIONS]
    wallet = named(address)
    if not owned:
        return page(
            _("**No process found** that the wallet {wallet} spawned.", wallet=wallet),
            _not_listed(),
            colour=GREY,
        )
    options = [(plain(each.process, None, each.name), each.process, _spawned(each)) for each in shown]
    select = choose(
        _(
            "Choose what to register ({first} to {last})",
            first=number * MOST_OPTIONS + 1,
            last=number * MOST_OPTIONS + len(shown),
        ),
        f"adopt:{number}",
        options,
    )
    for item in select:
        item.max_values = len(options)  # pyright: ignore[reportAttributeAccessIssue] -- a select, the only item of its row
    return page(
        ngettext(
            "**{number:,} process** spawned by the wallet {wallet}. Nothing is saved until you choose.",
            "**{number:,} processes** spawned by the wallet {wallet}. Nothing is saved until you choose.",
            len(owned),
            wallet=wallet,
        ),
        _not_listed(),
        select,
        leaves(f"wallet:{address}", number, last),
    )


def _not_listed() -> str:
    return _("Processes that an app spawned for you are not listed; give their ids to `/register`.")


def _spawned(each: Metadata) -> str | None:
    """Give when it was spawned and of what variant; no timestamp of Discord's works in a select."""
    when = _("spawned {date}", date=f"{each.spawned_at:%Y-%m-%d}") if each.spawned_at else None
    return ", ".join(part for part in (when, clean(each.variant or "", 20)) if part) or None
