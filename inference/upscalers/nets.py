"""Loads networks from picture to picture, upscalers and face restorers, and keeps the last few."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import Tensor

from inference.weights.load import read_tensors
from modelhub.errors import BrokenFile, Incompatible, MissingPackage, OutOfResources
from modelhub.headers import read_table

__all__ = ["Net", "Nets", "is_out_of_memory", "load_net"]

_KEPT = 3
"""An upscaler, a second one, a face restorer."""
_COLOURS = 3
_ALLOCATOR = "DefaultCPUAllocator"
"""In what torch says when the machine's own memory is full: no class of error tells it."""
_TORCHVISION = "torchvision.transforms.functional"
"""The module that spandrel takes three names of."""


class Net(Protocol):
    """A network from picture to picture."""

    @property
    def scale(self) -> int:
        """By how much it enlarges a side."""

    def __call__(self, pixels: Tensor) -> Tensor:
        """[1, 3, h, w] of 0..1 -> [1, 3, h * scale, w * scale], the same."""


class Nets:
    """The networks that are loaded on one device, the last used ones."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._held: dict[tuple[object, ...], Net] = {}

    def load(self, path: Path) -> Net:
        """The network of a file, read only where it is not held, or has changed."""
        stamp = _stamp(path)
        net = self._held.pop(stamp, None) or load_net(path, self.device)
        self._held[stamp] = net
        for old in list(self._held)[:-_KEPT]:
            del self._held[old]
        return net

    def clear(self) -> None:
        """Give their memory back."""
        self._held.clear()


def load_net(path: Path, device: torch.device) -> Net:
    """The network whose weights a safetensors file holds, in float32.

    Raises `BrokenFile` for weights that do not fit together, `Incompatible` for a network of another sort.
    """
    tensors = read_tensors(path, read_table(path).tensors, device=torch.device("cpu"))
    spandrel = import_spandrel()
    try:
        net = spandrel.ModelLoader(device).load_from_state_dict(tensors)
        net = net.float().eval()
    except spandrel.UnsupportedModelError as error:
        raise Incompatible(f"{path.name} is no network that spandrel {spandrel.__version__} knows") from error
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise OutOfResources(f"no memory left for {path.name}", mend="--device cpu") from error
        raise BrokenFile(path, f"its weights do not fit together ({str(error).splitlines()[0]})") from error
    if not isinstance(net, spandrel.ImageModelDescriptor) or net.input_channels != _COLOURS:
        raise Incompatible(f"{path.name} is a network that does not make a colour picture of a colour picture")
    return _Gfpgan(net) if net.architecture.id == "GFPGAN" else net  # type: ignore[no-any-return]


class _Gfpgan:
    """GFPGAN as it was trained: of -1..1, and with the noise of its file rather than chance (spandrel has neither)."""

    def __init__(self, net: Any) -> None:
        self._net = net
        self.scale: int = net.scale

    def __call__(self, pixels: Tensor) -> Tensor:
        found: Tensor = self._net.model(pixels * 2 - 1, return_rgb=False, randomize_noise=False)[0]
        return (found + 1) / 2


def import_spandrel() -> Any:
    """spandrel, also where torchvision is not installed, or is made for another torch and fails on import."""
    try:
        with _torchvision():
            import spandrel
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "inference") from error
    return spandrel


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device's memory is full, or the machine's."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or _ALLOCATOR in str(error)


@contextmanager
def _torchvision() -> Iterator[None]:
    """Something to import by torchvision's names where it cannot be imported itself."""
    try:
        importlib.import_module(_TORCHVISION)
    except (ImportError, RuntimeError):
        kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "torchvision"}
        stand_ins = _stand_ins()
        sys.modules.update(stand_ins)
        try:
            yield
        finally:
            for name in stand_ins:
                del sys.modules[name]
            sys.modules.update(kept)
    else:
        yield


def _stand_ins() -> dict[str, ModuleType]:
    """RestoreFormer calls the first of the three names; LaMa, which no picture comes to here, the others."""
    parts = _TORCHVISION.split(".")
    modules = {name: ModuleType(name) for name in (".".join(parts[:end]) for end in range(1, len(parts) + 1))}
    vars(modules[_TORCHVISION]).update(normalize=_normalized, rotate=None, InterpolationMode=None)
    return modules


def _normalized(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Channel by channel, [..., C, h, w]."""
    shape = (-1, 1, 1)
    return (pixels - pixels.new_tensor(mean).view(shape)) / pixels.new_tensor(std).view(shape)


def _stamp(path: Path) -> tuple[object, ...]:
    """Tells whether a file is still what was loaded from it."""
    status = path.stat()
    return path, status.st_size, status.st_mtime_ns, status.st_ino
