"""The one way from what a person types to an artifact: catalog ID, name, alias, digest, path or hub address."""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Select, false, func, select

from modelhub.catalog import tables
from modelhub.catalog.database import Database
from modelhub.catalog.listing import with_digest
from modelhub.catalog.places import written_place
from modelhub.catalog.rows import artifacts, selected
from modelhub.catalog.sources import address, covered
from modelhub.errors import AmbiguousRef, Incompatible, UnknownRef
from modelhub.kinds import Artifact, Kind
from modelhub.refs import ModelRef, RefForm
from modelhub.workspace import Workspace

__all__ = ["candidates", "chosen", "unknown"]

_A = tables.artifact.c
_MAX_ID = 2**63 - 1
_VOWELS = (Kind.ADAPTER, Kind.EMBEDDING, Kind.IMAGE_ENCODER, Kind.UPSCALER, Kind.UNKNOWN)
"""Kinds that are said with "an"."""
_HASHED = select(tables.digest.c.artifact_id).where(tables.digest.c.algorithm == "sha256")
_UNHASHED = select(func.count()).where(_A.removed_at.is_(None), _A.id.not_in(_HASHED))


def candidates(database: Database, ref: ModelRef) -> tuple[Artifact, ...]:
    """Every artifact that `ref` may mean. A form of address that finds something hides the looser ones behind it."""
    with database.reading() as connection:
        for condition in _CONDITIONS[ref.form]:
            if found := artifacts(connection, _alive(condition(connection, database.root, ref.text)), database.root):
                return found
    return ()


def chosen(ref: ModelRef, found: Sequence[Artifact], kinds: Collection[Kind] | None) -> Artifact:
    """The one of `found` that is of a wanted kind; raises `Incompatible` or `AmbiguousRef`."""
    fitting = [one for one in found if not kinds or one.facts.kind in kinds]
    if not fitting:
        wanted = " or ".join(sorted(kinds or ()))
        raise Incompatible(
            f"{_titles(found)[0]} is {_one(found[0].facts.kind)}, not {_one(wanted)}",
            mend=f"modelhub ls --kind {wanted.split()[0]}",
        )
    if len(fitting) > 1:
        raise AmbiguousRef(ref.text, _titles(fitting))
    return fitting[0]


def unknown(database: Database, ref: ModelRef) -> UnknownRef:
    """The error for a reference that finds nothing, with the nearest names."""
    if ref.form is RefForm.PATH and Path(ref.text).expanduser().exists():
        return UnknownRef(ref.text, mend=f"modelhub add {ref.text}")
    if ref.form is RefForm.HUB:
        return UnknownRef(ref.text, mend=f"modelhub pull {ref.text}")
    with database.reading() as connection:
        if ref.form is RefForm.DIGEST and (lacking := connection.scalar(_UNHASHED)):
            return UnknownRef(ref.text, why=f"{lacking} files have no digest yet", mend="modelhub scan --hash")
        names = list(connection.scalars(select(_A.name).where(_A.removed_at.is_(None))))
    return UnknownRef(ref.text, difflib.get_close_matches(ref.text, names, n=3))


def _one(kinds: str) -> str:
    return f"{'an' if kinds.startswith(_VOWELS) else 'a'} {kinds}"


def _titles(found: Sequence[Artifact]) -> list[str]:
    return [f"{one.id} ({one.name})" for one in found]


def _alive(condition: ColumnElement[bool]) -> Select[int]:
    return select(_A.id).where(_A.removed_at.is_(None), condition).order_by(_A.id)


def _by_id(connection: Connection, _root: Path, text: str) -> ColumnElement[bool]:
    number = min(int(text), _MAX_ID)
    merged = connection.scalar(select(_A.merged_into).where(_A.id == number))
    return _A.id == (merged or number)


def _by_name(_connection: Connection, _root: Path, text: str) -> ColumnElement[bool]:
    return _A.name == text


def _by_alias(_connection: Connection, _root: Path, text: str) -> ColumnElement[bool]:
    return _A.id.in_(select(tables.alias.c.artifact_id).where(tables.alias.c.alias == text))


def _by_digest(_connection: Connection, _root: Path, text: str) -> ColumnElement[bool]:
    return _A.id.in_(with_digest(text))


def _by_path(_connection: Connection, root: Path, text: str) -> ColumnElement[bool]:
    place = written_place(root, Path(text).expanduser())
    return _A.id.in_(select(tables.location.c.artifact_id).where(tables.location.c.path == place))


def _by_file_name(_connection: Connection, _root: Path, text: str) -> ColumnElement[bool]:
    """A bare file name, as prompts and other people's notes hold it."""
    stem = Path(text).stem if Path(text).name == text else text
    return _A.id.in_(select(tables.alias.c.artifact_id).where(tables.alias.c.alias == stem))


def _by_usable_source(connection: Connection, root: Path, text: str) -> ColumnElement[bool]:
    """What was converted has the address of what it was made from, which stays under quarantine."""
    quarantined = tables.location.c.path.startswith(f"{Workspace(root).quarantine.name}/", autoescape=True)
    usable = select(tables.location.c.artifact_id).where(~quarantined)
    return _by_source(connection, root, text) & _A.id.in_(usable)


def _by_source(connection: Connection, _root: Path, text: str) -> ColumnElement[bool]:
    return selected(_A.id, covered(connection, text))


def _by_hub_digest(_connection: Connection, _root: Path, text: str) -> ColumnElement[bool]:
    """``civitai:hash:0a1b2c3d`` asks for bytes, wherever they came from."""
    asked = address(text)
    return _A.id.in_(with_digest(asked.digest)) if asked and asked.digest else false()


_Condition = Callable[[Connection, Path, str], ColumnElement[bool]]
_CONDITIONS: Mapping[RefForm, Sequence[_Condition]] = {
    RefForm.ID: (_by_id,),
    RefForm.NAME: (_by_name, _by_alias),
    RefForm.DIGEST: (_by_digest, _by_alias),
    RefForm.PATH: (_by_path, _by_file_name),
    RefForm.HUB: (_by_usable_source, _by_source, _by_hub_digest),
}
