"""LoRA and its relatives, in the dialects of kohya, peft and older diffusers (formats: docs of each project).

An underscore in a kohya name may be a dot or an underscore of the model's own: names are searched, never split.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modelhub.families import known
from modelhub.identify._denoiser import prediction_type
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.kinds import Kind, Source

_REQUIRED = 3
"""Tensors that take a width down, tensors that bring it up again, and hardly anything else."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How one tool names the halves of a delta."""

    dialect: str
    algorithm: str
    down: str
    """Ending of the half whose shape is [rank, input width, ...]; for LoKr, of a factor."""
    up: str
    low_rank: bool = True


_LAYOUTS = (
    _Layout("kohya", "lora", ".lora_down.weight", ".lora_up.weight"),
    _Layout("peft", "lora", ".lora_A.weight", ".lora_B.weight"),
    _Layout("peft", "lora", ".lora_A.default.weight", ".lora_B.default.weight"),
    _Layout("diffusers", "lora", "_lora.down.weight", "_lora.up.weight"),
    _Layout("diffusers", "lora", ".lora.down.weight", ".lora.up.weight"),
    _Layout("diffusers", "lora", ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
    _Layout("kohya", "loha", ".hada_w1_b", ".hada_w1_a"),
    _Layout("kohya", "lokr", ".lokr_w1", ".lokr_w2", low_rank=False),
    _Layout("kohya", "lokr", ".lokr_w1", ".lokr_w2_a", low_rank=False),
    _Layout("kohya", "lokr", ".lokr_w1_a", ".lokr_w2_a", low_rank=False),
    _Layout("kohya", "full", ".diff", ".diff", low_rank=False),
)
_MAGNITUDES = ("dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight")
_CONTEXT = re.compile(r"attn2[._](processor\.)?to_k")
_TEXT = re.compile(r"(lora_te_|text_encoder\.|lora_te_text_model).*self_attn[._][qkv]_proj")


def claim(file: WeightFile) -> Claim | None:
    layout = max(_LAYOUTS, key=lambda each: len(_downs(file, each)))
    downs = _downs(file, layout)
    if not downs:
        return None
    context = _context_width(file, downs) if layout.low_rank else None
    facts = stated(
        Kind.LORA,
        f"{len(downs)} pairs of {layout.up} and {layout.down}",
        family=_family(file, context),
        format=Known(f"safetensors/{_dialect(layout, downs)}", Source.TENSORS, f"modules are named like {downs[0]}"),
        algorithm=_algorithm(file, layout, downs),
        rank=_rank(file, downs) if layout.low_rank else None,
        prediction_type=prediction_type(file),
        context_width=context,
    )
    return Claim(_REQUIRED, facts)


def _downs(file: WeightFile, layout: _Layout) -> Sequence[str]:
    """The halves of this layout that have their partner, in the order of the alphabet."""
    tensors = file.table.tensors
    ends = (name for name in tensors if name.endswith(layout.down))
    return sorted(name for name in ends if name.removesuffix(layout.down) + layout.up in tensors)


def _dialect(layout: _Layout, downs: Sequence[str]) -> str:
    """ComfyUI writes kohya's endings behind the dotted names of the model itself."""
    native = layout.dialect == "kohya" and not downs[0].startswith(("lora_", "lycoris_"))
    return "native" if native else layout.dialect


def _algorithm(file: WeightFile, layout: _Layout, downs: Sequence[str]) -> Known:
    if any(name.endswith(_MAGNITUDES) for name in file.table.tensors):
        return Known("dora", Source.TENSORS, "it stores magnitudes")
    if layout.algorithm == "lora" and (kernel := next((name for name in downs if _is_wide(file, name)), None)):
        return Known("locon", Source.TENSORS, f"{kernel} is a convolution")
    return Known(layout.algorithm, Source.TENSORS, f"tensors end in {layout.down}")


def _is_wide(file: WeightFile, name: str) -> bool:
    return any(side > 1 for side in file.table.tensors[name].shape[2:])


def _rank(file: WeightFile, downs: Sequence[str]) -> Known:
    widest = max(downs, key=lambda name: file.table.tensors[name].shape[:1])
    return Known(next(iter(file.table.tensors[widest].shape), None), Source.TENSORS, f"rows of {widest}")


def _context_width(file: WeightFile, downs: Sequence[str]) -> Known | None:
    """The UNet's cross-attention tells it; else a single text encoder, whose width it is."""
    for pattern in (_CONTEXT, _TEXT):
        for name in downs:
            shape = file.table.tensors[name].shape
            if pattern.search(name) and len(shape) >= 2:
                return Known(shape[1], Source.TENSORS, f"columns of {name}")
    return None


def _family(file: WeightFile, context: Known | None) -> Known | None:
    fitting = [one.name for one in known().values() if context and one.context_width == context.value]
    if context and fitting:
        return Known(fitting[0], Source.TENSORS, f"its text is {context.value} wide")
    said = next((said for said in file.header.families() if said.meaning), None)
    return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}") if said else None
