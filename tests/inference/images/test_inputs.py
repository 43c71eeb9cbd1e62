from pathlib import Path

import pytest
from PIL import Image

from inference.images.inputs import Inputs
from modelhub.digests import file_digests
from modelhub.errors import BrokenFile, MissingFile


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return Inputs(tmp_path / "inputs")


def picture(path: Path, colour: str = "red") -> Path:
    Image.new("RGB", (8, 6), colour).save(path)
    return path


def test_a_picture_is_kept_by_its_digest_and_outlives_its_file(inputs: Inputs, tmp_path: Path) -> None:
    path = picture(tmp_path / "Red.PNG")
    digest = inputs.keep(str(path))
    assert digest == file_digests(path)["sha256"]

    path.unlink()

    assert inputs.keep(digest) == digest
    assert inputs.open(digest).getpixel((0, 0)) == (255, 0, 0)
    assert inputs.path(digest) == tmp_path / "inputs" / digest[:2] / f"{digest}.png"


def test_what_is_held_in_memory_leaves_no_file(inputs: Inputs) -> None:
    digest = inputs.hold(Image.new("RGB", (8, 6), "blue"))

    assert inputs.keep(digest) == digest
    assert inputs.open(digest).getpixel((0, 0)) == (0, 0, 255)
    assert inputs.path(digest) is None
    assert not inputs.root.exists()


def test_a_missing_picture_is_named_with_what_to_do(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="the picture 000000000000 that this was drawn from"):
        inputs.open("0" * 64)
    with pytest.raises(MissingFile, match=r"gone\.png: there is no such file"):
        inputs.keep(str(tmp_path / "gone.png"))


def test_what_is_no_picture_is_not_kept(inputs: Inputs, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")

    with pytest.raises(BrokenFile, match="cannot be read as a picture"):
        inputs.keep(str(tmp_path / "notes.png"))
    assert not inputs.root.exists()
