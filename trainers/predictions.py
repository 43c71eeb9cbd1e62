"""What a model can learn to predict: which losses, noise and timesteps go with it (no torch)."""

import math

from modelhub.errors import BadValue
from trainers.recipe import LossOptions, NoiseOptions, Recipe

__all__ = ["check_objective", "check_timesteps", "zero_terminal"]

_PREDICTIONS = ("epsilon", "v", "flow")
_STEEPEST = 2 / (math.pi - 2)
"""Beyond this `scale` the heavy tail turns back upon itself (Esser et al. 2024, section 3.1)."""
_FURTHEST = 700
"""Exponents beyond it have no power that a float holds."""


def zero_terminal(recipe: Recipe, prediction: str, known: bool) -> bool:
    """Whether it is trained down to no signal at all; `known` is whether the base was."""
    return recipe.noise.zero_terminal_snr or (known and prediction == "v")


def check_objective(prediction: str, loss: LossOptions, *, zero_snr: bool) -> None:
    """Raise `BadValue` where losses or noise are for another prediction."""
    if prediction not in _PREDICTIONS:
        raise BadValue(
            f"there is no training for prediction type {prediction!r}", mend=f"choose one of {', '.join(_PREDICTIONS)}"
        )
    if zero_snr and prediction != "v":
        raise _unfit("zero terminal SNR needs a base that predicts v", prediction, "noise.zero_terminal_snr")
    if loss.scale_v_like_noise and prediction != "v":
        raise _unfit("there is no loss of v to scale", prediction, "loss.scale_v_like_noise")
    if loss.debiased and prediction == "flow":
        raise _unfit("debiased weights are for noise and v", prediction, "loss.debiased")


def check_timesteps(options: NoiseOptions, count: int) -> None:
    """Raise `BadValue` for timesteps that a model of `count` does not know, and distributions that are none."""
    asked = max(options.smallest_timestep + 1, options.largest_timestep or 0)
    if asked > count:
        raise BadValue(
            f"the base knows timesteps below {count}; the recipe's noise asks for {asked - 1}",
            mend=f"set noise.smallest_timestep and noise.largest_timestep within 0 and {count}",
        )
    if options.distribution == "heavy_tail" and options.scale > _STEEPEST:
        raise BadValue(
            f"a heavy tail has a noise.scale of at most {_STEEPEST:.2f}, not {options.scale:g}",
            mend="set noise.scale = 1.29",
        )
    if options.distribution == "sigmoid" and options.scale * (0.5 + abs(options.bias)) > _FURTHEST:
        raise BadValue(f"a sigmoid of noise.scale {options.scale:g} is a step", mend="set noise.scale = 10")
    if options.distribution == "inverted_parabola" and options.scale * max(0.0, abs(options.bias) - 0.5) ** 2 >= 2:
        raise BadValue(
            f"a parabola with its top {options.bias:g} beside the middle leaves no timestep", mend="set noise.bias = 0"
        )


def _unfit(why: str, prediction: str, entry: str) -> BadValue:
    return BadValue(f"{why}; this base predicts {prediction}", mend=f"set {entry} = false in the recipe")
