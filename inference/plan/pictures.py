"""What a request's pictures come to: the size that is drawn, and whether the model can draw over them (no torch)."""

from PIL import Image, ImageOps

from inference.images.inputs import Inputs
from inference.plan.hires import LATENT_MODES
from inference.plan.nouns import ModelPlan
from inference.prompt.composition import split_parts
from inference.request import GenerationRequest, Init
from inference.weights.single_file import UNET
from modelhub.errors import BadValue, Incompatible

__all__ = ["check_over", "sized", "upright"]

_STEP = 8
"""Px that sides are multiples of."""
_MOST = 8192


def upright(image: Image.Image) -> Image.Image:
    """As its camera says that it is held."""
    return ImageOps.exif_transpose(image)


def sized(request: GenerationRequest, inputs: Inputs, resolution: int) -> tuple[int, int]:
    """Width and height in px: what is asked for, else the picture's own that is drawn over, else `resolution`.

    Where a masked part is drawn alone, or tile by tile, each is drawn at `resolution`.
    """
    own = (resolution, resolution)
    init = request.init
    if init and not request.tiles and not (init.mask and init.mask.only_masked):
        own = _own(init, inputs)
    return request.width or own[0], request.height or own[1]


def check_over(request: GenerationRequest, model: ModelPlan, inputs: Inputs) -> None:
    """Raises `Incompatible` or `BadValue` for a picture, or a model, that nothing can be drawn over or with."""
    channels = model.parts[UNET].config["in_channels"]
    latents = model.family.latent.channels
    if channels not in (latents, 2 * latents, 2 * latents + 1):
        raise Incompatible(
            f"the UNet of {model.model.name} takes {channels} channels: what the {channels - latents} beside the "
            "latents are for is not known",
            mend="modelhub ls --kind checkpoint",
        )
    if channels == 2 * latents:
        _check_instructed(request, model)
    init = request.init
    if init and init.upscaler in LATENT_MODES:
        raise BadValue(
            f"{init.upscaler} enlarges latents, not pictures", mend="modelhub generate ... --resize-mode latent"
        )
    if init and init.outpaint:
        _check_outpaint(init)
    if init and init.mask and not init.mask.image and not inputs.open(init.image).has_transparency_data:
        raise BadValue(
            "the picture has no transparent part that could be its mask", mend="modelhub generate ... --mask FILE"
        )


def _check_outpaint(init: Init) -> None:
    outpaint = init.outpaint
    if outpaint and not (outpaint.left or outpaint.right or outpaint.up or outpaint.down):
        raise BadValue("the picture grows at no side", mend="modelhub generate ... --outpaint left=128,right=128")
    if init.mask:
        raise BadValue(
            "a picture that grows has its mask beyond its edges, and no other", mend="modelhub generate ... --init FILE"
        )


def _check_instructed(request: GenerationRequest, model: ModelPlan) -> None:
    if request.init is None:
        raise BadValue(
            f"{model.model.name} changes pictures by instruction, so it needs one",
            mend='modelhub generate "make it snow" --init FILE',
        )
    if request.image_cfg != 1 and len(split_parts(request.prompt)) > 1:
        raise BadValue(
            f"{model.model.name} follows one prompt and the picture at once, so AND has no meaning there",
            mend="modelhub generate ... --image-cfg 1",
        )


def _own(init: Init, inputs: Inputs) -> tuple[int, int]:
    width, height = (side // _STEP * _STEP for side in upright(inputs.open(init.image)).size)
    if min(width, height) < 64 or max(width, height) > _MOST:
        raise BadValue(
            f"the picture is {width} x {height} px: what is drawn over it has sides of 64 to {_MOST} px",
            mend="modelhub generate ... --size 512x512",
        )
    return width, height
