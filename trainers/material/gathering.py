"""All that is computed once before a training, or found on disk: latents, masks, encodings of captions."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from torch import nn

from inference.weights.parts import VAE
from modelhub.jobs import Notice, Progress
from trainers.caches import Counts, LatentCache, MaskCache, weights_digest
from trainers.chance import dice
from trainers.dataset import Sample
from trainers.dataset.captions import in_full, is_fixed, said
from trainers.framing.augment import views_of
from trainers.framing.views import View
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.plan import TrainingPlan
from trainers.recipe import CaptionOptions

__all__ = ["gather", "gather_texts"]

_ENCODING = ("encoder.", "quant_conv.")
"""The VAE's way in: two that differ in the way out alone make the same latents."""


def gather(plan: TrainingPlan, vae: nn.Module, folder: Path) -> Generator[Progress | Notice, None, Material]:
    """What a training learns from and what it is judged by; `folder` is the workspace's of caches."""
    shown = [view for item in plan.items for view in views_of(item, plan.samples[item.sample])]
    judged = [View(item.sample, item.placement) for item in plan.held_out]
    views = list(dict.fromkeys([*shown, *judged]))
    cache = LatentCache(folder / "latents", vae, weights_digest(vae, plan.base.parts[VAE].config, _ENCODING))
    latents = yield from cache.fill(plan.samples, views)
    family = plan.base.family
    masks = MaskCache(folder / "masks", family.latent.downscale)
    found = yield from masks.fill(plan.samples, views)
    yield from _told({"latents": cache.counts, "masks": masks.counts})
    return Material(plan.samples, plan.items, latents, family.latent, found, tells_sizes=family.name == "sdxl")


def gather_texts(plan: TrainingPlan, texts: Texts) -> Iterator[Progress | Notice]:
    """Encodings of all captions that are always the same; where those are all, text encoders are let go of."""
    used = dict.fromkeys(item.sample for item in (*plan.items, *plan.held_out))
    samples = [_without_dropout(plan.samples[index]) for index in used]
    yield from _read_otherwise(plan, samples)
    yield from _cut_off(plan, texts, samples)
    if texts.learns:
        return
    fixed = [sample for sample in samples if is_fixed(sample, plan.recipe.trigger)]
    judged = [in_full(plan.samples[item.sample], plan.recipe.trigger) for item in plan.held_out]
    yield from texts.keep([*(_said(sample, plan) for sample in fixed), *judged])
    yield from _told({"captions": texts.counts})
    if len(fixed) == len(samples):
        texts.forget_encoders()


def _without_dropout(sample: Sample) -> Sample:
    """As it is said whenever anything is said of it: what an empty caption says is kept anyway."""
    none = {"dropout": 0.0, "dropout_every_epochs": 0}
    captions = sample.subset.captions.model_copy(update=none)
    return replace(sample, subset=sample.subset.model_copy(update={"captions": captions}))


def _read_otherwise(plan: TrainingPlan, samples: list[Sample]) -> Iterator[Notice]:
    """Where a subset wants its captions read in a way of its own."""
    usual, wanted = CaptionOptions(), plan.recipe.dataset.captions
    for field in ("tokens", "weights"):
        asked = {getattr(one.subset.captions, field) for one in samples} - {getattr(usual, field)}
        if asked - {getattr(wanted, field)}:
            yield Notice(f"all captions are read alike: dataset.captions.{field} counts, and no subset's")


def _cut_off(plan: TrainingPlan, texts: Texts, samples: list[Sample]) -> Iterator[Notice]:
    long = [sample.path.name for sample in samples if texts.is_cut_off(_said(sample, plan))]
    if long:
        more = f" and {len(long) - 1} more" if len(long) > 1 else ""
        tokens = plan.recipe.dataset.captions.tokens
        yield Notice(f"captions of more than {tokens} tokens are cut off there: {long[0]}{more}")


def _said(sample: Sample, plan: TrainingPlan) -> str:
    """The caption at some step: at any, where it is always the same."""
    return said(sample, trigger=plan.recipe.trigger, epoch=0, step=0, steps=plan.recipe.steps, chance=dice("any step"))


def _told(counts: dict[str, Counts]) -> Iterator[Notice]:
    """What the caches were good for, where they were asked."""
    for what, one in counts.items():
        if one.hits or one.misses:
            yield Notice(one.told(what))
