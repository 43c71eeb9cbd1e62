"""A LoRA to go on from is what the recipe trains, or it is told before anything is loaded how it is not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.plan import ModelPlan, plan_adapter
from inference.weights.single_file import Part
from modelhub.errors import Incompatible
from tests.trainers.methods.loras import learnt, loaded, planned, recipe, saved
from trainers.fitting.start import check_start
from trainers.methods.lora import prepare


def with_start(parts: Mapping[str, Part], folder: Path, **entries: Any) -> ModelPlan:
    """The base with a LoRA of such a recipe in it."""
    lora = prepare(loaded(parts), planned(parts), recipe(**entries))
    path = saved(learnt(lora), folder / "old.safetensors")
    return replace(planned(parts), adapters=(plan_adapter(path, parts, name="old"),))


@pytest.fixture(scope="module")
def plain(parts: Mapping[str, Part], tmp_path_factory: pytest.TempPathFactory) -> ModelPlan:
    return with_start(parts, tmp_path_factory.mktemp("start"))


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"rank": 8, "alpha": 6.0}, "is .* where .* is to be trained"),
        ({"alpha": 1.5}, "its alpha is 3, not 1.5"),
        ({"rank_stabilized": True}, "its alpha is 3, not 6"),
        ({"algorithm": "loha"}, "is of another algorithm"),
        ({"dora": True}, "is of another algorithm"),
        ({"conv_rank": 2}, "it lacks 31 of the layers"),
        ({"text": 0}, "it changes 12 layers that are not to be trained"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_the_reason(
    plain: ModelPlan, entries: Mapping[str, Any], why: str
) -> None:
    with pytest.raises(Incompatible, match=f"cannot go on from old: .*{why}") as caught:
        check_start(recipe(**entries), plain)

    assert str(caught.value.mend).startswith("modelhub show old, and give the recipe")


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"precision": "bf16"},
        {"precision": "fp32", "alpha": 1 / 3},
        {"dora": True},
        {"algorithm": "loha", "conv_rank": 2},
        {"algorithm": "lokr", "factor": 2, "rank": 1},
        {"algorithm": "oft"},
        {"rank_stabilized": True, "block_ranks": {"IN01": 2}},
    ],
    ids=str,
)
def test_what_the_same_recipe_made_is_gone_on_from(
    parts: Mapping[str, Part], entries: Mapping[str, Any], tmp_path: Path
) -> None:
    check_start(recipe(**entries), with_start(parts, tmp_path, **entries))
