"""How well a model knows pictures that it did not learn from, at noise and timesteps that never change."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from inference.weights.parts import UNET
from trainers.chance import generator
from trainers.dataset.captions import in_full
from trainers.framing.views import Item, View
from trainers.learning.batch import Batch
from trainers.learning.forward import Forward
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.objective import Objective
from trainers.plan import TrainingPlan
from trainers.recipe import LossOptions

__all__ = ["HeldOut"]

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Pictures and, for each, so many pairs of noise and timestep, evenly spread over all timesteps.

    They follow from the pictures' digests and a seed alone, so that models and trainings are judged alike. Errors are
    squared and weigh alike, whatever the recipe: min-SNR and the like serve learning, not judging.
    """

    material: Material
    objective: Objective
    trigger: str
    """What captions that lack it are told with."""
    pairs: int
    seed: int = 0

    @classmethod
    def of(cls, plan: TrainingPlan, material: Material, objective: Objective) -> "HeldOut":
        """The pictures that a plan holds out, of the material that was gathered for it."""
        recipe = plan.recipe
        judged = replace(material, items=plan.held_out)
        return cls(judged, objective, recipe.trigger or recipe.token, recipe.validation.pairs, recipe.validation.seed)

    @torch.inference_mode()
    def losses(self, models: Mapping[str, nn.Module], texts: Texts) -> tuple[float, ...]:
        """Of each picture at each of its pairs, in an order that never changes."""
        plain = replace(self.objective, loss=LossOptions(min_snr_gamma=0))
        forward = Forward(models[UNET], texts, plain, at_rest=nullcontext)
        device = next(models[UNET].parameters()).device
        found = [
            forward(self._batch(item, range(start, min(start + _AT_ONCE, self.pairs)), device)).float().cpu()
            for item in self.material.items
            for start in range(0, self.pairs, _AT_ONCE)
        ]
        return tuple(torch.cat(found).tolist()) if found else ()

    def _batch(self, item: Item, numbers: range, device: torch.device) -> Batch:
        """Some of a picture's pairs."""
        view, sample = View(item.sample, item.placement), self.material.samples[item.sample]
        latent, sizes = self.material.latent, self.material.sizes(view)
        mean = (self.material.latents[view].mean.float() - latent.shift) * latent.scale
        pairs = [self._pair(sample.sha256, number, mean) for number in numbers]
        return Batch(
            latents=mean.expand(len(pairs), *mean.shape).to(device),
            noise=torch.stack([noise for noise, _ in pairs]).to(device),
            timesteps=torch.tensor([timestep for _, timestep in pairs], device=device),
            captions=[in_full(sample, self.trigger)] * len(pairs),
            sizes=None if sizes is None else torch.tensor([sizes] * len(pairs), device=device),
        )

    def _pair(self, digest: str, number: int, latents: Tensor) -> tuple[Tensor, int]:
        chance = generator(self.seed, digest, number, "held out")
        share = (number + float(torch.rand((), generator=chance))) / self.pairs
        last = len(self.objective.sigmas) - 1
        return torch.randn(latents.shape, generator=chance), min(int(share * (last + 1)), last)
