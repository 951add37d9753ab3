"""What was signed through a ticket, what people wish, what is known of servers, and what privacy asks to know.

Which message was signed is told before it is sent, so that nobody signs it twice.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


WISHES = {
    "zone": sa.String(length=64),
    "hour": sa.Integer(),
    "quiet_from": sa.Integer(),
    "quiet_until": sa.Integer(),
    "apart_days": sa.Integer(),
    "stop_reason": sa.String(length=32),
    "mention_guild_id": sa.BigInteger(),
}


def upgrade() -> None:
    """Add the messages of tickets."""
    op.create_table(
        "ticket_messages",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("process", sa.String(length=43), nullable=False),
        sa.Column("message", sa.String(length=43), nullable=False),
        sa.Column("installs", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["tickets.hash"], name="fk_ticket_messages_hash", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", "process", name="pk_ticket_messages"),
    )
    for name, kind in WISHES.items():
        op.add_column("people", sa.Column(name, kind))
    op.add_column("people", sa.Column("active_at", sa.DateTime(timezone=True)))
    op.add_column("people", sa.Column("may_be_named", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("migrations", sa.Column("locale", sa.String(length=16), server_default="en", nullable=False))
    op.create_table(
        "guilds",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger()),
        sa.Column("left_at", sa.DateTime(timezone=True)),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("forgiven", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name="pk_guilds"),
    )
    op.create_table(
        "memberships",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_member", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name="pk_memberships"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("memberships")
    op.drop_table("guilds")
    for name in (*WISHES, "active_at", "may_be_named"):
        op.drop_column("people", name)  # in place: a table that is made anew takes what refers to it along
    op.drop_column("migrations", "locale")
    op.drop_table("ticket_messages")
