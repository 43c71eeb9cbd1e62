"""Folder levels and names: the first thing that goes wrong for many."""

from pathlib import Path

import pytest

from tests.trainers.doctor.examining import codes, examined, finding, healthy, unlike


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


@pytest.mark.parametrize("name", ["10_zorbu", "zorbu", "zorbu_10", "2024_summer", "2024-05-01", "1.5_zorbu", "_zorbu"])
def test_other_names_are_left_alone(name: str, tmp_path: Path) -> None:
    healthy(tmp_path / name)

    assert "mistyped-repeats" not in codes(examined(tmp_path))


def test_pictures_below_a_folder_with_repeats_do_not_get_them(tmp_path: Path) -> None:
    healthy(tmp_path / "10_zorbu")
    healthy(tmp_path / "10_zorbu" / "close-ups", first=8)

    assert "8 pictures in" in finding(examined(tmp_path), "below-repeats").what


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
