"""Loads models, keeps them, and puts adapters in and out: one engine a device, one request at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inference.adapters.merge import Merged
from inference.plan import AdapterPlan, ModelPlan
from inference.weights.load import load_part
from inference.weights.single_file import VAE, Part
from modelhub.errors import BadValue
from modelhub.settings import DEVICES

__all__ = ["Engine", "pick_device"]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A module and what it was loaded from."""

    stamp: tuple[object, ...]
    module: nn.Module


class Engine:
    """The models that are loaded on one device."""

    def __init__(self, device: str = "auto", *, half: torch.dtype = torch.float16) -> None:
        """`half` is the precision that a GPU works in: float16 to generate, bfloat16 to train."""
        self.device = pick_device(device)
        self._half = half
        self._loaded: dict[str, _Loaded] = {}
        self._merged: Merged | None = None
        self._adapters: tuple[AdapterPlan, ...] = ()

    def dtype(self, role: str) -> torch.dtype:
        """Half precision on a GPU, but for the VAE, which some checkpoints' weights overflow in it."""
        return self._half if self.device.type == "cuda" and role != VAE else torch.float32

    def prepare(self, plan: ModelPlan) -> Mapping[str, nn.Module]:
        """The plan's modules with its adapters merged; loads what is not loaded yet."""
        self._take_adapters_out_unless(plan.adapters, self._parts_stand(plan.parts))
        for role, part in plan.parts.items():
            if not self._stands(role, part):
                self._loaded.pop(role, None)
                self._loaded[role] = _Loaded(_stamp(part), self._load(part))
        models = {role: self._loaded[role].module for role in plan.parts}
        if self._merged is None and plan.adapters:
            self._merged = Merged.apply(models, plan.adapters)
            self._adapters = plan.adapters
        return models

    def without_adapters(self) -> None:
        """Put the base weights back, to the bit."""
        if self._merged:
            self._merged.restore()
        self._merged, self._adapters = None, ()

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
        pixels: Tensor = vae.decode((latents / latent.scale + latent.shift).to(self.dtype(VAE)), return_dict=False)[0]
        return pixels

    def _load(self, part: Part) -> nn.Module:
        return load_part(part, device=self.device, dtype=self.dtype(part.role))

    def _parts_stand(self, parts: Mapping[str, Part]) -> bool:
        return all(self._stands(role, part) for role, part in parts.items())

    def _stands(self, role: str, part: Part) -> bool:
        return role in self._loaded and self._loaded[role].stamp == _stamp(part)

    def _take_adapters_out_unless(self, wanted: tuple[AdapterPlan, ...], parts_stand: bool) -> None:
        if not parts_stand or self._adapters != wanted:
            self.without_adapters()


def pick_device(name: str) -> torch.device:
    """The device that a name means: ``auto`` is the GPU when there is one."""
    if name not in DEVICES:
        raise BadValue(f"{name!r} is no device ({', '.join(DEVICES)})")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise BadValue("there is no CUDA device that this torch can use", mend="modelhub doctor")
    return torch.device(name)


def _stamp(part: Part) -> tuple[object, ...]:
    """Tells whether a file is still what was loaded from it."""
    status = part.path.stat()
    return part.path, status.st_size, status.st_mtime_ns, status.st_ino
