"""Adds adapters to live weights, and takes them out again to the bit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inference.adapters.lora import LoraLayer, Target
from inference.plan import AdapterPlan
from inference.weights.load import read_tensors
from inference.weights.single_file import TEXT_ENCODER
from inference.weights.text_encoder import CANONICAL

__all__ = ["Merged", "deltas", "module_of"]


@dataclass
class Merged:
    """Models with adapters in them; keeps the tensors that it replaced."""

    models: Mapping[str, nn.Module]
    _originals: dict[nn.Parameter, Tensor]

    @classmethod
    def apply(cls, models: Mapping[str, nn.Module], adapters: Sequence[AdapterPlan]) -> "Merged":
        """Add the adapters in order, each in float32 on the weight as it then is, so a step costs nothing extra."""
        merged = cls(models, {})
        try:
            for adapter in adapters:
                merged._add(adapter)
        except BaseException:
            merged.restore()
            raise
        return merged

    def restore(self) -> None:
        """Put the very tensors back that stood there before."""
        for parameter, original in self._originals.items():
            parameter.data = original
        self._originals.clear()

    def _add(self, adapter: AdapterPlan) -> None:
        strength = {TEXT_ENCODER: adapter.text_encoder}
        for target, delta in deltas(adapter):
            scale = strength.get(target.role, adapter.unet)
            if scale == 0.0:
                continue
            weight = module_of(self.models, target).weight
            assert isinstance(weight, nn.Parameter)
            self._originals.setdefault(weight, weight.data)
            change = delta.to(weight.device).reshape(weight.shape) * scale
            weight.data = (weight.data.float() + change).to(weight.dtype)


def deltas(adapter: AdapterPlan) -> Iterator[tuple[Target, Tensor]]:
    """What each layer adds to its weight at strength 1: alpha / rank * up @ down, [out, in * kernel], float32."""
    tensors = read_tensors(adapter.path, adapter.tensor_names(), device=torch.device("cpu"))
    for target, layer in adapter.layers.items():
        up, down = tensors[layer.up].float(), tensors[layer.down].float()
        yield target, up.flatten(1) @ down.flatten(1) * _scale(layer, tensors)


def module_of(models: Mapping[str, nn.Module], target: Target) -> nn.Module:
    """The live module of a target, whatever the installed transformers calls it."""
    root = models[target.role]
    name = target.module
    if target.role == TEXT_ENCODER and not hasattr(root, CANONICAL.rstrip(".")):
        name = name.removeprefix(CANONICAL)
    return root.get_submodule(name)


def _scale(layer: LoraLayer, tensors: Mapping[str, Tensor]) -> float:
    alpha = tensors[layer.alpha].item() if isinstance(layer.alpha, str) else layer.alpha
    return 1.0 if alpha is None else float(alpha) / layer.rank
