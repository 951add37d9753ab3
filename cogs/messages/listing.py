"""Many processes in one message: counts, a page of lines, and a select that opens one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.domain.card import Metadata, NoSignLink, Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.together import furthest
from cogs.messages import words
from cogs.messages.page import AMBER, GREEN, GREY, MOST_OPTIONS, Button, Item, Page, choose, lines, link, page, press
from cogs.messages.text import ago, clean, count, named, plain

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
        f"**{count(len(cards), 'process', 'processes')}: {_counts(cards)}.**",
        lines(_line(card) for card in shown),
        _unsigned(cards),
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
    return choose("Look at one", f"pick:{number}", options)


def _buttons(cards: Sequence[StatusCard]) -> list[Button]:
    sign_url = next((card.sign_url for card in cards if card.sign_url), None)
    again = [press("Remind me again", "resume:all")] if any(card.stopped for card in cards) else []
    return [*link("Sign", sign_url), press("Check now", "check:0"), *again]


def _rank(card: StatusCard) -> int:
    return furthest(card.status)


def _name(card: StatusCard) -> str | None:
    return card.metadata.name if card.metadata else None


def _counts(cards: Sequence[StatusCard]) -> str:
    counted = Counter((card.status, _is_blocked(card)) for card in cards)
    known = (
        (Verdict.PATCHED, False, "patched"),
        (Verdict.NOT_PATCHED, False, "not patched yet"),
        (Verdict.NOT_PATCHED, True, "you can't sign"),
        (Verdict.UNKNOWN, False, "unknown so far"),
        (Verdict.NOT_FOUND, False, "no such process"),
    )
    return ", ".join(f"{counted[each, blocked]} {word}" for each, blocked, word in known if counted[each, blocked])


def _is_blocked(card: StatusCard) -> bool:
    return card.blocked is not None and card.status is Verdict.NOT_PATCHED


def _line(card: StatusCard) -> str:
    watching = " · watching" if card.role is Role.WATCHING else ""
    since = f", first seen {ago(card.since)}" if card.since and card.status is Verdict.NOT_PATCHED else ""
    return f"{words.of_card(card)}: {words.short_state(card)}{since}{watching}"


def _unsigned(cards: Sequence[StatusCard]) -> str | None:
    """Say why nothing can be signed at all; why one process can't is on its own card."""
    return next((words.no_link(card) for card in cards if card.no_sign_link is NoSignLink.NO_PUBLIC_URL), None)


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
        buttons.append(press("Earlier", f"{verb}:{number - 1}"))
    if number < last:
        buttons.append(press(f"More (page {number + 2} of {last + 1})", f"{verb}:{number + 1}"))
    return buttons


def wallet_page(address: str, owned: Sequence[Metadata], number: int = 0) -> Page:
    """Give a page of the processes that a wallet owns. Nothing is stored until some of them are chosen."""
    last = max(0, (len(owned) - 1) // MOST_OPTIONS)
    number = min(max(number, 0), last)
    shown = owned[number * MOST_OPTIONS : (number + 1) * MOST_OPTIONS]
    wallet = named(address)
    if not owned:
        return page(
            f"**No process found** that the wallet {wallet} spawned. Processes that an app spawned for you are not "
            "listed; give their ids to `/register`.",
            colour=GREY,
        )
    options = [(plain(each.process, None, each.name), each.process, _spawned(each)) for each in shown]
    select = choose(
        f"Choose what to register ({number * MOST_OPTIONS + 1} to {number * MOST_OPTIONS + len(shown)})",
        f"adopt:{number}",
        options,
    )
    for item in select:
        item.max_values = len(options)  # pyright: ignore[reportAttributeAccessIssue] -- a select, the only item of its row
    return page(
        f"**{count(len(owned), 'process', 'processes')}** spawned by the wallet {wallet}. Nothing is saved until you "
        "choose. Processes that an app spawned for you are not listed; give their ids to `/register`.",
        select,
        leaves(f"wallet:{address}", number, last),
    )


def _spawned(each: Metadata) -> str | None:
    when = f"{each.spawned_at:%d %B %Y}" if each.spawned_at else None
    return ", ".join(part for part in (when and f"spawned {when}", clean(each.variant or "", 20)) if part) or None
