"""What is told of an artifact besides its facts: its making, its words, and what it was trained on."""

from collections.abc import Iterator
from pathlib import Path, PurePath

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from modelhub.catalog import tables
from modelhub.catalog.nouns import Base
from modelhub.catalog.rows import artifacts, selected
from modelhub.kinds import Artifact, Kind
from modelhub.words.training import Training, training_from_json

__all__ = ["base_of", "derived_from", "training_of", "words_of"]

_A, _DIGEST, _ALIAS = tables.artifact.c, tables.digest.c, tables.alias.c
_TRAINED_ON = (Kind.CHECKPOINT, Kind.UNET)
_SHORT = 10
"""Digits of a digest that stable-diffusion-webui writes."""
_LAST_DIGIT = "g"
"""Sorts behind every hex digit."""


def training_of(connection: Connection, artifact_id: int) -> Training | None:
    stored = connection.scalar(select(_A.training).where(_A.id == artifact_id))
    return training_from_json(stored) if stored else None


def words_of(connection: Connection, artifact_id: int) -> tuple[tuple[str, str], ...]:
    """Trigger words, each with who gave it."""
    word = tables.word.c
    rows = connection.execute(select(word.word, word.source).where(word.artifact_id == artifact_id))
    return tuple((row.word, row.source) for row in rows)


def base_of(connection: Connection, training: Training | None, root: Path) -> Base | None:
    """The artifact that a header names as the base: by its digest, else by a name that only one candidate has."""
    for found_by, condition in _conditions(training) if training else ():
        found = artifacts(connection, _candidates(condition), root)
        if found_by == "name":
            found = tuple(one for one in found if training and not _refuted(one, training))
        if len(found) == 1 or (found and found_by == "sha256"):
            return Base(found[0], found_by)
    return None


def derived_from(connection: Connection, base: Artifact, root: Path) -> tuple[Artifact, ...]:
    """What headers say was trained on `base`, newest first: by digest alone, since names prove nothing."""
    sha256 = base.digests.get("sha256", "")
    digests = {sha256, sha256[:_SHORT], base.digests.get("autov1", "")} - {""}
    if not digests:
        return ()
    mentioned = or_(*(func.instr(_A.training, f'"{value}') > 0 for value in sorted({one[:_SHORT] for one in digests})))
    wanted = select(_A.id, _A.training).where(_A.removed_at.is_(None), _A.id != base.id, mentioned)
    told = ((row.id, training_from_json(row.training)) for row in connection.execute(wanted))
    ids = [one for one, training in told if {training.base_sha256, training.base_autov1} & digests]
    return artifacts(connection, select(_A.id).where(selected(_A.id, ids)).order_by(_A.id.desc()), root)


def _conditions(training: Training) -> Iterator[tuple[str, ColumnElement[bool]]]:
    if begins := training.base_sha256:
        yield "sha256", _has_digest("sha256", begins)
    if begins := training.base_autov1:
        yield "autov1", _has_digest("autov1", begins)
    if training.base_name:
        named = {training.base_name, PurePath(training.base_name).stem}
        yield "name", or_(_A.name.in_(named), _A.id.in_(select(_ALIAS.artifact_id).where(_ALIAS.alias.in_(named))))


def _has_digest(algorithm: str, begins: str) -> ColumnElement[bool]:
    same = (_DIGEST.algorithm == algorithm, _DIGEST.value >= begins, _DIGEST.value < begins + _LAST_DIGIT)
    return _A.id.in_(select(_DIGEST.artifact_id).where(*same))


def _candidates(condition: ColumnElement[bool]) -> Select[int]:
    return select(_A.id).where(_A.removed_at.is_(None), _A.kind.in_(_TRAINED_ON), condition).order_by(_A.id)


def _refuted(candidate: Artifact, training: Training) -> bool:
    """Whether its known digest differs from the one that the header names."""
    known = candidate.digests.get("sha256")
    return bool(known and training.base_sha256 and not known.startswith(training.base_sha256))
