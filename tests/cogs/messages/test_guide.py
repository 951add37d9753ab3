"""The guide and the key file's page are messages that Discord takes."""

from __future__ import annotations

from collections.abc import Callable

from discord import ui

from cogs.messages.guide import guide_page, key_file_page

Fits = Callable[[ui.LayoutView], str]


def test_both_fit_and_name_their_files(fits: Fits) -> None:
    fits(guide_page("a" * 64))
    fits(key_file_page("-" * 43, "a" * 64))
    shown = [item.media.url for item in guide_page("a").walk_children() if isinstance(item, ui.File)]
    assert shown == ["attachment://patchbell.lua", "attachment://patchbell-off.lua"]
