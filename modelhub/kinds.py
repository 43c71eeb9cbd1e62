"""What a model file is (`Kind`), what is known of it and why (`Facts`), and the file that we hold (`Artifact`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

__all__ = ["Artifact", "Evidence", "Facts", "Kind", "Location", "Source"]


class Kind(StrEnum):
    """What a file is *for*."""

    CHECKPOINT = "checkpoint"
    """All that generating needs: denoiser, VAE and text encoder."""
    UNET = "unet"
    VAE = "vae"
    TEXT_ENCODER = "text_encoder"
    LORA = "lora"
    """Low-rank and related deltas; the `algorithm` tells LoRA from LoHa, LoKr and the rest."""
    EMBEDDING = "embedding"
    HYPERNETWORK = "hypernetwork"
    CONTROLNET = "controlnet"
    ADAPTER = "adapter"
    UPSCALER = "upscaler"
    FACE_RESTORER = "face_restorer"
    UNKNOWN = "unknown"
    """Nothing that we recognise; kept as such, never guessed."""


class Source(StrEnum):
    """Where a fact comes from, most trusted first."""

    USER = "user"
    HEADER = "header"
    TENSORS = "tensors"
    HUB = "hub"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a fact is believed."""

    source: Source
    detail: str
    """For people, e.g. ``attn2.to_k.weight is 768 wide``."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model file. None means unknown, and every known field has its evidence."""

    kind: Kind = Kind.UNKNOWN
    family: str | None = None
    """Name of a `modelhub.families` member, e.g. ``sd1``."""
    variant: str | None = None
    """``inpaint``, ``pix2pix``, ...; None for the plain model."""
    format: str | None = None
    """Container and key layout, e.g. ``safetensors/ldm``, ``safetensors/kohya``."""
    algorithm: str | None = None
    """Of a LoRA-type file: ``lora``, ``locon``, ``loha``, ..."""
    rank: int | None = None
    """Largest rank of a LoRA-type file."""
    prediction_type: str | None = None
    """``epsilon`` or ``v``; None leaves it to the family's default."""
    context_width: int | None = None
    """Columns of the cross-attention keys: what text encodings must be as wide as."""
    resolution: tuple[int, int] | None = None
    """Width and height in pixels that it was trained at, when its header tells; None leaves it to the family."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """Field name -> why."""
    conflicts: tuple[str, ...] = ()
    """Contradictions between sources, a sentence each."""


@dataclass(frozen=True, slots=True)
class Location:
    """One place where an artifact's bytes lie."""

    path: Path
    size: int
    """Bytes."""
    mtime_ns: int
    state: str = "present"
    """``present``, ``missing`` or ``trashed``."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One model file that the catalog holds."""

    id: int
    """The catalog ID: permanent, never reused."""
    name: str
    """Unique, readable, the owner's to change."""
    facts: Facts
    locations: tuple[Location, ...]
    digests: Mapping[str, str]
    """Algorithm (``sha256``, ``autov1``, ``autov2``, ``autov3``) -> lower-case hex; filled when first needed."""
    aliases: tuple[str, ...]
    """Other names a prompt's ``<lora:...>`` finds it by: file stem, ``ss_output_name``."""
    tags: tuple[str, ...]
    added_at: datetime

    @property
    def path(self) -> Path:
        """Where to read it: the first location that is present, else the first one known."""
        return min(self.locations, key=lambda place: place.state != "present").path

    @property
    def size(self) -> int:
        """Bytes."""
        return self.locations[0].size
