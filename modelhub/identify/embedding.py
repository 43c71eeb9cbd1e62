"""Embeddings (textual inversions): rows of a text encoder's input, in the dialects of webui, diffusers and kohya."""

from collections.abc import Mapping

from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.kinds import Kind, Source

_REQUIRED = 2
"""Rows of a text encoder's width, and hardly anything beside them."""
_WIDTHS = {768: "sd1", 1024: "sd2", 1280: None, 2048: None, 4096: None}
"""Columns of a text encoder's rows -> the family that has no other encoder."""
_ENCODERS: Mapping[frozenset[str], str] = {
    frozenset({"clip_l", "clip_g"}): "sdxl",
    frozenset({"clip_g"}): "sdxl",
    frozenset({"clip_l", "clip_g", "t5xxl"}): "sd3",
    frozenset({"clip_l", "t5xxl"}): "flux1",
}
"""Text encoders that it has rows for -> family."""
_NAMES = {"clip_l": "clip_l", "clip_g": "clip_g", "t5": "t5xxl", "t5xxl": "t5xxl"}
_FRONT = "string_to_param."
_MOST_TENSORS = 4
_MOST_ROWS = 256
"""A prompt has 77 places; a matrix of a text encoder's width that is higher is a weight."""

_Rows = dict[str, tuple[int, int]]
"""Tensor -> [rows, columns]."""


def claim(file: WeightFile) -> Claim | None:
    rows = _rows(file) if len(file.table.tensors) <= _MOST_TENSORS else {}
    if not rows:
        return None
    count = max(height for height, _ in rows.values())
    facts = stated(
        Kind.EMBEDDING,
        f"{count} {'row' if count == 1 else 'rows'} for a text encoder in {', '.join(rows)}",
        family=_family(file, rows),
        format=_format(file, rows),
        context_width=_width(rows),
    )
    return Claim(_REQUIRED, facts)


def _rows(file: WeightFile) -> _Rows:
    """The tensors that are rows for a text encoder: by their name, or because they stand alone in its width."""
    shapes = {name: entry.shape for name, entry in file.table.tensors.items() if len(entry.shape) in (1, 2)}
    rows = {name: (shape[0] if len(shape) == 2 else 1, shape[-1]) for name, shape in shapes.items()}
    named = {name: size for name, size in rows.items() if name in _NAMES or name.startswith(_FRONT)}
    alone = rows if len(file.table.tensors) == 1 and ("emb_params" in rows or _are_encoder_wide(rows)) else {}
    found = named or alone
    return found if all(0 < high <= _MOST_ROWS for high, _ in found.values()) else {}


def _are_encoder_wide(rows: _Rows) -> bool:
    return all(width in _WIDTHS for _, width in rows.values())


def _family(file: WeightFile, rows: _Rows) -> Known | None:
    encoders = frozenset(_NAMES[name] for name in rows if name in _NAMES)
    widths = {width for _, width in rows.values()}
    told = _ENCODERS.get(encoders) if encoders else _WIDTHS.get(min(widths)) if len(widths) == 1 else None
    if told:
        detail = f"rows for {', '.join(sorted(encoders))}" if encoders else f"rows are {min(widths)} wide"
        return Known(told, Source.TENSORS, detail)
    said = next((said for said in file.header.families() if said.meaning), None)
    return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}") if said else None


def _width(rows: _Rows) -> Known | None:
    """Of the only text encoder that it is for."""
    name, (_, width) = next(iter(rows.items()))
    return Known(width, Source.TENSORS, f"columns of {name}") if len(rows) == 1 else None


def _format(file: WeightFile, rows: _Rows) -> Known:
    first = next(iter(rows))
    kohya = first in _NAMES or first == "emb_params"
    dialect = "webui" if first.startswith(_FRONT) else "kohya" if kohya else "diffusers"
    return Known(f"{file.table.container}/{dialect}", Source.TENSORS, f"its rows are called {first}")
