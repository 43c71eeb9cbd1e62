"""Builds modules on the meta device and gives them a file's tensors."""

import importlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import safe_open
from torch import Tensor, nn

from inference.weights.parts import TEXT_ROLES, Part, Piece
from inference.weights.text_encoder import canonical
from modelhub.errors import BrokenFile, OutOfResources

__all__ = ["build", "load_part", "numbers", "read_tensors"]


def load_part(part: Part, *, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """The module that `part` describes, with its weights, frozen, in eval mode.

    Raises `BrokenFile` naming a parameter that the file lacks. Weights that already have the wanted type and
    device stay mapped from the file: it must be replaced, never written in place.
    """
    module = build(part)
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    wanted = {name: _canonical(part, name) for name in shapes}
    missing = sorted(set(wanted.values()) - set(part.keys))
    if missing:
        raise BrokenFile(part.path, f"its {part.role} lacks {missing[0]}" + _and_more(missing))
    read = _read(part, [part.keys[name] for name in wanted.values()], device)
    with _memory(part):
        state = {
            name: _fit(part, name, numbers(part.keys[wanted[name]], read, dtype), shape)
            for name, shape in shapes.items()
        }
        module.load_state_dict(state, assign=True)
        _make_buffers_real(module)
        return module.to(device).requires_grad_(False).eval()


def build(part: Part) -> nn.Module:
    """The module on the meta device: its shapes, and no memory. Raises `BrokenFile` for sizes that cannot be."""
    package, _, name = part.component.rpartition(".")
    component = getattr(importlib.import_module(package), name)
    try:
        with torch.device("meta"):
            if part.role in TEXT_ROLES:
                config = component.config_class(**part.config)
                module: nn.Module = component(config)
            else:
                module = component(**part.config)
    except (ValueError, TypeError, LookupError, ArithmeticError, StrictDataclassError) as error:
        raise BrokenFile(part.path, f"no {part.role} has the sizes that it describes ({error})") from error
    return module


def read_tensors(path: Path, keys: Iterable[str], *, device: torch.device) -> dict[str, Tensor]:
    """Some tensors of a safetensors file: on the CPU as views of the mapped file."""
    with safe_open(path, framework="pt", device=str(device)) as file:
        return {key: file.get_tensor(key) for key in keys}


def _read(part: Part, pieces: Iterable[Piece], device: torch.device) -> Mapping[str, Tensor]:
    """The tensors that the pieces are cut from, each read once."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for piece in pieces:
        wanted[piece.file].update(name for name in (piece.tensor, piece.scale) if name)
    return {
        name: tensor
        for file, keys in wanted.items()
        for name, tensor in read_tensors(part.path / file, sorted(keys), device=device).items()
    }


def numbers(piece: Piece, read: Mapping[str, Tensor], dtype: torch.dtype) -> Tensor:
    """A parameter in the type to compute in."""
    tensor = read[piece.tensor]
    if piece.scale:
        scale = read[piece.scale].float()
        tensor = tensor.float() * (scale if scale.ndim == 0 else scale.reshape(-1, *[1] * (tensor.ndim - 1)))
    if piece.transposed:
        tensor = tensor.T
    if piece.rows:
        tensor = tensor[slice(*piece.rows)]
    return tensor.to(dtype if tensor.is_floating_point() else tensor.dtype).contiguous()


def _canonical(part: Part, name: str) -> str:
    return canonical(name) if part.role in TEXT_ROLES else name


def _fit(part: Part, name: str, tensor: Tensor, shape: torch.Size) -> Tensor:
    """1x1 convolutions and linear layers hold the same numbers; files of different age use either."""
    if tensor.shape == shape:
        return tensor
    if tensor.numel() == shape.numel() and tensor.shape[:2] == shape[:2]:
        return tensor.reshape(shape)
    raise BrokenFile(part.path, f"{name} of its {part.role} is {tuple(tensor.shape)}, not {tuple(shape)}")


def _make_buffers_real(module: nn.Module) -> None:
    """Non-persistent buffers (CLIP's position ids) are in no file: compute them as their class does."""
    for owner in module.modules():
        for name, buffer in owner.named_buffers(recurse=False):
            if buffer.is_meta and name == "position_ids":
                owner.register_buffer(name, torch.arange(buffer.shape[-1]).expand(buffer.shape), persistent=False)
    left = [name for name, tensor in _tensors(module) if tensor.is_meta]
    if left:
        raise RuntimeError(f"{type(module).__name__}.{left[0]} was left without data")


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


@contextmanager
def _memory(part: Part) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfResources(f"no memory left for the {part.role} of {part.path.name}", mend="--device cpu") from error


def _and_more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
