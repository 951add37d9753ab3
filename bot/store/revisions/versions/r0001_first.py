"""People, processes, registrations, migrations, tickets and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "memos",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_memos"),
    )
    op.create_table(
        "migrations",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_name", sa.String(length=100)),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True)),
        sa.Column("preset", sa.String(length=64), nullable=False),
        sa.Column("required", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True)),
        sa.Column("delivery_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_migrations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_migrations_guild_id", "migrations", ["guild_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("nonce", sa.String(length=25), nullable=False),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("channel_id", sa.BigInteger()),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("uncertain_since", sa.DateTime(timezone=True)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("lease_token", sa.String(length=32)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("sent_channel_id", sa.BigInteger()),
        sa.Column("sent_message_id", sa.BigInteger()),
        sa.Column("code", sa.Integer()),
        sa.Column("reason", sa.String(length=200)),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("nonce", name="uq_outbox_nonce"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "priority", "next_try_at"], unique=False)
    op.create_index("ix_outbox_user_id", "outbox", ["user_id"], unique=False)
    op.create_table(
        "people",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("safe_word", sa.String(length=40), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dm_channel_id", sa.BigInteger()),
        sa.Column("unreachable_code", sa.Integer()),
        sa.Column("stopped_at", sa.DateTime(timezone=True)),
        sa.Column("snoozed_until", sa.DateTime(timezone=True)),
        sa.Column("reminders_sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_reminder_at", sa.DateTime(timezone=True)),
        sa.Column("next_reminder_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("user_id", name="pk_people"),
    )
    op.create_index("ix_people_next_reminder_at", "people", ["next_reminder_at"], unique=False)
    op.create_table(
        "processes",
        sa.Column("process", sa.String(length=43), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metadata", sa.Text()),
        sa.Column("memory", sa.Text()),
        sa.Column("evidence", sa.Text(), server_default="[]", nullable=False),
        sa.Column("requests", sa.Integer(), server_default="0", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True)),
        sa.Column("next_look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("lease_token", sa.String(length=32)),
        sa.PrimaryKeyConstraint("process", name="pk_processes"),
    )
    op.create_index("ix_processes_next_look_at", "processes", ["next_look_at"], unique=False)
    op.create_table(
        "targets",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("process", sa.String(length=43), nullable=False),
        sa.Column("required", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("latest", sa.Text()),
        sa.ForeignKeyConstraint(["process"], ["processes.process"], name="fk_targets_process", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_targets"),
        sa.UniqueConstraint("process", "required", name="uq_targets_process_required"),
    )
    op.create_table(
        "tickets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["people.user_id"], name="fk_tickets_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name="pk_tickets"),
    )
    op.create_index("ix_tickets_expires_at", "tickets", ["expires_at"], unique=False)
    op.create_index("ix_tickets_user_id", "tickets", ["user_id"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.String(length=43), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("migration_id", sa.BigInteger()),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=100)),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("guild_name", sa.String(length=100)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked", sa.String(length=64)),
        sa.Column("told", sa.String(length=32)),
        sa.Column("told_unreadable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["migration_id"], ["migrations.id"], name="fk_registrations_migration_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["process"], ["processes.process"], name="fk_registrations_process", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_registrations_target_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["people.user_id"], name="fk_registrations_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registrations_migration_id", "registrations", ["migration_id"], unique=False)
    op.create_index("ix_registrations_process", "registrations", ["process"], unique=False)
    op.create_index("ix_registrations_target_id", "registrations", ["target_id"], unique=False)
    op.create_index(
        "uq_registrations_migration",
        "registrations",
        ["user_id", "process", "migration_id"],
        unique=True,
        sqlite_where=sa.text("migration_id IS NOT NULL"),
        postgresql_where=sa.text("migration_id IS NOT NULL"),
    )
    op.create_index(
        "uq_registrations_private",
        "registrations",
        ["user_id", "process"],
        unique=True,
        sqlite_where=sa.text("migration_id IS NULL"),
        postgresql_where=sa.text("migration_id IS NULL"),
    )
    op.create_table(
        "ticket_registrations",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("registration_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["tickets.hash"], name="fk_ticket_registrations_hash", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name="fk_ticket_registrations_registration_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("hash", "registration_id", name="pk_ticket_registrations"),
    )
    op.create_index(
        "ix_ticket_registrations_registration_id", "ticket_registrations", ["registration_id"], unique=False
    )
