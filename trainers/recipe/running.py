"""What a run does beside learning; none of it decides the weights, but for which pictures are held out."""

from typing import Literal, Self

from pydantic import Field, model_validator

from trainers.recipe.section import Section

__all__ = ["ExportOptions", "LogOptions", "PreviewOptions", "SaveOptions", "ValidationOptions"]


class ValidationOptions(Section):
    """Pictures that are not learned from, by which a training is judged."""

    share: float = Field(default=0.1, ge=0.0, le=0.5)
    """Of the pictures; below 10 pictures none are held out. Chosen by digest, so that duplicates stay together."""
    every: int = Field(default=0, ge=0)
    """Steps between looks at them; 0 takes every copy that is saved, and the end."""
    pairs: int = Field(default=16, ge=1)
    """Fixed pairs of noise and timestep a picture."""
    seed: int = Field(default=0, ge=0)
    """Of those pairs."""


class PreviewOptions(Section):
    """Pictures drawn on the way, by the same path as every other picture."""

    every: int = Field(default=0, ge=0)
    """Steps between previews; 0 for none."""
    prompts: tuple[str, ...] = ()
    """A picture each."""
    negative_prompt: str = ""
    """What they shall not show."""
    sampling_steps: int = Field(default=20, ge=1)
    """Of each picture."""
    cfg: float = 7.0
    """How strictly prompts are followed."""
    seed: int = Field(default=1, ge=0)
    """Of every picture."""

    @model_validator(mode="after")
    def _draws_something(self) -> Self:
        if bool(self.every) != bool(self.prompts):
            raise ValueError("previews need both: how many steps apart, and prompts")
        if any("<lora:" in prompt for prompt in (*self.prompts, self.negative_prompt)):
            raise ValueError("previews show the LoRA that is trained, and no other: leave out <lora:...>")
        return self


class SaveOptions(Section):
    """Copies on the way."""

    every: int = Field(default=0, ge=0)
    """Steps between copies of the model and of the resumable state."""
    epochs: int = Field(default=0, ge=0)
    """Epochs between them; with neither, the last is the only one."""
    keep: int = Field(default=0, ge=0)
    """So many of the last copies stay; 0 for all."""


class ExportOptions(Section):
    """What is written."""

    formats: tuple[Literal["kohya", "diffusers", "a1111"], ...] = Field(default=("kohya",), min_length=1)
    """The first is catalogued, the others stand beside it: kohya's keys, diffusers' keys, webui's .pt."""
    precision: Literal["fp16", "bf16", "fp32"] = "fp16"
    """Of the numbers in the file."""


class LogOptions(Section):
    """Who else is told of the losses."""

    tensorboard: bool = False
    """Write event files into the run's folder."""
    wandb: str = ""
    """A project's name."""
