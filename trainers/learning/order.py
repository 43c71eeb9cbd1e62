"""Which items each step takes."""

from collections.abc import Iterator
from itertools import count

from trainers.framing.buckets import Step, steps
from trainers.material.material import Material
from trainers.recipe import Recipe

__all__ = ["remaining"]


def remaining(material: Material, recipe: Recipe, taken: int) -> Iterator[tuple[int, Step]]:
    """(epoch, items in batches) of each step after those that were `taken`, to the end of the recipe."""
    number = 0
    for epoch in count():
        order = material.epoch(epoch)
        sizes = [material.items[index].placement.bucket for index in order]
        accumulate = recipe.compute.accumulate
        for batches in steps(sizes, recipe.batch, accumulate=accumulate, seed=recipe.seed, epoch=epoch):
            if number == recipe.steps:
                return
            if number >= taken:
                yield epoch, [[order[position] for position in batch] for batch in batches]
            number += 1
