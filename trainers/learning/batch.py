"""Samples that are computed at once, and how those of a step come about."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.chance import dice, generator
from trainers.dataset.captions import said
from trainers.framing.views import View
from trainers.material.material import Material
from trainers.objective import Drawn, Timesteps, drawn, drawn_mask
from trainers.recipe import Recipe

__all__ = ["Batch", "Batches", "Piece"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples of one bucket."""

    latents: Tensor
    """[B, C, h, w], scaled for the denoiser."""
    noise: Tensor
    """What the target is made of, [B, C, h, w]."""
    timesteps: Tensor
    """[B]"""
    captions: Sequence[str]
    """As the text encoders are told them."""
    given: Tensor | None = None
    """The noise that goes in, where it is another."""
    weights: Tensor | None = None
    """[B]: of each sample's loss."""
    masks: Tensor | None = None
    """[B, 1, h, w]"""
    sizes: Tensor | None = None
    """[B, 6]: the pictures' sizes and crops (SDXL)."""
    prior: Tensor | None = None
    """[B]: which are to be answered as the base answers them, where any are."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Items of a step that are computed at once: of one bucket, one after the other."""

    items: Sequence[int]
    epoch: int
    step: int
    place: int
    """Of the first, among all of the step's items."""


@dataclass(frozen=True)
class Batches:
    """Pieces -> batches: all chance is a function of seed, step and place, so it is the same however a step is cut."""

    material: Material
    recipe: Recipe
    timesteps: Timesteps
    phrase: Callable[[str, random.Random], str]
    """A caption as a method has it told."""
    device: torch.device

    def __call__(self, piece: Piece) -> Batch:
        rows = [self._row(piece, index) for index in range(len(piece.items))]
        latents = torch.stack([row.latents for row in rows])
        noise = torch.stack([row.noise.target for row in rows])
        perturbed = any(row.noise.given is not row.noise.target for row in rows)
        return Batch(
            latents=self._there(latents),
            noise=self._there(noise),
            timesteps=self._there(torch.stack([row.timestep for row in rows])),
            captions=[row.caption for row in rows],
            given=self._there(torch.stack([row.noise.given for row in rows])) if perturbed else None,
            weights=self._there(torch.tensor([self.material.items[item].weight for item in piece.items])),
            masks=self._masks(rows),
            sizes=self._sizes(rows),
            prior=self._prior(piece),
        )

    def _row(self, piece: Piece, index: int) -> "_Row":
        recipe, material = self.recipe, self.material
        place, item = piece.place + index, piece.items[index]
        purpose = (recipe.seed, piece.step, place)
        view = material.view(item, seed=recipe.seed, step=piece.step, place=place)
        latents = material.latents[view].sample(generator(*purpose, "latents"))
        latents = (latents - material.latent.shift) * material.latent.scale
        mask = material.masks.get(view)
        return _Row(
            view=view,
            latents=latents,
            noise=drawn(latents, recipe.noise, generator(*purpose, "noise")),
            timestep=self.timesteps.draw(generator(*purpose, "timestep")),
            caption=self._told(self._caption(piece, item, place), item, dice(*purpose, "phrase")),
            mask=None if mask is None else drawn_mask(mask, recipe.loss, dice(*purpose, "mask")),
        )

    def _caption(self, piece: Piece, item: int, place: int) -> str:
        recipe = self.recipe
        return said(
            self.material.samples[self.material.items[item].sample],
            trigger=recipe.trigger,
            epoch=piece.epoch,
            step=piece.step,
            steps=recipe.steps,
            chance=dice(recipe.seed, piece.step, place, "caption"),
        )

    def _told(self, caption: str, item: int, chance: random.Random) -> str:
        """As the method has it, but for pictures of the class: they are not what is learned."""
        return caption if self.material.items[item].prior else self.phrase(caption, chance)

    def _masks(self, rows: Sequence["_Row"]) -> Tensor | None:
        """Where any sample has a mask, all have: one that leaves nothing out."""
        if all(row.mask is None for row in rows):
            return None
        whole = torch.ones_like(rows[0].latents[:1])
        return self._there(torch.stack([whole if row.mask is None else row.mask for row in rows]))

    def _sizes(self, rows: Sequence["_Row"]) -> Tensor | None:
        sizes = [self.material.sizes(row.view) for row in rows]
        return None if sizes[0] is None else self._there(torch.tensor(sizes))

    def _prior(self, piece: Piece) -> Tensor | None:
        flags = [self.material.items[item].prior for item in piece.items]
        return self._there(torch.tensor(flags)) if self.recipe.prior.frozen and any(flags) else None

    def _there(self, tensor: Tensor) -> Tensor:
        """On the device; without waiting for what it is busy with."""
        return tensor.to(self.device, non_blocking=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One sample."""

    view: View
    latents: Tensor
    noise: Drawn
    timestep: Tensor
    caption: str
    mask: Tensor | None
