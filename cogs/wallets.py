"""What a wallet owns, listed in pages of which people choose. Nothing is stored until they do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from bot.application import Application
from bot.domain.card import Metadata
from bot.errors import BadInput, PeerError
from cogs.answering import Interaction, Progress, show
from cogs.messages.listing import wallet_page

_LISTS_KEPT = 64


class Wallets:
    """Shows pages of a listing; the newest listings are kept in memory, so that turning a page asks no gateway."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._kept: OrderedDict[tuple[int, str], Sequence[Metadata]] = OrderedDict()

    async def look_up(self, interaction: Interaction, address: str) -> None:
        """Ask gateways, and show the first page into a deferred answer. Raises BadInput, for their failure too."""
        await self._ask(interaction, address.strip())
        await self.turn(interaction, address, 0)

    async def turn(self, interaction: Interaction, address: str, number: int) -> None:
        """Show a page of what is kept; gateways are asked where nothing is any more. Raises BadInput."""
        address = address.strip()
        key = (interaction.user.id, address)
        if key not in self._kept:
            await self._ask(interaction, address)
        await show(interaction, wallet_page(address, self._kept[key], number))

    async def _ask(self, interaction: Interaction, address: str) -> None:
        progress, user = Progress(interaction), interaction.user.id
        try:
            owned = await self._application.registering.owned_by(user, address, progress.found)
        except PeerError as error:
            raise BadInput("No gateway could list that wallet just now. Please try again in a minute.") from error
        self._kept[user, address] = owned
        self._kept.move_to_end((user, address))
        if len(self._kept) > _LISTS_KEPT:
            self._kept.popitem(last=False)
