"""All that decides the weights of a training, as a TOML file says it (no torch)."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from modelhub.errors import BadValue, MissingFile

__all__ = [
    "SCHEMA",
    "DatasetOptions",
    "LoraOptions",
    "PreviewOptions",
    "Recipe",
    "parse_recipe",
    "read_fields",
    "read_recipe",
    "write_recipe",
]

SCHEMA = 1


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetOptions(_Section):
    """Which pictures, and how they are cut."""

    images: Path
    """A folder of images with `.txt` captions, or of kohya's ``N_name`` folders."""
    resolution: int | None = Field(default=None, ge=64, le=4096, multiple_of=8)
    """Pixels of a side, squared the area of every bucket; None takes the base model's."""
    buckets: bool = True
    """Keep aspect ratios; without, every image is cut square."""
    bucket_step: int | None = Field(default=None, ge=8, le=256, multiple_of=8)
    """Pixels that bucket sides are multiples of; None takes an eighth of the resolution, at most 64."""
    flip: bool = False
    """Mirror every other picture at random."""
    caption_dropout: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of captions that are left out, so that guidance keeps working."""


class LoraOptions(_Section):
    """What the `lora` method trains."""

    rank: int = Field(default=16, ge=1, le=1024)
    alpha: float | None = Field(default=None, gt=0)
    """The deltas are scaled by alpha / rank; None takes half the rank."""

    @property
    def scale_alpha(self) -> float:
        return self.rank / 2 if self.alpha is None else self.alpha


class PreviewOptions(_Section):
    """Pictures drawn on the way, by the same path as every other picture."""

    every: int = Field(default=0, ge=0)
    """Steps between previews; 0 for none."""
    prompts: tuple[str, ...] = ()
    negative_prompt: str = ""
    sampling_steps: int = Field(default=20, ge=1)
    cfg: float = 7.0
    seed: int = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _draws_something(self) -> Self:
        if bool(self.every) != bool(self.prompts):
            raise ValueError("previews need both: how many steps apart, and prompts")
        if any("<lora:" in prompt for prompt in (*self.prompts, self.negative_prompt)):
            raise ValueError("previews show the LoRA that is trained, and no other: leave out <lora:...>")
        return self


class Recipe(_Section):
    """What to train, on what, and how."""

    method: Literal["lora"] = "lora"
    base: str
    """The checkpoint: any model reference; a SHA-256 once resolved."""
    name: str
    """Of the result, in the catalog and on disk."""
    dataset: DatasetOptions
    steps: int = Field(default=1000, ge=1)
    """Optimizer steps."""
    batch: int = Field(default=2, ge=1)
    """Images a step."""
    learning_rate: float = Field(default=5e-4, gt=0)
    text_encoder_learning_rate: float = Field(default=1e-4, ge=0)
    """0 leaves the text encoder as it is."""
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    """Course of the learning rates after the warm-up; the last two end at 0."""
    warmup: float = Field(default=0.05, ge=0.0, le=1.0)
    """Share of the steps in which the learning rates rise from 0."""
    weight_decay: float = Field(default=0.01, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    min_snr_gamma: float = Field(default=5.0, ge=0)
    """Caps the weight of nearly clean samples (Hang et al. 2023); 0 weighs all alike."""
    noise_offset: float = Field(default=0.0, ge=0, le=1)
    """Strength of noise that is constant over a channel, so that very dark and bright pictures can be learnt."""
    clip_skip: int = Field(default=1, ge=1, le=12)
    seed: int = Field(default=0, ge=0)
    save_every: int = Field(default=0, ge=0)
    """Steps between copies of the model and of the resumable state; 0 keeps the last only."""
    options: LoraOptions = LoraOptions()
    preview: PreviewOptions = PreviewOptions()

    def payload(self) -> dict[str, Any]:
        """As it is stored in the catalog."""
        return {"schema": SCHEMA, **self.model_dump(mode="json", exclude_none=True)}

    def to_json(self) -> str:
        """As it is stored in the header of what it makes."""
        return json.dumps(self.payload(), ensure_ascii=False, sort_keys=True)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the weights: previews and copies do not."""
        deciding = self.model_dump(mode="json", exclude={"preview", "save_every", "name"})
        deciding["dataset"].pop("images")  # the dataset has a digest of its own; where it lies is no matter
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; raises `MissingFile`, or `BadValue` naming the entry that is wrong."""
    return parse_recipe(read_fields(path), str(path))


def read_fields(path: Path) -> dict[str, Any]:
    """The entries of a TOML file, not yet checked; paths in it are meant from where it lies."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such recipe") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadValue(f"{path}: {error}") from None
    schema = fields.pop("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise BadValue(f"{path} was written by a newer ModelHub", mend="pip install -U modelhub-suite")
    for section in ("dataset", "options", "preview"):
        if not isinstance(fields.get(section, {}), dict):
            raise BadValue(f"{path}: {section}: it must be a table", mend=f"write its entries below [{section}]")
    if images := fields.get("dataset", {}).get("images"):
        fields["dataset"]["images"] = path.parent / str(images)
    return fields


def parse_recipe(fields: dict[str, Any], where: str) -> Recipe:
    """A recipe from named entries; `where` is what an error calls their origin."""
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"])
        raise BadValue(f"{where}: {entry}: {first['msg']}") from None


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe as TOML, every entry with its value, beside what it makes."""
    path.write_text(tomlkit.dumps(recipe.payload()), encoding="utf-8")
