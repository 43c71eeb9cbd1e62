"""What the catalog and the disk say of offers: the facts that a plan is made from."""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from modelhub.catalog import Catalog, Heard
from modelhub.kinds import Artifact
from modelhub.pull._incoming import incoming
from modelhub.pull._nouns import Offer
from modelhub.pull._planning import Held
from modelhub.workspace import Workspace

__all__ = ["holdings", "room"]


def holdings(catalog: Catalog, offers: Sequence[Offer]) -> Held:
    """What of the offers the catalog holds, as far as its files are there."""
    listings = [one.listing for one in offers if one.listing]
    digests = {sha256 for one in listings for file in one.files if (sha256 := file.digests.get("sha256"))}
    by_sha256 = {sha256: catalog.find_digest(sha256) for sha256 in digests}
    heard = _heard(catalog, {str(one.ref) for one in listings}, {one.ref.hub for one in listings})
    by_ref = {ref: [artifact_id for artifact_id, _ in each] for ref, each in heard.items()}
    each = {one for ids in (*by_sha256.values(), *by_ref.values()) for one in ids}
    there = {one.id: one for one in map(catalog.artifact, sorted(each)) if _is_there(one)}
    return Held(
        by_sha256={sha256: one for sha256, ids in by_sha256.items() if (one := _best(ids, there, catalog)) is not None},
        by_ref={ref: one for ref, ids in by_ref.items() if (one := _best(ids, there, catalog)) is not None},
        claimed={ref: claim for ref, each in heard.items() for _, one in each if (claim := _claimed(one))},
    )


def _free(path: Path) -> int:
    return shutil.disk_usage(path).free


def room(workspace: Workspace, offers: Sequence[Offer], *, free: Callable[[Path], int] = _free) -> int:
    """Bytes that pulling them may take: what is `free`, and what has come of them already."""
    there = next(one for one in (workspace.models, *workspace.models.parents) if one.exists())
    parcels = (incoming(workspace, one.listing) for one in offers if one.listing)
    return free(there) + sum(_size(one) for one in set(parcels))


def _heard(catalog: Catalog, refs: Collection[str], hubs: Collection[str]) -> Mapping[str, list[tuple[int, Heard]]]:
    """Address -> the artifacts that came from there."""
    found: dict[str, list[tuple[int, Heard]]] = defaultdict(list)
    for artifact_id, sources in (pair for hub in sorted(hubs) for pair in catalog.sources.all(hub).items()):
        for one in sources:
            if one.ref in refs:
                found[one.ref].append((artifact_id, one))
    return found


def _claimed(one: Heard) -> str:
    return str(one.said.get("claimed_sha256", ""))


def _best(ids: Sequence[int], there: Mapping[int, Artifact], catalog: Catalog) -> int | None:
    """What is converted already before what is still under quarantine."""
    present = [one for one in ids if one in there]
    return min(present, key=lambda one: (catalog.workspace.is_quarantined(there[one].path), one), default=None)


def _is_there(artifact: Artifact) -> bool:
    return any(at.state == "present" and at.path.exists() for at in artifact.locations)


def _size(folder: Path) -> int:
    return sum(_stat_size(Path(parent, name)) for parent, _, names in os.walk(folder) for name in names)


def _stat_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # another process has just finished it
        return 0
