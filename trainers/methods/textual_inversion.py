"""Textual inversion: a new word that a frozen model understands (Gal et al. 2022, https://arxiv.org/abs/2208.01618)."""

import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from torch import Tensor, nn

from inference.plan import ModelPlan
from trainers.methods._trainee import Export, ParameterGroup
from trainers.methods._words import Words
from trainers.recipe import Recipe, TextualInversionOptions

__all__ = ["TextualInversion", "prepare"]


class TextualInversion:
    """One new word; a `Trainee`."""

    trains_text_encoder = True

    def __init__(self, words: Words) -> None:
        self.module = words

    @property
    def words(self) -> Mapping[str, Mapping[str, Tensor]]:
        return self.module.spoken

    def groups(self) -> list[ParameterGroup]:
        return [self.module.group]

    def phrase(self, caption: str, chance: random.Random) -> str:
        return self.module.phrase(caption, chance)

    def begin_step(self, step: int) -> None:
        """Every step learns all of it."""

    def after_step(self, step: int) -> None:
        self.module.after_step(step)

    def exports(self, formats: Sequence[str]) -> list[Export]:
        return self.module.exports(formats)

    def check(self, export: Export, path: Path) -> bool:
        return self.module.check(export, path)

    def at_rest(self) -> AbstractContextManager[None]:
        """Without the word in a text the base answers as ever."""
        return nullcontext()

    def detach(self) -> None:
        """Nothing of the base was touched."""


def prepare(models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe) -> TextualInversion:
    """A word that begins as the recipe says."""
    assert isinstance(recipe.options, TextualInversionOptions)
    return TextualInversion(Words(models, plan, recipe, recipe.options))
