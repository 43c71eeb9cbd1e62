"""Adds adapters to live weights, takes them out again to the bit, and changes from one set to another by difference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from safetensors.torch import load
from torch import Tensor, nn

from inference.adapters.algorithms import applied, delta_of
from inference.adapters.layers import Additive, Layer
from inference.adapters.targets import Target
from inference.plan import AdapterPlan
from inference.weights.parts import TEXT_ROLES
from inference.weights.text_encoder import CANONICAL

__all__ = ["Factors", "Merged", "deltas", "module_of", "read_factors"]


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The tensors of an adapter's file, read: float32, on the device that merges them."""

    tensors: Mapping[str, Tensor]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.nbytes for one in self.tensors.values())


@dataclass(frozen=True, slots=True)
class _Dose:
    """What one adapter does to one parameter."""

    layer: Layer
    strength: float
    rank: int | None
    factors: Factors


class Merged:
    """A live module and the adapters that are in it.

    Each is applied in float32 to the weight as the ones before it left it, so that a step costs nothing extra. On a
    GPU the weights stay where they are; elsewhere they may be mapped from a file, and another tensor takes their place.
    """

    def __init__(self, role: str, module: nn.Module) -> None:
        self._role = role
        self._module = module
        self._originals: dict[Target, Tensor] = {}
        self._doses: dict[Target, tuple[_Dose, ...]] = {}

    @torch.no_grad()
    def switch(self, adapters: Sequence[tuple[AdapterPlan, Factors]]) -> None:
        """Have these in it and no others; only parameters that come out otherwise are touched."""
        wanted = self._wanted(adapters)
        try:
            for target in self._doses.keys() - wanted.keys():
                self._put_back(target)
            for target, doses in wanted.items():
                if self._doses.get(target) != doses:
                    self._merge(target, doses)
        except BaseException:
            self.restore()
            raise

    @torch.no_grad()
    def restore(self) -> None:
        """Put the numbers back that stood there before, to the bit."""
        for target in list(self._originals):
            self._put_back(target)

    def _wanted(self, adapters: Sequence[tuple[AdapterPlan, Factors]]) -> dict[Target, tuple[_Dose, ...]]:
        wanted: dict[Target, tuple[_Dose, ...]] = {}
        for adapter, factors in adapters:
            for target, layer in adapter.layers.items():
                if target.role == self._role and (strength := adapter.strength(target)):
                    wanted[target] = (*wanted.get(target, ()), _Dose(layer, strength, adapter.rank, factors))
        return wanted

    def _merge(self, target: Target, doses: Sequence[_Dose]) -> None:
        parameter = _parameter_of(self._module, target)
        original = self._kept(target, parameter)
        own = parameter.data
        direct = own.dtype == torch.float32 and own.is_contiguous()
        weight = own.copy_(original) if direct else original.float().contiguous()
        for dose in doses:
            weight = applied(dose.layer, weight, dose.factors.tensors, dose.strength, dose.rank)
        if weight is not own:
            own.copy_(weight)
        self._doses[target] = tuple(doses)

    def _kept(self, target: Target, parameter: nn.Parameter) -> Tensor:
        """What the file says; the parameter's memory is ours to write to from then on."""
        if target not in self._originals:
            in_place = parameter.is_cuda
            self._originals[target] = parameter.data.clone() if in_place else parameter.data
            if not in_place:
                parameter.data = torch.empty_like(parameter.data)
        return self._originals[target]

    def _put_back(self, target: Target) -> None:
        parameter, original = _parameter_of(self._module, target), self._originals.pop(target)
        self._doses.pop(target, None)
        if parameter.is_cuda:
            parameter.data.copy_(original)
        else:
            parameter.data = original


def read_factors(adapter: AdapterPlan, device: torch.device) -> Factors:
    """All that merging the adapter reads, at one go: one by one, hundreds of small tensors take twice the time."""
    tensors = load(adapter.path.read_bytes())
    return Factors({name: tensors[name].to(device, torch.float32) for name in adapter.tensor_names()})


def deltas(adapter: AdapterPlan) -> Iterator[tuple[Target, Tensor]]:
    """What each layer adds at strength 1, float32, [rows, columns] or the weight's own shape; none that turns a weight.

    Layers whose change depends on the weight are left out.
    """
    tensors = read_factors(adapter, torch.device("cpu")).tensors
    for target, layer in adapter.layers.items():
        if isinstance(layer, get_args(Additive)):
            yield target, delta_of(layer, tensors)


def module_of(models: Mapping[str, nn.Module], target: Target) -> nn.Module:
    """The live module of a target, whatever the installed transformers calls it."""
    return _module_within(models[target.role], target)


def _module_within(root: nn.Module, target: Target) -> nn.Module:
    name = target.module
    if target.role in TEXT_ROLES and not hasattr(root, CANONICAL.rstrip(".")):
        name = name.removeprefix(CANONICAL)
    return root.get_submodule(name)


def _parameter_of(root: nn.Module, target: Target) -> nn.Parameter:
    parameter = getattr(_module_within(root, target), target.parameter)
    assert isinstance(parameter, nn.Parameter)
    return parameter
