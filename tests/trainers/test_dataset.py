"""A folder is read as kohya's scripts read it, and everything wrong with it is said."""

import subprocess
from pathlib import Path

import pytest
from PIL import Image

from modelhub.errors import BadValue, MissingFile
from tests.trainers.pictures import picture, write_picture, write_set
from trainers.dataset import Sample, dataset_digest, gather, open_image, read_dataset
from trainers.recipe import CaptionOptions, DatasetOptions, SubsetOptions

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

    assert caught.value.mend is not None
    assert f"for f in {tmp_path / 'a.txt'}; do" in caught.value.mend
    assert "iconv -f GB18030 -t UTF-8" in caught.value.mend


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


def test_of_a_project_one_level_too_high_the_right_folders_are_read(tmp_path: Path) -> None:
    write_picture(tmp_path / "img" / "10_kip" / "a.png", caption=None)
    write_picture(tmp_path / "reg" / "1_robot" / "b.png", shade=1, caption=None)
    write_picture(tmp_path / "model" / "sample" / "preview.png", shade=2, caption=None)

    found = gather(DatasetOptions(images=tmp_path))

    told = [(one.path.name, one.repeats, one.subset.regularisation) for one in found.samples]
    assert told == [("a.png", 10, False), ("b.png", 1, True)]
    assert found.notices == (f"{tmp_path} is a project: its pictures are those in img, and those of the class in reg",)


def test_a_folder_that_is_merely_called_img_is_read_with_what_lies_beside_it(tmp_path: Path) -> None:
    write_picture(tmp_path / "img" / "a.png")
    write_picture(tmp_path / "more" / "b.png", shade=1)

    assert len(read_dataset(tmp_path)) == 2


def test_subsets_are_treated_each_in_its_way(tmp_path: Path) -> None:
    write_picture(tmp_path / "one" / "1_kip" / "a.png", caption=None)
    write_picture(tmp_path / "two" / "9_kip" / "b.png", caption="ignored")
    subsets = (
        {"images": tmp_path / "one", "repeats": 1.5, "caption": "ours"},
        {"images": tmp_path / "two", "folder_names": False, "captions": {"source": "none"}, "caption": "all alike"},
    )

    found = gather(DatasetOptions.model_validate({"subsets": subsets})).samples

    assert [(one.caption, one.repeats) for one in found] == [("ours", 1.5), ("all alike", 1)]


def test_lines_are_kept_only_where_one_is_chosen(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", caption="one  line\n\n another ")

    chosen = gather(DatasetOptions(images=tmp_path, captions=CaptionOptions(wildcards=True))).samples

    assert chosen[0].caption == "one line\nanother"
    assert only(tmp_path).caption == "one line another"


def test_pictures_need_no_captions_where_these_are_not_read(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", caption=None)

    assert len(gather(DatasetOptions(images=tmp_path), captioned=False).samples) == 1


def test_folders_below_are_left_out_where_they_are_not_wanted(tmp_path: Path) -> None:
    write_picture(tmp_path / "below" / "a.png")
    subset = SubsetOptions(images=tmp_path, recursive=False)

    with pytest.raises(MissingFile, match="no images") as caught:
        gather(DatasetOptions(subsets=(subset,)))

    assert caught.value.mend == "they are in folders below it: name one of these, or set recursive = true"


def test_hidden_folders_are_none_of_the_dataset(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    write_picture(tmp_path / ".thumbnails" / "a.png")

    assert len(read_dataset(tmp_path)) == 1


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("kip, red".encode("utf-16"), "UTF-16"),
        ("kip, red".encode("utf-16-le"), "UTF-16LE"),
        ("kip, red".encode("utf-16-be"), "UTF-16BE"),
        ("caf\u00e9, red".encode("latin-1"), "WINDOWS-1252"),
    ],
)
def test_other_encodings_are_named_and_mended_by_the_command(tmp_path: Path, content: bytes, encoding: str) -> None:
    write_picture(tmp_path / "a b.png", caption=None)
    (tmp_path / "a b.txt").write_bytes(content)

    with pytest.raises(BadValue, match=f"seems to be {encoding}, in which it says") as caught:
        read_dataset(tmp_path)

    assert caught.value.mend is not None
    subprocess.run(["sh", "-c", caught.value.mend], check=True)
    assert only(tmp_path).caption == content.decode(encoding)


def test_a_missing_folder_of_masks_is_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png")

    with pytest.raises(MissingFile, match="masks is no folder of masks"):
        gather(DatasetOptions(images=tmp_path / "set", masks=tmp_path / "masks"))


def test_the_digest_knows_masks_and_what_is_of_the_class(tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png")
    write_picture(tmp_path / "masks" / "a.png", caption=None)
    options = SubsetOptions(images=tmp_path / "set")

    digests = {
        dataset_digest(gather(DatasetOptions(subsets=(options.model_copy(update=changed),))).samples)
        for changed in ({}, {"masks": tmp_path / "masks"}, {"regularisation": True})
    }

    assert len(digests) == 3
