"""What a recipe comes to: which pictures are learned from, how often, at which sizes, and which judge."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelhub.catalog import Catalog
from modelhub.errors import MissingFile
from tests.trainers.pictures import write_picture
from trainers.dataset.nouns import Glance
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import DatasetOptions, Recipe, TextualInversionOptions, parse_recipe


@pytest.fixture
def base(catalog: Catalog, checkpoint: Path) -> Catalog:
    catalog.add(checkpoint, name="tiny")
    return catalog


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twenty, each another."""
    for index in range(20):
        write_picture(tmp_path / "kip" / f"{index:02}.png", shade=index, caption=f"kip {index}")
    return tmp_path / "kip"


def plan(catalog: Catalog, images: Path | None = None, **entries: Any) -> TrainingPlan:
    dataset = entries.pop("dataset", {}) | ({"images": images} if images else {})
    return plan_training(Recipe(base="tiny", name="kip", dataset=DatasetOptions(**dataset), **entries), catalog)


def test_pictures_that_the_workspace_knows_are_not_decoded_again(base: Catalog, pictures: Path) -> None:
    """What is kept of them is believed: here, that they are of another height."""
    first = plan(base, pictures)
    for kept in (base.workspace.cache / "glances").iterdir():
        known = msgspec.msgpack.decode(kept.read_bytes(), type=Glance)
        kept.write_bytes(msgspec.msgpack.encode(replace(known, size=(64, 80))))

    second = plan(base, pictures)

    assert {one.size for one in first.samples} == {(64, 64)}
    assert second.samples == tuple(replace(one, size=(64, 80)) for one in first.samples)


def test_a_share_is_held_out_and_that_is_told(base: Catalog, pictures: Path) -> None:
    found = plan(base, pictures)

    learned = {one.sample for one in found.items}
    judging = {one.sample for one in found.held_out}
    assert (len(learned), len(judging), learned & judging) == (18, 2, set())
    assert found.notices == ("2 of 20 pictures are held out to judge by: --held-out 0 learns from all",)


def test_with_no_share_all_are_learned(base: Catalog, pictures: Path) -> None:
    found = plan(base, pictures, validation={"share": 0})

    assert (len(found.items), found.held_out, found.notices) == (20, (), ())


def test_steps_are_counted_by_what_is_learned(base: Catalog, pictures: Path) -> None:
    assert plan(base, pictures, steps_per_image=10, steps_range=(1, 3000)).recipe.steps == 180
    assert plan(base, pictures, epochs=5, batch=3).recipe.steps == 30


def test_epochs_are_whole_however_short_their_last_steps_are(base: Catalog, pictures: Path) -> None:
    """18 pictures in steps of 4 are five steps, the last of them with two pictures."""
    assert plan(base, pictures, epochs=3, batch=4).recipe.steps == 15
    assert plan(base, pictures, epochs=1, batch=2, compute={"accumulate": 2}).recipe.steps == 5


def test_pictures_of_the_class_are_as_many_as_all_others_and_weigh_by_the_prior(base: Catalog, pictures: Path) -> None:
    for index in range(4):
        write_picture(pictures.parent / "robots" / "1_robot" / f"{index}.png", shade=100 + index, caption=None)

    found = plan(base, pictures, dataset={"regularisation": pictures.parent / "robots"}, prior={"weight": 0.5})

    classes = [one for one in found.items if one.prior]
    assert [one.repeats for one in classes] == [5, 5, 4, 4]
    assert {one.weight for one in classes} == {0.5}
    assert {found.samples[one.sample].caption for one in classes} == {"robot"}
    assert {one.weight for one in found.items if not one.prior} == {1.0}


def test_pictures_of_the_class_may_be_captioned_by_the_recipe(base: Catalog, pictures: Path) -> None:
    write_picture(pictures.parent / "robots" / "a.png", shade=99, caption=None)

    found = plan(base, pictures, dataset={"regularisation": pictures.parent / "robots"}, prior={"caption": "a robot"})

    assert found.samples[-1].caption == "a robot"


def test_each_picture_is_shown_at_each_resolution(base: Catalog, pictures: Path) -> None:
    found = plan(base, pictures, dataset={"resolution": (64, 128)}, validation={"share": 0})

    assert [one.placement.bucket for one in found.items] == [(64, 64)] * 20 + [(128, 128)] * 20
    assert found.resolution == 128


def test_a_subset_may_have_a_resolution_and_a_weight_of_its_own(base: Catalog, pictures: Path) -> None:
    subsets = [{"images": pictures, "weight": 2.0}, {"images": pictures, "resolution": 128, "repeats": 1.5}]

    found = plan(base, dataset={"subsets": subsets, "resolution": 64}, validation={"share": 0})

    told = {(one.placement.bucket, one.repeats, one.weight) for one in found.items}
    assert told == {((64, 64), 1.0, 2.0), ((128, 128), 1.5, 1.0)}
    assert len(found.items) == 40


def test_a_picture_that_is_in_two_subsets_judges_in_both_or_in_none(base: Catalog, pictures: Path) -> None:
    found = plan(base, dataset={"subsets": [{"images": pictures}, {"images": pictures}]})

    digests = [{found.samples[one.sample].sha256 for one in side} for side in (found.items, found.held_out)]
    assert digests[1]
    assert not digests[0] & digests[1]


def test_small_pictures_are_not_enlarged_where_that_is_not_wanted(base: Catalog, tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png", (72, 40))

    found = plan(base, tmp_path / "set", dataset={"upscale": False, "resolution": 128, "bucket_step": 8})

    assert found.items[0].placement.bucket == found.items[0].placement.scaled == (72, 40)


def test_sides_of_buckets_may_be_bounded(base: Catalog, tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png", (256, 32))

    found = plan(base, tmp_path / "set", dataset={"bucket_sides": (48, 80), "resolution": 64, "bucket_step": 8})

    assert found.items[0].placement.bucket == (80, 48)


def test_without_buckets_everything_is_square(base: Catalog, tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png", (128, 32))

    found = plan(base, tmp_path / "set", dataset={"buckets": False, "upscale": False, "resolution": 64})

    assert found.items[0].placement.bucket == (64, 64)


def test_another_trainers_description_becomes_part_of_the_recipe(base: Catalog, pictures: Path) -> None:
    (pictures.parent / "set.toml").write_text(
        "[[datasets]]\nvalidation_split = 0.25\n[[datasets.subsets]]\nimage_dir = 'kip'\nnum_repeats = 3\nmoon = 1\n"
    )

    found = plan(base, pictures.parent / "set.toml")
    (pictures.parent / "set.toml").unlink()
    again = plan_training(parse_recipe(_unmarked(found.recipe), "the run"), base)

    assert (len(found.held_out), found.items[0].repeats, found.recipe.validation.share) == (5, 3, 0.25)
    assert "moon = 1 is left out" in found.notices[0]
    assert (again.recipe.digest, again.dataset, again.items) == (found.recipe.digest, found.dataset, found.items)


def test_a_trigger_word_that_the_description_names_is_the_recipes(base: Catalog, pictures: Path) -> None:
    sets = [{"folder_path": str(pictures), "trigger_word": "kip"}]
    (pictures.parent / "config.json").write_text(json.dumps({"datasets": sets}))

    assert plan(base, pictures.parent / "config.json").recipe.trigger == "kip"
    assert plan(base, pictures.parent / "config.json", trigger="kop").recipe.trigger == "kop"


def test_phrases_of_its_own_teach_a_word_without_captions(base: Catalog, tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png", caption=None)

    found = plan(base, tmp_path / "set", method="textual_inversion", options=TextualInversionOptions(templates="style"))

    assert [one.caption for one in found.samples] == [""]


def test_pictures_that_all_judge_leave_nothing_to_learn_from(base: Catalog, pictures: Path) -> None:
    with pytest.raises(MissingFile, match="no pictures to learn from"):
        plan(base, dataset={"subsets": [{"images": pictures, "held_out": True}]})


def _unmarked(recipe: Recipe) -> dict[str, Any]:
    payload = recipe.payload()
    return {name: value for name, value in payload.items() if name != "schema"}
