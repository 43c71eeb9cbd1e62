"""What a request comes to when everything it names is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inference.adapters.hypernetwork import NetPair
from inference.adapters.layers import Layer, tensors_of
from inference.adapters.targets import Target
from inference.control.plan import ControlPlan
from inference.faces.plan import FacesPlan
from inference.images.inputs import Inputs
from inference.levels import SigmaTable
from inference.plan.noise import sigma_table
from inference.request import GenerationRequest, ImageSeed
from inference.upscalers.plan import UpscalerPlan
from inference.weights.parts import TEXT_ROLES, Part
from modelhub.errors import Incompatible
from modelhub.families import Family, NoiseSchedule

__all__ = ["AdapterPlan", "EmbeddingPlan", "HypernetworkPlan", "LoadPlan", "ModelPlan", "NamedModel"]


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
    layers: Mapping[Target, Layer]
    unet: float
    text_encoder: float
    addnet_hash: str
    """SHA-256 of the tensors alone: by its first 12 digits webui knows a LoRA."""
    factors: Mapping[Target, float] = field(default_factory=dict)
    """By module: what its strength is multiplied by; 1 where nothing stands."""
    rank: int | None = None
    """So many of its ranks take part; None is all of them."""
    skipped: tuple[str, ...] = ()
    """Modules of the file that the base lacks."""

    def strength(self, target: Target) -> float:
        """How much of what was trained a target gets."""
        strength = self.text_encoder if target.role in TEXT_ROLES else self.unet
        return strength * self.factors.get(Target(target.role, target.module), 1.0)

    def tensor_names(self) -> list[str]:
        """The file's tensors that merging reads."""
        return [name for layer in self.layers.values() for name in tensors_of(layer)]

    @property
    def notice(self) -> str | None:
        """What to tell of it, where not all of it is used."""
        if not self.skipped:
            return None
        more = f" and {len(self.skipped) - 1} more modules" if len(self.skipped) > 1 else ""
        return f"{self.name}: {self.skipped[0]}{more} have no place in the base model and are left out"


@dataclass(frozen=True, slots=True)
class EmbeddingPlan:
    """Vectors that a name in the prompts stands for."""

    name: str
    sha256: str
    path: Path
    rows: Mapping[str, str]
    """Role of a text encoder -> tensor of the file, [vectors, width], or one vector alone."""
    count: int
    """Vectors."""


@dataclass(frozen=True, slots=True)
class HypernetworkPlan:
    """Small nets before the keys and values of attention, and how strongly they act."""

    name: str
    sha256: str
    path: Path
    strength: float
    nets: Mapping[int, NetPair]
    """Width of what enters attention -> the nets for it."""


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
    zero_snr: bool = False
    """Whether it was trained down to no signal at all."""
    noise_range: tuple[float, float] | None = None
    """Smallest and largest sigma, where its file says them."""
    adapters: tuple[AdapterPlan, ...] = ()
    tiling: bool = False
    """Whether it draws pictures whose edges continue one another."""
    hypernetworks: tuple[HypernetworkPlan, ...] = ()
    """Applied in this order."""
    embeddings: tuple[EmbeddingPlan, ...] = ()

    @property
    def table(self) -> SigmaTable:
        """The noise levels that it knows."""
        return sigma_table(self.family, self.prediction, zero_snr=self.zero_snr, noise_range=self.noise_range)

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
    hires: ModelPlan | None = None
    """What draws the second pass: the base with that pass's own adapters, or another checkpoint; None without one."""
    refiner: ModelPlan | None = None
    upscalers: Mapping[str, UpscalerPlan] = field(default_factory=dict)
    """Those that its request names, by the names it has for them once resolved."""
    faces: FacesPlan | None = None
    """What draws faces again; None leaves them."""
    controls: tuple[ControlPlan, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """What the catalog calls the models of the request, by SHA-256."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What to tell before anything is drawn."""
        models = (one for one in (self.base, self.hires, self.refiner) if one)
        told = (adapter.notice for model in models for adapter in model.adapters)
        return tuple(dict.fromkeys(one for one in told if one))

    @property
    def seeds(self) -> list[ImageSeed]:
        """One an image."""
        return self.request.seeds

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, of the first pass."""
        width, height = self.request.width, self.request.height
        if width is None or height is None:
            raise ValueError("an unresolved request has no size")
        return width, height
