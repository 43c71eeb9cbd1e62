"""Latents on disk, keyed by all that decides them: an edited image or another VAE can never meet a stale one."""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from modelhub.errors import BrokenFile
from modelhub.jobs import Progress
from trainers.caches.pixels import pixels_ahead
from trainers.caches.store import Counts, Store
from trainers.dataset import Sample
from trainers.framing.augment import colouring
from trainers.framing.views import View

__all__ = ["CachedLatents", "LatentCache"]

_SCHEMA = 2
"""Raised whenever the same picture would come to other pixels: opened, cut or coloured in another way."""
_AT_ONCE = 1 << 21
"""Pixels that a GPU's VAE is shown at a time; a processor gains nothing by more than one picture."""


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

    def __init__(self, folder: Path, vae: nn.Module, vae_digest: str, *, at_once: int | None = None) -> None:
        """`vae_digest` names its weights; `at_once` is how many pixels it is shown at a time."""
        self._store = Store(folder)
        self._vae = vae
        self._vae_digest = vae_digest
        on_gpu = next(vae.parameters()).device.type != "cpu"
        self._at_once = at_once or (_AT_ONCE if on_gpu else 1)

    @property
    def counts(self) -> Counts:
        return self._store.counts

    def fill(
        self, samples: Sequence[Sample], views: Sequence[View]
    ) -> Generator[Progress, None, dict[View, CachedLatents]]:
        """Latents of every view, encoded unless they are on disk."""
        keys = {view: self.key(samples[view.sample], view) for view in views}
        found: dict[str, CachedLatents] = {}
        missing: dict[str, View] = {}
        for view, key in keys.items():
            if key in found or key in missing:
                continue
            if stored := self._store.get(key):
                found[key] = CachedLatents(stored["mean"], stored["deviation"])
            else:
                missing[key] = view
        total = len(found) + len(missing)
        yield Progress("latents", len(found), total, "images")
        for view, latents in self._encoded(samples, list(missing.values())):
            self._keep(samples[view.sample], keys[view], latents)
            found[keys[view]] = latents
            yield Progress("latents", len(found), total, "images")
        return {view: found[key] for view, key in keys.items()}

    def key(self, sample: Sample, view: View) -> str:
        """Everything that decides the bytes of a latent."""
        colours = astuple(colouring(sample, view.variation))
        parts = (_SCHEMA, sample.sha256, astuple(view.placement), view.mirrored, colours, self._vae_digest)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _keep(self, sample: Sample, key: str, latents: CachedLatents) -> None:
        if not latents.mean.isfinite().all():
            raise BrokenFile(sample.path, "the VAE makes NaN of it")
        self._store.put(key, {"mean": latents.mean, "deviation": latents.deviation})

    def _encoded(self, samples: Sequence[Sample], views: Sequence[View]) -> Iterator[tuple[View, CachedLatents]]:
        """Those of equal size together, as many as the memory has room for."""
        by_bucket = _by_bucket(views)
        with closing(pixels_ahead(samples, [view for alike in by_bucket.values() for view in alike])) as coming:
            for (width, height), rest in by_bucket.items():
                while rest:
                    shown = rest[: max(1, self._at_once // (width * height))]
                    yield from zip(shown, self._together(list(islice(coming, len(shown)))), strict=True)
                    rest = rest[len(shown) :]

    def _together(self, pictures: Sequence[Tensor]) -> list[CachedLatents]:
        """[3, H, W] of bytes each, all of one size; where the memory is full, half as many are shown from then on."""
        try:
            return self._encode(pictures)
        except torch.OutOfMemoryError:
            if len(pictures) == 1:
                raise
        half = len(pictures) // 2
        self._at_once = half * pictures[0][0].numel()
        return [*self._together(pictures[:half]), *self._together(pictures[half:])]

    @torch.no_grad()
    def _encode(self, pictures: Sequence[Tensor]) -> list[CachedLatents]:
        parameter = next(self._vae.parameters())
        pixels = torch.stack(list(pictures)).to(parameter.device).to(parameter.dtype) / 127.5 - 1
        posterior = self._vae.encode(pixels, return_dict=False)[0]  # type: ignore[operator]
        means, deviations = posterior.mean.float().cpu(), posterior.std.float().cpu()
        return [CachedLatents(*pair) for pair in zip(means, deviations, strict=True)]


def _by_bucket(views: Sequence[View]) -> dict[tuple[int, int], list[View]]:
    """Width and height -> views that are so large."""
    found: dict[tuple[int, int], list[View]] = {}
    for view in views:
        found.setdefault(view.placement.bucket, []).append(view)
    return found
