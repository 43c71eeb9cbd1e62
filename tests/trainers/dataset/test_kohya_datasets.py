"""kohya's dataset files, TOML and JSON, as its documentation describes them."""

import json
from pathlib import Path

import pytest

from modelhub.errors import BadValue, MissingFile
from tests.trainers.pictures import write_picture, write_set
from trainers.dataset import Dataset, described, gather
from trainers.recipe import CaptionOptions, DatasetOptions

WHOLE = """
[general]
shuffle_caption = true
keep_tokens = 1
caption_extension = ".cap"
batch_size = 4

[[datasets]]
resolution = [512, 768]
enable_bucket = true
min_bucket_reso = 320
max_bucket_reso = 960
bucket_reso_steps = 32
bucket_no_upscale = true
validation_split = 0.2
keep_tokens = 2

  [[datasets.subsets]]
  image_dir = "kip"
  num_repeats = 3
  class_tokens = "kip robot"
  flip_aug = true
  color_aug = true
  random_crop = true
  caption_prefix = "best,"
  caption_suffix = ", drawn"
  caption_separator = ";"
  keep_tokens_separator = "|||"
  secondary_separator = ";;;"
  enable_wildcard = true
  caption_dropout_rate = 0.05
  caption_dropout_every_n_epochs = 4
  caption_tag_dropout_rate = 0.1
  token_warmup_step = 0.5

  [[datasets.subsets]]
  image_dir = "robots"
  is_reg = true
  class_tokens = "robot"
  keep_tokens = 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of kip without captions, and of robots."""
    for name in ("kip", "robots"):
        for index in range(2):
            write_picture(tmp_path / name / f"{index}.png", shade=index, caption=None)
    return tmp_path


def read(folder: Path, text: str) -> Dataset:
    (folder / "set.toml").write_text(text, encoding="utf-8")
    return gather(DatasetOptions(images=folder / "set.toml"))


def subset(entries: str) -> str:
    return f'[[datasets]]\n[[datasets.subsets]]\nimage_dir = "kip"\nclass_tokens = "kip"\n{entries}'


def test_every_entry_has_its_place(folder: Path) -> None:
    found = read(folder, WHOLE).described
    kip, _ = found.options.subsets

    assert (found.options.images, found.held_out, found.options.upscale) == (None, 0.2, False)
    assert (found.options.buckets, found.options.bucket_step, found.options.bucket_sides) == (True, 32, (320, 960))
    assert (kip.images, kip.repeats, kip.caption, kip.resolution) == (folder / "kip", 3, "kip robot", 624)
    assert (kip.augment.flip, kip.augment.color, kip.augment.crop) == (True, True, "random")
    assert kip.captions == CaptionOptions(
        extensions=(".cap",), prefix="best,", suffix=", drawn", separator=";", shuffle=True, keep=2,
        keep_separator="|||", secondary_separator=";;;", dropout=0.05, dropout_every_epochs=4, tag_dropout=0.1,
        warmup_tags=1, warmup_steps=0.5, wildcards=True,
    )  # fmt: skip


def test_the_nearest_level_wins(folder: Path) -> None:
    kip, robots = read(folder, WHOLE).described.options.subsets

    assert (kip.captions.keep, robots.captions.keep) == (2, 0)
    assert robots.captions.shuffle
    assert (kip.regularisation, robots.regularisation) == (False, True)


def test_pictures_are_those_of_the_folders_themselves(folder: Path) -> None:
    write_picture(folder / "kip" / "deeper" / "a.png")

    found = read(folder, WHOLE).samples

    assert [(one.folder, one.caption, one.repeats) for one in found] == [
        *[("kip", "kip robot", 3)] * 2,
        *[("robots", "robot", 1)] * 2,
    ]


def test_a_number_before_a_folders_name_is_no_number_of_repeats(tmp_path: Path) -> None:
    write_set(tmp_path / "10_kip")

    found = read(tmp_path, '[[datasets]]\n[[datasets.subsets]]\nimage_dir = "10_kip"\n').samples

    assert [one.repeats for one in found] == [1, 1, 1]


def test_what_has_no_place_is_told_once_with_what_to_do(folder: Path) -> None:
    told = read(folder, WHOLE + "network_multiplier = 1.0\nface_crop_aug_range = [1.0, 2.0]\nmoon = 3\n").notices

    assert [one.split(": ", 1)[1] for one in told] == [
        "batch_size = 4 is left out: set batch in the recipe",
        "face_crop_aug_range = [1.0, 2.0] is left out: cut the faces out beforehand, or set augment.crop to random",
        "moon = 3 is left out: it means nothing here",
    ]


def test_what_holds_for_a_whole_dataset_is_told_where_a_subset_says_it(folder: Path) -> None:
    (told,) = read(folder, subset("validation_split = 0.2")).notices

    assert told.endswith("datasets[0].subsets[0]: validation_split is left out: it holds for a whole dataset")


def test_json_says_the_same(folder: Path) -> None:
    fields = {"general": {}, "datasets": [{"subsets": [{"image_dir": "kip", "class_tokens": "kip"}]}]}
    (folder / "set.json").write_text(json.dumps(fields), encoding="utf-8")

    assert len(gather(DatasetOptions(images=folder / "set.json")).samples) == 2


def test_datasets_of_several_sizes_keep_each_its_own(folder: Path) -> None:
    text = subset("").replace("[[datasets]]", "[[datasets]]\nresolution = 512")
    found = read(folder, text + text.replace("512", "768")).described

    assert [one.resolution for one in found.options.subsets] == [512, 768]
    assert not found.notices


def test_a_folder_listed_twice_in_a_dataset_is_taken_once(folder: Path) -> None:
    found = read(folder, subset('[[datasets.subsets]]\nimage_dir = "kip"\n'))

    assert len(found.samples) == 2
    assert "listed twice" in found.notices[0]


def test_a_list_is_read_from_its_image_dir(folder: Path) -> None:
    (folder / "lists").mkdir()
    (folder / "lists" / "kip.json").write_text(json.dumps({"0": {"caption": "kip", "tags": "red, tall"}}))

    (one,) = read(folder, subset('metadata_file = "lists/kip.json"')).samples

    assert (one.path, one.caption) == (folder / "kip" / "0.png", "kip, red, tall")


def test_masks_are_those_of_the_conditioning_folder(folder: Path) -> None:
    write_picture(folder / "masks" / "1.png", caption=None)

    found = read(folder, subset('conditioning_data_dir = "masks"'))

    assert [one.mask.path.name if one.mask else None for one in found.samples] == [None, "1.png"]
    assert "1 of 2 pictures have no mask" in found.notices[0]


def test_what_no_level_says_stays_as_the_recipe_has_it(folder: Path) -> None:
    (folder / "set.toml").write_text(subset(""))
    options = DatasetOptions(images=folder / "set.toml", captions=CaptionOptions(dropout=0.3), upscale=False)

    found = described(options).options

    assert (found.subsets[0].captions.dropout, found.upscale) == (0.3, False)


def test_the_files_resolution_wins_and_that_is_told(folder: Path) -> None:
    (folder / "set.toml").write_text(subset("").replace("[[datasets]]", "[[datasets]]\nresolution = 768"))

    found = described(DatasetOptions(images=folder / "set.toml", resolution=512))

    assert found.options.subsets[0].resolution == 768
    assert "not the recipe's, 512" in found.notices[0]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[[datasets]]\n", r"set\.toml: datasets\[0\]\.subsets: it must be a list"),
        ("[[datasets]]\n[[datasets.subsets]]\nnum_repeats = 1", r"subsets\[0\]: image_dir: it names no pictures"),
        (subset('num_repeats = "often"'), r"subsets\[0\]: num_repeats: "),
        (subset("caption_dropout_rate = 2"), r"subsets\[0\]: caption_dropout_rate: "),
        (subset('image_dir = ""').replace('"kip"\nclass', '""\nclass', 1), "Cannot overwrite a value"),
        ("[[datasets]]\nvalidation_split = 0.9\n[[datasets.subsets]]\n", "validation_split: 0.9 is no share"),
        ("[[datasets]]\nbucket_reso_steps = 5\n[[datasets.subsets]]\n", r"datasets\[0\]: bucket_reso_steps: "),
        ('[[datasets]]\n[[datasets.subsets]]\nimage_dir = "kip"\nresolution = "big"', "'big' is no resolution"),
    ],
)
def test_a_wrong_entry_is_named(folder: Path, text: str, wrong: str) -> None:
    with pytest.raises(BadValue, match=wrong):
        read(folder, text)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="kip is no folder"):
        read(tmp_path, subset(""))
