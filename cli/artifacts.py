"""How models of the catalog are listed, by the commands that have brought or made some."""

from collections.abc import Sequence

from cli.render import size_text, table
from modelhub.kinds import Artifact

__all__ = ["artifacts_table"]


def artifacts_table(found: Sequence[Artifact]) -> str:
    """A row each."""
    rows = [(one.id, one.name, one.facts.kind, one.facts.family or "?", size_text(one.size)) for one in found]
    return table(("ID", "NAME", "KIND", "FAMILY", "SIZE"), rows)
