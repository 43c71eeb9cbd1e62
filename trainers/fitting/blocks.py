"""The blocks of a base, and what a LoRA can learn in each (no torch)."""

from collections import Counter
from dataclasses import dataclass

from inference.adapters.blocks import blocks_of
from inference.plan import resolve
from inference.request import GenerationRequest
from inference.weights.parts import UNET
from modelhub.catalog import Catalog
from trainers.bases import check_base
from trainers.methods._lora.places import places
from trainers.recipe import LoraOptions

__all__ = ["Block", "blocks_in"]


@dataclass(frozen=True, slots=True)
class Block:
    """One of a UNet's."""

    name: str
    """As block weights call it (``IN04``)."""
    transformers: int
    """Layers that `rank` is of."""
    between: int
    """Convolutions and layers around them, which learn where there is a `conv_rank`."""


def blocks_in(ref: str, catalog: Catalog) -> tuple[Block, ...]:
    """Those of a checkpoint, in the order of their names; raises `Incompatible` for one that cannot be trained."""
    base = resolve(GenerationRequest(prompt="", model=ref, seed=0), catalog).base
    check_base(base)
    names = sorted(set(blocks_of(base.parts[UNET]).values()))
    plain, all_of_them = (
        Counter(one.block for one in places(base.parts, options, [UNET]))
        for options in (LoraOptions(), LoraOptions(conv_rank=1))
    )
    return tuple(Block(name, plain[name], all_of_them[name] - plain[name]) for name in names)
