"""`modelhub export a1111|comfyui DIR`."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import PARTIAL
from cli.options import DryRun, OfFamily, SomeModels, WithTag
from cli.session import Session
from modelhub.errors import BadValue
from modelhub.kinds import Artifact, Kind
from modelhub.upkeep.export.layouts import Links

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.upkeep.export.model_paths import ModelPaths
    from modelhub.upkeep.export.tree import Export, ExportReport

_SHOWN = 20
"""Lines of each part of the report."""


class Tool(StrEnum):
    """Whom to show the collection to."""

    A1111 = "a1111"
    COMFYUI = "comfyui"


def command(
    session: Session,
    tool: Annotated[
        Tool, typer.Argument(metavar="a1111|comfyui", help="stable-diffusion-webui (Forge too), or ComfyUI.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The tool's own folder, or one to give to it.")],
    refs: SomeModels = None,
    kind: Annotated[list[Kind] | None, typer.Option(metavar="KIND", help="Of this kind; may be repeated.")] = None,
    family: OfFamily = None,
    tag: WithTag = None,
    links: Annotated[
        Links | None, typer.Option(help="How to show a file.", show_default="symbolic; comfyui: --yaml")
    ] = None,
    yaml: Annotated[
        bool, typer.Option("--yaml", help="For ComfyUI: name the folders in extra_model_paths.yaml.")
    ] = False,
    sidecars: Annotated[bool, typer.Option("--sidecars", help="Trigger words, notes and previews too.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Show the collection to another tool, in its own folders, as links to the files where they lie.

    Run it again after changes. Nothing that it did not make itself is ever replaced or taken away.
    """
    from modelhub.upkeep.export.tree import Export

    if yaml and (tool is Tool.A1111 or links or sidecars):
        raise BadValue("--yaml names folders for ComfyUI: it goes with no other tool, and with no links or sidecars")
    target = session.cwd / folder
    with session.open_catalog() as catalog:
        wanted = _wanted(catalog, refs or [], tuple(kind or ()), family, tag)
        if tool is Tool.COMFYUI and not links and not sidecars:
            _name_folders(session, catalog, target, wanted, dry_run=dry_run)
        else:
            wish = Export(tool.value, target, links or Links.SYMBOLIC, sidecars)
            _link(session, catalog, wish, wanted, dry_run=dry_run)


def _wanted(
    catalog: "Catalog", refs: Sequence[str], kinds: tuple[Kind, ...], family: str | None, tag: str | None
) -> Sequence[Artifact]:
    from modelhub.catalog import Query

    found = catalog.list(Query(kinds=kinds, family=family, tag=tag))
    named = {catalog.resolve(ref).id for ref in refs}
    return [one for one in found if one.id in named or not refs]


def _link(session: Session, catalog: "Catalog", wish: "Export", wanted: Sequence[Artifact], *, dry_run: bool) -> None:
    from modelhub.upkeep.export.tree import export

    report = session.run(export(catalog, wish, wanted, dry_run=dry_run))
    folder = wish.folder
    document = {"done": not dry_run, "folder": folder, **_fields(report)}
    ids = dict.fromkeys(one for _, one in report.made)
    session.output.show(document, text=lambda: "\n".join(_told(report, folder, done=not dry_run)), ids=ids)
    for name, why in report.failed:
        session.output.hint(f"not shown: {name}: {why}")
    if report.failed:
        raise typer.Exit(PARTIAL)


def _fields(report: "ExportReport") -> dict[str, object]:
    return {
        "made": [{"path": path, "id": one} for path, one in report.made],
        "kept": report.kept,
        "removed": report.removed,
        "left": [{"path": path, "why": why} for path, why in report.left],
        "skipped": [{"id": one, "why": why} for one, why in report.skipped],
        "failed": [{"path": path, "why": why} for path, why in report.failed],
    }


def _told(report: "ExportReport", folder: Path, *, done: bool) -> Iterator[str]:
    would = "" if done else "would be "
    yield f"{folder}: {len(report.made)} {would}made, {report.kept} right already, {len(report.removed)} {would}removed"
    yield from _some([f"  {path}" for path, _ in report.made])
    yield from _some([f"  removed: {path}" for path in report.removed])
    yield from _some([f"  not shown: {one}: {why}" for one, why in report.skipped])


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"  and {len(lines) - _SHOWN} more: --json shows all"


def _name_folders(
    session: Session, catalog: "Catalog", folder: Path, wanted: Sequence[Artifact], *, dry_run: bool
) -> None:
    from modelhub.upkeep.export.model_paths import FILE, model_paths, paths_yaml, write_model_paths

    paths = model_paths(catalog, wanted)
    text = paths_yaml(paths)
    if not dry_run:
        write_model_paths(folder / FILE, text)
    for mixed, kinds in paths.mixed:
        session.output.hint(
            f"not named: {mixed} holds {kinds}; modelhub export comfyui DIR --links symbolic sorts them"
        )
    for one, why in paths.kept_back:
        session.output.hint(f"not shown: {one}: {why}")
    verb = "would write" if dry_run else "wrote"
    document = {"done": not dry_run, "path": folder / FILE, "folders": paths.folders, "mixed": paths.mixed}
    session.output.show(document, text=lambda: f"{verb} {folder / FILE}\n{_named(paths)}", ids=[folder / FILE])


def _named(paths: "ModelPaths") -> str:
    return (
        "\n".join(f"  {category}: {one}" for category, found in paths.folders.items() for one in found) or "  nothing"
    )
