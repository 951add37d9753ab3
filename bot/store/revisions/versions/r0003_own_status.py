"""What a registration's own looks have come to, until that is what everybody's have."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; whoever is registered already has caught up."""
    op.add_column("registrations", sa.Column("own", sa.Text()))
    op.add_column("registrations", sa.Column("caught_up_at", sa.DateTime(timezone=True)))
