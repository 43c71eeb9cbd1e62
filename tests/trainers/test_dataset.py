"""A folder is read as kohya's scripts read it, and everything wrong with it is said."""

from pathlib import Path

import pytest
from PIL import Image

from modelhub.errors import BadValue, MissingFile
from tests.trainers.pictures import picture, write_picture, write_set
from trainers.dataset import Sample, dataset_digest, open_image, read_dataset

ORIENTATION = 0x0112
"""EXIF's tag; 6 says that the camera was turned by 90 degrees."""


def only(folder: Path) -> Sample:
    (sample,) = read_dataset(folder)
    return sample


@pytest.mark.parametrize("suffix", [".txt", ".caption"])
def test_a_caption_stands_beside_its_image(tmp_path: Path, suffix: str) -> None:
    write_picture(tmp_path / "a.png", caption=None)
    (tmp_path / f"a{suffix}").write_text("kip,\n red  hat \n", encoding="utf-8")

    assert only(tmp_path).caption == "kip, red hat"


def test_txt_wins_over_caption(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", caption="from txt")
    (tmp_path / "a.caption").write_text("from caption", encoding="utf-8")

    assert only(tmp_path).caption == "from txt"


def test_a_byte_order_mark_is_no_part_of_a_caption(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", caption="\ufeff名前")

    assert only(tmp_path).caption == "名前"


def test_an_empty_caption_is_one(tmp_path: Path) -> None:
    write_picture(tmp_path / "3_kip" / "a.png", caption="")

    assert only(tmp_path).caption == ""


def test_kohya_folders_repeat_their_images_and_name_those_without_caption(tmp_path: Path) -> None:
    write_picture(tmp_path / "10_kip robot" / "a.png", caption=None)
    write_picture(tmp_path / "10_kip robot" / "b.png", caption="waving")
    write_picture(tmp_path / "plain" / "c.png", caption="c")

    found = [(sample.caption, sample.repeats, sample.folder) for sample in read_dataset(tmp_path)]

    assert found == [("kip robot", 10, "10_kip robot"), ("waving", 10, "10_kip robot"), ("c", 1, "plain")]


def test_a_kohya_folder_may_be_given_itself(tmp_path: Path) -> None:
    write_picture(tmp_path / "4_kip" / "a.png", caption=None)

    assert (only(tmp_path / "4_kip").caption, only(tmp_path / "4_kip").repeats) == ("kip", 4)


def test_a_folder_of_no_repeats_is_left_out(tmp_path: Path) -> None:
    write_picture(tmp_path / "0_kip" / "a.png")

    with pytest.raises(MissingFile, match="no images"):
        read_dataset(tmp_path)


def test_an_image_turned_by_exif_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture((40, 20)).save(tmp_path / "a.png", exif=exif)
    (tmp_path / "a.txt").write_text("x")

    upright = open_image(tmp_path / "a.png")

    assert only(tmp_path).size == upright.size == (20, 40)
    assert upright.tobytes() == picture((40, 20)).transpose(Image.Transpose.ROTATE_270).tobytes()


def test_white_stands_behind_what_is_transparent(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 255, 255))
    image.save(tmp_path / "a.png")

    opened = open_image(tmp_path / "a.png")

    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 0, 255)]


def test_a_palette_image_with_a_transparent_colour_is_put_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (1, 1), 0)
    image.putpalette([9, 9, 9])
    image.save(tmp_path / "a.png", transparency=0)

    assert open_image(tmp_path / "a.png").getpixel((0, 0)) == (255, 255, 255)


def test_images_without_a_caption_are_named_with_the_mend(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "e"):
        write_picture(tmp_path / f"{name}.png", caption="x" if name == "a" else None)

    with pytest.raises(
        BadValue, match=r"4 images without a caption: \S+b\.png, \S+c\.png, \S+d\.png and 1 more"
    ) as got:
        read_dataset(tmp_path)

    assert got.value.mend is not None
    assert ".txt" in got.value.mend


@pytest.mark.parametrize("content", [b"", b"not an image", "half"])
def test_an_image_that_cannot_be_opened_is_named(tmp_path: Path, content: bytes | str) -> None:
    write_set(tmp_path)
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content if isinstance(content, bytes) else whole[: len(whole) // 2])

    with pytest.raises(BadValue, match=r"1 images that cannot be opened: \S+/1\.png$"):
        read_dataset(tmp_path)


def test_an_image_whose_chunks_are_broken_is_named(tmp_path: Path) -> None:
    """Pillow raises a SyntaxError for these, of all things."""
    write_set(tmp_path)
    data = bytearray((tmp_path / "1.png").read_bytes())
    at = data.index(b"IDAT")
    data[at : at + 4] = b"\x00\x01\x02\x03"
    (tmp_path / "1.png").write_bytes(data)

    with pytest.raises(BadValue, match=r"cannot be opened: \S+/1\.png$"):
        read_dataset(tmp_path)


def test_a_folder_without_images_tells_which_endings_count(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")

    with pytest.raises(MissingFile, match="no images") as caught:
        read_dataset(tmp_path)

    assert caught.value.mend is not None
    assert ".png" in caught.value.mend


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="nowhere"):
        read_dataset(tmp_path / "nowhere")


def test_a_caption_that_is_not_utf8_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", caption=None)
    (tmp_path / "a.txt").write_bytes("名前".encode("gb18030"))

    with pytest.raises(BadValue, match=r"a\.txt is not UTF-8") as caught:
        read_dataset(tmp_path)

    assert caught.value.mend == f"iconv -f GB18030 -t UTF-8 {tmp_path / 'a.txt'}"


def test_the_order_is_that_of_the_paths_whatever_the_disk_says(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/9.png", "b/1.PNG"):
        write_picture(tmp_path / name)

    found = [sample.path.relative_to(tmp_path).as_posix() for sample in read_dataset(tmp_path)]

    assert found == ["a/9.png", "b/1.PNG", "b/2.png"]


def test_the_digest_is_that_of_the_content_wherever_it_lies(tmp_path: Path) -> None:
    write_set(tmp_path / "here")
    write_set(tmp_path / "there" / "renamed")
    for path in (tmp_path / "there" / "renamed").glob("0.*"):
        path.rename(path.with_stem("zz"))

    assert dataset_digest(read_dataset(tmp_path / "here")) == dataset_digest(read_dataset(tmp_path / "there"))


def test_the_digest_knows_captions_pixels_and_repeats(tmp_path: Path) -> None:
    digests = []
    for name, shade, caption in (("a", 0, "x"), ("b", 1, "x"), ("c", 0, "y"), ("2_d", 0, "x")):
        write_picture(tmp_path / name / "0.png", shade=shade, caption=caption)
        digests.append(dataset_digest(read_dataset(tmp_path / name)))

    assert len(set(digests)) == 4
