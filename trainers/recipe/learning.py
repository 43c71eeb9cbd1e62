"""How the parameters move, and with what numbers it is computed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trainers.recipe.section import Section

__all__ = ["ComputeOptions", "OptimizerOptions"]


class OptimizerOptions(Section):
    """The optimizer, and the course of the learning rates."""

    name: str = "AdamW"
    """AdamW, AdamW8bit, Lion, Prodigy, Adafactor, AdamWScheduleFree, SGD, or another that is registered."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], ...] | None = Field(default=None, min_length=1, max_length=2)
    """One or two; what is left out is the optimizer's own."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Pull of the parameters towards 0."""
    max_grad_norm: float = Field(default=1.0, ge=0)
    """Gradients of a greater norm, all together, are scaled down; 0 for no limit."""
    schedule: Literal[
        "constant", "cosine", "linear", "cosine_with_restarts", "polynomial", "inverse_sqrt", "rex", "rising"
    ] = "cosine"  # fmt: skip
    """Course of the learning rates after the warm-up; ``rising`` is that of a range test, from `floor` to all of it."""
    warmup: float = Field(default=0.05, ge=0.0)
    """Steps in which the learning rates rise from 0; below 1, a share of all steps."""
    floor: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the learning rates that is left at the end."""
    cycles: int = Field(default=1, ge=1)
    """Of cosine_with_restarts."""
    power: float = Field(default=1.0, gt=0)
    """Of polynomial."""

    @model_validator(mode="after")
    def _has_a_mean(self) -> Self:
        if self.name.lower() == "adamwschedulefree" and self.betas and not self.betas[0]:
            raise ValueError("AdamWScheduleFree divides by its first beta: give it one above 0, such as 0.9")
        return self


class ComputeOptions(Section):
    """Precision, and what is spent to save memory."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of the frozen base; what learns is float32. Auto takes bf16 on a GPU, fp32 on a processor."""
    accumulate: int = Field(default=1, ge=1)
    """Batches of one optimizer step."""
    micro_batch: int = Field(default=0, ge=0)
    """Pictures computed at once; 0 takes all of a batch. It changes memory and time, not what is learned."""
    checkpointing: bool = False
    """Compute activations again on the way back, in place of keeping them."""
    ema: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Decay of a running mean of what learns, which is what is written; 0 for none."""
    ema_every: int = Field(default=1, ge=1)
    """Steps between its updates."""
    compile: bool = False
    """Have torch compile the UNet: slow to begin, faster on a GPU."""
