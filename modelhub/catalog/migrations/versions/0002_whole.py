"""Roots, trigger words, notes, previews, how it was trained; what tells one file from another without reading it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("preview", sa.String),
        sa.Column("training", sa.Text),
        sa.Column("identified_by", sa.Integer, nullable=False, server_default="1"),
    ):
        op.add_column("artifact", column)
    for name in ("file_key", "sample", "sidecars", "origin", "verified_at"):
        op.add_column("location", sa.Column(name, sa.String))
    op.create_index("ix_location_file_key", "location", ["file_key"])
    op.create_index("location_sample", "location", ["size", "sample"])
    op.create_table(
        "root",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("path", sa.String, nullable=False, unique=True),
        sa.Column("scanned_at", sa.String),
    )
    op.create_table(
        "word",
        sa.Column("artifact_id", sa.Integer, sa.ForeignKey("artifact.id"), primary_key=True),
        sa.Column("word", sa.String, primary_key=True, index=True),
        sa.Column("source", sa.String, nullable=False),
    )
    _search_more()
    op.execute("CREATE VIRTUAL TABLE image_search USING fts5(infotext, tokenize='trigram')")
    op.execute("INSERT INTO image_search (rowid, infotext) SELECT id, infotext || '  ' FROM image")
    op.execute("CREATE VIRTUAL TABLE search_terms USING fts5vocab('search', 'row')")
    op.execute("CREATE VIRTUAL TABLE image_search_terms USING fts5vocab('image_search', 'row')")
    op.create_index("ix_image_path", "image", ["path"])


def _search_more() -> None:
    op.execute("DROP TABLE search")
    op.execute(
        "CREATE VIRTUAL TABLE search USING fts5(name, aliases, tags, words, note, family, kind, tokenize='trigram')"
    )
    op.execute(
        """
        INSERT INTO search (rowid, name, aliases, tags, words, note, family, kind)
        SELECT id, name || '  ',
               (SELECT group_concat(alias, ' ') || '  ' FROM alias WHERE artifact_id = id),
               (SELECT group_concat(tag, ' ') || '  ' FROM tag WHERE artifact_id = id),
               NULL, note || '  ', family || '  ', kind || '  '
        FROM artifact WHERE removed_at IS NULL
        """
    )
