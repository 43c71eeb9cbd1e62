"""What decides a merged model (no torch)."""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from inference.request import LoraUse

__all__ = ["MergeRecipe", "Method"]


class Method(StrEnum):
    """How the models go together, by webui's names."""

    NONE = "none"
    """A alone: what is baked in makes the difference."""
    WEIGHTED_SUM = "weighted-sum"
    """(1 - M) A + M B"""
    ADD_DIFFERENCE = "add-difference"
    """A + M (B - C)"""


class MergeRecipe(BaseModel):
    """References are digests once resolved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    a: str
    b: str | None = None
    c: str | None = None
    method: Method = Method.NONE
    multiplier: float = Field(default=0.3, ge=-2.0, le=2.0)
    vae: str | None = None
    """Baked in, in place of A's."""
    loras: tuple[LoraUse, ...] = ()
    """Baked in, in this order, after all else."""
    half: bool = False
    """Whether wide numbers are shortened to float16."""
    drop_ema: bool = False
    discard: str | None = None
    """A regular expression: tensors whose names it is found in are left out."""

    @model_validator(mode="after")
    def _complete(self) -> "MergeRecipe":
        wanted = {Method.NONE: 1, Method.WEIGHTED_SUM: 2, Method.ADD_DIFFERENCE: 3}[self.method]
        given = 1 + (self.b is not None) + (self.c is not None)
        if given != wanted or (self.c and not self.b):
            raise ValueError(f"{self.method} takes {wanted} models, not {given}")
        if self.discard is not None:
            try:
                re.compile(self.discard)
            except re.error as error:
                raise ValueError(f"{self.discard!r} is no regular expression: {error}") from error
        if self.method is Method.NONE and not (self.vae or self.loras or self.half or self.drop_ema or self.discard):
            raise ValueError("nothing would change: give a second model, a VAE or a LoRA")
        return self

    def title(self, a: str, b: str = "", c: str = "") -> str:
        """What the result is called: as webui would, where it merges."""
        m = f"{self.multiplier:g}"
        return {
            Method.NONE: f"{a}-baked",
            Method.WEIGHTED_SUM: f"{1 - self.multiplier:g}({a}) + {m}({b})",
            Method.ADD_DIFFERENCE: f"{a} + {m}({b} - {c})",
        }[self.method]
