"""ai-toolkit's datasets, in YAML and JSON."""

import json
from pathlib import Path

import pytest

from modelhub.errors import BadValue
from tests.trainers.pictures import write_picture, write_set
from trainers.dataset import Dataset, gather
from trainers.recipe import DatasetOptions

WHOLE = """
job: extension
config:
  name: kip
  process:
    - type: sd_trainer
      trigger_word: kip
      train: {batch_size: 1}
      datasets:
        - folder_path: pictures
          mask_path: masks
          caption_ext: cap
          default_caption: a photo of [trigger]
          caption_dropout_rate: 0.05
          token_dropout_rate: 0.1
          shuffle_tokens: true
          keep_tokens: 1
          flip_x: true
          random_crop: true
          resolution: [512, 768]
          bucket_tolerance: 32
          num_repeats: 2
          loss_multiplier: 0.5
          cache_latents_to_disk: true
        - folder_path: robots
          is_reg: true
          default_caption: a robot
          network_weight: 0.5
          flip_y: false
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("pictures", "masks", "robots"):
        write_picture(tmp_path / name / "0.png", caption=None)
    write_picture(tmp_path / "pictures" / "deeper" / "far.png")
    return tmp_path


def read(folder: Path, text: str, name: str = "config.yaml") -> Dataset:
    (folder / name).write_text(text, encoding="utf-8")
    return gather(DatasetOptions(images=folder / name))


def test_every_entry_has_its_place(folder: Path) -> None:
    found = read(folder, WHOLE)
    kip, robots = found.described.options.subsets

    assert found.described.options.bucket_step == 32
    assert (kip.images, kip.masks, kip.caption) == (folder / "pictures", folder / "masks", "a photo of [trigger]")
    assert (kip.repeats, kip.weight, kip.resolution, kip.trigger) == (2, 0.5, (512, 768), "kip")
    assert (kip.captions.extensions, kip.captions.dropout, kip.captions.tag_dropout) == ((".cap",), 0.05, 0.1)
    assert (kip.captions.shuffle, kip.captions.keep) == (True, 1)
    assert (kip.augment.flip, kip.augment.crop) == (True, "random")
    assert (robots.regularisation, robots.caption) == (True, "a robot")


def test_what_has_no_place_is_told_with_what_to_do(folder: Path) -> None:
    left_out, differing = read(folder, WHOLE).notices

    assert left_out.endswith("network_weight = 0.5 is left out: set weight, which scales the losses")
    assert differing.endswith("datasets differ in their buckets, and all take the first one's")


def test_only_the_folder_itself_is_read(folder: Path) -> None:
    assert [one.path.name for one in read(folder, WHOLE).samples] == ["0.png", "0.png"]


@pytest.mark.parametrize("name", ["config.yaml", "config.yml", "config.json"])
def test_json_is_read_and_datasets_without_a_job_around_them(folder: Path, name: str) -> None:
    write_set(folder / "set")
    text = json.dumps({"datasets": [{"folder_path": str(folder / "set")}]})

    assert [one.caption for one in read(folder, text, name).samples] == ["ramp 0, blue", "ramp 1, blue", "ramp 2, blue"]


def test_a_default_caption_may_lie_in_the_folder(folder: Path) -> None:
    (folder / "pictures" / "default.txt").write_text("a  ramp\n")

    (one,) = read(folder, "datasets: [{folder_path: pictures}]").samples

    assert one.caption == "a ramp"


def test_pictures_without_a_caption_have_the_trigger_word_for_one(folder: Path) -> None:
    (one,) = read(folder, "datasets: [{folder_path: pictures, trigger_word: kip}]").samples

    assert one.caption == "[trigger]"


def test_square_crops_are_no_buckets(folder: Path) -> None:
    found = read(folder, "datasets: [{folder_path: pictures, trigger_word: kip, square_crop: true}]")

    assert not found.described.options.buckets


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("datasets: [{folder_path: 3}]", r"datasets\[0\]\.folder_path: it must be a path"),
        ("datasets: [{folder_path: robots, num_repeats: -1}]", r"datasets\[0\]: num_repeats: "),
        ("datasets: [{folder_path: robots, bucket_tolerance: 7}]", "bucket_tolerance: 7 is no multiple of 8"),
        ("datasets: [{folder_path: robots", "while parsing"),
        ("job: extension", "describes no dataset"),
        ("!!python/object/apply:os.system [true]", "could not determine a constructor"),
    ],
)
def test_a_wrong_entry_is_named(folder: Path, text: str, wrong: str) -> None:
    with pytest.raises(BadValue, match=wrong):
        read(folder, text)
