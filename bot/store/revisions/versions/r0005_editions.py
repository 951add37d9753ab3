"""Which edition of a message's words people see: one that was sent may have more to say since."""

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


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_outbox_behind", table_name="outbox")
    with op.batch_alter_table("outbox") as outbox:
        for name in ("edition", "shown_edition"):
            outbox.drop_column(name)
