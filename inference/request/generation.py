"""What to draw: the whole request."""

import json
from typing import Any, Literal

from pydantic import Field

from inference.prompt.attention import Emphasis
from inference.request._said import Said
from inference.request.passes import Faces, Hires, Refiner, Tiles
from inference.request.pictures import Init
from inference.request.uses import ControlUse, ImageSeed, LoraUse, NetworkUse, Variation
from modelhub.errors import BadValue

__all__ = ["SCHEMA", "SEEDS", "GenerationRequest"]

SCHEMA = 2
SEEDS = 1 << 32
"""Seeds are below this, as stable-diffusion-webui's are."""


class GenerationRequest(Said):
    """What to draw. `inference.plan.resolve` replaces references by digests and fills what was left open."""

    prompt: str
    negative_prompt: str = ""
    model: str
    """The checkpoint: any model reference; a SHA-256 once resolved."""
    unet: str | None = None
    vae: str | None = None
    text_encoders: tuple[str, ...] = ()
    """Take the place of the checkpoint's own."""
    loras: tuple[LoraUse, ...] = ()
    """Merged in this order, after those that the prompt names."""
    embeddings: tuple[NetworkUse, ...] | None = None
    """What the words of the prompts stand for that are embeddings' names; None looks them up in the catalog."""
    controls: tuple[ControlUse, ...] = ()
    sampler: str = "DPM++ 2M"
    schedule: str = "Automatic"
    steps: int = Field(default=20, ge=1, le=1000)
    cfg: float = Field(default=7.0, ge=0.0, le=100.0)
    """Classifier-free guidance; 1 is without."""
    image_cfg: float = Field(default=1.5, ge=0.0, le=100.0)
    """Guidance by the picture that is drawn over, of instruct-pix2pix checkpoints."""
    min_uncond: float = Field(default=0.0, ge=0.0)
    """Below this noise level the negative prompt is evaluated at every other call only (webui: NGMS)."""
    seed: int = Field(default=-1, ge=-1, lt=SEEDS)
    """Of the first image; the next ones count up. -1 takes a random one."""
    variation: Variation | None = None
    seed_resize: tuple[int, int] | None = None
    """Width and height in px of the picture whose noise is to be kept, as far as it goes."""
    width: int | None = Field(default=None, ge=64, le=8192, multiple_of=8)
    height: int | None = Field(default=None, ge=64, le=8192, multiple_of=8)
    """Pixels; None takes the size that the model was trained at."""
    batch: int = Field(default=1, ge=1, le=256)
    """Images drawn at a time."""
    count: int = Field(default=1, ge=1, le=10_000)
    """Batches, one after the other."""
    tiling: bool = False
    """Whether its edges continue one another."""
    clip_skip: int = Field(default=1, ge=1, le=12)
    """Layer of the text encoder to read, from its end."""
    emphasis: Emphasis = "Original"
    """What becomes of the weights in prompts."""
    comma_backtrack: int = Field(default=20, ge=0, le=74)
    """How many tokens of a full chunk may move on, so that it ends at a comma."""
    pad: Literal["none", "empty", "repeat"] = "none"
    """Whether prompt and negative prompt are brought to one length: by chunks of an empty prompt, or by repeating
    the negative prompt's last vector."""
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
    ensd: int = Field(default=0, ge=0, lt=SEEDS)
    """Added to the seed for all noise but the first (webui: eta noise seed delta)."""
    sigma_min: float | None = Field(default=None, gt=0.0)
    sigma_max: float | None = Field(default=None, gt=0.0)
    rho: float | None = Field(default=None, gt=0.0)
    """Overrides of a schedule's ends and bend; None is its own."""
    shift: float | None = Field(default=None, gt=0.0, le=100.0)
    """How far the levels of a flow model lean to much noise; None is 3."""
    discard_next_to_last: bool = False
    """Whether the last noise level but one is left out, whatever the sampler's habit."""
    init: Init | None = None
    tiles: Tiles | None = None
    hires: Hires | None = None
    refiner: Refiner | None = None
    faces: Faces | None = None

    @property
    def images(self) -> int:
        return self.batch * self.count

    @property
    def seeds(self) -> list[ImageSeed]:
        """One an image. They count up; where noise is mixed, the second seeds do, over one first seed (as in webui)."""
        if self.variation is None or not self.variation.strength:
            return [ImageSeed((self.seed + index) % SEEDS) for index in range(self.images)]
        second = self.variation.seed
        return [ImageSeed(self.seed, (second + index) % SEEDS) for index in range(self.images)]

    def for_image(self, seed: ImageSeed) -> "GenerationRequest":
        """The request that draws one of its images alone."""
        variation = self.variation
        if variation and seed.variation is not None:
            variation = variation.model_copy(update={"seed": seed.variation})
        return self.model_copy(update={"seed": seed.number, "variation": variation, "count": 1, "batch": 1})

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
