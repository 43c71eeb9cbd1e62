"""How each tool names the tensors of a delta, and what they tell of the weight that it changes.

Endings are those of kohya's sd-scripts, LyCORIS, peft, diffusers and XLabs' x-flux.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from modelhub.families import Pattern
from modelhub.headers import TensorEntry
from modelhub.identify._known import WeightFile

__all__ = ["LAYOUTS", "Deltas", "Layout", "deltas_of", "magnitudes"]

_FRONTS = ("lora_", "lycoris_", "oft_", "diffusion_model.", "unet.", "transformer.", "text_encoder", "base_model.")
_MAGNITUDES = ("dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight")

_Tensors = Mapping[str, TensorEntry]


@dataclass(frozen=True, slots=True)
class Layout:
    """The tensors that one algorithm stores for a module, as one tool names them."""

    algorithm: str
    main: str
    """Ending of the tensor that is counted: for low rank the half whose shape is [rank, columns, ...]."""
    partner: str | None = None
    """Ending of another tensor that every module has."""
    low_rank: bool = True
    dialect: str | None = None
    """Where the ending tells it; else the names before it do."""
    common: bool = False
    """Whether other kinds have tensors of such an ending, so that the names must begin as a LoRA's do."""
    sides: int | None = None
    """Length of the main tensor's shape, where it tells two algorithms apart."""

    @property
    def key(self) -> str:
        """Where `WeightFile.endings` lists it."""
        parts = self.main.split(".")
        return ".".join(parts[-2:] if parts[-1] in ("weight", "bias") else parts[-1:])


LAYOUTS = (
    Layout("lora", ".lora_down.weight", ".lora_up.weight"),
    Layout("lora", ".lora_A.weight", ".lora_B.weight", dialect="peft"),
    Layout("lora", ".lora_A.default.weight", ".lora_B.default.weight", dialect="peft"),
    Layout("lora", "_lora.down.weight", "_lora.up.weight", dialect="diffusers"),
    Layout("lora", ".lora.down.weight", ".lora.up.weight", dialect="diffusers"),
    Layout("lora", ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight", dialect="diffusers"),
    Layout("lora", "_lora1.down.weight", "_lora1.up.weight", dialect="diffusers"),
    Layout("lora", "_lora2.down.weight", "_lora2.up.weight", dialect="diffusers"),
    Layout("loha", ".hada_w1_b", ".hada_w1_a"),
    Layout("lokr", ".lokr_w1"),
    Layout("lokr", ".lokr_w1_a", ".lokr_w1_b"),
    Layout("glora", ".a1.weight", ".b2.weight", common=True),
    Layout("boft", ".oft_blocks", low_rank=False, sides=4),
    Layout("oft", ".oft_blocks", low_rank=False, sides=3),
    Layout("oft", ".oft_diag", low_rank=False),
    Layout("oft", ".oft_R.weight", low_rank=False),
    Layout("oft", ".oft_R.default.weight", low_rank=False),
    Layout("boft", ".boft_R", low_rank=False),
    Layout("ia3", ".on_input", ".weight", low_rank=False, common=True),
    Layout("ia3", ".ia3_l", low_rank=False),
    Layout("full", ".diff", low_rank=False, common=True),
    Layout("norm", ".w_norm", low_rank=False, common=True),
)


@dataclass(frozen=True, slots=True)
class Deltas:
    """The tensors of one layout in a file."""

    layout: Layout
    names: Sequence[str]
    """Of the main tensors, in the file's order."""

    def module(self, name: str) -> str:
        """The path of the module that a main tensor belongs to."""
        return name[: -len(self.layout.main)]

    def size(self, tensors: _Tensors, name: str) -> Pattern:
        """[rows, columns] of the weight that it changes; None for a side that its tensors do not tell."""
        size = _SIZES.get(self.layout.algorithm)
        return size(tensors, self.module(name), self.layout) if size else (None, None)

    def rank(self, tensors: _Tensors) -> tuple[int, str] | None:
        """The largest one, and the tensor that shows it."""
        if not self.layout.low_rank:
            return None
        lokr = self.layout.algorithm == "lokr"
        names = [half for name in self.names for half in _lokr_halves(tensors, name)] if lokr else self.names
        shapes = [tensors[name].shape or (0,) for name in names]
        ranks = [min(shape) for shape in shapes] if self.layout.algorithm == "glora" else [shape[0] for shape in shapes]
        largest = max(ranks, default=0)
        return (largest, names[ranks.index(largest)]) if largest else None


def deltas_of(file: WeightFile) -> list[Deltas]:
    """Every layout that the file holds tensors of, the one with most modules first."""
    found = [Deltas(layout, names) for layout in LAYOUTS if (names := _names(file, layout))]
    return sorted(found, key=lambda one: -len(one.names))


def magnitudes(file: WeightFile) -> int:
    """How many modules have the magnitudes of a DoRA."""
    plain = sum(len(file.endings.get(ending, ())) for ending in _MAGNITUDES)
    return plain + sum("lora_magnitude_vector" in name for name in file.endings.get("default.weight", ()))


def _names(file: WeightFile, layout: Layout) -> Sequence[str]:
    names = file.endings.get(layout.key)
    if not names:
        return ()
    if not _pairs(file, layout, names[0]) or not _pairs(file, layout, names[-1]):
        return [name for name in names if _pairs(file, layout, name)]
    return names if layout.key == layout.main[1:] else [name for name in names if name.endswith(layout.main)]


def _pairs(file: WeightFile, layout: Layout, name: str) -> bool:
    tensors = file.table.tensors
    return (
        name.endswith(layout.main)
        and (layout.partner is None or name[: -len(layout.main)] + layout.partner in tensors)
        and (layout.sides is None or len(tensors[name].shape) == layout.sides)
        and (not layout.common or name.startswith(_FRONTS))
    )


def _halves(tensors: _Tensors, module: str, layout: Layout) -> Pattern:
    rows, columns = _shape(tensors, f"{module}{layout.partner}"), _shape(tensors, module + layout.main)
    return (rows[0] if rows else None, columns[1] if len(columns) > 1 else None)


def _glora(tensors: _Tensors, module: str, layout: Layout) -> Pattern:
    columns, rows = _shape(tensors, f"{module}.a1.weight"), _shape(tensors, f"{module}.b2.weight")
    return (max(rows, default=None), max(columns, default=None))


def _kronecker(tensors: _Tensors, module: str, layout: Layout) -> Pattern:
    sides = [_factor(tensors, f"{module}.lokr_{factor}") for factor in ("w1", "w2")]
    rows, columns = zip(*sides, strict=True)
    return (None if None in rows else prod(rows), None if None in columns else prod(columns))


def _factor(tensors: _Tensors, at: str) -> tuple[int | None, int | None]:
    """[rows, columns] of a factor, whole or itself of low rank."""
    whole = _shape(tensors, at)
    rows, columns = whole or _shape(tensors, f"{at}_a"), whole or _shape(tensors, f"{at}_b")
    return (rows[0] if rows else None, columns[1] if len(columns) > 1 else None)


def _lokr_halves(tensors: _Tensors, name: str) -> list[str]:
    module = name.rpartition(".")[0]
    return [half for half in (f"{module}.lokr_w1_b", f"{module}.lokr_w2_b") if half in tensors]


def _blocks(tensors: _Tensors, module: str, layout: Layout) -> Pattern:
    """LyCORIS and kohya turn what comes out of a module, peft what goes into it."""
    shape = _shape(tensors, module + layout.main)
    return (shape[-3] * shape[-2] if layout.main == ".oft_blocks" and len(shape) >= 3 else None, None)


def _whole(tensors: _Tensors, module: str, layout: Layout) -> Pattern:
    shape = _shape(tensors, module + layout.main)
    return (shape[0], shape[1]) if len(shape) >= 2 else (None, None)


def _shape(tensors: _Tensors, name: str) -> tuple[int, ...]:
    """Empty, too, where there is no such tensor."""
    entry = tensors.get(name)
    return entry.shape if entry else ()


_SIZES: Mapping[str, Callable[[_Tensors, str, Layout], Pattern]] = {
    "lora": _halves,
    "loha": _halves,
    "lokr": _kronecker,
    "glora": _glora,
    "oft": _blocks,
    "boft": _blocks,
    "full": _whole,
}
"""Algorithm -> what its tensors tell of the size of a module."""
