"""Pictures whose edges continue one another: convolutions that see the far edge beyond the near one."""

from collections.abc import Iterable

from torch import nn

__all__ = ["set_tiling"]


def set_tiling(modules: Iterable[nn.Module], on: bool) -> None:
    """Whether the convolutions of the modules see what stands at the other side beyond an edge, or zeros."""
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                layer.padding_mode = "circular" if on else "zeros"
