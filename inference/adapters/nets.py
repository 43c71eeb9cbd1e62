"""Hypernetworks at work: small nets before the keys and values of a UNet's attention."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from inference.adapters.hypernetwork import Layer, Net
from inference.plan.nouns import HypernetworkPlan
from inference.weights.load import read_tensors
from modelhub.errors import Incompatible

__all__ = ["Attending", "Chain", "activation", "before_attention", "network"]

_HALVES = {"to_k": 0, "to_v": 1}
"""Projection -> which net of a pair stands before it."""
Chain: TypeAlias = Sequence[tuple[float, Mapping[int, nn.Module]]]
"""Strengths, and nets by the width that they are for; each adds to what the ones before made."""
_Pairs: TypeAlias = Mapping[int, tuple[nn.Module, nn.Module]]
_ACTIVATIONS = {"linear": nn.Identity, "swish": nn.Hardswish}
"""Where webui's name is not torch's own in lower case."""


class Attending:
    """The hypernetworks that act on a UNet; none at first."""

    def __init__(self, unet: nn.Module) -> None:
        self._unet = unet
        self._plans: tuple[HypernetworkPlan, ...] = ()
        self._hooks: list[RemovableHandle] = []

    def switch(self, plans: tuple[HypernetworkPlan, ...]) -> None:
        """Let exactly these act, in their order; nothing of the UNet itself changes."""
        if self._plans == plans:
            return
        device = next(self._unet.parameters()).device
        loaded = [(plan.strength, _networks(plan, device)) for plan in plans if plan.strength != 0.0]
        for hook in self._hooks:
            hook.remove()
        keys, values = (
            [(strength, {width: pair[half] for width, pair in nets.items()}) for strength, nets in loaded]
            for half in (0, 1)
        )
        self._hooks = list(before_attention(self._unet, keys, values)) if loaded else []
        self._plans = plans


def network(net: Net, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The net as a module, float32, in eval mode; raises `Incompatible` for an activation that torch has not."""
    modules: list[nn.Module] = []
    last = max(index for index, layer in enumerate(net.layers) if not layer.is_norm)
    for index, layer in enumerate(net.layers):
        modules.append(_module(layer, tensors))
        if not layer.is_norm and (index != last or net.activates_output):
            modules.append(activation(net.activation))
    return nn.Sequential(*modules).float().eval().requires_grad_(False)


def before_attention(unet: nn.Module, keys: Chain, values: Chain) -> Iterator[RemovableHandle]:
    """Have nets stand before every attention's keys and values, as many as the chains hold at the time."""
    for name, module in unet.named_modules():
        half = _HALVES.get(name.rpartition(".")[2])
        if half is not None:
            yield module.register_forward_pre_hook(partial(_put_before, (keys, values)[half]))


def activation(name: str) -> nn.Module:
    """By webui's name of it; raises `Incompatible` for one that torch has not."""
    named = {one.lower(): getattr(nn, one) for one in nn.modules.activation.__all__} | _ACTIVATIONS
    try:
        module: nn.Module = named[name]()
    except (KeyError, TypeError):
        raise Incompatible(
            f"a hypernetwork with the activation {name!r} cannot be applied",
            mend="activations are webui's: linear, relu, leakyrelu, elu, swish, tanh, sigmoid, and torch's others",
        ) from None
    return module


def _networks(plan: HypernetworkPlan, device: torch.device) -> _Pairs:
    names = [
        tensor
        for pair in plan.nets.values()
        for net in pair
        for layer in net.layers
        for tensor in (layer.weight, layer.bias)
    ]
    tensors = read_tensors(plan.path, names, device=device)
    return {width: (network(keys, tensors), network(values, tensors)) for width, (keys, values) in plan.nets.items()}


def _put_before(chain: Chain, _module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each adds its answer times its strength to what enters, in float32; one without a net for this width does not."""
    context, *others = inputs
    for strength, nets in chain:
        if net := nets.get(context.shape[-1]):
            wide = context.float()
            context = (wide + net(wide) * strength).to(context.dtype)
    return (context, *others)


def _module(layer: Layer, tensors: Mapping[str, Tensor]) -> nn.Module:
    module: nn.Module = nn.LayerNorm(layer.shape) if layer.is_norm else nn.Linear(layer.shape[1], layer.shape[0])
    module.load_state_dict({"weight": tensors[layer.weight], "bias": tensors[layer.bias]}, assign=True)
    return module
