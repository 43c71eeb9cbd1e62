"""One module of a pipeline as files describe it: its sizes, and where its numbers stand (pure, no torch)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelhub.headers import TensorTable

__all__ = ["TEXT_ENCODER", "TEXT_ENCODER_2", "TEXT_ROLES", "UNET", "VAE", "Part", "Piece", "Weights"]

UNET = "unet"
VAE = "vae"
TEXT_ENCODER = "text_encoder"
TEXT_ENCODER_2 = "text_encoder_2"
TEXT_ROLES = (TEXT_ENCODER, TEXT_ENCODER_2)


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the numbers of one parameter stand."""

    tensor: str
    file: str = ""
    """Within the part's folder; empty where the part lies in a file."""
    rows: tuple[int, int] | None = None
    """From, to: of a tensor that holds several parameters one above the other."""
    transposed: bool = False
    scale: str | None = None
    """Tensor that its numbers are multiplied by: eight bits reach no further."""


@dataclass(frozen=True, slots=True)
class Part:
    """One module of a pipeline, described by its files: enough to build and to check it without reading a weight."""

    role: str
    component: str
    """Dotted class that implements it."""
    config: Mapping[str, Any]
    """Arguments of that class."""
    path: Path
    """A file, or a folder that holds this module alone."""
    keys: Mapping[str, Piece]
    """Parameter, by its canonical name -> where it is."""
    shapes: Mapping[str, tuple[int, ...]]
    """Parameter -> its shape."""

    @property
    def modules(self) -> dict[str, tuple[int, ...]]:
        """Dotted module -> shape of its weight: what adapters can attach to."""
        return {name.removesuffix(".weight"): shape for name, shape in self.shapes.items() if name.endswith(".weight")}


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a file, or of a folder that holds one module."""

    path: Path
    table: TensorTable
    files: Mapping[str, str] = field(default_factory=dict)
    """Tensor -> the file that holds it, where there are several."""

    def piece(self, tensor: str) -> Piece:
        """A whole tensor as a parameter."""
        stem = tensor.removesuffix(".weight")
        scales = (f"{stem}{ending}" for ending in SCALES) if stem != tensor else ()
        scale = next((one for one in scales if one in self.table.tensors), None)
        return Piece(tensor, self.files.get(tensor, ""), scale=scale)


SCALES = (".scale_weight", ".weight_scale")
"""How tools call what the weights in eight bits beside it are multiplied by."""
