"""Whether the models that a run began with are still the files that they were (no torch)."""

from inference.plan import LoadPlan
from modelhub.catalog import Catalog
from modelhub.digests import file_digests
from modelhub.errors import Incompatible
from modelhub.fingerprint import fingerprint
from modelhub.kinds import Artifact

__all__ = ["check_unchanged"]


def check_unchanged(plan: LoadPlan, catalog: Catalog) -> None:
    """Raises `Incompatible` naming a model whose bytes are others than those that the catalog knows.

    A file of the same size and time is taken to be the same; another one is read through.
    """
    for _, number in plan.used:
        artifact = catalog.artifact(number)
        if not _looks_the_same(artifact) and file_digests(artifact.path)["sha256"] != catalog.sha256(artifact):
            raise Incompatible(
                f"{artifact.name} was changed since the run began: {artifact.path}",
                mend="put the old file back, or train again from new",
            )


def _looks_the_same(artifact: Artifact) -> bool:
    there = fingerprint(artifact.path)
    known = ((one.size, one.mtime_ns) for one in artifact.locations if one.path == artifact.path)
    return (there.size, there.mtime_ns) in known
