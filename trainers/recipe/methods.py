"""What each method trains."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from trainers.recipe.section import Section

__all__ = [
    "DEFAULTS",
    "FORMATS",
    "METHODS",
    "FullOptions",
    "HypernetworkOptions",
    "LoraOptions",
    "MethodOptions",
    "TextualInversionOptions",
]


_LEAST, _MOST = 1e-6, 1e6
"""Of what a delta is scaled by, or to."""
_BLOCK = re.compile(r"(IN|OUT)\d\d|M00")


class TextualInversionOptions(Section):
    """New words for a text encoder that stays as it is (Gal et al. 2022, https://arxiv.org/abs/2208.01618)."""

    token: str = ""
    """What prompts call it; empty takes the recipe's trigger, or its name."""
    vectors: int = Field(default=4, ge=1, le=75)
    """So many tokens of a prompt it takes up."""
    initial: str = ""
    """Words that the vectors begin as, repeated or cut to their number; empty begins as noise of the table's spread."""
    templates: Literal["captions", "object", "style"] = "captions"
    """The pictures' captions, with the token before those that lack it, or phrases such as ``a photo of a TOKEN``."""
    keep_norm: bool = True
    """Keep the vectors as long as the table's median row, so that they do not shout down the rest of a prompt."""
    until: float = Field(default=1.0, gt=0, le=1.0)
    """Share of the steps in which they learn."""
    learning_rate: float = Field(default=5e-3, gt=0)
    """Of the vectors."""


class LoraOptions(Section):
    """Deltas of low rank beside frozen layers, by LoRA and LyCORIS."""

    algorithm: Literal["lora", "loha", "lokr", "oft"] = "lora"
    """How a delta is put together: LoRA's, or one of LyCORIS's."""
    rank: int = Field(default=16, ge=1, le=1024)
    """How much a delta can hold; for OFT, the size of a block."""
    alpha: float | None = Field(default=None, gt=0)
    """The deltas are scaled by alpha / rank; None takes half the rank."""
    layers: Literal["attention", "transformer"] = "transformer"
    """Keys, queries, values and outputs of attention, or all linear layers and 1x1 convolutions around it, as kohya."""
    conv_rank: int = Field(default=0, ge=0, le=1024)
    """Of 3x3 convolutions; 0 leaves them (with it, a LoRA is a LoCon)."""
    conv_alpha: float | None = Field(default=None, gt=0)
    """None takes half of `conv_rank`."""
    block_ranks: Mapping[str, int] = {}
    """Block of the UNet, as block weights call it (``IN04``), -> its rank; 0 leaves it out."""
    block_alphas: Mapping[str, float] = {}
    """Block -> its alpha."""
    block_rates: Mapping[str, float] = {}
    """Block -> what its learning rate is multiplied by; 0 leaves it out."""
    rank_stabilized: bool = False
    """Scale by alpha / sqrt(rank) (Kalajdzievski 2023, https://arxiv.org/abs/2312.03732)."""
    dora: bool = False
    """Learn norms apart from directions (Liu et al. 2024, https://arxiv.org/abs/2402.09353)."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the layer's inputs."""
    rank_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the ranks."""
    module_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the layers."""
    plus_ratio: float = Field(default=1.0, ge=1.0)
    """LoRA+: learning rate of `up` over that of `down`; the paper takes 16 (https://arxiv.org/abs/2402.12354)."""
    max_norm: float = Field(default=0.0, ge=0.0)
    """Deltas of a greater norm are scaled down after each step (kohya's scale_weight_norms); 0 for no limit."""
    factor: int = Field(default=-1, ge=-1)
    """LoKr: side of the smaller Kronecker factor; -1 splits as evenly as it can."""
    constraint: float = Field(default=0.0, ge=0.0)
    """OFT: the most that blocks may turn; 0 for no limit."""
    start: str | None = None
    """A catalogued LoRA to go on from; rank and alpha must be its own."""
    pivotal: TextualInversionOptions | None = None
    """New words that are learned beside it."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.dora and self.algorithm == "oft":
            raise ValueError("dora decomposes what is added to a weight; OFT turns it")
        if self.max_norm and self.algorithm == "oft":
            raise ValueError("max_norm limits what is added to a weight; OFT turns it, limited by `constraint`")
        if self.plus_ratio > 1 and self.algorithm != "lora":
            raise ValueError(f"plus_ratio is of LoRA's two factors, which {self.algorithm} has not")
        return self

    @model_validator(mode="after")
    def _holds_numbers(self) -> Self:
        """A file's numbers have an end, on both sides."""
        alphas = {"alpha": self.alpha, "conv_alpha": self.conv_alpha, "max_norm": self.max_norm}
        for entry, value in {**alphas, **self.block_alphas}.items():
            if value and not _LEAST <= value <= _MOST:
                raise ValueError(f"{entry} is {value:g}: write {_LEAST:g} to {_MOST:g}, beyond which no file holds it")
        return self

    @model_validator(mode="after")
    def _names_blocks(self) -> Self:
        """Which of them the base has shows when its layers are looked up."""
        for block, value in (*self.block_ranks.items(), *self.block_alphas.items(), *self.block_rates.items()):
            if not _BLOCK.fullmatch(block):
                raise ValueError(f"{block} is no block of a UNet: they are IN00 to IN11, M00, and OUT00 to OUT11")
            if value < 0:
                raise ValueError(f"{block} is {value:g}: write 0 to leave the block out, or more")
        return self

    @property
    def scale_alpha(self) -> float:
        return self.rank / 2 if self.alpha is None else self.alpha

    @property
    def scale_conv_alpha(self) -> float:
        return self.conv_rank / 2 if self.conv_alpha is None else self.conv_alpha


class FullOptions(Section):
    """All weights: DreamBooth (Ruiz et al. 2022, https://arxiv.org/abs/2208.12242) and fine-tuning."""

    attention_only: bool = False
    """Leave all layers but attention."""
    keeps: Literal["checkpoint", "unet"] = "checkpoint"
    """What is written: one file with VAE and text encoders, or the UNet alone."""


class HypernetworkOptions(Section):
    """Small nets before the keys and values of attention, as webui trains them."""

    structure: tuple[float, ...] = (1.0, 2.0, 1.0)
    """Widths of the layers, in those of what enters attention."""
    activation: str = "linear"
    """As webui spells it: linear, relu, leakyrelu, swish, ..."""
    layer_norm: bool = False
    """Even out what leaves each layer."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of what leaves the layers."""

    @model_validator(mode="after")
    def _gives_what_it_takes(self) -> Self:
        if len(self.structure) < 2 or self.structure[0] != 1 or self.structure[-1] != 1 or min(self.structure) <= 0:
            raise ValueError("a structure begins and ends with 1: what is added is as wide as what enters")
        return self


MethodOptions: TypeAlias = LoraOptions | TextualInversionOptions | FullOptions | HypernetworkOptions

METHODS: Mapping[str, type[MethodOptions]] = {
    "lora": LoraOptions,
    "textual_inversion": TextualInversionOptions,
    "full": FullOptions,
    "hypernetwork": HypernetworkOptions,
}
"""Method -> its options."""

FORMATS: Mapping[str, Sequence[str]] = {
    "lora": ("kohya", "diffusers"),
    "textual_inversion": ("kohya", "diffusers", "a1111"),
    "full": ("kohya",),
    "hypernetwork": ("kohya", "a1111"),
}
"""Method -> what its results can be written as; new words beside a LoRA as those of `textual_inversion`."""

DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "full": {"learning_rate": 5e-6, "text_encoder_learning_rate": 0.0},
    "hypernetwork": {"learning_rate": 1e-5, "text_encoder_learning_rate": 0.0},
}
"""Method -> what a recipe says where its table of options alone does not tell: a LoRA's rates would wreck a base."""
