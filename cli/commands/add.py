"""`modelhub add PATH...`: register files, one or whole folders of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.artifacts import artifacts_table
from cli.exits import end
from cli.render import error_json
from cli.session import Session
from modelhub.errors import BadValue, ModelHubError
from modelhub.jobs import Done, Job, Notice, Progress, drain
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from modelhub.catalog import Catalog


@dataclass(frozen=True, slots=True)
class _Wish:
    """How to add each file."""

    name: str | None
    tags: tuple[str, ...]
    copy: bool
    move: bool


@dataclass(frozen=True, slots=True)
class _Report:
    added: tuple[Artifact, ...]
    failed: tuple[tuple[Path, ModelHubError], ...]


def command(
    session: Session,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders to search.")],
    name: Annotated[str | None, typer.Option(help="Name, for a single file.", show_default=False)] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag; may be repeated.", show_default=False)] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy into the workspace's models folder.")] = False,
    move: Annotated[bool, typer.Option("--move", help="Move into the workspace's models folder.")] = False,
) -> None:
    """Register models where they lie; what they are is read from their own headers."""
    if copy and move:
        raise BadValue("--copy and --move exclude each other", mend="choose one")
    files = dict(found for path in paths for found in _files(path))
    if name is not None and len(files) != 1:
        raise BadValue(f"--name {name!r} cannot name {len(files)} files", mend="modelhub add ONE-FILE --name NAME")
    with session.create_catalog() as catalog:
        report = session.run(_adding(catalog, files, _Wish(name, tuple(tag or ()), copy, move)))
    _show(session, report)


def _files(path: Path) -> Iterator[tuple[Path, bool]]:
    """The file itself, or the models anywhere under the folder; and whether it was searched for."""
    from modelhub.upkeep.scan.walk import walk

    if path.is_dir():
        yield from ((Path(each), True) for each in sorted(drain(walk([str(path)])).rows))
    else:
        yield path, False


def _adding(catalog: "Catalog", files: Mapping[Path, bool], wish: _Wish) -> Job[_Report]:
    from modelhub.catalog import NoModel

    added: list[Artifact] = []
    failed: list[tuple[Path, ModelHubError]] = []
    for number, (file, searched) in enumerate(files.items(), start=1):
        try:
            added.append(_add(catalog, file, wish, searched=searched))
        except NoModel:
            continue
        except ModelHubError as error:
            failed.append((file, error))
        yield Progress("add", number, len(files), "files")
    yield from _strangers(added)
    yield Done(_Report(tuple(added), tuple(failed)))


def _add(catalog: "Catalog", file: Path, wish: _Wish, *, searched: bool) -> Artifact:
    if wish.copy or wish.move:
        return catalog.bring(file, move=wish.move, name=wish.name, tags=wish.tags)
    return catalog.artifact(catalog.files.register(file, name=wish.name, tags=wish.tags, searched=searched).id)


def _strangers(added: Sequence[Artifact]) -> Iterator[Notice]:
    for artifact in added:
        if artifact.facts.family is None:
            yield Notice(
                f"{artifact.id} ({artifact.name}): its family is not known; it is kept as {artifact.facts.kind}"
            )
        yield from (Notice(f"{artifact.id} ({artifact.name}): {conflict}") for conflict in artifact.facts.conflicts)


def _show(session: Session, report: _Report) -> None:
    if len(report.failed) == 1 and not report.added:
        raise report.failed[0][1]
    failures = [{"path": path, **error_json(error)} for path, error in report.failed]
    document = {"added": report.added, "failed": failures}
    session.output.show(document, text=lambda: _told(report), ids=[one.id for one in report.added])
    for _, error in report.failed:
        session.output.hint(f"not added: {error.message}")
    end(report.failed, done=report.added)


def _told(report: _Report) -> str:
    return artifacts_table(report.added) if report.added else "nothing added"
