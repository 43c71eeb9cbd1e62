"""What hubs have no longer, and what they were asked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("source", sa.Column("gone_at", sa.String))
    op.create_table(
        "asked",
        sa.Column("sha256", sa.String, primary_key=True),
        sa.Column("hub", sa.String, primary_key=True),
        sa.Column("asked_at", sa.String, nullable=False),
    )
