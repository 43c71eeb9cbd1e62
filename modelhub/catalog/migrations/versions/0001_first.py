"""The first schema: artifacts, where they lie, what made them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "artifact",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("family", sa.String),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("added_at", sa.String, nullable=False),
        sa.Column("removed_at", sa.String),
        sa.Column("merged_into", sa.Integer, sa.ForeignKey("artifact.id")),
        sqlite_autoincrement=True,
    )
    op.create_index("artifact_name", "artifact", ["name"], unique=True, sqlite_where=sa.text("removed_at IS NULL"))
    op.create_index("artifact_kind", "artifact", ["kind"])
    op.create_table(
        "location",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("artifact_id", sa.Integer, sa.ForeignKey("artifact.id"), nullable=False, index=True),
        sa.Column("path", sa.String, nullable=False, unique=True),
        sa.Column("size", sa.Integer, nullable=False, index=True),
        sa.Column("mtime_ns", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
    )
    _create_words(
        "digest",
        sa.Column("algorithm", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False, index=True),
    )
    _create_words("alias", sa.Column("alias", sa.String, primary_key=True, index=True))
    _create_words("tag", sa.Column("tag", sa.String, primary_key=True, index=True))
    _create_words(
        "source",
        sa.Column("ref", sa.String, primary_key=True, index=True),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("seen_at", sa.String, nullable=False),
    )
    _create_runs()
    op.execute("CREATE VIRTUAL TABLE search USING fts5(name, aliases, tags, family, kind, tokenize='trigram')")


def _create_words(name: str, *columns: "sa.Column[str]") -> None:
    owner = sa.Column("artifact_id", sa.Integer, sa.ForeignKey("artifact.id"), primary_key=True)
    op.create_table(name, owner, *columns)


def _create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("process_started", sa.String, nullable=False),
        sa.Column("started_at", sa.String, nullable=False),
        sa.Column("finished_at", sa.String),
        sa.Column("error", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "run_artifact",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("direction", sa.String, primary_key=True),
        sa.Column("role", sa.String, primary_key=True),
        sa.Column("artifact_id", sa.Integer, sa.ForeignKey("artifact.id"), primary_key=True),
    )
    op.create_index("run_artifact_artifact", "run_artifact", ["artifact_id", "direction"])
    op.create_table(
        "image",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id"), nullable=False, index=True),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False, index=True),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("infotext", sa.Text, nullable=False),
        sa.Column("rating", sa.Integer),
        sa.Column("made_at", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
