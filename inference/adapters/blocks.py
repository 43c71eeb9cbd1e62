"""Which block of a UNet a module stands in, so that strengths can be given block by block (pure, no torch)."""

import re
from collections.abc import Mapping, Sequence

from inference.adapters.targets import Target, native_names
from inference.request.blocks import COUNTS
from inference.weights.parts import TEXT_ROLES, UNET, Part

__all__ = ["blocks_of", "factors_of"]

_NATIVE = re.compile(r"(input_blocks|middle_block|output_blocks)\.(\d+)")
_SIDES = {"input_blocks": "IN", "output_blocks": "OUT"}


def factors_of(blocks: Sequence[float], parts: Mapping[str, Part]) -> dict[Target, float]:
    """What the strength of each module is multiplied by, where that is not 1.

    The first of `blocks` is for the text encoders; blocks without a number get 0; modules outside of the UNet's blocks
    keep their strength.
    """
    if not blocks:
        return {}
    named = dict(zip(COUNTS[len(blocks)], blocks, strict=True))
    factors = {
        Target(role, name.rpartition(".")[0]): named["BASE"]
        for role in TEXT_ROLES
        if role in parts
        for name in parts[role].shapes
    }
    for module, block in blocks_of(parts[UNET]).items():
        factors[Target(UNET, module)] = named.get(block, 0.0)
    return {target: factor for target, factor in factors.items() if factor != 1.0}


def blocks_of(unet: Part) -> dict[str, str]:
    """Module -> the block that it stands in (``IN04``); modules outside of the blocks are left out."""
    found = {module: _block_of(native) for module, native in native_names(unet).items()}
    return {module: block for module, block in found.items() if block}


def _block_of(native: str) -> str | None:
    found = _NATIVE.match(native)
    if found is None:
        return None
    return f"{_SIDES[found[1]]}{int(found[2]):02}" if found[1] in _SIDES else "M00"
