"""Hypernetworks of stable-diffusion-webui: two small nets, for keys and values, for every width of attention."""

import re
from itertools import islice

from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.kinds import Kind, Source

_REQUIRED = 3
"""Nets for keys and for values of a width, which enter and leave with that width."""
_NET = re.compile(r"(\d{2,5})\.([01])\.linear")
_FIRST = ("linear.0.weight", "linear1.weight")
_WIDTHS = (320, 640, 768, 1024, 1280, 2048)
_CONTEXTS = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
"""Width of the text -> family; 320, 640 and 1280 are widths of self-attention in them all."""


def claim(file: WeightFile) -> Claim | None:
    if not any(_NET.match(name) for name in islice(file.table.tensors, 8)):
        return None
    nets = {width: first for width in _widths(file) if (first := _first(file, width))}
    if not nets:
        return None
    contexts = [width for width in nets if width in _CONTEXTS]
    facts = stated(
        Kind.HYPERNETWORK,
        f"nets for keys and values {', '.join(map(str, sorted(nets)))} wide, of layers {_structure(file, min(nets))}",
        family=_family(file, contexts),
        format=Known(f"{file.table.container}/webui", Source.TENSORS, f"its nets are called like {nets[min(nets)]}"),
        context_width=_context(nets, contexts),
    )
    return Claim(_REQUIRED, facts)


def _widths(file: WeightFile) -> set[int]:
    found = {int(match[1]) for name in file.table.tensors if (match := _NET.match(name))}
    return found if found <= set(_WIDTHS) or file.header.own_family() else set()


def _first(file: WeightFile, width: int) -> str | None:
    """The layer that a net of this width begins with, where both nets have it."""
    for layer in _FIRST:
        names = [f"{width}.{half}.{layer}" for half in (0, 1)]
        if all((file.table.shape(name) or (0,))[1:] == (width,) for name in names):
            return names[0]
    return None


def _structure(file: WeightFile, width: int) -> str:
    """How wide a net is from layer to layer, in multiples of what enters it."""
    layers = [
        shape
        for name, entry in file.table.tensors.items()
        if name.startswith(f"{width}.0.") and name.endswith(".weight") and len(shape := entry.shape) == 2
    ]
    return ", ".join(f"{side / width:g}" for side in (width, *(rows for rows, _ in layers)))


def _family(file: WeightFile, contexts: list[int]) -> Known | None:
    if len(contexts) == 1:
        return Known(_CONTEXTS[contexts[0]], Source.TENSORS, f"a net takes text {contexts[0]} wide")
    said = next((said for said in file.header.families() if said.meaning), None)
    return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}") if said else None


def _context(nets: dict[int, str], contexts: list[int]) -> Known | None:
    return Known(contexts[0], Source.TENSORS, f"columns of {nets[contexts[0]]}") if len(contexts) == 1 else None
