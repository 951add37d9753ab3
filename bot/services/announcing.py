"""Migrations: a moderator drafts one, sees it as others will, posts it, and watches it finish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.card import MigrationProgress
from bot.domain.notices import Announcement
from bot.domain.observation import Verdict
from bot.domain.presets import Preset
from bot.errors import BadInput, NotYours
from bot.store import migrations, outbox
from bot.store.database import Database
from bot.store.migrations import Migration
from bot.store.outbox import State

TITLE_AT_MOST = 100
MOST_YEARS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A migration that only its moderator sees, and the announcement as it will be posted."""

    migration_id: int
    notice: Announcement


class Announcing:
    """Makes migrations. What owners will sign comes from a preset, never from what a moderator types."""

    def __init__(self, database: Database, presets: Mapping[str, Preset], clock: Clock) -> None:
        self._database = database
        self._presets = presets
        self._clock = clock

    async def draft(
        self,
        guild_id: int,
        channel_id: int,
        user_id: int,
        title: str,
        deadline: datetime | None,
        preset: str,
        *,
        guild_name: str | None = None,
        locale: str = "en",
    ) -> Draft:
        """Store a draft. Raises BadInput for no title, a date that has passed or is too far, or an unknown preset."""
        now = self._clock()
        title = " ".join(title.split())[:TITLE_AT_MOST]
        if not title:
            raise BadInput("The migration needs a title.")
        if deadline is not None and deadline <= now:
            raise BadInput("That date has passed; choose a later one, or none.")
        if deadline is not None and deadline > now + MOST_YEARS * timedelta(days=365):
            raise BadInput("That date is more than ten years away; choose an earlier one, or none.")
        if preset not in self._presets:
            raise BadInput(
                "There is no preset of that name; there are {presets}.", presets=", ".join(sorted(self._presets))
            )
        chosen = self._presets[preset]
        async with self._database.write() as connection:
            migration_id = await migrations.add(
                connection,
                guild_id=guild_id,
                guild_name=guild_name,
                channel_id=channel_id,
                created_by=user_id,
                created_at=now,
                locale=locale,
                title=title,
                deadline=deadline,
                preset=preset,
                required=tuple(sorted(chosen.required)),
                action=chosen.action,
            )
        keys = tuple(key.key for key in chosen.keys)
        notice = Announcement(migration_id=migration_id, locale=locale, title=title, deadline=deadline, keys=keys)
        return Draft(migration_id=migration_id, notice=notice)

    async def post(self, migration_id: int, user_id: int) -> int:
        """Owe the announcement to its channel, once however often *Post* is pressed; give the delivery id.

        Where Discord refused it (no permission in that channel), pressing again tries again.

        Raises NotYours where somebody else drafted it.
        """
        now = self._clock()
        async with self._database.write() as connection:
            migration = await migrations.find(connection, migration_id, lock=True)
            if migration is None or migration.created_by != user_id:
                raise NotYours("Only the moderator who drafted this announcement can post it.")
            if migration.delivery_id is not None:
                before = await outbox.find(connection, migration.delivery_id)
                if before is not None and before.state != State.REFUSED:
                    return migration.delivery_id
            preset = self._presets.get(migration.preset)
            keys = migration.required if preset is None else tuple(key.key for key in preset.keys)
            notice = Announcement(
                migration_id=migration.id,
                locale=migration.locale,
                title=migration.title,
                deadline=migration.deadline,
                keys=keys,
            )
            delivery_id = await outbox.owe(connection, notice, now=now, channel_id=migration.channel_id)
            await migrations.change(connection, migration_id, posted_at=now, delivery_id=delivery_id)
        return delivery_id

    async def migration(self, migration_id: int) -> Migration | None:
        """Give a migration, draft or not, or None."""
        async with self._database.read() as connection:
            return await migrations.find(connection, migration_id)

    async def progress(self, guild_id: int) -> list[MigrationProgress]:
        """Give how far each posted migration of a guild is, newest first, 25 at most."""
        async with self._database.read() as connection:
            posted = await migrations.of_guild(connection, guild_id)
            return [
                _progress(
                    each,
                    await migrations.counts(connection, each.id),
                    await migrations.count_for_developers(connection, each.id),
                )
                for each in posted
            ]


def _progress(
    migration: Migration, counts: Mapping[tuple[Verdict, bool, bool], int], for_developers: int
) -> MigrationProgress:
    """Sort each process into one heap: patched wins over blocked; not found is no better known than unknown."""

    def number(*verdicts: Verdict, blocked: bool, told: tuple[bool, ...] = (False, True)) -> int:
        return sum(counts.get((verdict, blocked, each), 0) for verdict in verdicts for each in told)

    unknown = (Verdict.UNKNOWN, Verdict.NOT_FOUND)
    return MigrationProgress(
        migration_id=migration.id,
        title=migration.title,
        deadline=migration.deadline,
        patched=number(Verdict.PATCHED, blocked=False) + number(Verdict.PATCHED, blocked=True),
        not_patched=number(Verdict.NOT_PATCHED, blocked=False),
        unknown=number(*unknown, blocked=False, told=(False,)),
        unreadable=number(*unknown, blocked=False, told=(True,)),
        blocked=number(Verdict.NOT_PATCHED, *unknown, blocked=True),
        for_developers=for_developers,
    )
