"""Recipes by lot keep every promise; `python -m tests.fuzz.fuzz_recipes` draws many more."""

from pathlib import Path

import pytest

from tests.trainers.any_recipe import Ground, drawn
from tests.trainers.promises import check_promises
from tests.trainers.recipe_values import ELSEWHERE, HOSTILE, VALUES
from trainers.recipe.entries import entries
from trainers.recipe.methods import METHODS

WHOLE = (4, 8, 28, 32, 33, 36, 38, 43, 44, 46, 59)
AGAIN = (13,)
"""Those that are killed, resumed and repeated, too, which takes four times as long."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground.laid(tmp_path_factory.mktemp("ground") / "ground")


@pytest.mark.parametrize("seed", [*WHOLE, *AGAIN])
def test_a_recipe_by_lot_keeps_its_promises(ground: Ground, tmp_path: Path, seed: int) -> None:
    check_promises(drawn(seed, ground), ground, tmp_path / "trial", seed, again=seed in AGAIN)


def test_every_entry_of_a_recipe_is_drawn() -> None:
    known = {*VALUES, *HOSTILE, *ELSEWHERE}
    names = {entry.name for method in METHODS for entry in entries(method)}

    assert {name for name in names - known if not name.startswith("options.pivotal.")} == set()
    assert known - names == {"options.pivotal"}
