"""`modelhub ls [TEXT]`: what the catalog holds."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli.options import OfFamily, OfKinds, WithTag
from cli.render import size_text, table
from cli.session import Session
from modelhub.kinds import Artifact

_NEWEST = 50


def command(
    session: Session,
    text: Annotated[
        list[str] | None, typer.Argument(help="Words in the name, aliases or tags.", show_default=False)
    ] = None,
    kind: OfKinds = None,
    family: OfFamily = None,
    tag: WithTag = None,
    every: Annotated[bool, typer.Option("--all", help=f"All, not the newest {_NEWEST} only.")] = False,
) -> None:
    """List models, newest first."""
    from modelhub.catalog import Query

    limit = None if every else _NEWEST
    query = Query(" ".join(text or ()), tuple(kind or ()), family, tag, limit)
    with session.open_catalog() as catalog:
        found, held = catalog.list(query), catalog.count(query)
    session.output.show(found, text=lambda: _listing(found), ids=[one.id for one in found])
    if len(found) < held:
        session.output.hint(f"the newest {len(found)} of {held}; modelhub ls --all shows all")


def _listing(found: Sequence[Artifact]) -> str:
    if not found:
        return "nothing found"
    return table(("ID", "NAME", "KIND", "FAMILY", "SIZE", "TAGS"), [_row(one) for one in found])


def _row(artifact: Artifact) -> tuple[object, ...]:
    facts = artifact.facts
    missing = all(at.state != "present" for at in artifact.locations)
    size = "missing" if missing else size_text(artifact.size)
    return artifact.id, artifact.name, facts.kind, facts.family or "?", size, " ".join(artifact.tags)
