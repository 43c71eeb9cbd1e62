"""What a second pass is asked for, and the size that it draws at (pure, no torch)."""

from collections.abc import Mapping
from dataclasses import dataclass

from inference.request import GenerationRequest, Hires

__all__ = ["LATENT_MODES", "Enlargement", "enlargement", "second_pass"]

LATENT_MODES: Mapping[str, tuple[str, bool]] = {
    "Latent": ("bilinear", False),
    "Latent (antialiased)": ("bilinear", True),
    "Latent (bicubic)": ("bicubic", False),
    "Latent (bicubic antialiased)": ("bicubic", True),
    "Latent (nearest)": ("nearest", False),
    "Latent (nearest-exact)": ("nearest-exact", False),
}
"""webui's name -> how latents are interpolated, and whether through a wider filter."""


@dataclass(frozen=True, slots=True)
class Enlargement:
    """What becomes of the first pass's picture before the second."""

    size: tuple[int, int]
    """Width and height in px that it is brought to."""
    cut: tuple[int, int]
    """Columns and rows of latents that hang over then, and are cut off."""

    def drawn(self, downscale: int) -> tuple[int, int]:
        """Width and height in px of what the second pass draws."""
        width, height = ((side // downscale - over) * downscale for side, over in zip(self.size, self.cut, strict=True))
        return width, height


def enlargement(hires: Hires, width: int, height: int, downscale: int = 8) -> Enlargement:
    """From `width` x `height` to what was asked for, in webui's whole numbers."""
    wide, high = hires.width or 0, hires.height or 0
    if not wide and not high:
        scale = hires.scale or 1.0
        return Enlargement((int(width * scale), int(height * scale)), (0, 0))
    if wide and high:
        return _covering(wide, high, width, height, downscale)
    return Enlargement((wide or high * width // height, high or wide * height // width), (0, 0))


def second_pass(request: GenerationRequest) -> GenerationRequest:
    """The second pass of a resolved request, as a request of its own: what it does not say is the first pass's."""
    hires = request.hires
    if hires is None or request.width is None or request.height is None:
        raise ValueError("a request without a second pass, or one that is not resolved")
    width, height = enlargement(hires, request.width, request.height).drawn(8)
    return request.model_copy(
        update={
            "prompt": hires.prompt or request.prompt,
            "negative_prompt": hires.negative_prompt or request.negative_prompt,
            "model": hires.model or request.model,
            "sampler": hires.sampler or request.sampler,
            "schedule": hires.schedule or request.schedule,
            "steps": hires.steps or request.steps,
            "cfg": request.cfg if hires.cfg is None else hires.cfg,
            "width": width,
            "height": height,
        }
    )


def _covering(wide: int, high: int, width: int, height: int, downscale: int) -> Enlargement:
    """The smallest size of the picture's own aspect that covers both sides."""
    narrower = width / height < wide / high
    size = (wide, wide * height // width) if narrower else (high * width // height, high)
    return Enlargement(size, ((size[0] - wide) // downscale, (size[1] - high) // downscale))
