"""A range test finds where a training learns fastest, and where it breaks."""

import math
from itertools import pairwise
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.errors import BadValue, ModelHubError
from modelhub.jobs import Step, drain
from tests.trainers.pictures import write_set
from trainers.range_test import range_of, range_test
from trainers.recipe import parse_recipe


def course(*, breaks_at: float = 1e-2) -> list[tuple[float, float]]:
    """A loss that falls fastest at a rate of 1e-4, and rises from another one on."""
    rates = [10 ** (-6 + 5 * step / 99) for step in range(100)]
    fall = [1 / (1 + math.exp(3 * (math.log10(rate) + 4))) for rate in rates]
    return [(rate, loss + 0.5 + max(0.0, rate / breaks_at - 1)) for rate, loss in zip(rates, fall, strict=True)]


def test_the_rate_of_the_steepest_fall_is_suggested() -> None:
    found = range_of(course())

    assert 0.5e-4 < found.steepest < 2e-4
    assert found.breaks == pytest.approx(2e-2, rel=0.6)
    assert found.suggested == found.steepest


def test_no_more_than_a_tenth_of_where_it_breaks_is_suggested() -> None:
    found = range_of(course(breaks_at=3e-4))

    assert found.breaks is not None
    assert found.suggested <= found.breaks / 10


def test_what_never_breaks_is_told_so() -> None:
    assert range_of(course(breaks_at=1e9)).breaks is None


def test_a_training_that_breaks_at_once_tells_to_begin_lower() -> None:
    with pytest.raises(ModelHubError, match="broke after 3 steps") as caught:
        range_of(course()[:3])

    assert "--lowest" in str(caught.value.mend)


def test_rates_rise_geometrically_and_nothing_is_kept(catalog: Catalog, checkpoint: Path, tmp_path: Path) -> None:
    catalog.add(checkpoint, name="tiny")
    images = write_set(tmp_path / "pictures")
    recipe = parse_recipe({"base": "tiny", "name": "kip", "dataset": {"images": images}, "options": {"rank": 1}}, "")

    events = list(range_test(recipe, catalog=catalog, lowest=1e-5, highest=1e-2, steps=13, device="cpu"))

    rates = [event.learning_rate for event in events if isinstance(event, Step)]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[-1] == pytest.approx(1e-2, rel=0.5)
    ratios = [after / before for before, after in pairwise(rates)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    assert [one.name for one in catalog.list()] == ["tiny"]
    assert catalog.last_run("train") is None
    found = drain(iter(events[-1:]))
    assert found.picture().size == (1000, 560)


def test_a_dataset_that_teaches_nothing_is_refused_before_a_step(
    catalog: Catalog, checkpoint: Path, tmp_path: Path
) -> None:
    catalog.add(checkpoint, name="tiny")
    images = write_set(tmp_path / "pictures")
    for caption in images.glob("*.txt"):
        caption.unlink()
    recipe = parse_recipe({"base": "tiny", "name": "kip", "dataset": {"images": images}}, "")

    with pytest.raises(BadValue, match="3 pictures without a caption"):
        drain(range_test(recipe, catalog=catalog, steps=13, device="cpu"))


def test_too_few_steps_are_refused_before_anything_is_read(catalog: Catalog) -> None:
    recipe = parse_recipe({"base": "none", "name": "kip", "dataset": {"images": "none"}}, "")

    with pytest.raises(BadValue, match="7 steps tell nothing"):
        drain(range_test(recipe, catalog=catalog, steps=7))
