"""All that decides the pixels of a picture, and nothing else (no torch)."""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from inference.prompt.attention import Emphasis
from modelhub.errors import BadValue
from modelhub.refs import WeightedRef

__all__ = ["SCHEMA", "SEEDS", "GenerationRequest", "LoraUse"]

SCHEMA = 1
SEEDS = 1 << 32
"""Seeds are below this, as stable-diffusion-webui's are."""


class LoraUse(BaseModel):
    """One LoRA of a request and how strongly each part of the model gets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ref: str
    """Any model reference; a SHA-256 once resolved."""
    unet: float = 1.0
    text_encoder: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "LoraUse":
        """From ``REF[=UNET[,TEXT_ENCODER]]``."""
        weighted = WeightedRef.parse(text)
        return cls(ref=str(weighted.ref), unet=weighted.unet, text_encoder=weighted.text_encoder)


class GenerationRequest(BaseModel):
    """What to draw. `inference.plan.resolve` replaces references by digests and fills what was left open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str
    negative_prompt: str = ""
    model: str
    """The checkpoint: any model reference; a SHA-256 once resolved."""
    vae: str | None = None
    """Takes the place of the checkpoint's own."""
    loras: tuple[LoraUse, ...] = ()
    """Merged in this order."""
    sampler: str = "DPM++ 2M"
    schedule: str = "Automatic"
    steps: int = Field(default=20, ge=1, le=1000)
    cfg: float = Field(default=7.0, ge=0.0, le=100.0)
    """Classifier-free guidance; 1 is without."""
    seed: int = Field(default=-1, ge=-1, lt=SEEDS)
    """Of the first image; the next ones count up. -1 takes a random one."""
    width: int | None = Field(default=None, ge=64, le=8192, multiple_of=8)
    height: int | None = Field(default=None, ge=64, le=8192, multiple_of=8)
    """Pixels; None takes the size that the model was trained at."""
    batch: int = Field(default=1, ge=1, le=256)
    """Images drawn at a time."""
    count: int = Field(default=1, ge=1, le=10_000)
    """Batches, one after the other."""
    clip_skip: int = Field(default=1, ge=1, le=12)
    """Layer of the text encoder to read, from its end."""
    emphasis: Emphasis = "Original"
    """What becomes of the weights in prompts."""
    comma_backtrack: int = Field(default=20, ge=0, le=74)
    """How many tokens of a full chunk may move on, so that it ends at a comma."""
    eta: float | None = Field(default=None, ge=0.0, le=1.0)
    """Share of fresh noise in each step; None is the sampler's own: 0 for DDIM, 1 for ancestral and SDE samplers."""
    s_churn: float = Field(default=0.0, ge=0.0, le=100.0)
    """Noise added before the steps of Euler, Heun and DPM2, where sigma lies between the next two."""
    s_tmin: float = Field(default=0.0, ge=0.0)
    s_tmax: float = Field(default=0.0, ge=0.0)
    """0 is without end."""
    s_noise: float = Field(default=1.0, ge=0.0, le=2.0)
    """Factor on all noise that a sampler adds."""
    noise: Literal["NV", "CPU"] = "NV"
    """Generator of the noise: what an NVIDIA card draws, or torch's own (`inference.noise`)."""

    @property
    def images(self) -> int:
        return self.batch * self.count

    def for_image(self, seed: int) -> "GenerationRequest":
        """The request that draws one of its images alone."""
        return self.model_copy(update={"seed": seed, "count": 1, "batch": 1})

    @classmethod
    def from_json(cls, text: str) -> "GenerationRequest":
        """The request that `to_json` wrote; raises `BadValue` for anything else."""
        try:
            fields = json.loads(text)
            schema = fields.pop("schema")
            if schema > SCHEMA:
                raise BadValue("this request was written by a newer ModelHub", mend="pip install -U modelhub-suite")
            return cls.model_validate(fields)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise BadValue(f"this is no request that ModelHub wrote ({error})") from error

    def to_json(self) -> str:
        """As it is stored in a picture and in the catalog."""
        return json.dumps(self.payload(), ensure_ascii=False, sort_keys=True)

    def payload(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **self.model_dump(exclude_none=True)}
