"""Small random upscalers, as safetensors and as ncnn has them, and stand-ins for loaded ones."""

import importlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.upscalers.nets import import_spandrel
from inference.weights.save import save_tensors

__all__ = ["FakeEngine", "FakeNet", "FakeNets", "compact", "doubling", "esrgan_tensors", "write_ncnn", "write_upscaler"]

_SLOPE = "-23310=1,2.000000e-01"


def compact(scale: int = 2, *, width: int = 4, layers: int = 1) -> nn.Module:
    """A random SRVGGNetCompact."""
    return _net("Compact.__arch.SRVGG", "SRVGGNetCompact")(num_feat=width, num_conv=layers, upscale=scale)


def esrgan_tensors(*, width: int = 8, growth: int = 32, blocks: int = 1) -> dict[str, Tensor]:
    """A random RRDBNet that enlarges four times, in the names of its authors' later code."""
    dense = {f"conv{index}": (width + growth * (index - 1), growth) for index in range(1, 5)}
    dense["conv5"] = (width + growth * 4, width)
    inner = {
        f"body.{block}.rdb{branch}.{name}": sizes
        for block in range(blocks)
        for branch in (1, 2, 3)
        for name, sizes in dense.items()
    }
    tail = dict.fromkeys(("conv_body", "conv_up1", "conv_up2", "conv_hr"), (width, width))
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, (given, made) in {"conv_first": (3, width), **inner, **tail, "conv_last": (width, 3)}.items():
        tensors[f"{name}.weight"] = torch.randn(made, given, 3, 3, generator=generator) / 10
        tensors[f"{name}.bias"] = torch.randn(made, generator=generator) / 10
    return tensors


def _net(module: str, name: str) -> Any:
    import_spandrel()
    torch.manual_seed(0)
    return getattr(importlib.import_module(f"spandrel.architectures.{module}"), name)


def write_upscaler(path: Path, net: nn.Module | None = None) -> Path:
    """Its weights as safetensors."""
    save_tensors(path, (net or compact()).state_dict(), {})
    return path


def write_ncnn(path: Path, tensors: Mapping[str, Tensor], *, half: bool = True) -> Path:
    """The .param and .bin of a network whose tensors stand in the order of its layers."""
    lines, content = [], b""
    for name in (one.removesuffix(".weight") for one in tensors if one.endswith(".weight")):
        weight, bias = tensors[f"{name}.weight"], tensors.get(f"{name}.bias")
        if weight.ndim == 1:
            lines.append(f"PReLU slope_{name} 1 1 a b 0={len(weight)}")
            content += _plain(weight)
            continue
        sizes = f"0={weight.shape[0]} 1={weight.shape[-1]} 4=1 5={int(bias is not None)} 6={weight.numel()}"
        lines.append(f"Convolution {name} 1 1 a b {sizes} 9=2 {_SLOPE}")
        packed = weight.half().numpy().tobytes() if half else _plain(weight)
        content += struct.pack("<I", 0x01306B47 if half else 0) + packed + b"\0" * (-len(packed) % 4)
        content += _plain(bias) if bias is not None else b""
    head = ["7767517", f"{len(lines) + 1} {len(lines) + 1}", "Input data 0 1 data"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".param").write_text("\n".join([*head, *lines]) + "\n")
    path.with_suffix(".bin").write_bytes(content)
    return path.with_suffix(".param")


def _plain(tensor: Tensor) -> bytes:
    return tensor.detach().float().numpy().tobytes()


def doubling(pixels: Tensor) -> Tensor:
    """Each pixel four times."""
    return pixels.repeat_interleave(2, -1).repeat_interleave(2, -2)


@dataclass
class FakeNet:
    """A network that does what a function says."""

    call: Callable[[Tensor], Tensor] = doubling
    scale: int = 2

    def __call__(self, pixels: Tensor) -> Tensor:
        return self.call(pixels)


class FakeNets:
    """Gives the same network for every file."""

    device = torch.device("cpu")

    def __init__(self, net: FakeNet | None = None) -> None:
        self.net = net or FakeNet()

    def load(self, path: Path) -> FakeNet:
        return self.net


@dataclass
class FakeEngine:
    """What keeps networks, and no more."""

    nets: FakeNets
