"""What a request uses beside the checkpoint, and how strongly: models, pictures, a second seed."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from inference.request._said import Said
from inference.request.blocks import COUNTS, parse_blocks
from modelhub.refs import WeightedRef

__all__ = ["ControlUse", "ImageSeed", "LoraUse", "NetworkUse", "Variation"]


class LoraUse(Said):
    """One LoRA of a request and how strongly each part of the model gets it."""

    ref: str
    """Any model reference; a SHA-256 once resolved."""
    unet: float = 1.0
    text_encoder: float = 1.0
    preferred: bool = False
    """Take the strength that the catalog has for it, where it has one, in place of these."""
    blocks: tuple[float, ...] = ()
    """Factors on the strength block by block, 12, 17, 20 or 26 of them as webui's block-weight extension counts, the
    first for the text encoders; none is 1 everywhere."""
    rank: int | None = Field(default=None, ge=1)
    """So many of its ranks take part; None is all of them."""

    @classmethod
    def parse(cls, text: str) -> "LoraUse":
        """From ``REF[=UNET[,TEXT_ENCODER][@BLOCKS]]``; without a strength, the one that is preferred."""
        ref, equals, strengths = text.rpartition("=")
        strengths, at, blocks = strengths.partition("@") if equals else (strengths, "", "")
        weighted = WeightedRef.parse(ref + equals + strengths)
        return cls(
            ref=str(weighted.ref),
            unet=weighted.unet,
            text_encoder=weighted.text_encoder,
            preferred=not equals,
            blocks=parse_blocks(blocks) if at else (),
        )

    @field_validator("blocks")
    @classmethod
    def _counted(cls, blocks: tuple[float, ...]) -> tuple[float, ...]:
        if blocks and len(blocks) not in COUNTS:
            raise ValueError(f"blocks are counted as {', '.join(map(str, COUNTS))}, not {len(blocks)}")
        return blocks


class NetworkUse(Said):
    """An embedding that the prompts name; by its name there, since that is text."""

    name: str
    ref: str
    """A SHA-256."""


class ControlUse(Said):
    """A ControlNet, the picture that it follows, and when."""

    ref: str
    """The ControlNet: any model reference; a SHA-256 once resolved."""
    image: str
    """Path of the picture to follow; the SHA-256 of its bytes once resolved."""
    preprocessor: str = "none"
    """What makes the hint of the picture; "none" takes it as it is."""
    options: tuple[float, ...] = ()
    """The preprocessor's numbers in its own order, e.g. canny's two thresholds."""
    weight: float = Field(default=1.0, ge=0.0, le=2.0)
    start: float = Field(default=0.0, ge=0.0, le=1.0)
    end: float = Field(default=1.0, ge=0.0, le=1.0)
    """The share of the steps between which it acts."""
    mode: Literal["balanced", "prompt", "control"] = "balanced"
    """Which of the two is more important."""
    resize: Literal["stretch", "crop", "fill"] = "crop"
    """How its picture comes to the size that is drawn."""


class Variation(Said):
    """A second seed whose noise is mixed in."""

    seed: int = Field(default=-1, ge=-1, lt=1 << 32)
    """Of the first image; -1 takes a random one."""
    strength: float = Field(ge=0.0, le=1.0)
    """0 is the seed's own noise, 1 the second one's."""


@dataclass(frozen=True, slots=True)
class ImageSeed:
    """What one image's noise is drawn from."""

    number: int
    variation: int | None = None
    """The seed whose noise is mixed in."""
