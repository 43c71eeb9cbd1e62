"""Every format gives back the texts that it was given, as webui and we look for them."""

from pathlib import Path

import pytest
from PIL import Image

from inference.images.formats import PNG, format_named, write
from inference.images.png import save_new
from inference.images.texts import read_texts
from modelhub.errors import BadValue

TEXTS = {"parameters": "水墨 a castle\nSteps: 20, Seed: 7, Size: 8x8", "modelhub": '{"prompt": "水墨"}'}
PICTURE = Image.new("RGB", (16, 8), "red")


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "avif"])
def test_texts_are_read_back(tmp_path: Path, name: str) -> None:
    path = save_new(PICTURE, tmp_path, seed=7, texts=TEXTS, form=format_named(name, 80))

    assert read_texts(path) == TEXTS
    with Image.open(path) as image:
        assert (image.size, image.format) == ((16, 8), name.upper())


def test_the_comment_is_what_webui_writes(tmp_path: Path) -> None:
    write(PICTURE, tmp_path / "a.jpg", TEXTS, format_named("jpeg", 80))

    with Image.open(tmp_path / "a.jpg") as image:
        comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert comment == b"UNICODE\0" + TEXTS["parameters"].encode("utf-16-be")


def test_numbers_go_on_over_all_formats(tmp_path: Path) -> None:
    paths = [save_new(PICTURE, tmp_path, seed=1, texts={}, form=one) for one in (PNG, format_named("jpeg", 80), PNG)]

    assert [path.name for path in paths] == ["00001-1.png", "00002-1.jpg", "00003-1.png"]


def test_a_request_too_long_for_exif_is_left_out(tmp_path: Path) -> None:
    write(PICTURE, tmp_path / "a.jpg", {**TEXTS, "modelhub": "x" * 70_000}, format_named("jpeg", 80))

    assert read_texts(tmp_path / "a.jpg") == {"parameters": TEXTS["parameters"]}


def test_a_comment_goes_before_a_chunk(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"UNICODE\0" + "theirs".encode("utf-16-be")}
    PICTURE.save(tmp_path / "a.webp", exif=exif)

    assert read_texts(tmp_path / "a.webp")["parameters"] == "theirs"


def test_a_text_beside_a_picture_speaks_for_it_unless_it_is_a_caption(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("a red square")
    assert read_texts(tmp_path / "a.png") == {}

    (tmp_path / "a.txt").write_text(TEXTS["parameters"], encoding="utf-8")
    assert read_texts(tmp_path / "a.png") == {"parameters": TEXTS["parameters"]}


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadValue, match="'bmp' is no format"):
        format_named("bmp", 80)
