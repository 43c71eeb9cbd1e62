"""The pictures that a request names, kept by their digests."""

from typing import Any

from inference.images.inputs import Inputs
from inference.request import GenerationRequest, Init

__all__ = ["with_inputs"]


def with_inputs(request: GenerationRequest, inputs: Inputs) -> GenerationRequest:
    """With a SHA-256 wherever a picture is named; raises `MissingFile` for one that is gone."""
    changes: dict[str, Any] = {}
    if request.init:
        changes["init"] = _kept(request.init, inputs)
    if request.controls:
        changes["controls"] = tuple(
            use.model_copy(update={"image": inputs.keep(use.image)}) for use in request.controls
        )
    return request.model_copy(update=changes)


def _kept(init: Init, inputs: Inputs) -> Init:
    mask = init.mask
    if mask and mask.image:
        mask = mask.model_copy(update={"image": inputs.keep(mask.image)})
    return init.model_copy(update={"image": inputs.keep(init.image), "mask": mask})
