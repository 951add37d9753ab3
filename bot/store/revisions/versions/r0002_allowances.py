"""A daily limit per person, whose name the signing page may half show, and when a process was signed for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the allowances, the name hint and the moment of the signature."""
    op.create_table(
        "allowances",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "what", name="pk_allowances"),
    )
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("name_hint", sa.String(length=64), server_default="", nullable=False))
    with op.batch_alter_table("processes") as processes:
        processes.add_column(sa.Column("signed_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_outbox_leased",
        "outbox",
        ["lease_until"],
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
