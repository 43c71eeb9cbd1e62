"""What pictures were drawn from, which models they name, and where found ones lie."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("image", sa.Column("size", sa.Integer))
    op.add_column("image", sa.Column("mtime_ns", sa.Integer))
    op.create_table(
        "image_input",
        sa.Column("image_id", sa.Integer, sa.ForeignKey("image.id"), primary_key=True),
        sa.Column("role", sa.String, primary_key=True),
        sa.Column("sha256", sa.String, nullable=False, index=True),
    )
    op.create_table(
        "image_model",
        sa.Column("image_id", sa.Integer, sa.ForeignKey("image.id"), primary_key=True),
        sa.Column("role", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, index=True),
    )
