"""How many numbers learn, and how large the files are that they come to: from a plan alone (no torch)."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import prod

from inference.weights.parts import TEXT_ROLES, UNET, Part
from trainers.methods._lora.places import places
from trainers.methods._lora.sizes import MAGNITUDE, factor_shapes
from trainers.methods._rates import rates
from trainers.plan import TrainingPlan
from trainers.recipe import HypernetworkOptions, LoraOptions, TextualInversionOptions

__all__ = ["parameters", "trainable", "written"]

_BYTES: Mapping[str, int] = {"fp16": 2, "bf16": 2, "fp32": 4}
_WIDE = 4
"""Bytes of a number that is written in float32, whatever the recipe's precision is."""
_ATTENTION = (".attn1.", ".attn2.")


def trainable(plan: TrainingPlan) -> int:
    """Numbers that learn."""
    options, parts = plan.recipe.options, plan.base.parts
    if isinstance(options, LoraOptions):
        words = _words(plan, options.pivotal) if options.pivotal else 0
        return sum(prod(shape) for _, shape in _factors(plan, options)) + words
    if isinstance(options, TextualInversionOptions):
        return _words(plan, options)
    if isinstance(options, HypernetworkOptions):
        return _nets(parts[UNET], options)
    learned = rates(plan.recipe, parts)
    return sum(_parameters_of(parts[role], role, attention_only=options.attention_only) for role in learned)


def written(plan: TrainingPlan) -> int:
    """Bytes of the tensors of all files that one result comes to; alphas count as the file's own numbers."""
    options, formats = plan.recipe.options, plan.recipe.export.formats
    each = _BYTES[plan.recipe.export.precision]
    if isinstance(options, LoraOptions):
        words = _WIDE * _words(plan, options.pivotal) * _files_of_words(plan, formats) if options.pivotal else 0
        return sum(_lora_file(plan, options, one, each) for one in _of_loras(formats)) + words
    if isinstance(options, TextualInversionOptions):
        return _WIDE * _words(plan, options) * _files_of_words(plan, formats)
    if isinstance(options, HypernetworkOptions):
        return 2 * each * trainable(plan)  # safetensors, and webui's pickle
    held = [plan.base.parts[UNET]] if options.keeps == "unet" else plan.base.parts.values()
    return each * sum(map(parameters, held))


def parameters(part: Part) -> int:
    """Numbers of one part of a base."""
    return sum(map(prod, part.shapes.values()))


def _factors(plan: TrainingPlan, options: LoraOptions) -> Iterator[tuple[str, tuple[int, ...]]]:
    """(ending, shape) of every tensor that learns."""
    parts = plan.base.parts
    for place in places(parts, options, list(rates(plan.recipe, parts))):
        yield from factor_shapes(place, options).items()


def _lora_file(plan: TrainingPlan, options: LoraOptions, format_name: str, each: int) -> int:
    """Norms are kept in float32; diffusers' format has no alphas."""
    parts = plan.base.parts
    alphas = len(places(parts, options, list(rates(plan.recipe, parts)))) if format_name == "kohya" else 0
    factors = sum(prod(shape) * (_WIDE if ending == MAGNITUDE else each) for ending, shape in _factors(plan, options))
    return factors + alphas * each


def _of_loras(formats: tuple[str, ...]) -> list[str]:
    return [one for one in formats if one in ("kohya", "diffusers")] or ["kohya"]


def _files_of_words(plan: TrainingPlan, formats: tuple[str, ...]) -> int:
    """webui's, which is always written, and what else is asked for; of two text encoders diffusers reads the same."""
    alone = sum(role in TEXT_ROLES for role in plan.base.parts) == 1
    return 1 + ("a1111" in formats) + ("diffusers" in formats and alone)


def _words(plan: TrainingPlan, options: TextualInversionOptions) -> int:
    widths: list[int] = [part.config["hidden_size"] for role, part in plan.base.parts.items() if role in TEXT_ROLES]
    return options.vectors * sum(widths)


def _nets(unet: Part, options: HypernetworkOptions) -> int:
    """A pair of nets for each width of what enters the keys of attention."""
    widths = {shape[1] for name, shape in unet.modules.items() if name.endswith("to_k")}
    return 2 * sum(_net([int(width * one) for one in options.structure], options) for width in widths)


def _net(widths: list[int], options: HypernetworkOptions) -> int:
    """Weights and biases, and as many of both as a layer is wide where it is evened out."""
    norms = 2 if options.layer_norm else 0
    return sum(before * after + after + norms * after for before, after in pairwise(widths))


def _parameters_of(part: Part, role: str, *, attention_only: bool) -> int:
    """Of those that learn in a full fine-tuning."""
    only = _ATTENTION if role == UNET and attention_only else ("",)
    return sum(prod(shape) for name, shape in part.shapes.items() if any(one in name for one in only))
