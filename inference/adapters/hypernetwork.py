"""Hypernetwork files of stable-diffusion-webui -> the nets that they hold (pure, no torch)."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from modelhub.errors import Incompatible
from modelhub.headers import TensorTable

__all__ = ["Layer", "Net", "NetPair", "parse_hypernetwork"]

_TENSOR = re.compile(r"(?P<width>\d+)\.(?P<half>[01])\.linear\.?(?P<place>\d+)\.(?P<tensor>weight|bias)")
"""``768.0.linear.0.weight``; the oldest files say ``linear1`` and ``linear2``."""
_CONVERTED = "modelhub.pickle."


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer, or a norm of each vector."""

    weight: str
    """Tensor of the file: [out, in] of a linear layer, [width] of a norm."""
    bias: str
    shape: tuple[int, ...]
    """Of `weight`."""

    @property
    def is_norm(self) -> bool:
        return len(self.shape) == 1


@dataclass(frozen=True, slots=True)
class Net:
    """Layers one after the other, with activations between them."""

    layers: tuple[Layer, ...]
    activation: str
    """webui's name of it: ``relu``, ``swish``, ...; ``linear`` is none."""
    activates_output: bool
    """Whether the last linear layer is followed by one too."""


NetPair = tuple[Net, Net]
"""For keys and for values."""


def parse_hypernetwork(path: Path, table: TensorTable) -> dict[int, NetPair]:
    """Width of what enters attention -> its nets; raises `Incompatible` for what is no hypernetwork.

    What a pickle said beside its tensors stands in the converted file's header; dropout is for training alone.
    """
    activation = _said(table, "activation_func", "linear")
    activates_output = _said(table, "activate_output", "True") == "True"
    nets = {
        key: Net(layers, "linear" if activation == "None" else activation, activates_output)
        for key, layers in _layers(path, table).items()
    }
    widths = {width for width, _ in nets}
    if not widths or any((width, half) not in nets for width in widths for half in (0, 1)):
        raise Incompatible(f"{path.name} holds no pairs of nets for keys and values")
    return {width: (nets[width, 0], nets[width, 1]) for width in sorted(widths)}


def _layers(path: Path, table: TensorTable) -> dict[tuple[int, int], tuple[Layer, ...]]:
    """(width, 0 for keys or 1 for values) -> layers in their order."""
    found: defaultdict[tuple[int, int], dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name in table.tensors:
        if match := _TENSOR.fullmatch(name):
            key = int(match["width"]), int(match["half"])
            found[key][int(match["place"])][match["tensor"]] = name
    return {key: _in_a_row(path, key[0], places, table) for key, places in found.items()}


def _in_a_row(path: Path, width: int, places: Mapping[int, Mapping[str, str]], table: TensorTable) -> tuple[Layer, ...]:
    layers = []
    for place, tensors in sorted(places.items()):
        if tensors.keys() != {"weight", "bias"}:
            raise Incompatible(f"{path.name} lacks weight or bias of layer {place} of a net {width} wide")
        layers.append(Layer(tensors["weight"], tensors["bias"], table.tensors[tensors["weight"]].shape))
    if not _fit(layers, width):
        raise Incompatible(f"{path.name} does not fit together: the layers of a net {width} wide have other sizes")
    return tuple(layers)


def _fit(layers: Sequence[Layer], width: int) -> bool:
    """Whether each takes what the one before gives, and the whole gives what it takes."""
    if layers[0].is_norm or any(len(layer.shape) not in (1, 2) for layer in layers):
        return False
    widths = [width, *(layer.shape[0] for layer in layers)]
    return widths[-1] == width and all(
        layer.shape[-1] == before for layer, (before, _) in zip(layers, pairwise(widths), strict=True)
    )


def _said(table: TensorTable, key: str, otherwise: str) -> str:
    return table.metadata.get(_CONVERTED + key, otherwise)
