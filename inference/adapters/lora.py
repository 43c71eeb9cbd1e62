"""LoRA-type files in every dialect -> which parameter of the base gets which layer (pure, no torch)."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Literal

from inference.adapters.layers import (
    Decomposed,
    General,
    Hadamard,
    Kronecker,
    Layer,
    LowRank,
    Orthogonal,
    Replaced,
    Rescaled,
    Scale,
    Shape,
    Whole,
    size_of,
)
from inference.adapters.targets import Spellings, Target
from inference.weights.parts import Part
from inference.weights.text_encoder import CANONICAL
from modelhub.errors import Incompatible
from modelhub.headers import TensorTable

__all__ = ["Parsed", "parse_lora"]

_ENDINGS = {
    ".lora_down.weight": "down",
    ".lora_A.weight": "down",
    ".lora_A.default.weight": "down",
    ".lora.down.weight": "down",
    ".lora_linear_layer.down.weight": "down",
    ".lora_up.weight": "up",
    ".lora_B.weight": "up",
    ".lora_B.default.weight": "up",
    ".lora.up.weight": "up",
    ".lora_linear_layer.up.weight": "up",
    ".lora_mid.weight": "mid",
    ".dora_scale": "magnitude",
    ".lora_magnitude_vector": "row magnitude",
    ".lora_magnitude_vector.weight": "row magnitude",
    ".lora_magnitude_vector.default.weight": "row magnitude",
    **{f".hada_{part}": part for part in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".lokr_{part}": f"kron {part}" for part in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")},
    **{f".{part}.weight": part for part in ("a1", "a2", "b1", "b2", "bm")},
    ".oft_blocks": "blocks",
    ".oft_diag": "rotation",
    ".rescale": "rescale",
    ".on_input": "on_input",
    ".diff": "diff",
    ".w_norm": "diff",
    ".diff_b": "bias",
    ".b_norm": "bias",
    ".set_weight": "set",
    ".alpha": "alpha",
    ".scale": "scale",
    ".weight": "factors",
}
"""How a tensor's name ends -> what it is of a layer; of several that fit the longest."""
_HANGING = {f"_lora{number}.{part}.weight": part for number in ("", 1, 2) for part in ("down", "up")}
"""Likewise, on a name that belongs to an attention processor: old diffusers' and XLabs'."""
_BUNDLED = "bundle_emb."
"""Embeddings that OneTrainer puts beside the layers."""
_OTHERS = {
    "double_blocks": "FLUX",
    "single_blocks": "FLUX",
    "single_transformer_blocks": "FLUX",
    "joint_blocks": "Stable Diffusion 3",
}
"""Beginnings of blocks -> models that no checkpoint is drawn with yet."""
_ALPHA_PATTERNS = "alpha_pattern"

_Tensors = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file comes to for one base."""

    layers: Mapping[Target, Layer]
    skipped: tuple[str, ...]
    """Modules that the base lacks, as the file names them, and embeddings bundled with them."""


def parse_lora(path: Path, table: TensorTable, parts: Mapping[str, Part]) -> Parsed:
    """The layers of a LoRA file and the parameters of `parts` that they belong to.

    Raises `Incompatible` where no layer belongs to the base, for one of another shape or algorithm, and for one that
    is there twice or in part.
    """
    spellings, found, skipped = Spellings(parts), dict[Target, Layer](), []
    for name, tensors in _grouped(path, table).items():
        target = spellings.find(name)
        if target is None:
            skipped.append(name)
            continue
        for parameter, layer in _layers(path, name, tensors, table).items():
            one = replace(target, parameter=parameter)
            if one in found:
                raise Incompatible(f"{path.name} changes {target.module} twice, once as {name}")
            _check_fits(path, one, layer, table, parts[one.role].shapes.get(one.name))
            found[one] = layer
    if not found:
        raise _nothing_fits(path, skipped)
    return Parsed(_with_header_alphas(found, table.metadata), tuple(skipped))


def _grouped(path: Path, table: TensorTable) -> dict[str, dict[str, str]]:
    """Module as the file spells it -> what a tensor is to its layer -> the tensor."""
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for key in table.tensors:
        if key.startswith(_BUNDLED):
            groups[".".join(key.split(".")[:2])] = {}
            continue
        ending = _ending(key, table.tensors)
        if ending is None:
            raise Incompatible(f"{path.name} holds {key}, which is of no LoRA algorithm that is known")
        groups[key.removesuffix(ending)][_ENDINGS.get(ending) or _HANGING[ending]] = key
    return dict(groups)


def _ending(key: str, tensors: Collection[str]) -> str | None:
    """The longest one that is known: they have at most three dots, or hang on an underscore."""
    if hanging := next((one for one in _HANGING if key.endswith(one)), None):
        return hanging
    at = len(key)
    endings = [key[at:] for _ in range(3) if (at := key.rfind(".", 0, at)) > 0]
    known = next((one for one in reversed(endings) if one in _ENDINGS), None)
    # any tensor may be called so: it is (IA)3's only where its partner stands beside it
    return None if known == ".weight" and key.removesuffix(known) + ".on_input" not in tensors else known


def _layers(
    path: Path, name: str, tensors: _Tensors, table: TensorTable
) -> dict[Literal["weight", "bias"], Layer]:  # fmt: skip
    layers: dict[Literal["weight", "bias"], Layer] = {}
    if "bias" in tensors:
        layers["bias"] = Whole(tensors["bias"])
    if tensors.keys() - {"bias", "alpha", "scale"}:
        layers["weight"] = _layer(path, name, tensors, table)
    return layers


def _layer(path: Path, name: str, tensors: _Tensors, table: TensorTable) -> Layer:
    for needed, build in _ALGORITHMS:
        if tensors.keys() & set(needed):
            if missing := set(needed) - tensors.keys():
                raise Incompatible(f"{path.name} lacks the {min(missing)} factor of {name}")
            layer = build(tensors, table)
            magnitude = tensors.get("row magnitude") or tensors.get("magnitude")
            if magnitude is None:
                return layer
            if isinstance(layer, LowRank | Hadamard | Kronecker):
                return Decomposed(layer, magnitude, _is_by_row(tensors, table.tensors[magnitude].shape))
    raise Incompatible(f"{path.name} holds {min(tensors.values())} alone, which is of no LoRA algorithm that is known")


def _low_rank(tensors: _Tensors, table: TensorTable) -> Layer:
    return LowRank(tensors["down"], tensors["up"], _scale(tensors, table, "down"), tensors.get("mid"))


def _hadamard(tensors: _Tensors, table: TensorTable) -> Layer:
    w1_a, w1_b, w2_a, w2_b = (tensors[one] for one in ("w1_a", "w1_b", "w2_a", "w2_b"))
    return Hadamard(w1_a, w1_b, w2_a, w2_b, _scale(tensors, table, "w1_b"), tensors.get("t1"), tensors.get("t2"))


def _kronecker(tensors: _Tensors, table: TensorTable) -> Layer:
    """Two whole factors are taken as they are, whatever the alpha says."""
    split = next((one for one in ("kron w1_b", "kron w2_b") if one in tensors), None)
    scale = _scale(tensors, table, split) if split else Scale()
    w1, w1_a, w1_b, w2, w2_a, w2_b, t2 = (
        tensors.get(f"kron {one}") for one in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")
    )
    return Kronecker(w1, w1_a, w1_b, w2, w2_a, w2_b, t2, scale)


def _general(tensors: _Tensors, table: TensorTable) -> Layer:
    a1, a2, b1, b2 = (tensors[one] for one in ("a1", "a2", "b1", "b2"))
    old = table.tensors[a1].shape[:1] < table.tensors[a2].shape[:1]  # the side with the rank is the shorter one
    return General(a1, a2, b1, b2, tensors.get("bm"), _scale(tensors, table, "a1" if old else "a2"), old)


def _orthogonal(tensors: _Tensors, table: TensorTable) -> Layer:
    blocks = tensors.get("blocks") or tensors["rotation"]
    return Orthogonal(blocks, "rotation" in tensors, tensors.get("alpha"), tensors.get("rescale"))


_ALGORITHMS: Sequence[tuple[tuple[str, ...], Callable[[_Tensors, TensorTable], Layer]]] = (
    (("down", "up"), _low_rank),
    (("w1_a", "w1_b", "w2_a", "w2_b"), _hadamard),
    (("kron w1",), _kronecker),
    (("kron w1_a", "kron w1_b"), _kronecker),
    (("a1", "a2", "b1", "b2"), _general),
    (("blocks",), _orthogonal),
    (("rotation",), _orthogonal),
    (("on_input", "factors"), lambda tensors, _: Rescaled(tensors["factors"], tensors["on_input"])),
    (("diff",), lambda tensors, _: Whole(tensors["diff"])),
    (("set",), lambda tensors, _: Replaced(tensors["set"])),
)
"""What a layer must have, and how it is read."""


def _scale(tensors: _Tensors, table: TensorTable, ranked: str) -> Scale:
    """`ranked` is the factor whose rows are the rank."""
    shape = table.tensors[tensors[ranked]].shape
    return Scale(shape[0] if shape else 1, tensors.get("alpha"), tensors.get("scale"))


def _is_by_row(tensors: _Tensors, magnitude: Shape) -> bool:
    """peft's are always a row's; LyCORIS' say it by where their length stands."""
    return "row magnitude" in tensors or len(magnitude) < 2 or prod(magnitude[1:]) == 1


def _check_fits(path: Path, target: Target, layer: Layer, table: TensorTable, weight: Shape | None) -> None:
    if weight is None:
        raise Incompatible(f"{path.name} changes the {target.parameter} of {target.module}, where the base has none")
    try:
        size = size_of(layer, table, weight)
    except IndexError:
        size = None
    if size is None:
        raise Incompatible(f"{path.name} does not fit: the factors of its {target.module} do not fit one another")
    rows, columns = size
    wide = prod(weight[1:])
    if rows in (None, weight[0]) and (columns in (None, wide) or _is_entry(target, columns, weight)):
        return
    told = "x".join(str(one or "?") for one in size)
    raise Incompatible(f"{path.name} does not fit: its {target.module} is {told}, the base model's {weight[0]}x{wide}")


def _is_entry(target: Target, columns: int | None, weight: Shape) -> bool:
    """Inpainting checkpoints see more channels than the models that LoRAs are made for: the others are left alone."""
    return target.module == "conv_in" and columns == 4 * prod(weight[2:]) and weight[1] > 4


def _nothing_fits(path: Path, skipped: Sequence[str]) -> Incompatible:
    if not skipped:
        return Incompatible(f"{path.name} holds no LoRA layers")
    plain = skipped[0].replace(".", "_")
    others = (model for mark, model in _OTHERS.items() if f"_{mark}" in f"_{plain}")
    made_for = f": it is made for {model}" if (model := next(others, None)) else ""
    return Incompatible(
        f"{path.name} changes {skipped[0]}, and nothing else that the base model has{made_for}"
        if len(skipped) == 1
        else f"{path.name} changes {len(skipped)} modules, {skipped[0]} the first, "
        f"of which the base model has none{made_for}",
        mend=f"modelhub identify {path}",
    )


def _with_header_alphas(layers: Mapping[Target, Layer], metadata: Mapping[str, str]) -> Mapping[Target, Layer]:
    """diffusers keeps peft's alphas in the header (``lora_adapter_metadata``), one a part, with patterns for some."""
    try:
        header = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError):
        return layers
    if not isinstance(header, dict) or not header:
        return layers
    return {target: _with_header_alpha(layer, target, header) for target, layer in layers.items()}


def _with_header_alpha(layer: Layer, target: Target, header: Mapping[str, object]) -> Layer:
    if isinstance(layer, Decomposed):
        inner = _with_header_alpha(layer.inner, target, header)
        return replace(layer, inner=inner)  # type: ignore[arg-type]
    if not isinstance(layer, LowRank) or layer.scale.alpha is not None or layer.scale.rank is None:
        return layer
    alpha = _header_alpha(header, target, layer.scale.rank)
    return replace(layer, scale=replace(layer.scale, alpha=alpha))


def _header_alpha(header: Mapping[str, object], target: Target, rank: int) -> float | None:
    alpha = header.get(f"{target.role}.lora_alpha")
    patterns = header.get(f"{target.role}.{_ALPHA_PATTERNS}")
    for pattern, one in patterns.items() if isinstance(patterns, dict) else ():
        if f".{target.module}".endswith(f".{pattern.removeprefix(CANONICAL)}"):
            alpha = one
    if not isinstance(alpha, int | float):
        return None
    # rank-stabilised LoRA divides by the root of the rank (Kalajdzievski 2023)
    return alpha * rank**0.5 if header.get(f"{target.role}.use_rslora") else float(alpha)
