"""`modelhub dedupe [--hardlink | --undo JOURNAL]`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import confirmed
from cli.exits import PARTIAL
from cli.options import Yes
from cli.render import size_text, table
from cli.session import Session
from modelhub.errors import BadValue

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.upkeep.dedupe import Duplicate, Duplicates
    from modelhub.upkeep.linking import Linked, Skipped, Undone


def command(
    session: Session,
    hardlink: Annotated[
        bool, typer.Option("--hardlink", help="Let copies on the same disk share their bytes, as hard links.")
    ] = False,
    undo: Annotated[
        Path | None,
        typer.Option(metavar="JOURNAL", help="Give the files that a journal names bytes of their own again."),
    ] = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be linked.")] = False,
) -> None:
    """Find files with equal bytes; with --hardlink, free the disk of all but one, in a way that can be undone."""
    if undo and hardlink:
        raise BadValue("--hardlink and --undo exclude each other", mend="choose one")
    with session.open_catalog() as catalog:
        if undo:
            _undo(session, catalog, undo)
        else:
            _dedupe(session, catalog, link=hardlink and not dry_run, ask=not yes)


def _dedupe(session: Session, catalog: "Catalog", *, link: bool, ask: bool) -> None:
    from modelhub.upkeep import dedupe, linking

    found = session.run(dedupe.find(catalog))
    about, unasked = "\n".join(_found_told(found)), "modelhub dedupe --hardlink -y"
    if not (link and found.linkable and confirmed(session, about, "Link them?", yes=not ask, unasked=unasked)):
        ids = [copy.artifact_id for group in found.groups for copy in group.copies]
        session.output.show(found, text=lambda: "\n".join(_found_told(found)), ids=dict.fromkeys(ids))
        return
    linked = session.run(linking.link(catalog, found))
    session.output.show(linked, text=lambda: "\n".join(_linked_told(linked)), ids=linked.linked)
    _end_as(linked.linked, linked.skipped)


def _undo(session: Session, catalog: "Catalog", journal: Path) -> None:
    from modelhub.upkeep import linking

    undone = session.run(linking.undo(catalog, session.cwd / journal))
    session.output.show(undone, text=lambda: "\n".join(_undone_told(undone)), ids=undone.restored)
    _end_as(undone.restored, undone.skipped)


def _end_as(done: Sequence[Path], skipped: "Sequence[Skipped]") -> None:
    if skipped:
        raise typer.Exit(PARTIAL if done else 1)


def _found_told(found: "Duplicates") -> Iterator[str]:
    if not found.groups:
        yield "no two files have equal bytes"
        return
    yield table(("ID", "NAME", "SIZE", "", "FILE"), [row for group in found.groups for row in _rows(group)])
    yield f"{size_text(found.bytes)} are held more than once; hard links would save {size_text(found.linkable)}"


def _rows(group: "Duplicate") -> Iterator[tuple[object, ...]]:
    for copy in group.copies:
        is_kept = group.kept[copy.device] is copy
        first = "keep" if is_kept and copy is group.copies[0] else "other disk" if is_kept else "copy"
        yield from ((copy.artifact_id, copy.name, size_text(group.size), first, path) for path in copy.paths)


def _linked_told(linked: "Linked") -> Iterator[str]:
    yield from (f"linked {path}" for path in linked.linked)
    yield from (f"left alone {one.path}: {one.why}" for one in linked.skipped)
    yield f"{size_text(linked.saved)} saved"
    if linked.journal:
        yield f"to undo it: modelhub dedupe --undo {linked.journal}"


def _undone_told(undone: "Undone") -> Iterator[str]:
    yield from (f"has its own bytes again: {path}" for path in undone.restored)
    yield from (f"left alone {one.path}: {one.why}" for one in undone.skipped)
