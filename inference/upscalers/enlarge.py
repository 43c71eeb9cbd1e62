"""A picture at another size, by an upscaler, as stable-diffusion-webui comes to it."""

from collections.abc import Callable, Generator
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inference.upscalers.nets import Net, Nets, is_out_of_memory
from inference.upscalers.plan import UpscalerPlan
from inference.upscalers.tiles import through_tiles
from modelhub.errors import OutOfResources
from modelhub.jobs import Progress

__all__ = ["HasNets", "enlarge", "enlarging", "pixels_of", "scaling", "to_picture"]

_LANCZOS = Image.Resampling.LANCZOS
_INTERPOLATED = {"None": _LANCZOS, "Lanczos": _LANCZOS, "Nearest": Image.Resampling.NEAREST}
_REPEATS = 3
"""How often a model is asked for more, at most."""
_GRAIN = 8
"""Sides are rounded down to whole multiples of this many px."""
_TILE, _OVERLAP = 192, 8
_LEAST_TILE = 32


class HasNets(Protocol):
    """What keeps loaded networks: an engine."""

    @property
    def nets(self) -> Nets: ...


def enlarge(image: Image.Image, size: tuple[int, int], plan: UpscalerPlan, engine: HasNets) -> Image.Image:
    """The picture stretched to `size`, width and height in px; by Lanczos alone where that is smaller."""
    steps = enlarging(image, size, plan, engine, task="enlarge")
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def enlarging(
    image: Image.Image, size: tuple[int, int], plan: UpscalerPlan, engine: HasNets, *, task: str
) -> Generator[Progress, None, Image.Image]:
    """`enlarge`, saying how far it is."""
    factor = max(size[0] / image.width, size[1] / image.height)
    if factor > 1:
        image = yield from scaling(image, factor, plan, engine, task=task)
    return _resized(_plain(image), size)


def scaling(
    image: Image.Image, factor: float, plan: UpscalerPlan, engine: HasNets, *, task: str
) -> Generator[Progress, None, Image.Image]:
    """The picture `factor` times as large, its sides rounded down to whole multiples of 8 px."""
    image = _plain(image)
    size = (_rounded(image.width * factor), _rounded(image.height * factor))
    if plan.path is None or image.mode == "L":
        grown = image.resize((int(image.width * factor), int(image.height * factor)), _interpolation(plan))
        return _resized(grown, size)
    grown = yield from _grown(image.convert("RGB"), size, engine.nets.load(plan.path), engine.nets, task)
    if image.mode == "RGBA":
        grown.putalpha(image.getchannel("A").resize(grown.size, _LANCZOS))
    return _resized(grown, size)


def pixels_of(image: Image.Image, device: torch.device) -> Tensor:
    """[1, 3, h, w] of 0..1."""
    values = torch.from_numpy(np.array(image.convert("RGB")))
    return (values.permute(2, 0, 1)[None].float() / 255).to(device)


def to_picture(pixels: Tensor) -> Image.Image:
    """Of [1, 3, h, w] of 0..1; rounded, as webui does here."""
    values = (pixels[0].float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu()
    return Image.fromarray(np.ascontiguousarray(values.numpy()))


def _grown(
    image: Image.Image, size: tuple[int, int], net: Net, nets: Nets, task: str
) -> Generator[Progress, None, Image.Image]:
    """By the model, again and again until `size` is reached, or it gives no more."""
    for _ in range(_REPEATS):
        before = image.size
        image = yield from _once(image, net, nets, task)
        if image.size == before or (image.width >= size[0] and image.height >= size[1]):
            break
    return image


def _once(image: Image.Image, net: Net, nets: Nets, task: str) -> Generator[Progress, None, Image.Image]:
    """By the model, once; where memory is short, in smaller tiles."""
    tile = _TILE
    while True:
        try:
            return (yield from through_tiles(image, _by(net, nets), tile=tile, overlap=_OVERLAP, task=task))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if tile <= _LEAST_TILE:
                raise OutOfResources(f"no memory left to enlarge {tile} px at a time", mend="--device cpu") from error
        tile //= 2
        if nets.device.type == "cuda":
            torch.cuda.empty_cache()


def _by(net: Net, nets: Nets) -> Callable[[Image.Image], Image.Image]:
    """One tile through a network."""

    @torch.inference_mode()
    def grow(tile: Image.Image) -> Image.Image:
        return to_picture(net(pixels_of(tile, nets.device)))

    return grow


def _plain(image: Image.Image) -> Image.Image:
    """In a mode that can be interpolated."""
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, _LANCZOS)


def _interpolation(plan: UpscalerPlan) -> Image.Resampling:
    return _INTERPOLATED.get(plan.name, _LANCZOS)


def _rounded(side: float) -> int:
    return max(int(side) // _GRAIN * _GRAIN, _GRAIN)
