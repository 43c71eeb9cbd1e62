"""Noise that is the same everywhere: one generator an image, so a batch equals its single images to the bit."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.mixing import in_the_middle, slerp
from inference.request import GenerationRequest, ImageSeed
from modelhub.errors import BadValue
from modelhub.families import Latent

__all__ = ["NOISE_SOURCES", "BrownianTree", "ImageNoise", "Mixed", "StepNoise", "image_noise"]

_MASK = np.uint64(0xFFFFFFFF)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)

_PLACES = 6
"""Decimals to which times of a Brownian path are told apart."""


class _Generator(Protocol):
    def normal(self, shape: tuple[int, ...]) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Mixed:
    """Second seeds, whose noise is mixed into the first noise."""

    seeds: Sequence[int]
    """One an image."""
    strength: float


class ImageNoise:
    """A batch's noise: image i draws from a generator of its own, seeded with `seeds[i]`."""

    def __init__(
        self,
        seeds: Sequence[int],
        shape: tuple[int, ...],
        source: str,
        device: torch.device,
        *,
        mixed: Mixed | None = None,
        kept: tuple[int, ...] | None = None,
        delta: int = 0,
    ) -> None:
        """`shape` is one image's latent, [C, h, w]; `source` one of `NOISE_SOURCES`.

        `kept` is the shape of another size's noise that goes into the middle; `delta` is added to the seeds for all
        noise but the first, Brownian paths apart (webui's ENSD).
        """
        if source not in NOISE_SOURCES:
            raise BadValue(f"{source!r} is no source of noise ({', '.join(NOISE_SOURCES)})")
        self._seeds = seeds
        self._source = NOISE_SOURCES[source]
        self._shape = shape
        self._device = device
        self._mixed = mixed
        self._kept = kept if kept != shape else None
        self._delta = delta
        self._generators: list[_Generator] = [self._source(seed) for seed in seeds]
        self._begun = False

    def draw(self) -> Tensor:
        """The next standard normal noise, [B, C, h, w], float32."""
        drawn = [generator.normal(self._shape) for generator in self._generators]
        if not self._begun:
            self._begun = True
            drawn = [self._first(index, one) for index, one in enumerate(drawn)]
            if self._delta:
                self._generators = [self._source(seed + self._delta) for seed in self._seeds]
        return torch.stack(drawn).to(self._device, non_blocking=True)

    def over(self, levels: Sequence[float]) -> "StepNoise":
        """What a sampler draws on its way down these noise levels."""
        low, high = min(level for level in levels if level > 0), max(levels)
        trees = [BrownianTree(seed, low, high, self._one) for seed in self._seeds]
        return StepNoise(self.draw, trees, self._device)

    def _first(self, index: int, drawn: Tensor) -> Tensor:
        """Image `index`'s first noise, given its generator's first draw (webui: ImageRNG.first)."""
        shape = self._kept or self._shape
        noise = self._source(self._seeds[index]).normal(shape) if self._kept else drawn
        if self._mixed:
            noise = slerp(noise, self._source(self._mixed.seeds[index]).normal(shape), self._mixed.strength)
        return in_the_middle(noise, drawn) if self._kept else noise

    def _one(self, seed: int) -> Tensor:
        return self._source(seed).normal(self._shape)


class StepNoise:
    """Fresh noise at every call, and the ways of Brownian paths: a tree an image, from the seed of that image."""

    def __init__(self, draw: Callable[[], Tensor], trees: Sequence["BrownianTree"], device: torch.device) -> None:
        self._draw = draw
        self._trees = trees
        self._device = device

    def __call__(self) -> Tensor:
        return self._draw()

    def between(self, sigma: float, following: float) -> Tensor:
        """From one noise level to another, scaled to deviation 1: [B, C, h, w], float32."""
        ways = torch.stack([tree.at(following) - tree.at(sigma) for tree in self._trees])
        return (ways / math.sqrt(abs(following - sigma))).float().to(self._device, non_blocking=True)


class BrownianTree:
    """A Brownian path over [low, high], the one that torchsde's `BrownianTree` takes from the same seed.

    The way over an interval is split at its middle (Li et al. 2020, https://arxiv.org/abs/2001.01328), each split
    with a seed of its own, until the split is the point that is asked for. So a value depends on no other question.
    """

    def __init__(self, seed: int, low: float, high: float, normal: Callable[[int], Tensor]) -> None:
        """`normal` gives the standard normal noise of a seed."""
        self._seed = seed
        self._low, self._high = round(low, _PLACES), round(high, _PLACES)
        self._normal = normal
        self._kept: dict[float, Tensor] = {}

    def at(self, time: float) -> Tensor:
        """The path's value, 0 at `low`; float64, since the near values that are subtracted have much in common."""
        time = min(max(round(time, _PLACES), self._low), self._high)
        if time not in self._kept:
            # samplers ask for where they are, where they go, and a point between
            self._kept = {**dict(list(self._kept.items())[-2:]), time: self._descend(time)}
        return self._kept[time]

    def _descend(self, time: float) -> Tensor:
        start, end, key, depth = self._low, self._high, 0, 0
        way = self._drawn() * (end - start) ** 0.5
        value = torch.zeros_like(way)
        while start < time < end:
            middle = round((start + end) / 2, _PLACES)
            left, right, whole = middle - start, end - middle, end - start
            first_half = way * (left / whole) + self._drawn(key, depth) * (left * right / whole) ** 0.5
            if time < middle:
                end, way, key = middle, first_half, 2 * key
            else:
                start, way, value, key = middle, way - first_half, value + first_half, 2 * key + 1
            depth += 1
        return value if time == start else value + way

    def _drawn(self, *split: int) -> Tensor:
        seeds = np.random.SeedSequence(self._seed, spawn_key=split, pool_size=24).generate_state(4)
        return self._normal(int(seeds[0])).double()


def image_noise(
    request: GenerationRequest, seeds: Sequence[ImageSeed], latent: Latent, size: tuple[int, int], device: torch.device
) -> ImageNoise:
    """The noise of some of a request's images, at a size in px."""
    variations = [seed.variation for seed in seeds if seed.variation is not None]
    return ImageNoise(
        [seed.number for seed in seeds],
        latent.shape(size),
        request.noise,
        device,
        mixed=Mixed(variations, request.variation.strength) if variations and request.variation else None,
        kept=latent.shape(request.seed_resize) if request.seed_resize else None,
        delta=request.ensd,
    )


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
