"""What a request comes to when everything it names is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.adapters.lora import LoraLayer, Target
from inference.images.inputs import Inputs
from inference.request import SEEDS, GenerationRequest
from inference.weights.single_file import Part
from modelhub.errors import Incompatible
from modelhub.families import Family, NoiseSchedule

__all__ = ["AdapterPlan", "LoadPlan", "ModelPlan", "NamedModel"]


@dataclass(frozen=True, slots=True)
class NamedModel:
    """What a picture's parameters say of a model: names and hashes, never catalog IDs or paths."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class AdapterPlan:
    """One adapter, found to fit."""

    name: str
    path: Path
    layers: Mapping[Target, LoraLayer]
    unet: float
    text_encoder: float
    addnet_hash: str
    """SHA-256 of the tensors alone: by its first 12 digits webui knows a LoRA."""

    def tensor_names(self) -> list[str]:
        """The file's tensors that merging reads."""
        alphas = [layer.alpha for layer in self.layers.values() if isinstance(layer.alpha, str)]
        return [name for layer in self.layers.values() for name in (layer.down, layer.up)] + alphas


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """One model that draws: its parts, wherever they lie, and what is merged into them."""

    family: Family
    prediction: str
    resolution: int
    """Px of a side that it was trained at."""
    parts: Mapping[str, Part]
    """Role -> what plays it."""
    model: NamedModel
    vae: NamedModel | None = None
    """Where it is not the model's own."""
    adapters: tuple[AdapterPlan, ...] = ()

    @property
    def noise(self) -> NoiseSchedule:
        """The forward process that the model learned to undo."""
        if self.family.noise is None:
            raise Incompatible(f"{self.family.title} models have no noise schedule to sample from")
        return self.family.noise


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A request that can be carried out."""

    request: GenerationRequest
    """Resolved: digests for references, also for those in the prompt; no comments; a seed, a size, a schedule."""
    base: ModelPlan
    used: tuple[tuple[str, int], ...]
    """(role, catalog ID) of every artifact that has a part in the pixels."""
    inputs: Inputs
    """Where the pictures are that it is drawn from."""

    @property
    def seeds(self) -> list[int]:
        """One an image."""
        return [(self.request.seed + index) % SEEDS for index in range(self.request.images)]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, of the first pass."""
        width, height = self.request.width, self.request.height
        if width is None or height is None:
            raise ValueError("an unresolved request has no size")
        return width, height
