"""What a recipe says that comes to nothing with the rest of it, or with the pictures that there are (no torch)."""

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

from trainers.dataset import Sample
from trainers.recipe import (
    CaptionOptions,
    HypernetworkOptions,
    LoraOptions,
    Recipe,
    SubsetOptions,
    TextualInversionOptions,
)
from trainers.recipe.methods import DEFAULTS
from trainers.recipe.section import Section

__all__ = ["idle"]

_Holds: TypeAlias = Callable[[Recipe, Sequence[Sample]], bool]


def idle(recipe: Recipe, samples: Sequence[Sample]) -> list[str]:
    """A line for each entry that differs from its default and has no effect, saying what it lacks."""
    return [
        f"{entry} = {_shown(said[0])} has no effect {why}"
        for entries, why, acts in _ROWS
        for entry in entries.split()
        if (said := _said(recipe, entry)) and not acts(recipe, samples)
    ]


def _said(recipe: Recipe, entry: str) -> list[object]:
    """The value of an entry where it is not the usual one; nothing where the method has no such entry."""
    *above, last = entry.split(".")
    table: Section = recipe
    for name in above:
        table = getattr(table, name)
    if last not in type(table).model_fields:
        return []
    usual = type(table).model_fields[last].get_default(call_default_factory=True)
    usual = usual if above else DEFAULTS.get(recipe.method, {}).get(last, usual)
    value = getattr(table, last)
    return [] if value == usual else [value]


def _shown(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _of_a_lora(holds: Callable[[LoraOptions], bool]) -> _Holds:
    """Other methods have options of the same names, which always count."""
    return lambda recipe, _: not isinstance(recipe.options, LoraOptions) or holds(recipe.options)


def _of_subsets(holds: Callable[[SubsetOptions], bool]) -> _Holds:
    return lambda _, samples: any(holds(one.subset) for one in samples)


def _in_recipe(holds: Callable[[Recipe], bool]) -> _Holds:
    return lambda recipe, _: holds(recipe)


def _has_class(recipe: Recipe, samples: Sequence[Sample]) -> bool:
    return bool(recipe.prior.draw) or any(one.subset.regularisation for one in samples)


def _has_masks(_: Recipe, samples: Sequence[Sample]) -> bool:
    return any(one.mask for one in samples)


def _reads_captions(recipe: Recipe) -> bool:
    return not isinstance(recipe.options, TextualInversionOptions) or recipe.options.templates == "captions"


def _has_a_middle(recipe: Recipe) -> bool:
    return not isinstance(recipe.options, HypernetworkOptions) or len(recipe.options.structure) > 2


def _is_distributed(*names: str) -> _Holds:
    return _in_recipe(lambda recipe: recipe.noise.distribution in names)


def _all_of(table: str, section: type[Section]) -> str:
    return " ".join(f"{table}.{name}" for name in section.model_fields if name != "tokens")


_HUBER = ("huber", "smooth_l1")
_ROWS: Sequence[tuple[str, str, _Holds]] = (
    ("options.conv_alpha", "without options.conv_rank", _of_a_lora(lambda one: one.conv_rank > 0)),
    ("options.factor", 'without options.algorithm = "lokr"', _of_a_lora(lambda one: one.algorithm == "lokr")),
    ("options.constraint", 'without options.algorithm = "oft"', _of_a_lora(lambda one: one.algorithm == "oft")),
    ("options.alpha options.block_alphas options.rank_stabilized",
     'with options.algorithm = "oft", whose blocks are turned', _of_a_lora(lambda one: one.algorithm != "oft")),
    ("options.activation options.dropout", "without a layer in the middle of options.structure",
     _in_recipe(_has_a_middle)),
    ("learning_rate text_encoder_learning_rate second_text_encoder_learning_rate",
     "on new words: options.learning_rate is theirs", _in_recipe(lambda one: one.method != "textual_inversion")),
    ("text_encoder_learning_rate second_text_encoder_learning_rate", "in a hypernetwork, which changes the UNet alone",
     _in_recipe(lambda one: one.method != "hypernetwork")),
    ("export.precision", "on new words, which are written in fp32",
     _in_recipe(lambda one: one.method != "textual_inversion")),
    (_all_of("dataset.captions", CaptionOptions), "without options.templates = \"captions\"",
     _in_recipe(_reads_captions)),
    ("dataset.captions.warmup_steps", "without dataset.captions.warmup_tags",
     _of_subsets(lambda one: one.captions.warmup_tags > 0)),
    ("dataset.augment.variations", 'without dataset.augment.crop = "random" or color = true',
     _of_subsets(lambda one: one.augment.crop == "random" or one.augment.color)),
    ("dataset.bucket_step dataset.bucket_sides dataset.upscale", "with dataset.buckets = false",
     _in_recipe(lambda one: one.dataset.buckets)),
    ("optimizer.cycles", 'without optimizer.schedule = "cosine_with_restarts"',
     _in_recipe(lambda one: one.optimizer.schedule == "cosine_with_restarts")),
    ("optimizer.power", 'without optimizer.schedule = "polynomial"',
     _in_recipe(lambda one: one.optimizer.schedule == "polynomial")),
    ("optimizer.floor", 'with optimizer.schedule = "constant"',
     _in_recipe(lambda one: one.optimizer.schedule != "constant")),
    ("noise.random_offset", "without noise.offset", _in_recipe(lambda one: one.noise.offset > 0)),
    ("noise.multires_discount", "without noise.multires_iterations",
     _in_recipe(lambda one: one.noise.multires_iterations > 1)),
    ("noise.random_perturbation", "without noise.perturbation", _in_recipe(lambda one: one.noise.perturbation > 0)),
    ("noise.scale", 'with noise.distribution = "uniform" or "cosine"',
     _is_distributed("sigmoid", "logit_normal", "heavy_tail", "inverted_parabola")),
    ("noise.bias", 'without noise.distribution = "sigmoid", "logit_normal" or "inverted_parabola"',
     _is_distributed("sigmoid", "logit_normal", "inverted_parabola")),
    ("loss.huber_c loss.huber_schedule", 'without loss.kind = "huber" or "smooth_l1"',
     _in_recipe(lambda one: one.loss.kind in _HUBER)),
    ("loss.huber_scale", 'without loss.kind = "huber" or "smooth_l1", and a loss.huber_schedule that is not "snr"',
     _in_recipe(lambda one: one.loss.kind in _HUBER and one.loss.huber_schedule != "snr")),
    ("loss.min_snr_gamma", "with loss.debiased, which takes its place", _in_recipe(lambda one: not one.loss.debiased)),
    ("loss.unmasked_weight loss.unmasked_probability loss.normalise_area", "without masks: dataset.masks", _has_masks),
    ("prior.weight prior.frozen prior.caption", "without pictures of the class: dataset.regularisation, or prior.draw",
     _has_class),
    ("prior.images", "without prior.draw", _in_recipe(lambda one: one.prior.draw > 0)),
    ("compute.ema_every", "without compute.ema", _in_recipe(lambda one: one.compute.ema > 0)),
    ("preview.negative_prompt preview.sampling_steps preview.cfg preview.seed",
     "without preview.prompts and preview.every", _in_recipe(lambda one: bool(one.preview.prompts))),
    ("save.keep", "without save.every or save.epochs", _in_recipe(lambda one: bool(one.save.every or one.save.epochs))),
)  # fmt: skip
"""Entries, what to say of them, and when they do have an effect."""
