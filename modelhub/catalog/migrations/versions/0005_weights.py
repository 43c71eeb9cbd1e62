"""How strongly a model is best used."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("artifact", sa.Column("weight", sa.Float))
