"""Noise that is the same everywhere: one generator an image, so a batch equals its single images to the bit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modelhub.errors import BadValue

__all__ = ["NOISE_SOURCES", "ImageNoise"]

_MASK = np.uint64(0xFFFFFFFF)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)


class _Generator(Protocol):
    def normal(self, shape: tuple[int, ...]) -> Tensor: ...


class ImageNoise:
    """A batch's noise: image i draws from a generator of its own, seeded with `seeds[i]`."""

    def __init__(self, seeds: Sequence[int], shape: tuple[int, ...], source: str, device: torch.device) -> None:
        """`shape` is one image's latent, [C, h, w]; `source` one of `NOISE_SOURCES`."""
        if source not in NOISE_SOURCES:
            raise BadValue(f"{source!r} is no source of noise ({', '.join(NOISE_SOURCES)})")
        self._generators: list[_Generator] = [NOISE_SOURCES[source](seed) for seed in seeds]
        self._shape = shape
        self._device = device

    def draw(self) -> Tensor:
        """The next standard normal noise, [B, C, h, w], float32."""
        drawn = torch.stack([generator.normal(self._shape) for generator in self._generators])
        return drawn.to(self._device, non_blocking=True)


class _Philox:
    """What `torch.randn(device="cuda")` draws, computed on the CPU.

    Philox 4x32-10 (Salmon et al. 2011) as CUDA's torch uses it: counter [call, 0, index, 0], the seed as key, and
    the sine half of Box-Muller. Images made on an NVIDIA card are drawn again on any machine.
    """

    def __init__(self, seed: int) -> None:
        self._key = (seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF)
        self._calls = 0

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        count = int(np.prod(shape))
        words = _philox(self._calls, count, self._key)
        self._calls += 1
        u = words[0] * np.float32(2**-32) + np.float32(2**-33)
        v = words[1] * np.float32(2**-32 * 2 * np.pi) + np.float32(2**-33 * 2 * np.pi)
        normal = np.sqrt(np.float32(-2) * np.log(u)) * np.sin(v)
        return torch.from_numpy(normal.astype(np.float32).reshape(shape))


class _Torch:
    """The CPU generator of torch."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator("cpu").manual_seed(seed)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self._generator)


NOISE_SOURCES: Mapping[str, Callable[[int], _Generator]] = {"NV": _Philox, "CPU": _Torch}
"""webui's names: NV draws what an NVIDIA card draws, CPU what torch draws on the processor."""


def _philox(call: int, count: int, key: tuple[int, int]) -> list[NDArray[np.uint32]]:
    zeros = np.zeros(count, np.uint64)
    counter = [zeros + np.uint64(call), zeros, np.arange(count, dtype=np.uint64), zeros]
    low, high = key
    for _ in range(10):
        first, second = counter[0] * _MULTIPLIERS[0], counter[2] * _MULTIPLIERS[1]
        counter = [
            (second >> np.uint64(32)) ^ counter[1] ^ np.uint64(low),
            second & _MASK,
            (first >> np.uint64(32)) ^ counter[3] ^ np.uint64(high),
            first & _MASK,
        ]
        low, high = (low + _WEYL[0]) & 0xFFFFFFFF, (high + _WEYL[1]) & 0xFFFFFFFF
    return [word.astype(np.uint32) for word in counter]
