"""The status card: one process as one person may see it."""

from __future__ import annotations

from collections.abc import Sequence

from discord import ButtonStyle

from bot.domain.card import Role, StatusCard
from bot.domain.observation import Verdict
from bot.domain.ways import Way, way_of
from cogs.messages import words
from cogs.messages.evidence import evidence
from cogs.messages.language import _
from cogs.messages.page import AMBER, GREEN, GREY, RED, Button, Item, Page, line, lines, link, page, press, small
from cogs.messages.text import code, codes

_COLOURS = {
    Verdict.PATCHED: GREEN,
    Verdict.NOT_PATCHED: AMBER,
    Verdict.NOT_FOUND: RED,
    Verdict.UNKNOWN: GREY,
}


def status_page(card: StatusCard, *before: str | None, after: str | None = None, extra: Sequence[Button] = ()) -> Page:
    """Give the card as a message: situation, what was seen, what to do, then *Details*.

    `before` are the person's own news, above the card; `after` is below what was seen, with a row of `extra` buttons.
    """
    return page(
        lines(before),
        lines([words.headline(card), *words.seen(card), words.no_link(card)]),
        " ".join(words.times(card)),
        after,
        extra,
        _buttons(card),
        *_details(card),
        colour=_COLOURS[card.status],
    )


def _buttons(card: StatusCard) -> list[Button]:
    process = card.process
    if card.registration_id == 0:
        return [press(_("Look again"), f"peek:{process}")]
    buttons = [*link(_("Sign"), card.sign_url), press(_("Check now"), f"look:{process}")]
    if card.role is Role.MINE and card.status is not Verdict.PATCHED and (card.stopped or card.blocked):
        buttons.append(press(_("Remind me again"), f"again:{process}" if card.blocked else "resume:all"))
    if card.role is Role.MINE and card.status is Verdict.NOT_PATCHED and way_of(card.metadata) is Way.INSTALL:
        buttons.append(press(_("I use aos"), f"aos:{process}"))
    if card.role is Role.MINE and card.status is Verdict.NOT_PATCHED and not card.blocked and not card.stopped:
        buttons.append(press(_("I can't"), f"cant:{process}"))
    label = _("Not mine") if card.role is Role.MINE else _("Stop watching")
    buttons.append(press(label, f"drop:{process}", style=ButtonStyle.secondary))
    return buttons


def _details(card: StatusCard) -> list[str | Item]:
    """Give what only some want to know: whole ids, names, and the evidence node by node."""
    known = card.metadata
    facts = [
        _("**Details**"),
        _("Process {process}", process=code(card.process)),
        _("Owner {owner}", owner=code(known.owner)) if known else None,
        _("Name {name}", name=code(known.name)) if known and known.name else None,
        _("Variant {variant}", variant=code(known.variant, 20)) if known and known.variant else None,
        _("Keys asked for: {keys}", keys=codes(card.keys)) if card.keys else None,
        *evidence(card),
    ]
    return [line(), small(lines(facts))]
