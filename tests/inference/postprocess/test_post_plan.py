"""What is to be done to pictures."""

from pathlib import Path

import pytest
from PIL import Image

from inference.postprocess.plan import Size, pictures_in, plan_post
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, MissingFile, UnknownRef
from tests.upscalers import write_upscaler


@pytest.mark.parametrize(
    ("size", "picture", "factor"),
    [
        (Size(3.0), (10, 20), 3.0),
        (Size(box=(100, 100)), (50, 25), 4.0),
        (Size(box=(100, 50)), (50, 25), 2.0),
        (Size(2.0, box=(40, 30)), (50, 25), 1.2),
    ],
)
def test_a_box_is_covered_whatever_the_factor(size: Size, picture: tuple[int, int], factor: float) -> None:
    assert size.factor_for(picture) == factor


@pytest.mark.parametrize(
    ("factor", "box", "crop", "flag"),
    [
        (2.0, None, True, "--crop"),
        (0.5, None, False, "--scale"),
        (9.0, None, False, "--scale"),
        (2.0, (0, 5), False, "--size"),
    ],
)
def test_what_cannot_be_names_its_flag(factor: float, box: tuple[int, int] | None, crop: bool, flag: str) -> None:
    with pytest.raises(BadValue, match=flag):
        Size(factor, box, crop)


def test_every_model_is_looked_up_before_a_picture_is_touched(catalog: Catalog, tmp_path: Path) -> None:
    held = catalog.add(write_upscaler(tmp_path / "sharp.safetensors"))
    plan = plan_post(Size(), "sharp", second="Nearest", catalog=catalog)
    assert plan.used == (("upscaler", held.id),)
    assert plan.payload() == {
        "factor": 2.0, "upscaler": catalog.sha256(held), "second": "Nearest", "second_visibility": 0.5,
    }  # fmt: skip
    with pytest.raises(UnknownRef):
        plan_post(Size(), "Lanczos", second="nope", catalog=catalog)


def test_folders_give_their_pictures_by_name_and_each_once(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    found = pictures_in([tmp_path / "b.png", tmp_path])
    assert [one.name for one in found] == ["b.png", "a.JPG"]


def test_a_folder_without_pictures_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="holds no pictures"):
        pictures_in([tmp_path])
    with pytest.raises(MissingFile):
        pictures_in([tmp_path / "gone.png"])


def test_any_file_that_is_named_is_taken_at_its_word(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "odd", "PNG")
    assert pictures_in([tmp_path / "odd"]) == (tmp_path / "odd",)
