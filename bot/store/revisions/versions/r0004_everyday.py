"""Which message was signed for a process through a ticket: told before it is sent, so that nobody signs it twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


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


def downgrade() -> None:
    """Drop them."""
    op.drop_table("ticket_messages")
