"""What enlarges pictures on the way from one pass to the next, or before the first."""

from collections.abc import Mapping
from typing import Any

from inference.plan.hires import LATENT_MODES
from inference.request import GenerationRequest
from inference.upscalers.plan import UpscalerPlan, find_upscaler
from modelhub.catalog import Catalog

__all__ = ["find_upscalers", "used_upscalers", "with_upscalers"]

_PARTS = ("init", "hires", "tiles")
"""Fields of a request that may name one."""


def find_upscalers(request: GenerationRequest, catalog: Catalog) -> Mapping[str, UpscalerPlan]:
    """Field of the request -> the upscaler that it names; raises `UnknownRef`. Modes of latents are none."""
    named = {part: getattr(getattr(request, part, None), "upscaler", None) for part in _PARTS}
    return {part: find_upscaler(name, catalog) for part, name in named.items() if name and name not in LATENT_MODES}


def with_upscalers(request: GenerationRequest, found: Mapping[str, UpscalerPlan]) -> GenerationRequest:
    """With the built-in ones' names and the others' digests."""
    changes: dict[str, Any] = {
        part: getattr(request, part).model_copy(update={"upscaler": upscaler.ref}) for part, upscaler in found.items()
    }
    return request.model_copy(update=changes)


def used_upscalers(found: Mapping[str, UpscalerPlan]) -> tuple[tuple[str, int], ...]:
    """(role, catalog ID) of those that the catalog holds."""
    return tuple(("upscaler", one.id) for one in found.values() if one.id is not None)
