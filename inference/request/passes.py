"""What follows the first pass: a second one at a higher size, another model for the last steps, better faces."""

from typing import Literal

from pydantic import Field

from inference.request._said import Said

__all__ = ["Faces", "Hires", "Refiner", "Tiles"]


class Hires(Said):
    """A second pass over the first one's enlarged result (webui: Hires. fix). None takes what the first pass has."""

    scale: float | None = Field(default=2.0, ge=1.0, le=8.0)
    width: int | None = Field(default=None, ge=8, le=16384)
    height: int | None = Field(default=None, ge=8, le=16384)
    """Px, in place of `scale`; one alone keeps the aspect, both cut off what hangs over."""
    upscaler: str = "Latent"
    """A mode of latents, "Lanczos", "Nearest", or any model reference; a SHA-256 once resolved."""
    denoise: float = Field(default=0.7, ge=0.0, le=1.0)
    steps: int | None = Field(default=None, ge=1, le=1000)
    """All of them are taken, whatever `denoise` is."""
    cfg: float | None = Field(default=None, ge=0.0, le=100.0)
    sampler: str | None = None
    schedule: str | None = None
    model: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None


class Refiner(Said):
    """Another checkpoint for the last noise levels."""

    model: str
    """Any model reference; a SHA-256 once resolved."""
    switch_at: float = Field(default=0.8, gt=0.0, lt=1.0)
    """Share of the noise's time that is over when it takes the place of the first."""
    in_hires: Literal["second pass", "first pass", "both passes"] = "second pass"
    """Where there are two passes, which of them it ends."""


class Tiles(Said):
    """The picture that is drawn over is enlarged first, and drawn over tile by tile (webui: SD upscale); a tile is as
    large as the request says of its picture."""

    scale: float = Field(default=2.0, ge=1.0, le=8.0)
    overlap: int = Field(default=64, ge=0, le=512)
    """Px that neighbours have in common, at least."""
    upscaler: str = "Lanczos"
    """"Lanczos", "Nearest", or any model reference; a SHA-256 once resolved."""


class Faces(Said):
    """Faces are found and drawn again by a model made for it."""

    model: str
    """Any model reference to a face restorer; a SHA-256 once resolved."""
    visibility: float = Field(default=1.0, ge=0.0, le=1.0)
    """How much of it covers the picture."""
