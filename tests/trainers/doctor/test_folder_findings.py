"""Folder levels and names: the first thing that goes wrong for many."""

from pathlib import Path

import pytest

from modelhub.errors import MissingFile
from modelhub.jobs import drain
from tests.trainers.doctor.examining import codes, examined, finding, healthy, unlike
from trainers.dataset import gather, read_dataset
from trainers.doctor import Orders, examine
from trainers.recipe import DatasetOptions


def test_pictures_in_the_folder_above_are_found(tmp_path: Path) -> None:
    healthy(tmp_path)
    (tmp_path / "captions").mkdir()

    found = finding(examined(tmp_path / "captions"), "no-pictures")

    assert "8 in the folder above" in found.what
    assert found.mend == f"--images {tmp_path}"


def test_a_picture_is_no_folder(tmp_path: Path) -> None:
    picture = healthy(tmp_path) / "0.png"

    found = examined(picture)

    assert found.is_refused
    assert "not a folder" in found.findings[0].what or "describes no dataset" in found.findings[0].what


def test_two_sets_below_one_folder_are_refused_since_both_would_be_learned(tmp_path: Path) -> None:
    healthy(tmp_path / "data" / "train" / "10_zorbu")
    healthy(tmp_path / "data" / "class" / "1_thing", first=8)

    found = finding(examined(tmp_path / "data"), "wrong-level")

    assert "train" in found.what
    assert found.mend is not None
    assert found.mend.startswith(f"--images {tmp_path}/data/train ")


@pytest.mark.parametrize("name", ["10zorbu", "_10_zorbu", "10-zorbu", "10 zorbu"])
def test_a_mistyped_number_of_repeats_is_told_with_the_right_name(name: str, tmp_path: Path) -> None:
    healthy(tmp_path / name)

    found = finding(examined(tmp_path), "mistyped-repeats")

    assert "gives no repeats" in found.what
    assert str(found.mend).endswith(f"{tmp_path}/10_zorbu")


@pytest.mark.parametrize(
    "name", ["10_zorbu", "zorbu", "zorbu_10", "2024_summer", "2024-05-01", "1.5_zorbu", "_zorbu", "3d", "2b_dress"]
)
def test_other_names_are_left_alone(name: str, tmp_path: Path) -> None:
    healthy(tmp_path / name)

    assert "mistyped-repeats" not in codes(examined(tmp_path))


def test_pictures_below_a_folder_with_repeats_do_not_get_them(tmp_path: Path) -> None:
    healthy(tmp_path / "10_zorbu")
    healthy(tmp_path / "10_zorbu" / "close-ups", first=8)

    assert finding(examined(tmp_path), "below-repeats").what.startswith("8 pictures below 10_zorbu")


def test_folders_of_the_class_and_of_previews_are_not_silently_learned(tmp_path: Path) -> None:
    healthy(tmp_path)
    healthy(tmp_path / "reg", first=8)
    healthy(tmp_path / "samples", first=16)

    report = examined(tmp_path)

    assert finding(report, "class-pictures").which == (tmp_path / "reg",)
    assert finding(report, "drawn-pictures").which == (tmp_path / "samples",)


def test_no_repeats_at_all_is_nothing_to_learn(tmp_path: Path) -> None:
    healthy(tmp_path / "0_zorbu")

    assert "says 0 repeats" in finding(examined(tmp_path), "no-repeats").what


def test_hidden_files_are_nobodys(tmp_path: Path) -> None:
    healthy(tmp_path / "set")
    (tmp_path / "set" / "._0.png").write_bytes(b"resource fork")
    (tmp_path / "set" / ".thumbnails").mkdir()
    unlike(0).save(tmp_path / "set" / ".thumbnails" / "0.png")

    assert codes(examined(tmp_path / "set")) == []


def test_what_other_programs_leave_and_links_in_a_loop_are_not_walked(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    healthy(folder / "@eaDir", first=8)
    healthy(folder / "__MACOSX", first=16)
    (folder / "loop").symlink_to(folder)
    (folder / "deeper").mkdir()
    (folder / "deeper" / "loop").symlink_to(folder)

    report = examined(folder)

    assert codes(report) == []
    assert report.figures.pictures == len(read_dataset(folder)) == 8


def test_a_linked_folder_is_walked(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    (folder / "more").symlink_to(healthy(tmp_path / "more", first=8))

    assert examined(folder).figures.pictures == len(read_dataset(folder)) == 16


def test_a_subset_that_is_not_there_is_refused_beside_one_that_is(tmp_path: Path) -> None:
    healthy(tmp_path / "a")
    description = tmp_path / "set.toml"
    description.write_text('[[datasets]]\nresolution = 64\n[[datasets.subsets]]\nimage_dir = "a"\n'
                           'caption_extension = ".txt"\n[[datasets.subsets]]\nimage_dir = "b"\n')  # fmt: skip

    found = finding(examined(description), "unreadable-list")

    assert found.what == f"{tmp_path}/b is no folder of images"
    assert found.mend == f"ls {tmp_path}"


def test_pictures_that_a_folders_list_names_are_read_or_missed(tmp_path: Path) -> None:
    healthy(tmp_path / "train")
    for text in (tmp_path / "train").glob("*.txt"):
        text.unlink()
    rows = [f'{{"file_name": "train/{index}.png", "text": "zorbu, thing {index}"}}' for index in range(9)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(rows))

    report = examined(tmp_path)

    assert codes(report) == ["listed-missing"]
    assert report.findings[0].which == (tmp_path / "train" / "8.png",)


def test_how_pictures_are_cut_is_as_their_description_says(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set", 7)
    unlike(7, (128, 64)).save(folder / "7.png")
    (folder / "7.txt").write_text("zorbu, thing 7")
    description = tmp_path / "set.toml"
    description.write_text('[[datasets]]\nresolution = 64\nenable_bucket = false\n[[datasets.subsets]]\n'
                           'image_dir = "set"\ncaption_extension = ".txt"\n')  # fmt: skip

    report = examined(description)

    assert report.figures.buckets == {"64x64": 8}
    assert finding(report, "cut-away").mend == "--buckets keeps their aspect ratios"


def test_what_a_description_says_in_vain_is_noted_with_what_it_may_mean(tmp_path: Path) -> None:
    healthy(tmp_path / "set")
    description = tmp_path / "set.toml"
    description.write_text('[[datasets]]\nresolution = 64\n[[datasets.subsets]]\nimage_dir = "set"\n'
                           'caption_extension = ".txt"\nnum_repeat = 5\n')  # fmt: skip

    found = finding(examined(description), "described")

    assert found.what.endswith("num_repeat = 5 is left out: it means nothing here; is it meant for num_repeats?")


@pytest.mark.parametrize("path", [r"C:\train", r"C:\pictures", r"C:\users"])
def test_backslashes_in_a_description_are_mended(tmp_path: Path, path: str) -> None:
    """In TOML the first is a tab, the others are errors."""
    description = tmp_path / "set.toml"
    description.write_text(f'[[datasets]]\n[[datasets.subsets]]\nimage_dir = "{path}"\n')

    assert "single quotes" in str(finding(examined(description), "unreadable-list").mend)


def test_pictures_of_a_format_that_is_not_read_are_to_be_converted(tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(b"x")

    assert str(finding(examined(tmp_path), "no-pictures").mend).startswith("convert those that are there")


def test_a_dataset_that_only_judges_is_refused(tmp_path: Path) -> None:
    subsets = ({"images": healthy(tmp_path / "set"), "held_out": True},)

    report = drain(examine(DatasetOptions(subsets=subsets), Orders(resolutions=(64,))))

    assert "nothing is learned" in finding(report, "nothing-learned").what


def test_a_subset_without_pictures_is_refused_as_the_training_refuses_it(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    dataset = DatasetOptions(subsets=({"images": healthy(tmp_path / "set")}, {"images": tmp_path / "none"}))

    report = drain(examine(dataset, Orders(resolutions=(64,))))

    assert f"there are no images in {tmp_path / 'none'}" in [one.what for one in report.findings]
    with pytest.raises(MissingFile, match="there are no images in"):
        gather(dataset)


def test_repeats_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    healthy(tmp_path / "99999999999_kip")

    found = examined(tmp_path)

    assert found.is_refused
    assert "says 99999999999 repeats of each picture" in found.findings[0].what
    assert str(found.findings[0].mend).endswith("10_kip")
