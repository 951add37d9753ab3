"""The tables. What is kept of a person is in `people`, `registrations`, `tickets`, `allowances` and their messages.

Moments are aware and in UTC. A lease (`lease_until`, `lease_token`) says that somebody works on a row: no lock is held
while a node or Discord is asked, and a result is written only where the token is still the one that the asker wrote.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.domain.card import Metadata, Role, Seen
from bot.domain.notices import Notice
from bot.domain.observation import Verdict
from bot.domain.status import TargetStatus
from bot.store.columns import Instant, RowId, Typed, Word

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

people = Table(
    "people",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("safe_word", String(40), nullable=False),
    Column("locale", String(16), nullable=False),
    Column("name_hint", String(64), nullable=False, server_default=""),  # half hidden before it is stored
    Column("created_at", Instant, nullable=False),
    Column("active_at", Instant),  # when they last registered or asked how things are; null: not since `created_at`
    Column("may_be_named", Boolean, nullable=False, server_default=text("false")),  # to moderators, by their own switch
    Column("dm_channel_id", BigInteger),
    Column("unreachable_code", Integer),  # Discord's code; an act of the person clears it
    Column("stopped_at", Instant),
    Column("snoozed_until", Instant),
    Column("reminders_sent", Integer, nullable=False, server_default="0"),
    Column("last_reminder_at", Instant),
    Column("next_reminder_at", Instant),  # null: nothing is due, ever, as things are
    Column("zone", String(64)),  # IANA's name; null: UTC, since they gave none
    Column("hour", Integer),  # of their day; null: the one at which they registered
    Column("quiet_from", Integer),  # both null: the operator's
    Column("quiet_until", Integer),
    Column("apart_days", Integer),  # they want them no closer than this; null: as the cadence goes
    Column("stop_reason", String(32)),
    Column("mention_guild_id", BigInteger),  # where they agreed to be mentioned; choosing another channel ends that
    Index(None, "next_reminder_at"),
)

processes = Table(
    "processes",
    metadata,
    Column("process", String(43), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("metadata", Typed(Metadata)),
    Column("memory", Text),  # bot.ao's own, to hand in at the next look
    Column("checked_at", Instant),  # whoever the look was for: people are shown `seen` of a target or registration
    Column("next_look_at", Instant, nullable=False),
    Column("signed_at", Instant),  # when a page last said that its owner signed
    Column("lease_until", Instant),
    Column("lease_token", String(32)),
    Index(None, "next_look_at"),
)

migrations = Table(
    "migrations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("guild_name", String(100)),
    Column("channel_id", BigInteger, nullable=False),
    Column("created_by", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("locale", String(16), nullable=False, server_default="en"),  # the server's, in which it is announced
    Column("title", String(100), nullable=False),
    Column("deadline", Instant),
    Column("preset", String(64), nullable=False),
    Column("required", Typed(tuple[str, ...]), nullable=False),
    Column("action", String(64), nullable=False),
    Column("posted_at", Instant),
    Column("delivery_id", BigInteger),
    Index(None, "guild_id"),
    sqlite_autoincrement=True,  # buttons carry these ids for months: one must never come again
)

targets = Table(
    "targets",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("process", String(43), ForeignKey("processes.process", ondelete="CASCADE"), nullable=False),
    Column("required", Typed(tuple[str, ...]), nullable=False),  # sorted; empty: any exposed key will do
    Column("status", Typed(TargetStatus), nullable=False),
    Column("verdict", Word(Verdict), nullable=False),  # the confirmed one, out of `status`, to be counted by
    Column("seen", Typed(Seen)),  # the newest look that all who follow it may see
    UniqueConstraint("process", "required"),
)

registrations = Table(
    "registrations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("user_id", BigInteger, ForeignKey("people.user_id", ondelete="CASCADE"), nullable=False),
    Column("process", String(43), ForeignKey("processes.process", ondelete="CASCADE"), nullable=False),
    Column("target_id", BigInteger, ForeignKey("targets.id", ondelete="CASCADE"), nullable=False),
    Column("migration_id", BigInteger, ForeignKey("migrations.id", ondelete="CASCADE")),
    Column("role", Word(Role), nullable=False),
    Column("label", String(100)),
    Column("guild_id", BigInteger),
    Column("guild_name", String(100)),
    Column("created_at", Instant, nullable=False),
    Column("blocked", String(64)),  # why the owner cannot act
    Column("told", Word(Verdict)),  # the status that the person was last told by DM or card
    Column("told_unreadable", Boolean, nullable=False, server_default=text("false")),
    Column("own", Typed(TargetStatus)),  # by the looks since this was made; null: the same as its target's by now
    Column("caught_up_at", Instant),  # when that became so; null: when it was made
    Column("seen", Typed(Seen)),  # the newest look that this person may see; null: the same as its target's
    Index(
        "uq_registrations_private",
        "user_id",
        "process",
        unique=True,
        sqlite_where=text("migration_id IS NULL"),
        postgresql_where=text("migration_id IS NULL"),
    ),
    Index(
        "uq_registrations_migration",
        "user_id",
        "process",
        "migration_id",
        unique=True,
        sqlite_where=text("migration_id IS NOT NULL"),
        postgresql_where=text("migration_id IS NOT NULL"),
    ),
    Index(None, "process"),
    Index(None, "target_id"),
    Index(None, "migration_id"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("notice", Typed(Notice), nullable=False),
    Column("nonce", String(25), nullable=False, unique=True),
    Column("user_id", BigInteger),  # of the DM it goes to; null: it goes to the channel
    Column("channel_id", BigInteger),
    Column("recipient_id", BigInteger),  # whom it is for, by DM or by a mention in the channel; null: for everybody
    Column("priority", Integer, nullable=False),  # smaller goes first
    Column("state", String(16), nullable=False),  # of bot.store.outbox.State
    Column("created_at", Instant, nullable=False),
    Column("next_try_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("edition", Integer, nullable=False, server_default="0"),  # of the notice: counts what joined it
    Column("shown_edition", Integer, nullable=False, server_default="0"),  # that people see; an edit owes the rest
    Column("uncertain_since", Instant),  # the first attempt of which nobody knows whether Discord took it
    Column("lease_until", Instant),
    Column("lease_token", String(32)),
    Column("done_at", Instant),
    Column("sent_channel_id", BigInteger),
    Column("sent_message_id", BigInteger),
    Column("code", Integer),  # Discord's, of the newest refusal
    Column("reason", String(200)),
    Index("ix_outbox_due", "state", "priority", "next_try_at"),
    Index(None, "recipient_id"),
    Index(  # the few that are being sent, which every claim looks at
        "ix_outbox_leased",
        "lease_until",
        sqlite_where=text("lease_until IS NOT NULL"),
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index(
        "ix_outbox_behind",
        "next_try_at",
        sqlite_where=text("shown_edition < edition"),
        postgresql_where=text("shown_edition < edition"),
    ),
    sqlite_autoincrement=True,  # buttons carry these ids for months: one must never come again
)

tickets = Table(
    "tickets",
    metadata,
    Column("hash", String(64), primary_key=True),  # sha256 of the raw value, which is nowhere but in the link
    Column("user_id", BigInteger, ForeignKey("people.user_id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

ticket_registrations = Table(
    "ticket_registrations",
    metadata,
    Column("hash", String(64), ForeignKey("tickets.hash", ondelete="CASCADE"), primary_key=True),
    Column("registration_id", BigInteger, ForeignKey("registrations.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "registration_id"),
)

ticket_messages = Table(  # what was signed through a ticket: known to whoever opens it again, wherever
    "ticket_messages",
    metadata,
    Column("hash", String(64), ForeignKey("tickets.hash", ondelete="CASCADE"), primary_key=True),
    Column("process", String(43), primary_key=True),
    Column("message", String(43), nullable=False),
    Column("installs", Boolean, nullable=False),
)

guilds = Table(  # a server that something was chosen or found out of; most have no row
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger),  # where people whose DMs are closed may be mentioned
    Column("left_at", Instant),  # when the bot was removed
    Column("paused_at", Instant),  # when too many stopped or refused
    Column("forgiven", Integer, nullable=False, server_default="0"),  # so many had when an operator resumed it
)

memberships = Table(  # who was (not) in a server when Discord was last asked
    "memberships",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("is_member", Boolean, nullable=False),
    Column("asked_at", Instant, nullable=False),
)

allowances = Table(
    "allowances",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("what", String(32), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("used", Integer, nullable=False),
)

memos = Table(
    "memos",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)
