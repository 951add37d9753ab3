"""The handler as a file, for owners who sign with a key file in aos instead of a wallet in the browser."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.card import Role
from bot.domain.presets import DEFAULT_PRESET, Preset
from bot.domain.process_id import ProcessId
from bot.domain.ways import AOS_MODULES, Way, way_of
from bot.errors import BadInput, NotYours
from bot.store import processes, registrations
from bot.store.database import Database


class Handing:
    """Gives an owner the Lua for one of their processes: a preset's, as the page would have it signed."""

    def __init__(self, database: Database, presets: Mapping[str, Preset]) -> None:
        self._database = database
        self._presets = presets

    async def lua_for(self, user_id: int, process: ProcessId) -> str:
        """Give it. Raises NotYours, and BadInput where it is not for this process."""
        async with self._database.read() as connection:
            listed = await registrations.of_person(connection, user_id)
            known = await processes.find_many(connection, [process])
        mine = [each for each in listed if each.process == process and each.role is Role.MINE]
        if not mine:
            raise NotYours("You don't follow that process any more.")
        metadata = known[process].metadata if process in known else None
        if way_of(metadata) is not Way.INSTALL:
            versions = ", ".join(AOS_MODULES.values())
            raise BadInput(
                "My code was tried on aos {versions} only, and this process runs another.", versions=versions
            )
        for each in mine:
            preset = self._presets.get(each.preset or DEFAULT_PRESET) or self._presets[DEFAULT_PRESET]
            if preset.handler is not None:
                return preset.handler
        raise BadInput("What this app asks for comes from its own code: its developers have the file for you, not I.")
