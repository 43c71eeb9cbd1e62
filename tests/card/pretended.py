"""A pretended graphics card: tensors that say they lie on ``cuda:0``, and compute on the processor.

Like a real one it refuses to mix its tensors with the processor's, so what would fail on the first machine with a card
fails here; and as its numbers are the processor's, results can be compared to the bit. To C++ it is PyTorch's place for
other people's devices (``PrivateUse1``), which a process that has it once keeps: it belongs into a process of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
import torch._dynamo  # while it is imported it would look for the card
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

__all__ = ["card"]


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.float16, torch.bfloat16]


_setup_privateuseone_for_python_backend("pretended", _Backend())


_CPU, _SAID, _OWN = torch.device("cpu"), torch.device("cuda", 0), torch.device("pretended", 0)
"""What it computes on, what Python is told, and what C++ is told."""
_INDEXING = {"aten::index", "aten::index_put_", "aten::index_put", "aten::_index_put_impl_"}
"""A card's tensor may be indexed by the processor's, never the other way round."""
_MAY_MIX = {"aten::copy_", "aten::to", "aten::_to_copy", *_INDEXING}


@contextmanager
def card() -> Iterator[None]:
    """Within it `torch.cuda` tells of one card with 8 GiB, which keeps nothing when it ends."""
    with mock.patch.multiple(torch.cuda, **_CUDA), _Asked(), _Computed():
        yield


_CUDA: Mapping[str, Callable[..., Any]] = {
    "is_available": lambda: True,
    "device_count": lambda: 1,
    "current_device": lambda: 0,
    "get_device_name": lambda device=None: "pretended",
    "get_device_capability": lambda device=None: (9, 0),
    "mem_get_info": lambda device=None: (8 << 30, 8 << 30),
    "max_memory_allocated": lambda device=None: 0,
    "reset_peak_memory_stats": lambda device=None: None,
    "empty_cache": lambda: None,
    "synchronize": lambda device=None: None,
    "manual_seed_all": lambda seed: None,
    "get_rng_state": lambda device=None: torch.get_rng_state(),
    "set_rng_state": lambda state, device=None: torch.set_rng_state(state),
}


class _OnCard(Tensor):
    """Holds the numbers in a tensor of the processor."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "_OnCard":
        return Tensor._make_wrapper_subclass(  # type: ignore[attr-defined, no-any-return]
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=_OWN,
        )

    def __init__(self, held: Tensor) -> None:
        self.held = held

    def __repr__(self) -> str:  # type: ignore[override]
        return f"{self.held!r} on a card"

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return _SAID

    @property
    def is_cuda(self) -> bool:  # type: ignore[override]
        return True

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


class _Asked(TorchFunctionMode):
    """Turns what Python says of the card into what C++ knows it by."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.device:
            return func(*args, **kwargs)
        if func is Tensor.numpy and isinstance(args[0], _OnCard):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func is Tensor.tolist and isinstance(args[0], _OnCard):
            return args[0].held.tolist()
        if func in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[1], list):
            args = (args[0], torch.tensor(args[1]), *args[2:])
        args = tuple(_own(one) if isinstance(one, torch.device | str) else one for one in args)
        device = _own(kwargs.get("device"))
        if func in (torch.tensor, torch.as_tensor, torch.asarray):  # which would fill the card's memory from C++
            made = func(*args, **{**kwargs, "device": None})
            return made if device is None else made.to(device)
        if device is not None:
            kwargs["device"] = device
        return func(*args, **kwargs)


class _Computed(TorchDispatchMode):
    """Also where no tensor of the card is given: new ones are made on it."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


@torch.inference_mode(False)
@torch.no_grad()
def _computed(func: Any, args: Any, kwargs: Any) -> Any:
    leaves = tree_leaves((args, kwargs))
    _refuse_mixing(func._schema.name, args, leaves)
    device = next((one for one in leaves if isinstance(one, torch.device)), None)
    if device is not None:
        args, kwargs = tree_map(lambda one: _CPU if one == _OWN else one, (args, kwargs))
        kwargs.pop("pin_memory", None)
    came = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if not _is_of_card(func, args, leaves, device):
        return came
    came = tree_map(lambda one: _OnCard(one) if type(one) is Tensor and one.device == _CPU else one, came)
    return return_and_correct_aliasing(func, args, kwargs, came) if device is None else came


def _refuse_mixing(name: str, args: Any, leaves: list[Any]) -> None:
    """Numbers without dimensions may be mixed in."""
    cards = [one for one in leaves if isinstance(one, _OnCard)]
    others = [one for one in leaves if type(one) is Tensor and one.device == _CPU]
    is_indexed_by_card = name in _INDEXING and not isinstance(args[0], _OnCard)
    if cards and (is_indexed_by_card or (name not in _MAY_MIX and any(one.dim() for one in others))):
        raise RuntimeError(f"{name}: Expected all tensors to be on the same device, found cuda:0 and cpu")


def _is_of_card(func: Any, args: Any, leaves: list[Any], device: torch.device | None) -> bool:
    """Whether the result lies on the card: where it is asked for, or where what is written to or read lies."""
    if device is not None:
        return device == _OWN
    first = next(iter(func._schema.arguments), None)
    if first is not None and first.alias_info is not None and first.alias_info.is_write and args:
        leaves = tree_leaves(args[0])
    elif func._schema.name == "aten::to":  # to(other)
        leaves = [one for one in args if isinstance(one, Tensor)][-1:]
    return any(isinstance(one, _OnCard) for one in leaves)


def _held(leaf: Any) -> Any:
    return leaf.held if isinstance(leaf, _OnCard) else leaf


def _own(place: Any) -> Any:
    is_card = isinstance(place, torch.device | str) and str(place).partition(":")[0] == "cuda"
    return _OWN if is_card else place
