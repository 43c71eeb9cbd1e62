"""Who learns a LoRA from the same weights and pictures: the product's loop, and what diffusers' script does."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from diffusers import DDPMScheduler
from peft import LoraConfig
from torch import Tensor, nn

from benchmarks._sizes import shared
from inference.conditioning.reading import Reading
from inference.plan import ModelPlan
from inference.weights.parts import TEXT_ENCODER, UNET, VAE
from modelhub import starter
from modelhub.jobs import Step
from trainers.caches import CachedLatents
from trainers.dataset import Sample, open_image, read_dataset
from trainers.framing.buckets import Placement
from trainers.framing.views import Item, View
from trainers.learning.batch import Batch, Batches
from trainers.learning.loop import Trainer
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.methods import lora
from trainers.objective import Timesteps, objective_of
from trainers.recipe import DatasetOptions, LoraOptions, LossOptions, OptimizerOptions, Recipe

__all__ = ["Ours", "Pictures", "Theirs"]

_RANK = 4
_LAYERS = ("to_k", "to_q", "to_v", "to_out.0")


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Eight of the shipped character, as pixels and as latents."""

    samples: list[Sample]
    pixels: Tensor
    """[N, 3, side, side]"""
    latents: list[CachedLatents]

    @classmethod
    def of(cls, vae: Any, side: int) -> "Pictures":
        folder = starter.HELD_OUT.parent / "train"
        samples = read_dataset(folder)[:8]
        images = [open_image(one.path).resize((side, side)) for one in samples]
        parameter = next(vae.parameters())
        pixels = torch.stack([torch.from_numpy(np.asarray(one).copy()).permute(2, 0, 1) / 127.5 - 1 for one in images])
        pixels = pixels.to(parameter.device, parameter.dtype)
        with torch.no_grad():
            posteriors = [vae.encode(one[None], return_dict=False)[0] for one in pixels]
        latents = [CachedLatents(one.mean[0].float(), one.std[0].float()) for one in posteriors]
        return cls(samples, pixels, latents)


def _recipe(batch: int) -> Recipe:
    return Recipe(
        base="x", name="x", dataset=DatasetOptions(images=Path("x")), steps=1_000_000, batch=batch,
        options=LoraOptions(rank=_RANK, alpha=_RANK, layers="attention"), learning_rate=1e-4,
        text_encoder_learning_rate=0, loss=LossOptions(min_snr_gamma=0),
        optimizer=OptimizerOptions(schedule="constant", warmup=0, weight_decay=0.01),
    )  # fmt: skip


class Ours:
    """The product's loop: latents and encodings at hand, nothing but the UNet at work."""

    def __init__(
        self, models: Mapping[str, nn.Module], plan: ModelPlan, pictures: Pictures, batch: int, device: torch.device
    ) -> None:
        recipe = _recipe(batch)
        own = {**models, UNET: copy.deepcopy(models[UNET], shared(models[UNET]))}
        self.unet = own[UNET]
        self.trainee = lora.prepare(own, plan, recipe)
        self.texts = Texts(plan, own, {}, clip_skip=1, learns=False)
        for _ in self.texts.keep([one.caption for one in pictures.samples]):
            pass
        self.texts.forget_encoders()
        side = pictures.pixels.shape[-1]
        place = Placement((side, side), (side, side), (0, 0))
        items = [Item(index, place, 1.0) for index in range(len(pictures.samples))]
        latents = {View(index, place): one for index, one in enumerate(pictures.latents)}
        material = Material(pictures.samples, items, latents, plan.family.latent)
        objective = objective_of(plan, recipe, device)
        self._trainer = Trainer(
            models={UNET: self.unet}, texts=self.texts, trainee=self.trainee, material=material, objective=objective,
            recipe=recipe, device=device,
        )  # fmt: skip
        self._steps = (one for one in self._trainer.steps() if isinstance(one, Step))
        self._batches = Batches(
            material, recipe, Timesteps(recipe.noise, len(objective.sigmas)), self.trainee.phrase, device
        )

    def learn(self, count: int) -> list[float]:
        """The losses of so many steps."""
        return [one.loss for one in islice(self._steps, count)]

    def batches(self, count: int) -> Iterator[Batch]:
        """What the next steps learn from."""
        for pieces in islice(self._trainer.ahead(), count):
            yield self._batches(pieces[0])


class Theirs:
    """What the script does of a step: pictures and captions go through VAE and text encoder every time."""

    def __init__(self, models: Mapping[str, nn.Module], pictures: Pictures, batch: int, device: torch.device) -> None:
        self._vae: Any = models[VAE]
        self._text_encoder: Any = models[TEXT_ENCODER]
        self.unet: Any = cast(Any, copy.deepcopy(models[UNET], shared(models[UNET])))
        self.unet.add_adapter(
            LoraConfig(r=_RANK, lora_alpha=_RANK, init_lora_weights="gaussian", target_modules=list(_LAYERS))
        )
        for parameter in self.parameters:
            parameter.data = parameter.data.float()
        self._accelerator = Accelerator(
            cpu=device.type == "cpu", mixed_precision="bf16" if device.type == "cuda" else "no"
        )
        self._scheduler: Any = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
        optimizer = torch.optim.AdamW(self.parameters, lr=1e-4, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
        self.unet, self._optimizer, self._schedule = self._accelerator.prepare(self.unet, optimizer, schedule)
        rows = [
            tokens for one in pictures.samples for tokens in [Reading("None").read([one.caption]).chunks[0][0].tokens]
        ]
        self._tokens = torch.tensor(rows, device=device)
        self._pixels = pictures.pixels
        self._batch = batch
        self._taken = 0

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [one for one in self.unet.parameters() if one.requires_grad]

    def begin_as(self, ours: Ours) -> None:
        """With the very factors of the other."""
        for name, factors in ours.trainee.module.named_children():
            module: Any = next(m for n, m in self.unet.named_modules() if f"lora_unet_{n.replace('.', '_')}" == name)
            learned: Any = factors
            with torch.no_grad():
                module.lora_A["default"].weight.copy_(learned.down)
                module.lora_B["default"].weight.copy_(learned.up)

    def learn(self, count: int) -> list[float]:
        return [self._step() for _ in range(count)]

    def fed(self, batches: Sequence[Batch], texts: Texts) -> list[float]:
        """Learns from batches that are ready."""
        return [
            self._learn(one.latents, texts.encode(one.captions).tokens, one.noise, one.timesteps) for one in batches
        ]

    def _step(self) -> float:
        rows = torch.arange(self._taken, self._taken + self._batch) % len(self._pixels)
        self._taken += self._batch
        with torch.no_grad():
            latents = self._vae.encode(self._pixels[rows]).latent_dist.sample() * 0.18215
            tokens = self._text_encoder(self._tokens[rows])[0]
        noise = torch.randn_like(latents)
        timesteps = torch.randint(0, 1000, (len(rows),), device=latents.device)
        return self._learn(latents, tokens, noise, timesteps)

    def _learn(self, latents: Tensor, tokens: Tensor, noise: Tensor, timesteps: Tensor) -> float:
        dtype = self._pixels.dtype
        noised = self._scheduler.add_noise(latents.to(dtype), noise.to(dtype), timesteps)
        answer = self.unet(noised, timesteps, tokens.to(dtype)).sample
        loss = nn.functional.mse_loss(answer.float(), noise.float())
        told = self._accelerator.gather(loss.repeat(self._batch)).mean().item()
        self._accelerator.backward(loss)
        self._accelerator.clip_grad_norm_(self.parameters, 1.0)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad()
        return float(told)
