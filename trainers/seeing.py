"""Nets that see pictures, looked up in the catalog: which folder a tagger, a captioner or an encoder lies in."""

from dataclasses import dataclass
from pathlib import Path

from modelhub.catalog import Catalog, Query
from modelhub.errors import Incompatible, UnknownRef, UnsafeFile
from modelhub.kinds import Kind
from modelhub.refs import ModelRef, RefForm
from modelhub.upkeep.quarantine import release

__all__ = ["CAPTIONER", "ENCODER", "TAGGER", "Sort", "is_place", "looked_up"]


@dataclass(frozen=True, slots=True)
class Sort:
    """What is asked for."""

    kinds: tuple[Kind, ...]
    """The first is what it is called."""
    example: str
    """Address of a good one, for those who have none."""


TAGGER = Sort((Kind.TAGGER,), "hf:SmilingWolf/wd-swinv2-tagger-v3")
CAPTIONER = Sort((Kind.CAPTIONER,), "hf:florence-community/Florence-2-base")
ENCODER = Sort((Kind.IMAGE_ENCODER, Kind.TEXT_ENCODER), "hf:facebook/dinov2-base")
"""A CLIP with both halves is a text encoder that sees, too."""


def is_place(ref: str, path: Path) -> bool:
    """Whether a reference means what lies at `path`; a bare number never does."""
    return path.exists() and ModelRef.parse(ref).form is not RefForm.ID


def looked_up(ref: str, sort: Sort, catalog: Catalog) -> Path:
    """Where a model of that sort lies.

    Raises `UnknownRef` and `Incompatible` naming what to pull where the catalog has none of the sort, and
    `UnsafeFile` for one under quarantine.
    """
    try:
        artifact = catalog.resolve(ref, kinds=sort.kinds)
    except (UnknownRef, Incompatible) as error:
        if ModelRef.parse(ref).form is not RefForm.HUB and not catalog.count(Query(kinds=sort.kinds[:1])):
            error.mend = f"modelhub pull {sort.example}"
        raise
    if catalog.workspace.is_quarantined(artifact.path):
        raise UnsafeFile(f"{artifact.id} ({artifact.name}) is under quarantine", mend=release(artifact))
    return artifact.path
