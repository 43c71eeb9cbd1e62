"""Whether all is installed that a recipe's optimizer and logs need (no torch)."""

import importlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec

from modelhub.errors import BadValue, ModelHubError
from trainers.recipe import Recipe

__all__ = ["check_login", "check_optimizer", "lacking"]

_OPTIMIZERS: Mapping[str, str] = {
    "AdamW": "", "AdamW8bit": "bitsandbytes", "PagedAdamW8bit": "bitsandbytes", "Lion": "", "Prodigy": "",
    "Adafactor": "", "AdamWScheduleFree": "", "SGD": "",
}  # fmt: skip
"""Those of `trainers.optimizers` -> the package that each needs."""

_COMPILERS = ("g++", "clang++", "c++", "cl")


def check_optimizer(recipe: Recipe) -> None:
    """Raise `BadValue` for one that there is not, naming those there are."""
    if recipe.optimizer.name.lower() not in map(str.lower, _OPTIMIZERS):
        raise BadValue(
            f"there is no optimizer {recipe.optimizer.name!r}", mend=f"choose one of {', '.join(_OPTIMIZERS)}"
        )


def _is_there(package: str) -> bool:
    return find_spec(package) is not None


def _finds_program(name: str) -> bool:
    return shutil.which(name) is not None


def lacking(
    recipe: Recipe, *, installed: Callable[[str], bool] = _is_there, finds: Callable[[str], bool] = _finds_program
) -> Iterator[ModelHubError]:
    """One for each package or program that the recipe needs and that is not installed; nothing is imported."""
    optimizer = recipe.optimizer.name
    package = {name.lower(): needed for name, needed in _OPTIMIZERS.items()}.get(optimizer.lower(), "")
    wanted = {
        package: (optimizer, "pip install bitsandbytes, or --optimizer AdamW"),
        "tensorboard": ("logging to TensorBoard" if recipe.log.tensorboard else "", "pip install tensorboard"),
        "wandb": ("logging to Weights & Biases" if recipe.log.wandb else "", "pip install wandb"),
    }
    for name, (what, mend) in wanted.items():
        if name and what and not installed(name):
            yield ModelHubError(f"{what} needs the package {name}, which is not installed", mend=mend)
    compilers = filter(None, (os.environ.get("CXX"), *_COMPILERS))  # torch looks there too
    if recipe.compute.compile and not any(map(finds, compilers)):
        yield ModelHubError(
            "compute.compile needs a C++ compiler, such as g++, and there is none on the PATH",
            mend="apt install g++, or leave it out: --no-compile",
        )


def check_login(recipe: Recipe) -> None:
    """Raise `ModelHubError` unless Weights & Biases knows us, or is told to stay offline; it may ask for a key."""
    if not recipe.log.wandb:
        return
    wandb = importlib.import_module("wandb")
    try:
        wandb.login()
    except wandb.Error as error:
        raise ModelHubError(
            f"Weights & Biases cannot be logged in to: {error}", mend="wandb login, or set WANDB_MODE=offline"
        ) from error
