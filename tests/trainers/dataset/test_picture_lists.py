"""Lists of pictures: kohya's metadata, .json and .jsonl, and imagefolder's rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelhub.errors import BadValue, MissingFile
from tests.trainers.pictures import write_picture
from trainers.dataset import Sample, gather, read_dataset
from trainers.recipe import CaptionOptions, DatasetOptions, SubsetOptions


def listed(folder: Path, name: str, rows: Any) -> Path:
    """A list of those rows, one a line or all in one."""
    lines = [json.dumps(row) for row in rows] if name.endswith(".jsonl") else [json.dumps(rows)]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder / name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one of them further down, and none with a caption."""
    for index, name in enumerate(("a.png", "b.png", "deep/c.png")):
        write_picture(tmp_path / name, shade=index, caption=None)
    return tmp_path


def captions(samples: list[Sample]) -> dict[str, str]:
    return {one.path.name: one.caption for one in samples}


def test_kohyas_table_names_pictures_with_their_ending_or_without(folder: Path) -> None:
    rows = {"a.png": {"caption": "a ramp"}, str(folder / "b"): {"tags": "ramp, blue", "image_size": [9, 9]}}

    assert captions(read_dataset(listed(folder, "m.json", rows))) == {"a.png": "a ramp", "b.png": "ramp, blue"}


def test_kohyas_rows_hold_the_path_and_the_caption(folder: Path) -> None:
    rows = [
        {"image_path": "a.png", "caption": "ramp"},
        {"image_path": "deep/c.png", "caption": "c", "tags": ["x", "y"]},
    ]

    assert captions(read_dataset(listed(folder, "m.jsonl", rows))) == {"a.png": "ramp", "c.png": "c, x, y"}


def test_tags_end_every_line_that_may_be_chosen(folder: Path) -> None:
    file = listed(folder, "m.json", {"a.png": {"caption": "one\ntwo", "tags": "x"}})

    (one,) = gather(DatasetOptions(images=file, captions=CaptionOptions(wildcards=True))).samples

    assert one.caption == "one, x\ntwo, x"


def test_a_picture_without_a_row_of_text_has_the_caption_beside_it(folder: Path) -> None:
    (folder / "a.txt").write_text("beside")

    assert captions(read_dataset(listed(folder, "m.json", {"a.png": {}}))) == {"a.png": "beside"}


def test_paths_may_start_elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = listed(tmp_path_factory.mktemp("lists"), "m.json", {"a.png": {"caption": "x"}})

    (one,) = gather(DatasetOptions(subsets=(SubsetOptions(images=file, root=folder),))).samples

    assert one.path == folder / "a.png"


@pytest.mark.parametrize("column", ["text", "caption", "legend"])
def test_imagefolders_rows_are_read_where_their_folder_is_named(folder: Path, column: str) -> None:
    rows = [{"file_name": name, column: Path(name).stem} for name in ("a.png", "b.png", "deep/c.png")]
    listed(folder, "metadata.jsonl", rows)

    assert captions(read_dataset(folder)) == {"a.png": "a", "b.png": "b", "c.png": "c"}


def test_imagefolders_list_may_be_named_itself(folder: Path) -> None:
    file = listed(folder, "metadata.jsonl", [{"file_name": "b.png", "text": "b"}])

    assert captions(read_dataset(file)) == {"b.png": "b"}


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([{"text": "x"}], r"metadata\.jsonl, line 1: file_name: a row names its picture"),
        ([{"file_name": "a.png", "de": "x", "en": "y"}], "which is the caption: de, en"),
        ([["a.png"]], "line 1: it must be an object"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(folder: Path, rows: Any, wrong: str) -> None:
    listed(folder, "metadata.jsonl", rows)

    with pytest.raises(BadValue, match=wrong):
        read_dataset(folder)


def test_a_picture_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(MissingFile, match=r"m\.json lists z\.png, which is not at"):
        read_dataset(listed(folder, "m.json", {"z.png": {"caption": "x"}}))


def test_a_table_of_something_else_is_refused(folder: Path) -> None:
    with pytest.raises(BadValue, match="is no list of pictures"):
        read_dataset(listed(folder, "m.json", {"learning_rate": 1}))


def test_broken_json_is_refused_with_its_line(folder: Path) -> None:
    (folder / "m.jsonl").write_text('{"image_path": "a.png", "caption": "x"}\n{"image')

    with pytest.raises(BadValue, match="line 2: Unterminated string"):
        read_dataset(folder / "m.jsonl")


def test_a_subset_is_no_description_of_others(folder: Path) -> None:
    (folder / "set.toml").write_text("[[datasets]]")

    with pytest.raises(BadValue, match=r"set\.toml is neither a folder nor a list of pictures"):
        gather(DatasetOptions(subsets=(SubsetOptions(images=folder / "set.toml"),)))


def test_pictures_that_are_not_there_are_counted(folder: Path) -> None:
    table = {name: {"caption": "x"} for name in ("a.png", "v.png", "w.png", "y.png", "z.png")}

    with pytest.raises(MissingFile, match=r"lists 4 pictures that are not in .*: v\.png, w\.png, y\.png and 1 more"):
        read_dataset(listed(folder, "m.json", table))


@pytest.mark.parametrize("name", ["deep\\c.png", "D:\\train\\a.png", "/home/other/train/b.png", "D:\\train\\a"])
def test_a_list_of_another_machine_finds_its_pictures(folder: Path, name: str) -> None:
    assert list(captions(read_dataset(listed(folder, "m.json", {name: {"caption": "x"}}))).values()) == ["x"]


def test_imagefolders_table_is_read_too(folder: Path) -> None:
    table = 'file_name,text\na.png,"zorbu, sitting"\ndeep/c.png,"of two\nlines"\nb.png,b\n'
    (folder / "metadata.csv").write_text(table, encoding="utf-8")

    found = {"a.png": "zorbu, sitting", "b.png": "b", "c.png": "of two lines"}
    assert captions(read_dataset(folder)) == found
    assert captions(read_dataset(folder / "metadata.csv")) == found


def test_only_a_new_line_ends_a_row(folder: Path) -> None:
    """JSON leaves Unicode's own separators as they are."""
    file = folder / "metadata.jsonl"
    file.write_text('{"file_name": "a.png", "text": "one\u2028two\x85"}\n', encoding="utf-8")

    assert captions(read_dataset(file)) == {"a.png": "one two"}
