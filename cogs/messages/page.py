"""The frame of every message: one container with texts and rows of controls, within Discord's limits.

Controls carry a custom_id and nothing else. Discord sends it back when somebody presses, months later too, and
`cogs/controls.py` answers by it; so no message is kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from discord import ButtonStyle, SelectOption, ui

Item = ui.Item[Any]
Button = ui.Button[Any]

GREEN, AMBER, GREY, RED, BLUE = 0x3BA55D, 0xE8A33D, 0x8A8F98, 0xC8553D, 0x4F7FD9

MOST_CHARACTERS = 4000  # of all texts of one message (discord-facts.md, section 2)
MOST_OPTIONS = 25


class Page(ui.LayoutView):
    """A message that waits for nothing in memory."""

    def is_finished(self) -> bool:
        """Say that discord.py need not keep it to answer its buttons."""
        return True


def page(*parts: str | Item | Sequence[Item] | None, colour: int | None = None, stamp: int | None = None) -> Page:
    """Give a message of texts and controls, in order; a sequence of buttons is a row, empty parts are left out.

    `stamp` becomes the container's component id, by which a message that was sent is known again.
    """
    items = [_item(part) for part in parts if part]
    view = Page(timeout=None)
    view.add_item(ui.Container[Any](*items, accent_colour=colour, id=stamp))
    return view


def _item(part: str | Item | Sequence[Item]) -> Item:
    if isinstance(part, str):
        return ui.TextDisplay[Any](part)
    if isinstance(part, ui.Item):
        return part
    return ui.ActionRow[Any](*part)


def line() -> Item:
    """Give a thin line between parts."""
    return ui.Separator[Any]()


def lines(parts: Iterable[str | None]) -> str:
    """Join sentences, one a line, without those that are None or empty."""
    return "\n".join(part for part in parts if part)


def small(text: str) -> str:
    """Give each line as Discord's small print."""
    return "\n".join(f"-# {each}" for each in text.splitlines())


def press(label: str, custom_id: str, *, style: ButtonStyle = ButtonStyle.secondary) -> Button:
    """Give a button that comes back to us."""
    return ui.Button[Any](label=label, custom_id=custom_id, style=style)


def link(label: str, url: str | None) -> list[Button]:
    """Give a button that opens a page, or nothing where there is no page or its address is too long for Discord."""
    return [ui.Button[Any](label=label, url=url)] if url and len(url) <= 512 else []


def choose(placeholder: str, custom_id: str, options: Iterable[tuple[str, str, str | None]]) -> list[Item]:
    """Give a row with a select of (label, value, description), at most 25; nothing where there is no option."""
    made = [
        SelectOption(label=label[:100], value=value, description=description[:100] if description else None)
        for label, value, description in list(options)[:MOST_OPTIONS]
    ]
    return [ui.Select[Any](placeholder=placeholder, custom_id=custom_id, options=made)] if made else []
