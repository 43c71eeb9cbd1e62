"""Decides to which artifact a file belongs, and writes that down: all in one transaction, with no file read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, delete, func, insert, or_, select, update

from modelhub.catalog import tables
from modelhub.catalog.labels import free_name, record_aliases, record_digests
from modelhub.catalog.rows import facts_json, inserted, now, reindex, stored_facts
from modelhub.fingerprint import Fingerprint
from modelhub.identify import VERSION
from modelhub.kinds import Facts

__all__ = ["Answers", "Ask", "Found", "Question", "Twin", "compared", "location", "settle", "twins_of"]

_A, _AT, _SHA256 = tables.artifact, tables.location, tables.digest.alias()
_LOCATION = (
    select(_AT, _A.c.identified_by)
    .join(_A, _A.c.id == _AT.c.artifact_id)
    .where(_A.c.removed_at.is_(None), _AT.c.path == bindparam("place"))
)
_SAME_SIZE = _AT.c.size == bindparam("size")
_TWINS = (
    select(_AT.c.artifact_id, _AT.c.path, _AT.c.file_key, _AT.c.sample, _SHA256.c.value)
    .outerjoin(_SHA256, (_SHA256.c.artifact_id == _AT.c.artifact_id) & (_SHA256.c.algorithm == "sha256"))
    .where(or_(_SAME_SIZE & _AT.c.sample.is_(None), _SAME_SIZE & (_AT.c.sample == bindparam("sample"))))
    .where(or_(_AT.c.state == "present", (_AT.c.state == "missing") & _SHA256.c.value.is_not(None)))
    .where(_AT.c.path != bindparam("place"))
    .order_by(_AT.c.artifact_id)
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is now, with all that it and what lies beside it say."""

    place: str
    """Its path as the table writes it."""
    stem: str
    """What to call it when it gets a name."""
    fingerprint: Fingerprint
    sample: str
    facts: Facts
    given: bool = False
    """Whether the caller gave the facts, which then stand as they are."""
    aliases: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)
    """Trigger word -> whether the ``header`` or a ``hub``'s note gave it."""
    training: str | None = None
    """JSON."""
    preview: str | None = None
    """Its place."""
    note: str = ""
    weight: float | None = None
    """How strongly it is best used."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Ref -> what the hub said, as JSON."""
    sidecars: str = ""


@dataclass(frozen=True, slots=True)
class Twin:
    """A file of the same size at another place."""

    artifact_id: int
    place: str
    file_key: str | None
    sample: str | None
    sha256: str | None
    """Of its artifact, when it is known."""


class Ask(StrEnum):
    """What may have to be read before two files can be told apart, cheapest first."""

    FILE_KEY = "file_key"
    SAMPLE = "sample"
    DIGESTS = "digests"


class Question(NamedTuple):
    """Something to find out of the file at a place."""

    what: Ask
    place: str


Answers = Mapping[Question, Any]
"""A text, or the digests by algorithm; None (or no digests) of a file that is not there."""


def twins_of(connection: Connection, found: Found, at: Row[Any] | None) -> tuple[Twin, ...]:
    """Those that may have the same bytes, lowest ID first: none when the file is as it was known, `at` its place."""
    if at is not None and at.state == "present" and _is_same(at, found):
        return ()
    wanted = {"size": found.fingerprint.size, "sample": found.sample, "place": found.place}
    return tuple(Twin(*row) for row in connection.execute(_TWINS, wanted))


def compared(found: Found, twins: Sequence[Twin], answers: Answers) -> tuple[int | None, Question | None]:
    """The lowest artifact with the same bytes, or else the next question that must be answered to know it."""
    for twin in twins:
        same, question = _same_bytes(found, twin, answers)
        if question is not None:
            return None, question
        if same:
            return twin.artifact_id, None
    return None, None


def settle(connection: Connection, found: Found, at: Row[Any] | None, twins: Sequence[Twin], answers: Answers) -> int:
    """Give the file to its artifact, new or known; `compared` must have no question left."""
    _note_answers(connection, twins, answers)
    equal, _ = compared(found, twins, answers)
    if equal is not None:
        owner = _joined(connection, equal, at, found)
    elif at is not None and (_is_same(at, found) or not _lies_elsewhere(connection, at)):
        owner = _refreshed(connection, at.artifact_id, found, at=at)
    else:
        owner = _created(connection, found)
    _write_location(connection, owner, found)
    record_digests(connection, owner, answers.get(Question(Ask.DIGESTS, found.place), {}))
    record_aliases(connection, owner, found.aliases)
    _note_said(connection, owner, found)
    return owner


def location(connection: Connection, place: str) -> Row[Any] | None:
    """What the catalog knows of `place`, unless its artifact was removed."""
    return connection.execute(_LOCATION, {"place": place}).one_or_none()


def _same_bytes(found: Found, twin: Twin, answers: Answers) -> tuple[bool, Question | None]:
    """Whether the two have the same bytes; or the question that comes first."""
    key, sampled = Question(Ask.FILE_KEY, twin.place), Question(Ask.SAMPLE, twin.place)
    if twin.file_key == found.fingerprint.file_key:
        if key not in answers:
            return False, key
        if answers[key] == twin.file_key:
            return True, None
    if twin.sample is None and sampled not in answers:
        return False, sampled
    if (twin.sample or answers[sampled]) != found.sample:
        return False, None
    return _same_digest(found, twin, answers)


def _same_digest(found: Found, twin: Twin, answers: Answers) -> tuple[bool, Question | None]:
    ours, theirs = Question(Ask.DIGESTS, found.place), Question(Ask.DIGESTS, twin.place)
    if twin.sha256 is None and theirs not in answers:
        return False, theirs
    if ours not in answers:
        return False, ours
    known = twin.sha256 or answers[theirs].get("sha256")
    return known is not None and answers[ours].get("sha256") == known, None


def _note_answers(connection: Connection, twins: Sequence[Twin], answers: Answers) -> None:
    """Keep what was learned of the twins."""
    for twin in twins:
        if twin.sha256 is None:
            record_digests(connection, twin.artifact_id, answers.get(Question(Ask.DIGESTS, twin.place), {}))
        if twin.sample is None:
            learned = answers.get(Question(Ask.SAMPLE, twin.place))
            connection.execute(update(_AT).where(_AT.c.path == twin.place).values(sample=learned))


def _is_same(at: Row[Any], found: Found) -> bool:
    """Whether a known file is as it was, as far as a look at it can tell."""
    seen = found.fingerprint
    return (at.size, at.mtime_ns) == (seen.size, seen.mtime_ns) and at.sample in (None, found.sample)


def _joined(connection: Connection, twin: int, at: Row[Any] | None, found: Found) -> int:
    """The artifact that two equal files share: the lower ID stays, and a higher one left without a file redirects."""
    if at is None or at.artifact_id == twin or _lies_elsewhere(connection, at):
        return twin
    stays, goes = sorted((twin, int(at.artifact_id)))
    _merge(connection, stays, goes)
    return _refreshed(connection, stays, found)


def _merge(connection: Connection, stays: int, goes: int) -> None:
    for table in (_AT, tables.alias, tables.tag, tables.word, tables.source, tables.run_artifact):
        moved = update(table).where(table.c.artifact_id == goes).values(artifact_id=stays)
        connection.execute(moved.prefix_with("OR IGNORE"))
    connection.execute(update(_A).where(_A.c.id == goes).values(removed_at=now()))
    redirected = update(_A).where((_A.c.id == goes) | (_A.c.merged_into == goes))
    connection.execute(redirected.values(merged_into=stays))
    reindex(connection, goes)


def _refreshed(connection: Connection, artifact_id: int, found: Found, *, at: Row[Any] | None = None) -> int:
    """The artifact stays and is described anew; what was known of other bytes at the same path goes.

    What the owner said of it is still believed.
    """
    if at is None or not _is_same(at, found):
        connection.execute(delete(tables.digest).where(_of(tables.digest, artifact_id)))
    if at is not None and not _lies_elsewhere(connection, at):
        connection.execute(delete(tables.word).where(_of(tables.word, artifact_id), tables.word.c.source != "user"))
    said = stored_facts(connection.scalars(select(_A.c.facts).where(_A.c.id == artifact_id)).one()).said
    facts = found.facts if found.given else found.facts.as_said(**said)
    connection.execute(update(_A).where(_A.c.id == artifact_id).values(training=found.training, **_described(facts)))
    return artifact_id


def _created(connection: Connection, found: Found) -> int:
    name = free_name(connection, found.stem, found.facts.kind)
    described = {"training": found.training, **_described(found.facts)}
    return inserted(connection, insert(_A).values(name=name, added_at=now(), **described))


def _described(facts: Facts) -> dict[str, str | int | None]:
    return {"kind": facts.kind, "family": facts.family, "facts": facts_json(facts), "identified_by": VERSION}


def _write_location(connection: Connection, owner: int, found: Found) -> None:
    connection.execute(delete(_AT).where(_AT.c.path == found.place))
    seen = found.fingerprint
    row: dict[str, str | int] = {"artifact_id": owner, "path": found.place, "state": "present"}
    row |= {"size": seen.size, "mtime_ns": seen.mtime_ns, "file_key": seen.file_key}
    row |= {"sample": found.sample, "sidecars": found.sidecars}
    connection.execute(insert(_AT), row)


def _note_said(connection: Connection, owner: int, found: Found) -> None:
    """Trigger words, preview, note, weight and sources; nothing that the owner wrote is replaced."""
    word, source = insert(tables.word).prefix_with("OR IGNORE"), insert(tables.source).prefix_with("OR IGNORE")
    for text, origin in found.words.items():
        connection.execute(word.values(artifact_id=owner, word=text, source=origin))
    heard = func.json_extract(tables.source.c.said, "$.heard") == "sidecar"
    for ref, said in found.sources.items():
        connection.execute(delete(tables.source).where(_of(tables.source, owner), tables.source.c.ref == ref, heard))
        connection.execute(source.values(artifact_id=owner, ref=ref, said=said, seen_at=now()))
    if found.preview is not None:
        connection.execute(update(_A).where(_A.c.id == owner).values(preview=found.preview))
    if found.note:
        connection.execute(update(_A).where(_A.c.id == owner, _A.c.note == "").values(note=found.note))
    if found.weight:
        connection.execute(update(_A).where(_A.c.id == owner, _A.c.weight.is_(None)).values(weight=found.weight))


def _lies_elsewhere(connection: Connection, at: Row[Any]) -> bool:
    """Whether the artifact at this location would keep another file if it lost this one."""
    others = select(_AT.c.id).where(_AT.c.artifact_id == at.artifact_id, _AT.c.id != at.id)
    return connection.execute(others.where(_AT.c.state == "present")).first() is not None


def _of(table: Table, artifact_id: int) -> ColumnElement[bool]:
    return table.c.artifact_id == artifact_id
