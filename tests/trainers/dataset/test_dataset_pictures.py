"""Pictures of every mode that people have, and their masks, come out upright and of one kind."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelhub.errors import BrokenFile
from tests.trainers.pictures import picture, write_picture
from trainers.dataset import Sample, gather, open_image, open_mask
from trainers.dataset.glances import Glances
from trainers.dataset.nouns import Glance, Unread
from trainers.recipe import DatasetOptions

ORIENTATION = 0x0112


def only(options: DatasetOptions) -> Sample:
    (sample,) = gather(options).samples
    return sample


def stored(image: Image.Image, kind: str) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind)
    file.seek(0)
    return file


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_keep_their_shades(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(2, 0)

    opened = open_image(stored(Image.fromarray(ramp), kind))

    assert opened.mode == "RGB"
    assert np.array_equal(np.asarray(opened)[0, :, 0], np.arange(256))


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floating_point_is_read_by_its_greatest_value(white: float) -> None:
    ramp = np.linspace(0, white, 256, dtype=np.float32)[None].repeat(2, 0)

    opened = np.asarray(open_image(stored(Image.fromarray(ramp), "TIFF")))

    assert np.abs(opened[0, :, 0].astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("CMYK", "JPEG"), ("L", "PNG"), ("1", "PNG"), ("P", "GIF"), ("LA", "PNG"), ("RGBA", "WEBP"), ("YCbCr", "JPEG")],
)
def test_common_modes_become_rgb(mode: str, kind: str) -> None:
    image = Image.new("RGB", (8, 8), "white").convert(mode)

    assert open_image(stored(image, kind)).getpixel((4, 4)) == (255, 255, 255)


def test_what_is_opaque_though_it_need_not_be_keeps_its_colours() -> None:
    """Laid on white it would come to the same, in twice the time."""
    image = picture((256, 256), 77)
    opaque = image.convert("RGBA")

    assert Image.alpha_composite(Image.new("RGBA", image.size, "white"), opaque).tobytes() == opaque.tobytes()
    assert open_image(stored(opaque, "PNG")).tobytes() == image.tobytes()


def test_of_a_moving_picture_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])

    assert open_image(tmp_path / "a.gif").getpixel((0, 0)) == (255, 0, 0)


def test_a_copy_in_another_lossless_format_looks_the_same(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    picture((64, 64)).save(tmp_path / "b.bmp")
    (tmp_path / "b.txt").write_text("x")

    one, other = gather(DatasetOptions(images=tmp_path)).samples

    assert one.look == other.look
    assert one.sha256 != other.sha256


def test_a_mask_of_the_same_stem_comes_upright_in_the_pictures_size(tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "A.png", (64, 32))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    mask = Image.new("L", (16, 32), 0)
    mask.paste(255, (0, 0, 16, 16))
    (tmp_path / "masks").mkdir()
    mask.save(tmp_path / "masks" / "a.png", exif=exif)

    opened = open_mask(only(DatasetOptions(images=tmp_path / "set", masks=tmp_path / "masks")))

    assert (opened.mode, opened.size) == ("L", (64, 32))
    assert [opened.getpixel((x, 8)) for x in (0, 31, 32, 63)] == [0, 0, 255, 255]


def test_masks_may_lie_within_the_pictures_and_are_none_of_them(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    write_picture(tmp_path / "masks" / "a.png", caption=None)

    found = only(DatasetOptions(images=tmp_path, masks=tmp_path / "masks"))

    assert found.mask is not None
    assert found.mask.path == tmp_path / "masks" / "a.png"


def test_what_is_opaque_may_be_the_mask(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 255, 255))
    image.save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("x")

    found = only(DatasetOptions(images=tmp_path, alpha_mask=True))

    assert found.mask is not None
    assert found.mask.alpha
    assert [open_mask(found).getpixel((x, 0)) for x in (0, 1)] == [0, 255]
    assert only(DatasetOptions(images=tmp_path)).mask is None


def test_an_opaque_picture_is_learned_whole(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")

    found = only(DatasetOptions(images=tmp_path, alpha_mask=True))

    assert found.mask is None
    assert open_mask(found).getextrema() == (255, 255)


def test_a_broken_mask_is_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    (tmp_path / "a-masklabel.png").write_bytes(b"nothing")

    with pytest.raises(BrokenFile, match=r"a-masklabel\.png: it is no picture that could be a mask"):
        gather(DatasetOptions(images=tmp_path))


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "gif"])
def test_a_glimpse_tells_the_same_but_for_the_look(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture((40, 20)).save(path, **({"exif": exif} if kind in ("png", "jpg", "webp") else {}))

    found = Glances().at(path)

    assert isinstance(found, Glance)
    assert Glances().glimpse(path) == (found.glimpse if kind in ("png", "jpg", "webp") else found)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "gif"])
def test_a_glimpse_finds_out_that_the_end_is_missing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    picture((64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:-200])

    assert isinstance(Glances().glimpse(path), Unread)
