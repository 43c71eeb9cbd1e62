"""OneTrainer's concepts, as a list and within a configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelhub.errors import BadValue
from tests.trainers.pictures import write_picture
from trainers.dataset import Dataset, gather
from trainers.recipe import DatasetOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(4):
        write_picture(tmp_path / "kip" / f"kip {index}.png", shade=index, caption=f"kip, {index}")
    write_picture(tmp_path / "kip" / "deeper" / "far.png", shade=9)
    return tmp_path


def read(folder: Path, *concepts: dict[str, Any], inline: bool = False) -> Dataset:
    listed = [{"path": "kip", **one} for one in concepts]
    (folder / "concepts.json").write_text(json.dumps({"concepts": listed} if inline else listed))
    return gather(DatasetOptions(images=folder / "concepts.json"))


@pytest.mark.parametrize("inline", [False, True])
def test_a_concept_is_its_folder_and_not_those_below(folder: Path, inline: bool) -> None:
    found = read(folder, {"balancing": 1.5, "loss_weight": 0.5}, inline=inline).samples

    assert [one.caption for one in found] == ["kip, 0", "kip, 1", "kip, 2", "kip, 3"]
    assert {(one.repeats, one.subset.weight) for one in found} == {(1.5, 0.5)}


def test_folders_below_count_where_they_are_asked_for(folder: Path) -> None:
    assert len(read(folder, {"include_subdirectories": True}).samples) == 5


def test_a_number_of_samples_is_shared_by_the_pictures(folder: Path) -> None:
    found = read(folder, {"balancing": 10, "balancing_strategy": "SAMPLES"}).samples

    assert [one.repeats for one in found] == [2.5] * 4


def test_what_a_concept_is_for_is_kept(folder: Path) -> None:
    found = read(folder, {}, {"type": "VALIDATION"}, {"type": "PRIOR_PREDICTION"}, {"validation_concept": True})

    subsets = found.described.options.subsets
    assert [(one.held_out, one.regularisation) for one in subsets] == [
        (False, False), (True, False), (False, True), (True, False)
    ]  # fmt: skip
    assert "prior.frozen = true" in found.notices[0]


def test_a_concept_that_is_not_enabled_is_left_out(folder: Path) -> None:
    assert len(read(folder, {}, {"enabled": False}).described.options.subsets) == 1


def test_pictures_and_tags_are_changed_as_it_says(folder: Path) -> None:
    image = {"enable_crop_jitter": True, "enable_random_flip": True, "resolution_override": "512,768"}
    text = {"enable_tag_shuffling": True, "keep_tags_count": 2, "tag_delimiter": ";", "tag_dropout_enable": True,
            "tag_dropout_mode": "RANDOM", "tag_dropout_probability": 0.25}  # fmt: skip
    concept = {"image": {**image, "enable_resolution_override": True}, "text": text, "image_variations": 3}

    found = read(folder, concept)
    (one,) = found.described.options.subsets

    assert (one.augment.crop, one.augment.flip, one.augment.variations) == ("random", True, 3)
    assert (one.captions.shuffle, one.captions.keep, one.captions.separator) == (True, 2, ";")
    assert (one.captions.tag_dropout, one.resolution, found.notices) == (0.25, (512, 768), ())


def test_captions_may_be_the_names_of_the_files(folder: Path) -> None:
    found = read(folder, {"text": {"prompt_source": "filename"}}).samples

    assert [one.caption for one in found][:2] == ["kip 0", "kip 1"]


def test_captions_may_be_the_lines_of_one_file_of_which_one_is_said(folder: Path) -> None:
    (folder / "said.txt").write_text("a photo of kip\n\nkip,  drawn\n")

    found = read(folder, {"text": {"prompt_source": "concept", "prompt_path": "said.txt"}}).samples

    assert {one.caption for one in found} == {"a photo of kip\nkip, drawn"}
    assert found[0].subset.captions.wildcards


def test_a_mask_beside_a_picture_is_found_and_is_no_picture(folder: Path) -> None:
    write_picture(folder / "kip" / "kip 1-masklabel.png", caption=None)

    found = read(folder, {}).samples

    assert [one.mask.path.name if one.mask else None for one in found] == [None, "kip 1-masklabel.png", None, None]


def test_what_has_no_place_is_told(folder: Path) -> None:
    told = read(
        folder,
        {
            "image": {"enable_random_hue": True, "random_hue_max_strength": 0.1, "enable_fixed_flip": False},
            "text": {"tag_dropout_enable": True, "tag_dropout_mode": "FULL", "tag_dropout_probability": 0.5},
            "moon": 1,
        },
    ).notices

    assert [one.split(": ", 1)[1] for one in told] == [
        "moon = 1 is left out: it means nothing here",
        "enable_random_hue = True is left out: set augment.color, which turns hues or bends gamma",
        "concepts[0]: tag_dropout_mode = FULL leaves out whole captions, the kept tags too",
    ]


@pytest.mark.parametrize(
    ("concept", "wrong"),
    [
        ({"path": ""}, r"concepts\[0\]\.path: it must be a path"),
        ({"balancing": -1}, r"concepts\[0\]: balancing: "),
        ({"balancing": 0, "balancing_strategy": "SAMPLES"}, "0 is no number of pictures"),
        ({"text": {"prompt_source": "moon"}}, "'moon' is none of sample, filename, concept"),
        ({"image": 3}, r"concepts\[0\]\.image: it must be a table"),
        ({"enabled": False}, "no concept is enabled"),
    ],
)
def test_a_wrong_entry_is_named(folder: Path, concept: dict[str, Any], wrong: str) -> None:
    with pytest.raises(BadValue, match=wrong):
        read(folder, concept)
