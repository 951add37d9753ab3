"""Which edition of a message's words people see, for one that was sent may say more since; and which look each sees.

And whom a message is for, also where it is a mention in a channel.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Count editions of messages, and index those that await an edit."""
    for name in ("edition", "shown_edition"):
        op.add_column("outbox", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    behind = sa.text("shown_edition < edition")
    op.create_index("ix_outbox_behind", "outbox", ["next_try_at"], sqlite_where=behind, postgresql_where=behind)
    _say_whom_messages_are_for()
    _keep_looks_apart()


def _say_whom_messages_are_for() -> None:
    op.add_column("outbox", sa.Column("recipient_id", sa.BigInteger()))
    mentioned = (
        "json_extract(notice, '$.user_id')"
        if op.get_context().dialect.name == "sqlite"
        else "CAST(CAST(notice AS json) ->> 'user_id' AS bigint)"
    )
    op.execute("UPDATE outbox SET recipient_id = user_id")
    op.execute(f"UPDATE outbox SET recipient_id = {mentioned} WHERE kind = 'mention'")
    op.drop_index("ix_outbox_user_id", table_name="outbox")
    op.create_index("ix_outbox_recipient_id", "outbox", ["recipient_id"])


def _keep_looks_apart() -> None:
    """Keep the newest look that somebody may see with the target and the registration, no more with the process."""
    for table in ("targets", "registrations"):
        op.add_column(table, sa.Column("seen", sa.Text()))
    at = "checked_at" if op.get_context().dialect.name == "sqlite" else "CAST(checked_at AT TIME ZONE 'UTC' AS text)"
    whole = f"""'{{"at":"' || {at} || 'Z","judgement":' || latest || ',"evidence":' || evidence ||
        ',"requests":' || CAST(requests AS text) || '}}'"""
    op.execute(
        f"UPDATE targets SET seen = (SELECT {whole} FROM processes WHERE processes.process = targets.process)"
        " WHERE latest IS NOT NULL"
    )
    op.drop_column("targets", "latest")
    for name in ("evidence", "requests"):
        op.drop_column("processes", name)


def downgrade() -> None:
    """Drop them. What the newest looks found comes again with the next."""
    op.add_column("processes", sa.Column("evidence", sa.Text(), server_default="[]", nullable=False))
    op.add_column("processes", sa.Column("requests", sa.Integer(), server_default="0", nullable=False))
    op.add_column("targets", sa.Column("latest", sa.Text()))
    for table in ("targets", "registrations"):
        op.drop_column(table, "seen")
    op.drop_index("ix_outbox_behind", table_name="outbox")
    op.drop_index("ix_outbox_recipient_id", table_name="outbox")
    op.create_index("ix_outbox_user_id", "outbox", ["user_id"])
    for name in ("recipient_id", "edition", "shown_edition"):
        op.drop_column("outbox", name)
