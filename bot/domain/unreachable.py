"""Why somebody takes no DM: Discord's error codes for it (discord-facts.md), which are kept with the person."""

from __future__ import annotations

CLOSED_DMS = 50007
NO_MUTUAL_SERVER = 50278
