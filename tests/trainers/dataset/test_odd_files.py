"""Files that no dataset should hold, and that some do: nothing hangs, nothing ends in another error than ours."""

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelhub.errors import BadValue, MissingFile, ModelHubError
from tests.trainers.pictures import write_picture
from trainers.dataset import gather, read_dataset
from trainers.dataset.pictures import open_image
from trainers.recipe import CaptionOptions, DatasetOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One picture with a caption, and room for more."""
    write_picture(tmp_path / "set" / "a.png")
    return tmp_path / "set"


def described(folder: Path, name: str, content: object) -> DatasetOptions:
    file = folder.parent / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return DatasetOptions(images=file)


def test_a_pipe_is_no_picture_and_no_caption(folder: Path) -> None:
    os.mkfifo(folder / "a.caption")
    assert len(read_dataset(folder)) == 1

    os.mkfifo(folder / "b.png")
    (folder / "b.txt").write_text("b")

    with pytest.raises(BadValue, match=r"1 images that cannot be opened: .*b\.png"):
        read_dataset(folder)


def test_a_device_is_not_read_to_an_end_that_it_has_not(folder: Path) -> None:
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to("/dev/zero")

    with pytest.raises(BadValue, match=r"cannot be opened: .*a\.png"):
        read_dataset(folder)


def test_links_that_lead_to_one_another_are_walked_once(folder: Path) -> None:
    for name, other in (("here", "there"), ("there", "here")):
        write_picture(folder / name / f"{name}.png")
        for way in "abc":
            (folder / name / way).symlink_to(folder / other)

    assert len(read_dataset(folder)) == 1 + 2 + 2 * 3


def test_a_name_may_be_as_long_as_a_disk_allows(folder: Path) -> None:
    write_picture(folder / f"{'x' * 251}.png", caption="long")

    assert sorted(one.caption for one in read_dataset(folder)) == ["a ramp", "long"]


def test_a_name_in_a_list_may_be_longer_than_any_disk_allows(folder: Path) -> None:
    options = described(folder, "list.json", {"x" * 300: {"caption": "a"}})

    with pytest.raises(MissingFile, match=r"lists x+"):
        gather(options)


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_list_that_names_no_picture_is_told(folder: Path, name: str) -> None:
    with pytest.raises(MissingFile, match="which is not at"):
        gather(described(folder, "list.json", {name: {"caption": "a"}}))


@pytest.mark.parametrize(("name", "content"), [
    ("set.json", "[" * 20_000), ("set.jsonl", "[" * 20_000), ("set.yaml", "[" * 900), ("set.toml", "a=" + "[" * 5_000),
    ("set.jsonl", "9" * 5_000), ("set.csv", "file_name,text\na.png," + "x" * 140_000),
    ("set.jsonl", "[]"), ("set.json", "{"),
])  # fmt: skip
def test_what_cannot_be_read_as_what_it_is_is_told_with_a_mend(folder: Path, name: str, content: str) -> None:
    with pytest.raises(ModelHubError, match=rf"{name}") as told:
        gather(described(folder, name, content))

    assert told.value.mend


def test_a_description_that_swells_when_it_is_written_out_is_told_in_short(folder: Path) -> None:
    lists = [f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]" for before, one in pairwise("abcdefghij")]
    swelling = "\n".join(lists)
    datasets = f"a: &a [x]\n{swelling}\ndatasets:\n- folder_path: set\n  odd: *j\n"

    (told,) = gather(described(folder, "set.yaml", datasets)).notices

    assert len(told) < 500


@pytest.mark.parametrize("subset", [
    {"image_dir": ["set"]}, {"image_dir": "~nobody-of-that-name/set"}, {"image_dir": "set", "resolution": "inf"},
    {"image_dir": "set", "num_repeats": "many"}, {"image_dir": "set", "caption_extension": "txt"},
])  # fmt: skip
def test_an_entry_that_means_nothing_is_told_with_a_mend(folder: Path, subset: dict[str, Any]) -> None:
    with pytest.raises(BadValue, match=r"set\.json: datasets\[0\]\.subsets\[0\]") as told:
        gather(described(folder, "set.json", {"datasets": [{"subsets": [subset]}]}))

    assert told.value.mend


@pytest.mark.parametrize("ending", ["txt", ".", "", ".a/b"])
def test_the_end_of_a_captions_name_begins_with_a_dot(ending: str) -> None:
    with pytest.raises(ValueError, match="write it with its dot"):
        CaptionOptions(extensions=(ending,))


def test_a_number_of_pictures_is_a_number(folder: Path) -> None:
    concept = {"path": "set", "balancing_strategy": "SAMPLES", "balancing": float("nan")}

    with pytest.raises(BadValue, match=r"balancing: nan is no number of pictures"):
        gather(described(folder, "concepts.json", [concept]))


def test_masks_are_files_and_not_hidden_ones(folder: Path) -> None:
    write_picture(folder.parent / "masks" / "a.png", caption=None)
    (folder.parent / "masks" / "._a.png").write_bytes(b"of another system")
    (folder.parent / "masks" / "b.png").mkdir()

    (found,) = gather(DatasetOptions(images=folder, masks=folder.parent / "masks")).samples

    assert found.mask
    assert found.mask.path.name == "a.png"


def test_postscript_is_not_handed_to_a_program(folder: Path) -> None:
    Image.new("RGB", (8, 8)).save(folder / "b.eps")

    with pytest.raises(OSError, match="cannot identify"):
        open_image(folder / "b.eps")


@pytest.mark.parametrize("repeats", ["100001", "99999999999", "9" * 200])
def test_repeats_that_cannot_be_meant_are_refused_with_a_name_that_can(folder: Path, repeats: str) -> None:
    write_picture(folder / f"{repeats}_kip" / "b.png")

    with pytest.raises(BadValue, match=f"says {repeats} repeats") as told:
        read_dataset(folder)
    assert str(told.value.mend).endswith("10_kip")
