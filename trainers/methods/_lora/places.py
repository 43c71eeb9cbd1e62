"""Which layers of a base a LoRA learns beside, each with its rank and strength (pure, no torch)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inference.adapters.blocks import blocks_of
from inference.adapters.targets import Target, kohya_names
from inference.weights.parts import UNET, Part
from modelhub.errors import BadValue
from trainers.recipe import LoraOptions

__all__ = ["Place", "places"]

_TRANSFORMER = ".attentions."
_AROUND = re.compile(r"\.(resnets|downsamplers|upsamplers)\.")
_ATTENTION = re.compile(r"\.attn[12]\.to_(q|k|v|out\.0)$|\.self_attn\.(q|k|v|out)_proj$")
_TEXT = (".self_attn.", ".mlp.")


@dataclass(frozen=True, slots=True)
class Place:
    """A layer that is learned beside."""

    target: Target
    name: str
    """As kohya's files call it."""
    shape: tuple[int, ...]
    """Of its weight, [out, in, ...]."""
    rank: int
    alpha: float
    """As files say it: what is learned is scaled by alpha / rank."""
    block: str = ""
    """Of the UNet (``IN04``)."""
    rate: float = 1.0
    """What the learning rate of its part is multiplied by."""


def places(parts: Mapping[str, Part], options: LoraOptions, roles: Sequence[str]) -> list[Place]:
    """All of them, in the parts' own order; raises `BadValue` if none is left."""
    blocks = blocks_of(parts[UNET])
    found = [one for role in roles for one in _places_in(role, parts, options, blocks)]
    if not found:
        raise BadValue("block_ranks and block_rates leave no layer to train", mend="give a block a rank above 0")
    return found


def _places_in(
    role: str, parts: Mapping[str, Part], options: LoraOptions, blocks: Mapping[str, str]
) -> Iterator[Place]:
    named = kohya_names(parts)
    for module, shape in parts[role].modules.items():
        target = Target(role, module)
        block = blocks.get(module, "") if role == UNET else ""
        rate = options.block_rates.get(block, 1.0)
        if not _learns(target, shape, options) or not rate:
            continue
        if rank := _rank(shape, block, options):
            yield Place(target, named(target), shape, rank, _alpha(shape, block, rank, options), block, rate)


def _learns(target: Target, shape: tuple[int, ...], options: LoraOptions) -> bool:
    """As kohya's scripts have it: transformers, and with a `conv_rank` all that stands between them."""
    if len(shape) not in (2, 4):
        return False
    name = f".{target.module}"
    if options.conv_rank and _AROUND.search(name):
        return True
    if options.layers == "attention":
        return bool(_ATTENTION.search(name))
    return _TRANSFORMER in name if target.role == UNET else any(one in name for one in _TEXT)


def _rank(shape: tuple[int, ...], block: str, options: LoraOptions) -> int:
    own = options.block_ranks.get(block)
    if _is_kernel(shape):
        return 0 if own == 0 else options.conv_rank
    return options.rank if own is None else own


def _alpha(shape: tuple[int, ...], block: str, rank: int, options: LoraOptions) -> float:
    """Rank-stabilised LoRA is told by an alpha that makes alpha / rank what it scales by."""
    if _is_kernel(shape):
        alpha = options.scale_conv_alpha
    else:
        own = options.block_alphas.get(block, options.alpha)
        alpha = rank / 2 if own is None else own
    return float(alpha * rank**0.5 if options.rank_stabilized else alpha)


def _is_kernel(shape: tuple[int, ...]) -> bool:
    """Whether it is of a convolution that sees more than one pixel."""
    return len(shape) == 4 and shape[2:] != (1, 1)
