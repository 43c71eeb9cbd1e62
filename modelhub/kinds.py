"""What a model file is (`Kind`), what is known of it and why (`Facts`), and the file that we hold (`Artifact`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

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
    TAGGER = "tagger"
    """Says of each tag in a list how likely a picture shows it."""
    CAPTIONER = "captioner"
    """Says in sentences what a picture shows."""
    IMAGE_ENCODER = "image_encoder"
    """Makes of a picture a vector, and reads no text: CLIP's half that sees, DINOv2, SigLIP."""
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
    """Of a LoRA-type file: ``lora``, ``locon``, ``loha``, ...; of a ControlNet, adapter, upscaler, face restorer,
    captioner or image encoder its architecture: ``union``, ``t2i-adapter``, ``esrgan``, ``blip``, ``dinov2-b``, ..."""
    rank: int | None = None
    """Largest rank of a LoRA-type file."""
    prediction_type: str | None = None
    """``epsilon``, ``v``, ``edm``, ``edm_v`` or ``flow``; None leaves it to the family's default."""
    zero_snr: bool | None = None
    """True when it was trained down to zero terminal signal."""
    context_width: int | None = None
    """Columns of the cross-attention keys: what text encodings must be as wide as."""
    scale: int | None = None
    """By how much an upscaler enlarges a side."""
    precision: str | None = None
    """Type of most of its weights, as its format spells it: ``F16``, ``F8_E4M3``, ``Q4_K``, ..."""
    resolution: tuple[int, int] | None = None
    """Width and height in pixels that it was trained at, when its header tells; None leaves it to the family."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """Field name -> why."""
    conflicts: tuple[str, ...] = ()
    """Contradictions between sources, a sentence each."""

    def as_said(self, **said: Any) -> "Facts":
        """With what the owner says, which is believed above all; that the file says otherwise is kept as a conflict."""
        refuted = tuple(
            f"you say {name.replace('_', ' ')} {value}, by its {self.evidence[name].source} it is {getattr(self, name)}"
            for name, value in said.items()
            if name in self.evidence and getattr(self, name) != value
        )
        evidence = {**self.evidence, **dict.fromkeys(said, Evidence(Source.USER, "you said so"))}
        return replace(self, **said, evidence=evidence, conflicts=(*self.conflicts, *refuted))

    @property
    def said(self) -> Mapping[str, Any]:
        """What the owner has said, field by field."""
        return {name: getattr(self, name) for name, why in self.evidence.items() if why.source is Source.USER}


@dataclass(frozen=True, slots=True)
class Location:
    """One place where an artifact's bytes lie."""

    path: Path
    size: int
    """Bytes."""
    mtime_ns: int
    state: str = "present"
    """``present``, ``missing``, ``trashed``, or ``deleted`` when the trash was emptied of it."""
    file_key: str | None = None
    """Device and inode as ``dev:ino``: two locations with the same one are one file with two names."""
    origin: Path | None = None
    """Where a trashed file lay."""
    verified_at: datetime | None = None
    """When its bytes were last compared with the digest."""


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
    """Algorithm (``sha256``, ``autov1``, ``autov2``, ``autov3``, ``blake3``) -> lower-case hex, as far as needed."""
    aliases: tuple[str, ...]
    """Other names a prompt's ``<lora:...>`` finds it by: file stem, ``ss_output_name``."""
    tags: tuple[str, ...]
    added_at: datetime
    trigger_words: tuple[str, ...] = ()
    """What a prompt says to call it."""
    note: str = ""
    """The owner's own words."""
    preview: Path | None = None
    """A picture or film of what it does."""
    weight: float | None = None
    """How strongly it is best used, where anybody said so."""

    @property
    def path(self) -> Path:
        """Where to read it: the first location that is present, else the first one known."""
        return min(self.locations, key=lambda place: place.state != "present").path

    @property
    def size(self) -> int:
        """Bytes."""
        return self.locations[0].size
