"""Latents on disk, keyed by all that decides them: an edited image or another VAE can never meet a stale one."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from inference.weights.save import save_tensors
from modelhub.errors import BrokenFile
from modelhub.jobs import Progress
from trainers.buckets import Placement
from trainers.dataset import Sample, open_image
from trainers.views import View

__all__ = ["CachedLatents", "LatentCache"]

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class CachedLatents:
    """The VAE's answer for one picture: a normal distribution, of which each step takes a fresh sample."""

    mean: Tensor
    """[C, h, w], float32, not yet scaled for the denoiser."""
    deviation: Tensor

    def sample(self, generator: torch.Generator) -> Tensor:
        return self.mean + self.deviation * torch.randn(self.mean.shape, generator=generator)


class LatentCache:
    """A folder of latents for one VAE."""

    def __init__(self, folder: Path, vae: nn.Module, vae_digest: str) -> None:
        """`vae_digest` names the weights: the SHA-256 of the file that they come from."""
        self._folder = folder
        self._vae = vae
        self._vae_digest = vae_digest

    def fill(
        self, samples: Sequence[Sample], views: Sequence[View]
    ) -> Generator[Progress, None, dict[View, CachedLatents]]:
        """Latents of every sample, (index, mirrored) -> latents, encoded unless they are on disk."""
        found: dict[View, CachedLatents] = {}
        for count, view in enumerate(views, start=1):
            found[view] = self._get(samples[view.sample], view.placement, view.mirrored)
            yield Progress("latents", count, len(views), "images")
        return found

    def key(self, sample: Sample, placement: Placement, mirrored: bool) -> str:
        """Everything that decides the bytes of a latent."""
        parts = (_SCHEMA, sample.sha256, placement.bucket, placement.scaled, placement.crop, mirrored, self._vae_digest)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _get(self, sample: Sample, placement: Placement, mirrored: bool) -> CachedLatents:
        key = self.key(sample, placement, mirrored)
        path = self._folder / f"{key}.safetensors"
        if path.is_file():
            with suppress(SafetensorError):  # a damaged one is made anew
                stored = load_file(path)
                return CachedLatents(stored["mean"], stored["deviation"])
        latents = self._encode(cut(open_image(sample.path), placement, mirrored))
        if not latents.mean.isfinite().all():
            raise BrokenFile(sample.path, "the VAE makes NaN of it")
        save_tensors(path, {"mean": latents.mean, "deviation": latents.deviation}, {"key": key})
        return latents

    @torch.no_grad()
    def _encode(self, image: Image.Image) -> CachedLatents:
        parameter = next(self._vae.parameters())
        pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None]
        scaled = pixels.to(parameter.device, parameter.dtype) / 127.5 - 1
        posterior = self._vae.encode(scaled, return_dict=False)[0]  # type: ignore[operator]
        return CachedLatents(posterior.mean[0].float().cpu(), posterior.std[0].float().cpu())


def cut(image: Image.Image, placement: Placement, mirrored: bool) -> Image.Image:
    """Scale an image over its bucket and cut the bucket out; area averaging down, Lanczos up, as kohya does."""
    shrinking = placement.scaled[0] < image.width
    scaled = image.resize(placement.scaled, Image.Resampling.BOX if shrinking else Image.Resampling.LANCZOS)
    left, top = placement.crop
    width, height = placement.bucket
    cropped = scaled.crop((left, top, left + width, top + height))
    return cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else cropped
