"""The parts of a model -> rows of a checkpoint, or of the files in a pipeline's folder."""

from collections.abc import Iterator, Mapping
from math import prod

from inference.weights.layout import Stack, checkpoint_layout
from inference.weights.load import build
from inference.weights.parts import TEXT_ROLES, Part, Weights
from inference.weights.rows import Precision, Row, Source, bytes_of, has_fraction, in_eight_bits, wanted_type
from inference.weights.text_encoder import canonical
from modelhub.errors import BrokenFile, Incompatible

__all__ = ["checkpoint_rows", "component_rows"]


def checkpoint_rows(part: Part, weights: Weights, family: str, precision: Precision | None) -> tuple[Row, ...]:
    """In the latent-diffusion layout, under the names that every tool reads."""
    shapes = _shapes(part)
    layout = checkpoint_layout(part.role, family, part.config, shapes)
    return tuple(_rows(layout, part, weights, shapes, precision))


def component_rows(part: Part, weights: Weights, precision: Precision | None) -> tuple[Row, ...]:
    """As diffusers and transformers name them."""
    shapes = _shapes(part)
    return tuple(_rows({name: Stack((name,)) for name in shapes}, part, weights, shapes, precision))


def _shapes(part: Part) -> dict[str, tuple[int, ...]]:
    """Of each of the module's parameters, by canonical name; raises `BrokenFile` for one that the files lack."""
    state = build(part).state_dict()
    is_text = part.role in TEXT_ROLES
    shapes = {canonical(name) if is_text else name: tuple(tensor.shape) for name, tensor in state.items()}
    for name, shape in shapes.items():
        if name not in part.keys:
            raise BrokenFile(part.path, f"its {part.role} lacks {name}")
        if prod(part.shapes[name]) != prod(shape):
            raise BrokenFile(part.path, f"{name} of its {part.role} is {part.shapes[name]}, not {shape}")
    return shapes


def _rows(
    layout: Mapping[str, Stack],
    part: Part,
    weights: Weights,
    shapes: Mapping[str, tuple[int, ...]],
    precision: Precision | None,
) -> Iterator[Row]:
    for name, stack in layout.items():
        sources = tuple(_source(part, weights, parameter) for parameter in stack.parameters)
        dtype = wanted_type((source.dtype for source in sources), precision)
        dtype = Precision.F16.value if in_eight_bits(dtype) else dtype
        shape = _shape(stack, [shapes[parameter] for parameter in stack.parameters])
        yield Row(name, dtype, shape, sources, prod(shape) * bytes_of(dtype), transposed=stack.transposed)


def _source(part: Part, weights: Weights, parameter: str) -> Source:
    piece = part.keys[parameter]
    dtype = weights.table.tensors[piece.tensor].dtype
    if not has_fraction(dtype):
        raise Incompatible(f"{piece.tensor} of {part.path} is packed ({dtype}): such weights keep their layout")
    return Source(part.path / piece.file, piece, dtype)


def _shape(stack: Stack, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    shape = (sum(one[0] for one in shapes), *shapes[0][1:])
    if stack.transposed:
        return shape[::-1]
    return (*shape, 1, 1) if stack.as_convolution else shape
