"""Buttons and selects that are answered by their custom_id alone, so that they live across restarts, months later."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from discord import ui

from bot.errors import PatchbellError
from cogs.answering import Interaction
from cogs.errors import answer_error
from cogs.messages.language import speak

Press = Callable[..., Awaitable[None]]
"""Is called with the interaction and what follows the verb in the custom_id, parted at the colons."""

_TEMPLATE = r"(?P<verb>[a-z]+):(?P<rest>[\w:-]*)"


class UnknownControl(PatchbellError):
    """A button of a version of ours that is no more, or one that was never ours."""


def make_control(presses: Mapping[str, Press]) -> type[ui.DynamicItem[Any]]:
    """Give the item that answers every custom_id `verb:…`. Whatever goes wrong in a press gets an answer."""

    class Control(ui.DynamicItem[Any], template=_TEMPLATE):
        def __init__(self, item: ui.Item[Any], verb: str, rest: str) -> None:
            super().__init__(item)
            self._verb = verb
            self._rest = rest

        @classmethod
        async def from_custom_id(cls, interaction: Any, item: ui.Item[Any], match: re.Match[str], /) -> Self:
            return cls(item, match["verb"], match["rest"])

        async def callback(self, interaction: Interaction) -> Any:
            speak(interaction.locale)
            try:
                await self._press(interaction)
            except Exception as error:  # discord.py would only log it, and the person wait for nothing
                await answer_error(interaction, error)

        async def _press(self, interaction: Interaction) -> None:
            press = presses.get(self._verb)
            if press is None:
                raise UnknownControl("That button is from an older version of me. Type /status for what there is now.")
            await press(interaction, *self._rest.split(":"))

    return Control


def chosen(interaction: Interaction) -> list[str]:
    """Give the values chosen in a select."""
    data: Any = interaction.data or {}
    return [str(value) for value in data.get("values", [])]
