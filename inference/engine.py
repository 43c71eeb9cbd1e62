"""Loads models, keeps them, and puts adapters in and out: one engine a device, one request at a time."""

import sys
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import psutil
import torch
from torch import Tensor, nn

from inference.adapters.merge import Factors, Merged, read_factors
from inference.adapters.nets import Attending
from inference.conditioning.timeline import Said
from inference.decoding import decoded
from inference.plan import AdapterPlan, ModelPlan
from inference.shelf import Shelf, Stamp
from inference.tiling import set_tiling
from inference.upscalers.nets import Nets
from inference.weights.load import load_part
from inference.weights.parts import UNET, VAE, Part
from modelhub.errors import BadValue, OutOfResources
from modelhub.settings import DEVICES

__all__ = ["Engine", "pick_device", "stamps"]


_TEXTS = 256 << 20
"""Bytes of encoded prompts that are kept."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A module and the adapters that are in it."""

    module: nn.Module
    merged: Merged
    attending: Attending


class Engine:
    """The models that are loaded on one device."""

    def __init__(
        self, device: str = "auto", *, half: torch.dtype = torch.float16, memory: int | None = None
    ) -> None:  # fmt: skip
        """`half` is the precision that a GPU works in: float16 to generate, bfloat16 to train.

        `memory` is how many bytes of models are kept loaded beside what is drawn with; None is half of what is free.
        """
        self.device = pick_device(device)
        self.nets = Nets(self.device)
        self.texts: Shelf[Said] = Shelf(_TEXTS)
        self._half = half
        self._shelf: Shelf[_Loaded | Factors] = Shelf(_free(self.device) // 2 if memory is None else memory)

    def dtype(self, role: str) -> torch.dtype:
        """Half precision on a GPU, but for the VAE, which some checkpoints' weights overflow in it."""
        return self._half if self.device.type == "cuda" and role != VAE else torch.float32

    def itemsize(self, role: str) -> int:
        """Bytes of a number of that part."""
        return self.dtype(role).itemsize

    @torch.inference_mode(False)
    def prepare(self, plan: ModelPlan) -> Mapping[str, nn.Module]:
        """The plan's modules with its adapters in them; loads what is not loaded yet.

        A module stays valid as long as somebody holds it, and keeps its adapters until a plan of the same files with
        other ones is prepared: who draws with two such plans in turn prepares each before its turn, which costs
        nothing where all is in place.
        """
        keys: dict[str, Hashable] = {role: (role, *stamps(part)) for role, part in plan.parts.items()}
        wanted = {*keys.values(), *(Stamp.of(adapter.path) for adapter in plan.adapters)}
        loaded = {role: self._part(keys[role], part, wanted) for role, part in plan.parts.items()}
        adapters = [(adapter, self._factors(adapter, wanted)) for adapter in plan.adapters]
        for one in loaded.values():
            one.merged.switch(adapters)
        loaded[UNET].attending.switch(plan.hypernetworks)
        set_tiling([one.module for one in loaded.values()], plan.tiling)
        return {role: one.module for role, one in loaded.items()}

    def load(self, part: Part) -> nn.Module:
        """One module by itself, kept as the others are."""
        key = (part.role, *stamps(part))
        return self._part(key, part, {key}).module

    @property
    def room(self) -> int:
        """Bytes that a rendering may take: what is free, and what is only kept."""
        return _free(self.device) + self._shelf.size

    def forget_all_but(self, plans: Iterable[ModelPlan]) -> None:
        """Let go of every model that these do not need."""
        parts = [(role, part) for plan in plans for role, part in plan.parts.items()]
        self._shelf.make_room(sys.maxsize, keep={(role, *stamps(part)) for role, part in parts})
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def release(self) -> None:
        """Let go of all models; those that a stage holds stay valid, adapters and all."""
        self._shelf.clear()
        self.nets.clear()
        self.texts.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def encode(self, plan: ModelPlan, pixels: Tensor) -> Tensor:
        """Pixels [B, 3, H, W] of -1..1 -> latents [B, C, h, w], scaled: the posterior's mean, so nothing is drawn."""
        vae: Any = self.prepare(plan)[VAE]
        posterior = vae.encode(pixels.to(self.device, self.dtype(VAE)), return_dict=False)[0]
        latents: Tensor = posterior.mode().float()
        return (latents - plan.family.latent.shift) * plan.family.latent.scale

    @torch.inference_mode()
    def decode(self, plan: ModelPlan, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] as the denoiser leaves them -> pixels [B, 3, H, W], about -1..1."""
        vae: Any = self.prepare(plan)[VAE]
        latent = plan.family.latent
        return decoded(vae, (latents / latent.scale + latent.shift).to(self.dtype(VAE)))

    def _part(self, key: Hashable, part: Part, wanted: Collection[Hashable]) -> _Loaded:
        found = self._shelf.take(key)
        if not isinstance(found, _Loaded):
            size = sum(map(prod, part.shapes.values())) * self.dtype(part.role).itemsize
            self._shelf.make_room(size, keep=wanted)
            module = self._load(part, wanted)
            found = _Loaded(module, Merged(part.role, module), Attending(module))
            self._shelf.put(key, found, size)
        return found

    def _load(self, part: Part, wanted: Collection[Hashable]) -> nn.Module:
        """Tried again without all that is only kept, where the memory is full."""
        try:
            return load_part(part, device=self.device, dtype=self.dtype(part.role))
        except OutOfResources:
            self._shelf.make_room(sys.maxsize, keep=wanted)
            return load_part(part, device=self.device, dtype=self.dtype(part.role))

    def _factors(self, adapter: AdapterPlan, wanted: Collection[Hashable]) -> Factors:
        key = Stamp.of(adapter.path)
        found = self._shelf.take(key)
        if not isinstance(found, Factors) or not found.tensors.keys() >= set(adapter.tensor_names()):
            found = read_factors(adapter, self.device)
            self._shelf.make_room(found.size, keep=wanted)
            self._shelf.put(key, found, found.size)
        return found


def pick_device(name: str) -> torch.device:
    """The device that a name means: ``auto`` is the GPU when there is one."""
    if name not in DEVICES:
        raise BadValue(f"{name!r} is no device ({', '.join(DEVICES)})")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise BadValue("there is no CUDA device that this torch can use", mend="modelhub doctor")
    return torch.device(name)


def stamps(part: Part) -> list[Stamp]:
    """Of the files that a part lies in."""
    return [Stamp.of(part.path / file) for file in sorted({piece.file for piece in part.keys.values()})]


def _free(device: torch.device) -> int:
    """Bytes."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
