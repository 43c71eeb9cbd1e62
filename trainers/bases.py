"""Which models can be trained (no torch)."""

from collections.abc import Mapping

from inference.plan import ModelPlan
from inference.weights.parts import UNET
from modelhub.errors import Incompatible

__all__ = ["check_base"]

_TRAINED = ("sd1", "sd2", "sdxl")
_BECAUSE: Mapping[str, str] = {
    "sdxl-refiner": "it finishes pictures that another model has begun; train the base, and draw with both",
}
"""Family -> why it cannot be."""
_GIVEN: Mapping[int, str] = {
    4: "pictures to edit, as InstructPix2Pix models are",
    5: "masks and masked pictures, as inpainting models are",
    1: "depths",
}
"""Channels besides the latents' own -> what it is given in them."""


def check_base(plan: ModelPlan) -> None:
    """Raise `Incompatible` naming why a model cannot be trained."""
    name, family = plan.model.name, plan.family
    if family.name not in _TRAINED:
        because = _BECAUSE.get(family.name, f"only Stable Diffusion 1, 2 and XL can, and it is {family.title}")
        raise Incompatible(f"{name} cannot be trained: {because}", mend="modelhub ls --family sdxl --kind checkpoint")
    channels = plan.parts[UNET].config["in_channels"] - family.latent.channels
    if channels:
        given = _GIVEN.get(channels, f"{channels} channels more")
        raise Incompatible(
            f"{name} cannot be trained: beside noise it is given {given}, which no dataset has",
            mend="train on the plain model that it was made from: what is learned there works on it too",
        )
