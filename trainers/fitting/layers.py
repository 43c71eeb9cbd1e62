"""Whether a base has the layers, blocks and text encoders that a recipe names (no torch)."""

from collections.abc import Iterator
from difflib import get_close_matches
from math import ceil

from inference.adapters.blocks import blocks_of
from inference.plan import ModelPlan
from inference.weights.parts import TEXT_ENCODER_2, UNET
from modelhub.errors import BadValue, Incompatible
from trainers.methods._lora.places import places
from trainers.methods._rates import rates
from trainers.recipe import HypernetworkOptions, LoraOptions, Recipe

__all__ = ["check_layers"]

_TABLES = ("block_ranks", "block_alphas", "block_rates")
_ACTIVATIONS = (
    "linear", "relu", "leakyrelu", "elu", "swish", "tanh", "sigmoid", "celu", "gelu", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "logsigmoid", "logsoftmax", "mish", "prelu", "relu6", "rrelu", "selu", "silu", "softmax",
    "softmin", "softplus", "softshrink", "softsign", "tanhshrink",
)  # fmt: skip
"""webui's, and torch's that leave a width as it is."""


def check_layers(recipe: Recipe, base: ModelPlan) -> None:
    """Raise for blocks, text encoders and nets that the base has no place for."""
    if recipe.second_text_encoder_learning_rate and TEXT_ENCODER_2 not in base.parts:
        raise Incompatible(
            f"second_text_encoder_learning_rate: {base.model.name} has one text encoder",
            mend="leave it out: text_encoder_learning_rate is of the one that it has",
        )
    if isinstance(recipe.options, LoraOptions):
        _check_blocks(recipe.options, base)
        places(base.parts, recipe.options, list(rates(recipe, base.parts)))  # raises where none is left
    elif isinstance(recipe.options, HypernetworkOptions):
        _check_nets(recipe.options, base)


def _check_blocks(options: LoraOptions, base: ModelPlan) -> None:
    known = sorted(set(blocks_of(base.parts[UNET]).values()))
    for table, block in _named(options):
        if block not in known:
            near = get_close_matches(block, known, n=3, cutoff=0.5) or known
            raise BadValue(
                f"{table}: {base.model.name} has no block {block}; there is {', '.join(near)}",
                mend=f"modelhub train blocks {base.model.name}",
            )


def _named(options: LoraOptions) -> Iterator[tuple[str, str]]:
    return ((table, block) for table in _TABLES for block in getattr(options, table))


def _check_nets(options: HypernetworkOptions, base: ModelPlan) -> None:
    if options.activation not in _ACTIVATIONS:
        raise BadValue(
            f"options.activation: there is no activation {options.activation!r}",
            mend=f"set one of {', '.join(_ACTIVATIONS)}",
        )
    narrowest = min(shape[1] for name, shape in base.parts[UNET].modules.items() if name.endswith("to_k"))
    if int(min(options.structure) * narrowest) < 1:
        raise BadValue(
            f"options.structure: {min(options.structure):g} of {narrowest} columns leaves none",
            mend=f"write {ceil(1000 / narrowest) / 1000:g} or more",
        )
