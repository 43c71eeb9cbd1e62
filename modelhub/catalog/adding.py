"""Registers files in place. What is slow (reading, hashing) comes before the write transaction, never inside it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from modelhub.catalog import tables
from modelhub.catalog.database import Database
from modelhub.catalog.labels import record_tags, set_name
from modelhub.catalog.places import read_place, written_place
from modelhub.catalog.rows import reindex, stored_facts, versioned
from modelhub.catalog.settling import Ask, Found, Question, compared, location, settle, twins_of
from modelhub.digests import file_digests
from modelhub.errors import BadValue, MissingFile, UnsafeFile
from modelhub.fingerprint import fingerprint, sample
from modelhub.headers import TensorTable, read_table, read_tensor
from modelhub.identify import VERSION, identify
from modelhub.kinds import Evidence, Facts, Kind, Source
from modelhub.words.sidecars import Sidecar, read_sidecars, sidecar_stamp
from modelhub.words.training import read_training, training_json, trigger_words

__all__ = ["NoModel", "Registered", "Wish", "model_name", "put"]

_MAX_ALIAS = 200
"""Characters."""
_OFTEN_NO_MODEL = (".bin", ".pt", ".pth")
"""Endings that optimizers, tokenizers and firmware have too."""
_GENERIC = ("adapter_model", "diffusion_pytorch_model", "model", "pytorch_lora_weights", "pytorch_model")
"""Names that libraries give to every model: the folder tells them apart."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How to register a file."""

    name: str | None = None
    tags: Sequence[str] = ()
    facts: Facts | None = None
    """Believed instead of what the file says."""
    siblings: Collection[str] | None = None
    """The names in its folder, if they are known."""
    again: bool = False
    """Read it even when it is as it was."""
    searched: bool = False
    """It was found in a folder, nobody named it: what need not be a model is refused with `NoModel`."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What the catalog made of a file."""

    id: int
    name: str
    kind: Kind
    family: str | None
    is_new: bool
    """Whether this made the artifact, rather than finding it again or finding another copy."""
    conflicts: tuple[str, ...] = ()


class NoModel(BadValue):
    """A file with an ending that much else has, and nothing of a model in it."""


def put(database: Database, path: Path, wish: Wish) -> Registered:
    """Make sure that the catalog holds the file at `path`.

    Adding the same path again refreshes what changed; a byte-identical file elsewhere becomes a second
    location of the artifact that was there first.
    """
    known = None if wish.again else _unchanged(database, path, wish.siblings)
    if known is None:
        doubtful = wish.searched and path.suffix.lower() in _OFTEN_NO_MODEL
        with _excused(path) if doubtful else nullcontext():
            found = _read(database.root, path, wish)
        if doubtful and found.facts.kind is Kind.UNKNOWN:
            raise _no_model(path)
        return _register(database, found, wish)
    if wish.name is None and not wish.tags:
        with database.reading() as connection:
            return _registered(connection, known, is_new=False)
    with database.writing() as connection:
        _label(connection, known, wish)
        return _registered(connection, known, is_new=False)


@contextmanager
def _excused(path: Path) -> Iterator[None]:
    try:
        yield
    except UnsafeFile as error:
        raise _no_model(path) from error


def _no_model(path: Path) -> NoModel:
    return NoModel(f"{path} is no model that we know", mend=f"modelhub add {path}")


def model_name(path: Path) -> str:
    """What to call the model at `path`: its own name, unless that says nothing."""
    if path.parent.name == "snapshots" and path.parents[1].name.startswith("models--"):
        return path.parents[1].name.rpartition("--")[2]
    stem = path.name if path.is_dir() else path.stem
    return path.parent.name if stem.partition(".")[0] in _GENERIC and path.parent.name else stem


def _unchanged(database: Database, path: Path, siblings: Collection[str] | None) -> int | None:
    """The artifact at `path`, if the file is as it was when we last looked."""
    with database.reading() as connection:
        at = location(connection, written_place(database.root, path))
    if at is None or at.state != "present" or at.identified_by < VERSION or not path.exists():
        return None
    there = fingerprint(path)
    unchanged = (at.size, at.mtime_ns) == (there.size, there.mtime_ns)
    return at.artifact_id if unchanged and (at.sidecars or "") == sidecar_stamp(path, siblings) else None


def _read(root: Path, path: Path, wish: Wish) -> Found:
    place, seen = written_place(root, path), fingerprint(path)  # first: whatever changes later is found next time
    table, beside = read_table(path), read_sidecars(path, wish.siblings)
    training = read_training(table.metadata)
    words = {**dict.fromkeys(beside.trigger_words, "hub"), **dict.fromkeys(trigger_words(table.metadata), "header")}
    return Found(
        place=place,
        stem=model_name(path),
        fingerprint=seen,
        sample=sample(path),
        facts=wish.facts or _with_notes(_identified(path, table), beside),
        given=wish.facts is not None,
        aliases=_aliases(path, table),
        words=words,
        training=training_json(training) if training else None,
        preview=written_place(root, beside.preview) if beside.preview else None,
        note=beside.note,
        weight=beside.weight,
        sources={ref: versioned({**said, "heard": "sidecar"}) for ref, said in beside.sources.items()},
        sidecars=beside.stamp,
    )


def _identified(path: Path, table: TensorTable) -> Facts:
    return identify(table, name=path.stem, read=partial(read_tensor, path, table))


def _with_notes(facts: Facts, beside: Sidecar) -> Facts:
    """What the file leaves open, the notes of other tools beside it may tell."""
    told = {"family": beside.family, "prediction_type": beside.prediction_type}
    news: dict[str, Any] = {name: value for name, value in told.items() if value and getattr(facts, name) is None}
    evidence = dict.fromkeys(news, Evidence(Source.HUB, "the notes beside it say so"))
    refuted = tuple(
        f"the notes beside it say {name.replace('_', ' ')} {value}, by its {facts.evidence[name].source} it is "
        f"{getattr(facts, name)}"
        for name, value in told.items()
        if value and name in facts.evidence and getattr(facts, name) != value
    )
    conflicts = (*facts.conflicts, *refuted)
    return replace(facts, **news, evidence={**facts.evidence, **evidence}, conflicts=conflicts)


def _aliases(path: Path, table: TensorTable) -> frozenset[str]:
    named = table.metadata.get("ss_output_name", "").strip()
    trusted = named not in ("", "None") and named.isprintable() and len(named) <= _MAX_ALIAS
    stem = path.name if table.container == "diffusers" else path.stem
    return frozenset({stem, named} if trusted else {stem})


def _register(database: Database, found: Found, wish: Wish) -> Registered:
    """Compare with what has the same size until nothing is left to ask, then write."""
    answers: dict[Question, Any] = {}
    while True:
        with database.writing() as connection:
            at = location(connection, found.place)
            twins = twins_of(connection, found, at)
            _, question = compared(found, twins, answers)
            if question is None:
                newest = _newest(connection)
                artifact_id = settle(connection, found, at, twins, answers)
                _label(connection, artifact_id, wish)
                return _registered(connection, artifact_id, is_new=artifact_id > newest)
        answers[question] = _ANSWERS[question.what](read_place(database.root, question.place))


def _file_key(path: Path) -> str | None:
    try:
        return fingerprint(path).file_key
    except MissingFile:
        return None


def _sample(path: Path) -> str | None:
    try:
        return sample(path)
    except MissingFile:
        return None


def _digests(path: Path) -> Mapping[str, str]:
    try:
        return file_digests(path)
    except MissingFile:
        return {}


_ANSWERS: Mapping[Ask, Callable[[Path], Any]] = {
    Ask.FILE_KEY: _file_key,
    Ask.SAMPLE: _sample,
    Ask.DIGESTS: _digests,
}


def _newest(connection: Connection) -> int:
    """The highest ID that was ever given."""
    return int(connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM artifact").scalar_one())


def _label(connection: Connection, artifact_id: int, wish: Wish) -> None:
    if wish.name is not None:
        set_name(connection, artifact_id, wish.name)
    record_tags(connection, artifact_id, wish.tags)
    reindex(connection, artifact_id)


def _registered(connection: Connection, artifact_id: int, *, is_new: bool) -> Registered:
    row = connection.execute(tables.artifact.select().where(tables.artifact.c.id == artifact_id)).one()
    return Registered(row.id, row.name, Kind(row.kind), row.family, is_new, stored_facts(row.facts).conflicts)
