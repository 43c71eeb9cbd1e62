"""What can be trained is, and what cannot is refused with the reason."""

from pathlib import Path

import pytest

from inference.plan import ModelPlan, NamedModel
from inference.weights.parts import UNET, Part
from modelhub.errors import Incompatible
from modelhub.families import family
from trainers.bases import check_base


def plan(name: str, channels: int = 4) -> ModelPlan:
    unet = Part(UNET, "x", {"in_channels": channels}, Path("x"), {}, {})
    return ModelPlan(family(name), "epsilon", 64, {UNET: unet}, NamedModel("mine", ""))


@pytest.mark.parametrize("name", ["sd1", "sd2", "sdxl"])
def test_plain_models_of_three_families_can_be_trained(name: str) -> None:
    check_base(plan(name))


@pytest.mark.parametrize(
    ("name", "channels", "reason"),
    [
        ("sdxl-refiner", 4, "mine cannot be trained: it finishes pictures that another model has begun"),
        ("sd3", 16, "mine cannot be trained: only Stable Diffusion 1, 2 and XL can, and it is Stable Diffusion 3"),
        ("sd1", 9, "beside noise it is given masks and masked pictures, as inpainting models are"),
        ("sdxl", 9, "beside noise it is given masks and masked pictures"),
        ("sd1", 8, "beside noise it is given pictures to edit, as InstructPix2Pix models are"),
        ("sd2", 5, "beside noise it is given depths"),
        ("sd1", 7, "beside noise it is given 3 channels more"),
    ],
)
def test_other_models_are_refused_with_the_reason(name: str, channels: int, reason: str) -> None:
    with pytest.raises(Incompatible, match=reason) as caught:
        check_base(plan(name, channels))

    assert caught.value.mend
