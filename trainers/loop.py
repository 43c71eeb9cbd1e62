"""The only training loop: batches in, steps out, whatever the method."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from inference.conditioning.clip import hidden_state
from inference.prompt.attention import Run
from inference.prompt.chunks import chunk_runs
from inference.prompt.tokenizer import tokenize
from inference.weights.single_file import TEXT_ENCODER, UNET
from modelhub.errors import ModelHubError
from modelhub.jobs import Step
from trainers.buckets import batches
from trainers.caches import CachedLatents
from trainers.methods import Trainee
from trainers.objective import Objective
from trainers.recipe import Recipe

__all__ = ["Material", "Trainer", "learning_rate"]

_SMOOTHING = 0.95


@dataclass(frozen=True, slots=True)
class Material:
    """What a training learns from, ready to be batched."""

    latents: Mapping[tuple[int, bool], CachedLatents]
    """(sample, mirrored) -> latents."""
    captions: Sequence[str]
    """Of every sample."""
    buckets: Sequence[tuple[int, int]]
    """Of every sample."""
    order: Sequence[int]
    """Samples of one epoch, before they are shuffled: each as often as it is repeated."""
    latent_scale: float


class Trainer:
    """The state of one training: parameters, optimizer, and how far it is.

    All that is random depends on the recipe's seed and the step's number alone, so a resumed training takes
    the very steps that an uninterrupted one would have taken.
    """

    def __init__(
        self, models: Mapping[str, nn.Module], trainee: Trainee, material: Material, objective: Objective,
        recipe: Recipe, device: torch.device,
    ) -> None:  # fmt: skip
        self.step = 0
        self.can_go_on = True
        """Whether the parameters are a state to go on from: not within an update, nor after a loss of NaN."""
        self._smoothed = 0.0
        self._recipe = recipe
        self._material = material
        self._trainee = trainee
        self._groups = trainee.groups()
        self._timesteps = len(objective.sigmas)
        self._accelerator = Accelerator(
            cpu=device.type == "cpu", mixed_precision="bf16" if device.type == "cuda" else "no"
        )
        optimizer = torch.optim.AdamW(
            [{"params": list(group.parameters), "lr": group.learning_rate} for group in self._groups],
            weight_decay=recipe.weight_decay,
        )
        forward = _Forward(models, trainee, objective, recipe)
        self._forward, self._optimizer = self._accelerator.prepare(forward, optimizer)

    def steps(self) -> Iterator[Step]:
        """Train from where it stands to the end of the recipe."""
        for indices in self._remaining_batches():
            rate = self._set_learning_rates()
            loss = self._gradients(indices)
            self._update()
            yield self._report(loss, rate)

    def state(self) -> dict[str, object]:
        """All that goes on from here needs; tensors and numbers only, so that it is read without unpickling code."""
        return {
            "step": self.step,
            "smoothed": self._smoothed,
            "module": self._trainee.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state(self, state: Mapping[str, object]) -> None:
        """Stand where `state` was taken."""
        self.step = int(state["step"])  # type: ignore[call-overload]
        self._smoothed = float(state["smoothed"])  # type: ignore[arg-type]
        self._trainee.module.load_state_dict(state["module"])  # type: ignore[arg-type]
        self._optimizer.load_state_dict(state["optimizer"])

    def _remaining_batches(self) -> Iterator[list[int]]:
        """Batches of samples from the current step on, epoch after epoch."""
        material, recipe = self._material, self._recipe
        buckets = [material.buckets[index] for index in material.order]
        step = 0
        for epoch in count():
            for batch in batches(buckets, recipe.batch, seed=recipe.seed, epoch=epoch):
                if step == recipe.steps:
                    return
                if step >= self.step:
                    yield [material.order[position] for position in batch]
                step += 1

    def _gradients(self, indices: list[int]) -> float:
        """Compute the current step's gradients; returns the loss."""
        self._optimizer.zero_grad(set_to_none=True)
        batch = self._batch(indices)
        loss: Tensor = self._forward(*batch)
        value = loss.item()
        if not math.isfinite(value):
            self.can_go_on = False
            raise ModelHubError(
                f"the loss became {value} at step {self.step + 1}",
                mend=f"train again with a lower learning rate than {self._recipe.learning_rate:g}",
            )
        self._accelerator.backward(loss)
        parameters = [parameter for group in self._groups for parameter in group.parameters]
        self._accelerator.clip_grad_norm_(parameters, self._recipe.max_grad_norm)
        return value

    def _update(self) -> None:
        self.can_go_on = False
        self._optimizer.step()
        self.step += 1
        self.can_go_on = True

    def _batch(self, indices: list[int]) -> tuple[Tensor, Tensor, Tensor, list[str]]:
        """Latents, noise, timesteps and captions of the current step."""
        recipe, material = self._recipe, self._material
        generator = torch.Generator().manual_seed(_step_seed(recipe.seed, self.step))
        dice = torch.rand(2, len(indices), generator=generator).tolist()
        mirrored = [recipe.dataset.flip and one < 0.5 for one in dice[0]]
        captions = [
            "" if one < recipe.dataset.caption_dropout else material.captions[index]
            for index, one in zip(indices, dice[1], strict=True)
        ]
        samples = [material.latents[key].sample(generator) for key in zip(indices, mirrored, strict=True)]
        latents = torch.stack(samples) * material.latent_scale
        timesteps = torch.randint(0, self._timesteps, (len(indices),), generator=generator)
        noise = torch.randn(latents.shape, generator=generator)
        if recipe.noise_offset:
            noise = noise + recipe.noise_offset * torch.randn(*latents.shape[:2], 1, 1, generator=generator)
        device = self._accelerator.device
        return latents.to(device), noise.to(device), timesteps.to(device), captions

    def _set_learning_rates(self) -> float:
        recipe = self._recipe
        share = learning_rate(self.step, recipe.steps, schedule=recipe.schedule, warmup=recipe.warmup)
        for group, ours in zip(self._optimizer.param_groups, self._groups, strict=True):
            group["lr"] = ours.learning_rate * share
        return self._groups[0].learning_rate * share

    def _report(self, loss: float, rate: float) -> Step:
        self._smoothed = _SMOOTHING * self._smoothed + (1 - _SMOOTHING) * loss
        corrected = self._smoothed / (1 - _SMOOTHING**self.step)
        return Step(self.step, self._recipe.steps, loss, corrected, rate)


class _Forward(nn.Module):
    """One batch -> its loss; what accelerate wraps, so that several processes can share the work."""

    def __init__(self, models: Mapping[str, nn.Module], trainee: Trainee, objective: Objective, recipe: Recipe) -> None:
        super().__init__()
        self.unet = models[UNET]
        self.text_encoder = models[TEXT_ENCODER]
        self.trained = trainee.module
        self._objective = objective
        self._clip_skip = recipe.clip_skip
        self._encodings: dict[tuple[str, int], Tensor] | None = None if trainee.trains_text_encoder else {}

    def forward(self, latents: Tensor, noise: Tensor, timesteps: Tensor, captions: list[str]) -> Tensor:
        noised = self._objective.noised(latents, noise, timesteps)
        context = self._context(captions).to(next(self.unet.parameters()).dtype)
        output = self.unet(noised.to(context.dtype), timesteps, context, return_dict=False)[0]
        return self._objective.loss(output, latents, noise, timesteps)

    def _context(self, captions: list[str]) -> Tensor:
        """Encodings, [B, 77 * most chunks, width]; computed once a caption where the encoder does not learn."""
        tokens = [_tokens(caption) for caption in captions]
        chunks = max(len(one) for one in tokens)
        filled = [(*one, *_tokens("") * (chunks - len(one))) for one in tokens]
        if self._encodings is None:
            return self._encode(filled)
        for caption, one in zip(captions, filled, strict=True):
            if (caption, chunks) not in self._encodings:
                with torch.no_grad():
                    self._encodings[caption, chunks] = self._encode([one])[0]
        return torch.stack([self._encodings[caption, chunks] for caption in captions])

    def _encode(self, tokens: Sequence[Sequence[Sequence[int]]]) -> Tensor:
        ids = torch.tensor(tokens, device=next(self.text_encoder.parameters()).device)
        encoded = hidden_state(self.text_encoder, ids.flatten(0, 1), self._clip_skip)
        return encoded.reshape(len(tokens), -1, encoded.shape[-1])


def learning_rate(step: int, steps: int, *, schedule: str, warmup: float) -> float:
    """Share of the full learning rate at a step (0 for the first): up over the warm-up, then the schedule's course."""
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / rising
    course = (step - rising) / max(1, steps - rising)
    return {"constant": 1.0, "linear": 1 - course, "cosine": (1 + math.cos(math.pi * course)) / 2}[schedule]


def _tokens(caption: str) -> tuple[tuple[int, ...], ...]:
    """Chunks of token ids of a caption; brackets in it are text, not weights."""
    return tuple(chunk.tokens for chunk in chunk_runs([Run(caption, 1.0)], tokenize))


def _step_seed(seed: int, step: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{step}".encode()).digest()[:7])
