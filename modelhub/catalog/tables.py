"""The tables of catalog.db. Private to the catalog: everybody else sees frozen `Artifact`s and `Run`s.

Core tables, not mapped classes: importing the object mapper alone would double the time of `modelhub ls`.
The migrations are what makes these tables; a test compares the two.
"""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

SCHEMA = "0005"
"""The Alembic revision that this code reads and writes."""

metadata = MetaData()


def _artifact_key() -> Column[int]:
    return Column("artifact_id", Integer, ForeignKey("artifact.id"), primary_key=True)


artifact = Table(
    "artifact",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("family", String),
    Column("facts", Text, nullable=False),
    Column("added_at", String, nullable=False),
    Column("removed_at", String),
    Column("merged_into", Integer, ForeignKey("artifact.id")),
    Column("note", Text, nullable=False, server_default=""),
    Column("preview", String),
    Column("training", Text),
    Column("identified_by", Integer, nullable=False, server_default="1"),
    Column("weight", Float),
    Index("artifact_name", "name", unique=True, sqlite_where=text("removed_at IS NULL")),
    Index("artifact_kind", "kind"),
    sqlite_autoincrement=True,
)
"""Removed artifacts stay, so that lineage holds and no ID is given twice; their names are free again.

`training` is JSON: what the header told of how it was trained. `identified_by` is the `identify.VERSION` that found
the facts: an older one is asked again at the next scan. `weight` is how strongly it is best used, if anybody said so.
"""

location = Table(
    "location",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("artifact_id", Integer, ForeignKey("artifact.id"), nullable=False, index=True),
    Column("path", String, nullable=False, unique=True),
    Column("size", Integer, nullable=False, index=True),
    Column("mtime_ns", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("file_key", String, index=True),
    Column("sample", String),
    Column("sidecars", String),
    Column("origin", String),
    Column("verified_at", String),
    Index("location_sample", "size", "sample"),
)
"""`sample` is a digest of the size, the first and the last bytes: unequal samples prove unequal files, without
reading them through. `sidecars` is what the notes of other tools beside the file looked like when they were read."""

root = Table(
    "root",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", String, nullable=False, unique=True),
    Column("scanned_at", String),
)
"""The folders that scans look through, with the end of the last scan that got through."""

digest = Table(
    "digest",
    metadata,
    _artifact_key(),
    Column("algorithm", String, primary_key=True),
    Column("value", String, nullable=False, index=True),
)

alias = Table("alias", metadata, _artifact_key(), Column("alias", String, primary_key=True, index=True))

tag = Table("tag", metadata, _artifact_key(), Column("tag", String, primary_key=True, index=True))

word = Table(
    "word",
    metadata,
    _artifact_key(),
    Column("word", String, primary_key=True, index=True),
    Column("source", String, nullable=False),
)
"""Trigger words, and whether the ``header``, a ``hub``'s note or the ``user`` gave them."""

source = Table(
    "source",
    metadata,
    _artifact_key(),
    Column("ref", String, primary_key=True, index=True),
    Column("said", Text, nullable=False),
    Column("seen_at", String, nullable=False),
    Column("gone_at", String),
)
"""What a hub said of an artifact, and when; since when it has no longer said so: what it said last stays."""

asked = Table(
    "asked",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("hub", String, primary_key=True),
    Column("asked_at", String, nullable=False),
)
"""When a hub was last asked what has these bytes, whatever it answered: so that it is not asked every day."""

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("pid", Integer, nullable=False),
    Column("process_started", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("finished_at", String),
    Column("error", Text),
    sqlite_autoincrement=True,
)

run_artifact = Table(
    "run_artifact",
    metadata,
    Column("run_id", Integer, ForeignKey("run.id"), primary_key=True),
    Column("direction", String, primary_key=True),
    Column("role", String, primary_key=True),
    _artifact_key(),
    Index("run_artifact_artifact", "artifact_id", "direction"),
)
"""`direction` is ``in`` or ``out``; `role` says as what, e.g. ``base``, ``lora``, ``vae``."""

image = Table(
    "image",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False, index=True),
    Column("path", String, nullable=False, index=True),
    Column("sha256", String, nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("infotext", Text, nullable=False),
    Column("rating", Integer),
    Column("made_at", String, nullable=False),
    Column("size", Integer),
    Column("mtime_ns", Integer),
    sqlite_autoincrement=True,
)
"""`size` and `mtime_ns` are those of a file that was found, not drawn here: by them it is known again unread."""


def _image_key() -> Column[int]:
    return Column("image_id", Integer, ForeignKey("image.id"), primary_key=True)


image_input = Table(
    "image_input",
    metadata,
    _image_key(),
    Column("role", String, primary_key=True),
    Column("sha256", String, nullable=False, index=True),
)
"""The pictures that a picture was drawn from: ``init``, ``mask``, ``control``, ``control 2``, ..."""

image_model = Table(
    "image_model",
    metadata,
    _image_key(),
    Column("role", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("digest", String, nullable=False, index=True),
)
"""The models that a found picture names, by the beginning of a digest: whatever the catalog holds then or later."""
