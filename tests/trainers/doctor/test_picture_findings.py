"""Pictures: broken, misnamed, turned, see-through, dark, flat, and there twice."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from modelhub.jobs import drain
from tests.trainers.doctor.examining import add, codes, examined, finding, healthy, unlike
from trainers.dataset.glances import Glances
from trainers.dataset.nouns import Glance, Unread
from trainers.doctor import Orders, Severity, examine
from trainers.recipe import AugmentOptions, DatasetOptions


def seen(path: Path, **options: int) -> Glance:
    found = Glances().at(path, **options)
    assert isinstance(found, Glance)
    return found


def test_what_is_broken_is_named_with_the_reason(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.png").write_bytes(b"")
    (folder / "1.png").write_bytes(b"<html>not found</html>")
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:300])

    found = finding(examined(folder), "broken-picture")

    assert [path.name for path in found.which] == ["0.png", "1.png", "2.png"]
    assert "0.png (the file is empty), 1.png (it is a web page: download it again), 2.png (" in found.what


def test_a_jpeg_that_ends_too_early_is_broken(tmp_path: Path) -> None:
    stream = io.BytesIO()
    unlike(0, (900, 900)).save(stream, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(stream.getvalue()[: len(stream.getvalue()) * 2 // 3])

    assert isinstance(Glances().at(tmp_path / "cut.jpg"), Unread)


def test_a_name_that_says_another_format_is_noted(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(0).save(folder / "0.png", "JPEG", quality=95)

    assert finding(examined(folder), "misnamed").which == (folder / "0.png",)


def test_formats_that_are_not_read_are_told_by_their_extension(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "phone.HEIC").write_bytes(b"x")
    (folder / "scan.tiff").write_bytes(b"x")

    told = [one.what for one in examined(folder).findings]

    assert told == ["1 .heic file is not read: phone.HEIC", "1 .tiff file is not read: scan.tiff"]


def test_a_turned_picture_is_measured_upright(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    unlike(0, (96, 64)).save(folder / "0.png", exif=exif)

    report = examined(folder)

    assert finding(report, "turned").which == (folder / "0.png",)
    assert seen(folder / "0.png").size == (64, 96)
    upright = ImageOps.exif_transpose(Image.open(folder / "0.png"))
    upright.save(tmp_path / "upright.png")
    assert seen(tmp_path / "upright.png").look == seen(folder / "0.png").look


def test_transparent_parts_are_learned_as_white_unless_masked(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    picture = unlike(0).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save(folder / "0.png")

    assert finding(examined(folder), "transparent").which == (folder / "0.png",)
    assert "transparent" not in codes(examined(folder, alpha_mask=True))


def test_dark_flat_and_moving_pictures_are_told(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    Image.new("RGB", (64, 64), "gray").save(folder / "0.png")
    unlike(1).point(lambda level: level // 14).save(folder / "1.png")
    unlike(2).save(folder / "2.png", "GIF", save_all=True, append_images=[unlike(3)])

    report = examined(folder)

    assert finding(report, "flat").which == (folder / "0.png",)
    assert finding(report, "dark").which == (folder / "1.png",)
    assert finding(report, "animated").which == (folder / "2.png",)


def test_sixteen_bits_are_not_taken_for_white(tmp_path: Path) -> None:
    deep = unlike(0).convert("L").convert("I;16").point(lambda level: level * 256)
    deep.save(tmp_path / "deep.png")

    assert seen(tmp_path / "deep.png").contrast > 10


def test_copies_are_found_whatever_their_size_and_format(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(0, (200, 200)).save(folder / "large.jpg", quality=60)
    (folder / "large.txt").write_text("zorbu")
    (folder / "same.png").write_bytes((folder / "1.png").read_bytes())
    (folder / "same.txt").write_text("zorbu")

    report = examined(folder)

    assert finding(report, "near-copies").which == (folder / "large.jpg", folder / "0.png")
    assert finding(report, "copies").which == (folder / "1.png", folder / "same.png")
    assert finding(report, "near-copies").mend == f"keep one: rm {folder}/0.png"


def test_other_colours_are_another_picture(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    red, green, blue = unlike(0).split()
    add(folder / "colours.png", Image.merge("RGB", (blue, red, green)))

    assert codes(examined(folder)) == []


def test_a_mirror_image_is_noted_and_counts_twice_where_pictures_are_mirrored(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    add(folder / "mirrored.jpg", ImageOps.mirror(unlike(1, (160, 160))))

    noted = finding(examined(folder), "mirror-image")
    warned = finding(examined(folder, augment=AugmentOptions(flip=True)), "mirror-image")

    assert noted.which == warned.which == (folder / "1.png", folder / "mirrored.jpg")
    assert (noted.severity, warned.severity) == (Severity.NOTE, Severity.WARNING)
    assert noted.mend == f"keep one of both: rm {folder}/mirrored.jpg"


def test_a_mirror_image_whose_caption_names_the_other_side_is_meant(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "1.txt").write_text("zorbu walking left")
    add(folder / "mirrored.png", ImageOps.mirror(unlike(1)), "zorbu walking to the right")

    assert codes(examined(folder)) == []
    flipped = codes(examined(folder, augment=AugmentOptions(flip=True)))
    assert flipped == ["mirror-image", "sides-flipped"]


@pytest.mark.parametrize("turn", [turn for turn in Image.Transpose if turn is not Image.Transpose.FLIP_LEFT_RIGHT])
def test_a_copy_on_its_side_or_upside_down_is_told(tmp_path: Path, turn: Image.Transpose) -> None:
    folder = healthy(tmp_path)
    add(folder / "turned.png", unlike(2, (80, 60)).transpose(turn))

    assert finding(examined(folder), "turned-copy").which == (folder / "2.png", folder / "turned.png")


def test_one_file_in_two_subsets_is_no_copy(tmp_path: Path) -> None:
    """So kohya's users train at two sizes."""
    folder = healthy(tmp_path / "set")
    dataset = DatasetOptions.model_validate({"subsets": [{"images": folder}, {"images": folder, "resolution": 128}]})

    report = drain(examine(dataset, Orders(resolutions=(64,), trigger="zorbu")))

    assert codes(report) == ["enlarged"]
    assert report.figures.pictures == 8


def test_wholly_transparent_pictures_are_refused_as_such(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    for file in folder.glob("*.png"):
        picture = Image.open(file).convert("RGBA")
        picture.putalpha(0)
        picture.save(file)

    report = examined(folder)

    assert [one.code for one in report.of(Severity.ERROR)] == ["invisible"]


def test_what_is_no_picture_is_said_to_be_what_it_is(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.png").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (folder / "1.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")

    found = finding(examined(folder), "broken-picture")

    assert "0.png (it is HEIC, which is not read: convert it)" in found.what
    assert "1.png (it is a pointer of Git LFS: git lfs pull)" in found.what
    assert "rm " not in str(found.mend)


def test_a_picture_that_is_no_file_of_its_own_is_told(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.png").unlink()
    (folder / "0.png").symlink_to(tmp_path / "gone.png")

    assert "0.png (the file is gone)" in finding(examined(folder), "broken-picture").what


def test_all_copies_of_one_picture_are_refused(tmp_path: Path) -> None:
    for index in range(4):
        unlike(0).save(tmp_path / f"{index}.png", compress_level=index)
        (tmp_path / f"{index}.txt").write_text("zorbu")

    report = examined(tmp_path)

    assert finding(report, "all-copies").which == tuple(tmp_path / f"{index}.png" for index in range(4))
    assert report.is_refused


def test_many_groups_of_copies_are_told_as_one(tmp_path: Path) -> None:
    folder = healthy(tmp_path, 12)
    for index in range(12):
        (folder / f"again{index}.png").write_bytes((folder / f"{index}.png").read_bytes())
        (folder / f"again{index}.txt").write_text("zorbu")

    told = [one for one in examined(folder).findings if "copies" in one.code]

    assert len(told) == 11
    assert "4 more pictures that look like another one, in 2 groups" in [one.what for one in told]
