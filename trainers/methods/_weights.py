"""Weights that learn in the place of a module's own."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from inference.weights.load import load_part
from inference.weights.parts import Part

__all__ = ["Learned", "mixed"]


class Learned(nn.Module):
    """Weights of one module, in float32, in the place of its own, which are kept to be put back."""

    def __init__(self, module: nn.Module, part: Part, names: Sequence[str], *, near: bool) -> None:
        super().__init__()
        self.names = names
        self._module = [module]  # in a list, so that its other weights are no part of a state
        wide = _wide(module, part)
        self._kept: dict[str, Tensor] = {}
        for name in names:
            own = module.get_parameter(name).detach()
            self._kept[name] = own if near else own.cpu()
            first = wide.get_parameter(name).detach()
            self.register_parameter(_key(name), nn.Parameter(first.clone() if wide is module else first))
        self._device = next(module.parameters()).device

    def __getitem__(self, name: str) -> nn.Parameter:
        return self.get_parameter(_key(name))

    def changes(self, dtype: torch.dtype) -> bool:
        """Whether any of them is another number than the module's own, in a type."""
        return any(not torch.equal(self[name].to(own.device, dtype), own.to(dtype)) for name, own in self._kept.items())

    def put_in(self) -> None:
        for name in self.names:
            _put(self._module[0], name, self[name])

    def put_back(self) -> None:
        """The very numbers that the base had, frozen."""
        for name, own in self._kept.items():
            _put(self._module[0], name, nn.Parameter(own.to(self._device), requires_grad=False))


def mixed(module: nn.Module) -> list[RemovableHandle]:
    """Hooks that compute in the module's own precision, where that is not what its weights will have."""
    parameter = next(module.parameters())
    if parameter.dtype == torch.float32:
        return []
    context: list[torch.autocast] = []

    def enter(kind: str, dtype: torch.dtype, *_: object) -> None:
        context.append(torch.autocast(kind, dtype))
        context[-1].__enter__()  # type: ignore[no-untyped-call]

    def leave(*_: object) -> None:
        context.pop().__exit__(None, None, None)

    return [
        module.register_forward_pre_hook(partial(enter, parameter.device.type, parameter.dtype)),
        module.register_forward_hook(leave, always_call=True),
    ]


def _wide(module: nn.Module, part: Part) -> nn.Module:
    """The module in float32: from its file where it is narrower, which may hold more than it does."""
    parameter = next(module.parameters())
    if parameter.dtype == torch.float32:
        return module
    return load_part(part, device=parameter.device, dtype=torch.float32)


def _put(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
    above, _, last = name.rpartition(".")
    setattr(module.get_submodule(above), last, parameter)


def _key(name: str) -> str:
    return name.replace(".", "/")
