"""Sizes and numbers: enlarged, cut away, alone in a bucket, too few, uneven, and pictures of the class."""

from pathlib import Path

from tests.trainers.doctor.examining import codes, examined, finding, healthy, unlike
from trainers.doctor import Severity


def test_small_pictures_are_told_with_how_much_they_are_enlarged(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(0, (16, 16)).save(folder / "0.png")
    unlike(1, (60, 60)).save(folder / "1.png")

    found = finding(examined(folder), "enlarged")

    assert (
        "2 pictures of 8 smaller than 64 pixels a side, enlarged up to 4.0 times: 0.png (16x16), 1.png (60x60)"
        in found.what
    )
    assert found.severity is Severity.WARNING
    assert "enlarged" not in codes(examined(folder, upscale=False))


def test_hardly_enlarged_is_a_note(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(1, (60, 60)).save(folder / "1.png")

    assert finding(examined(folder), "enlarged").severity is Severity.NOTE


def test_what_is_cut_away_is_told_in_percent(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(0, (400, 64)).save(folder / "0.png")

    assert "0.png (36 %)" in finding(examined(folder), "cut-away").what
    squares = finding(examined(folder, buckets=False), "cut-away")
    assert "0.png (84 %)" in squares.what
    assert squares.mend == "--buckets keeps their aspect ratios"


def test_buckets_of_one_picture_are_noted(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(0, (128, 64)).save(folder / "0.png")
    unlike(1, (64, 128)).save(folder / "1.png")

    found = finding(examined(folder), "small-buckets")

    assert found.what.startswith("2 of 3 buckets hold one picture: ")
    assert set(found.which) == {folder / "0.png", folder / "1.png"}


def test_few_pictures_are_told_copies_not_counted(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "7.png").write_bytes((folder / "6.png").read_bytes())

    assert finding(examined(folder), "few").what.startswith("7 different pictures")
    assert "few" not in codes(examined(healthy(tmp_path)))


def test_a_folder_that_is_hardly_seen_is_told(tmp_path: Path) -> None:
    healthy(tmp_path / "40_zorbu")
    healthy(tmp_path / "1_zorbu armour", first=8)

    found = finding(examined(tmp_path), "uneven")

    assert "320 pictures of 40_zorbu and 8 of 1_zorbu armour, which is 2 %" in found.what
    assert str(found.mend).endswith("20_zorbu armour")


def test_pictures_of_the_class_are_counted_against_those_that_are_learned(tmp_path: Path) -> None:
    folder, few, many = (
        healthy(tmp_path / "10_zorbu"), healthy(tmp_path / "few", 4, first=20), healthy(tmp_path / "many", 8, first=30)
    )  # fmt: skip
    for one in (*few.glob("*.txt"), *many.glob("*.txt")):
        one.write_text("thing")

    assert "each is seen 20.0 times" in finding(examined(folder, regularisation=few), "class-repeated").what
    assert "class-repeated" not in codes(examined(folder, regularisation=few, drawn_priors=80))
    assert codes(examined(folder, regularisation=few, prior_weight=0.0)) == ["class-unused"]
    plain = folder.rename(tmp_path / "zorbu")
    (plain / "7.png").unlink()
    (plain / "7.txt").unlink()
    assert "1 wait each time" in finding(examined(plain, regularisation=many), "class-waiting").what


def test_a_learned_picture_among_those_of_the_class_is_told(tmp_path: Path) -> None:
    folder, prior = healthy(tmp_path / "set"), healthy(tmp_path / "class", first=7)
    for one in prior.glob("*.txt"):
        one.write_text("thing")

    assert finding(examined(folder, regularisation=prior), "copy-in-class").mend == f"rm {prior}/7.png"


def test_the_trigger_in_captions_of_the_class_is_told(tmp_path: Path) -> None:
    folder, prior = healthy(tmp_path / "set"), healthy(tmp_path / "class", first=20)

    assert len(finding(examined(folder, regularisation=prior), "trigger-in-class").which) == 8
