"""`modelhub show REF`."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from cli.render import jsonable, plain, size_text, table
from cli.session import Session
from modelhub.errors import ModelHubError
from modelhub.headers import read_table
from modelhub.kinds import Artifact, Facts

if TYPE_CHECKING:
    from modelhub.catalog import Lineage, Run

_METADATA_LINES = 30
_METADATA_WIDTH = 100
"""Characters of a metadata value that are shown."""
_NOT_FACTS = ("evidence", "conflicts")


def command(session: Session, ref: Annotated[str, typer.Argument(help="Which model.")]) -> None:
    """Show all that is known of a model, why it is believed, what made it and what it made."""
    with session.open_catalog() as catalog:
        artifact = catalog.resolve(ref)
        lineage = catalog.lineage(artifact.id)
        names = catalog.names(_mentioned(lineage))
    metadata = _metadata(artifact)
    document = {**jsonable(artifact), "metadata": metadata, "lineage": lineage}
    session.output.show(document, text=lambda: "\n".join(_page(artifact, metadata, lineage, names)), ids=[artifact.id])


def _metadata(artifact: Artifact) -> Mapping[str, str]:
    """The header's, as far as the file can be read now."""
    try:
        return read_table(artifact.path).metadata
    except ModelHubError:
        return {}


def _page(
    artifact: Artifact, metadata: Mapping[str, str], lineage: "Lineage", names: Mapping[int, str]
) -> Iterator[str]:
    yield f"{artifact.id}  {plain(artifact.name)}"
    yield f"added {artifact.added_at:%Y-%m-%d %H:%M}, {size_text(artifact.size)}"
    yield from _section("facts", _facts(artifact.facts))
    yield from _section("contradictions", artifact.facts.conflicts)
    yield from _section("files", [f"{at.path}  ({at.state})" for at in artifact.locations])
    yield from _section("digests", [f"{name}  {value}" for name, value in artifact.digests.items()])
    yield from _section("found in prompts as", artifact.aliases)
    yield from _section("tags", artifact.tags)
    yield from _section("made by", [_run(lineage.made_by, names)] if lineage.made_by else [])
    yield from _section("used by", [_run(run, names) for run in lineage.used_by])
    yield from _section("header", _summary(metadata))


def _section(title: str, lines: "list[str] | tuple[str, ...]") -> Iterator[str]:
    if lines:
        yield f"\n{title}"
        yield from (f"  {plain(line)}" for text in lines for line in text.splitlines())


def _facts(facts: Facts) -> list[str]:
    values = {field.name: getattr(facts, field.name) for field in fields(facts) if field.name not in _NOT_FACTS}
    rows = [
        (name.replace("_", " "), value, f"({why.source}: {why.detail})" if (why := facts.evidence.get(name)) else "")
        for name, value in values.items()
        if value is not None
    ]
    return table(("", "", ""), rows).splitlines()[1:]


def _summary(metadata: Mapping[str, str]) -> list[str]:
    lines = [f"{key}  {_shortened(value)}" for key, value in sorted(metadata.items())]
    more = len(lines) - _METADATA_LINES
    return [*lines[:_METADATA_LINES], *([f"and {more} more entries: show --json"] if more > 0 else [])]


def _shortened(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _METADATA_WIDTH else f"{line[:_METADATA_WIDTH]}... ({len(value):,} characters)"


def _mentioned(lineage: "Lineage") -> set[int]:
    runs = [*lineage.used_by, *([lineage.made_by] if lineage.made_by else [])]
    return {one for run in runs for one in (*run.outputs, *(used for _, used in run.inputs))}


def _run(run: "Run", names: Mapping[int, str]) -> str:
    inputs = ", ".join(f"{role} {one} ({names[one]})" for role, one in run.inputs)
    outputs = ", ".join(f"{one} ({names[one]})" for one in run.outputs)
    drawn = f"{len(run.images)} pictures, the last {run.images[-1].path}" if run.images else ""
    told = [f"run {run.id}: {run.kind} {run.started_at:%Y-%m-%d %H:%M} {run.state}", f"from {inputs}" if inputs else ""]
    return ", ".join(part for part in (*told, f"made {outputs}" if outputs else "", drawn) if part)
