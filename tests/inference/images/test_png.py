import errno
from pathlib import Path

import pytest
import torch
from PIL import Image

from inference.images.png import save_new, to_image
from modelhub.errors import OutOfResources

BLACK = Image.new("RGB", (8, 8))


def save(folder: Path, seed: int = 1, image: Image.Image = BLACK, **texts: str) -> Path:
    return save_new(image, folder, seed=seed, texts=texts)


def test_pixels_are_truncated_to_8_bits_as_webui_does() -> None:
    values = torch.tensor([-2.0, -1.0, 0.0, 0.999, 1.0, 2.0])
    image = to_image(values.expand(3, 1, 6))

    assert image.size == (6, 1)
    assert [image.getpixel((x, 0))[0] for x in range(6)] == [0, 0, 127, 254, 255, 255]


def test_channels_rows_and_columns_keep_their_places() -> None:
    pixels = torch.full((3, 2, 4), -1.0)
    pixels[0, 0, 3] = pixels[2, 1, 0] = 1.0
    image = to_image(pixels)

    assert image.getpixel((3, 0)) == (255, 0, 0)
    assert image.getpixel((0, 1)) == (0, 0, 255)


def test_numbers_go_on_behind_the_largest_one(tmp_path: Path) -> None:
    for name in ("00007-1.png", "notes.png", "²-1.png", "00009.txt"):
        (tmp_path / name).touch()

    assert [save(tmp_path, seed).name for seed in (5, 5, 6)] == ["00008-5.png", "00009-5.png", "00010-6.png"]


def test_a_picture_never_overwrites_another(tmp_path: Path) -> None:
    """Even when another process takes the number between our look and our save."""
    taken = tmp_path / "00001-1.png"

    class Racing(Image.Image):
        def save(self, path: Path, **options: object) -> None:  # type: ignore[override]
            taken.write_bytes(b"theirs") if not taken.exists() else None
            BLACK.save(path, **options)

    saved = save(tmp_path, image=Racing())

    assert saved.name == "00002-1.png"
    assert taken.read_bytes() == b"theirs"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00001-1.png", "00002-1.png"]


@pytest.mark.parametrize("text", ["plain", "zwei\nZeilen", "ein Käse", "日本の城 🦊", ""])
def test_texts_are_read_back_as_they_were(tmp_path: Path, text: str) -> None:
    with Image.open(save(tmp_path, parameters=text)) as image:
        image.load()
        assert image.text == {"parameters": text}  # type: ignore[attr-defined]


def test_a_full_disk_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    class Overflowing(Image.Image):
        def save(self, path: Path, **options: object) -> None:  # type: ignore[override]
            path.write_bytes(b"half a pic")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutOfResources, match=r"the disk is full: .*00001-1.png was not written"):
        save(tmp_path, image=Overflowing())

    assert list(tmp_path.iterdir()) == []
