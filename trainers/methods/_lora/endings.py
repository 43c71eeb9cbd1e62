"""How the tensors of a LoRA file are called here, whatever tool wrote it (pure, no torch)."""

from inference.adapters.layers import Decomposed, Hadamard, Kronecker, Layer, LowRank, Orthogonal
from inference.plan import AdapterPlan
from modelhub.errors import Incompatible
from trainers.methods._lora.sizes import MAGNITUDE

__all__ = ["differs", "endings"]


def endings(layer: Layer) -> dict[str, str]:
    """Endings of names, as our factors have them -> the file's tensors; none for what is not trained here."""
    match layer:
        case Decomposed(inner=inner, magnitude=magnitude, by_row=True):
            return {**endings(inner), MAGNITUDE: magnitude}
        case LowRank(mid=None):
            return {"lora_down.weight": layer.down, "lora_up.weight": layer.up}
        case Hadamard(t1=None):
            return {f"hada_{one}": getattr(layer, one) for one in ("w1_a", "w1_b", "w2_a", "w2_b")}
        case Kronecker(t2=None):
            parts = ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b")
            return {f"lokr_{one}": name for one in parts if (name := getattr(layer, one))}
        case Orthogonal(turned=False, rescale=None):
            return {"oft_blocks": layer.blocks}
    return {}


def differs(start: AdapterPlan, how: str) -> Incompatible:
    """What is raised for it."""
    return Incompatible(
        f"training cannot go on from {start.name}: {how}",
        mend=f"modelhub show {start.name}, and give the recipe its algorithm, layers, rank and alpha",
    )
