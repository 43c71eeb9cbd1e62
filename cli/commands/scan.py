"""`modelhub scan [DIR...]`: bring the catalog up to what lies on the disks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import PARTIAL
from cli.options import DryRun
from cli.render import error_json, jsonable, table
from cli.session import Session
from modelhub.errors import BadValue, ModelHubError

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.upkeep.scan import Noted, ScanReport
    from modelhub.upkeep.scan.hashing import HashReport

_SORTS = ("new", "copies", "moved", "changed", "returned", "reread", "missing")
_LINES = 50
"""Of each sort, in the text for people."""


def command(
    session: Session,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR...]", help="Folders to look through and to remember; else all remembered ones."),
    ] = None,
    hashing: Annotated[bool, typer.Option("--hash", help="Compute the digests that are missing, too.")] = False,
    watching: Annotated[bool, typer.Option("--watch", help="Go on with what changes, until Ctrl-C.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Find what is new, moved, changed or gone in folders of models. No file is written, moved or deleted."""
    from modelhub.upkeep.scan import scan

    if dry_run and (watching or hashing):
        raise BadValue("--dry-run excludes --watch and --hash", mend="modelhub scan --dry-run")
    with session.create_catalog() if folders and not dry_run else session.open_catalog() as catalog:
        report = session.run(scan(catalog, folders or (), dry_run=dry_run))
        hashed = _hashed(session, catalog) if hashing else None
        _show(session, report, hashed)
        if watching:
            _watch(session, catalog, folders or (), hashing=hashing)
    if report.failed or (hashed and hashed.failed):
        raise typer.Exit(PARTIAL)


def _hashed(session: Session, catalog: "Catalog") -> "HashReport":
    from modelhub.upkeep.scan.hashing import hash_missing

    return session.run(hash_missing(catalog))


def _watch(session: Session, catalog: "Catalog", folders: Sequence[Path], *, hashing: bool) -> None:
    from modelhub.upkeep.scan.watch import changed_paths, watch, watched_folders

    watched = watched_folders(catalog, folders)
    if not watched:
        raise BadValue("there is no folder to watch", mend="modelhub scan --watch DIR")
    session.output.hint(f"watching {', '.join(map(str, watched))}; Ctrl-C ends it")
    for report in watch(catalog, changed_paths(watched)):
        _show(session, report, _hashed(session, catalog) if hashing else None)


def _show(session: Session, report: "ScanReport", hashed: "HashReport | None") -> None:
    ids = [one.id for one in report.new if one.id is not None]
    session.output.show(_document(report, hashed), text=lambda: _told(report, hashed), ids=ids)
    for error in (*(one.error for one in report.failed), *(error for _, error in (hashed.failed if hashed else ()))):
        session.output.hint(f"failed: {error.message}")
    for one in report.unreachable:
        session.output.hint(f"not looked through: {one.path}: {one.reason}")


def _document(report: "ScanReport", hashed: "HashReport | None") -> Mapping[str, object]:
    unreachable = [{"path": one.path, "reason": one.reason} for one in report.unreachable]
    failed = [_failed(one.path, one.error) for one in report.failed]
    document = {**jsonable(report), "failed": failed, "unreachable": unreachable}
    if hashed is not None:
        document["hashed"] = {"files": hashed.hashed, "failed": [_failed(*one) for one in hashed.failed]}
    return document


def _failed(path: Path, error: ModelHubError) -> Mapping[str, object]:
    return {"path": path, **error_json(error)}


def _told(report: "ScanReport", hashed: "HashReport | None") -> str:
    counts = {sort: len(getattr(report, sort)) for sort in _SORTS}
    counts |= {"unchanged": report.unchanged, "skipped": report.skipped, "waiting": len(report.waiting)}
    counts |= {"failed": len(report.failed), "hashed": hashed.hashed if hashed else 0}
    summary = ", ".join(f"{count:,} {sort}" for sort, count in counts.items() if count) or "no models found"
    rows = [row for sort in _SORTS for row in _rows(sort, getattr(report, sort))]
    return "\n".join([*([table(("", "ID", "NAME", "KIND", "FAMILY", "PATH"), rows)] if rows else []), summary])


def _rows(sort: str, noted: Sequence["Noted"]) -> Iterator[tuple[object, ...]]:
    for one in noted[:_LINES]:
        number = "-" if one.id is None else one.id
        yield sort, number, one.name or "-", one.kind or "", one.family or "", _way(one)
    if len(noted) > _LINES:
        yield sort, "...", f"and {len(noted) - _LINES:,} more", "", "", "modelhub scan --json lists all"


def _way(one: "Noted") -> str:
    return str(one.path) if one.was is None else f"{one.was} -> {one.path}"
