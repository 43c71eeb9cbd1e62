"""Folders of pictures are taken in where they are, once; pictures know their models and inputs."""

import os
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from inference.gallery import Indexed, index, inputs_of
from inference.request import ControlUse, GenerationRequest, Init, Mask
from modelhub.catalog import Catalog, PictureQuery
from modelhub.errors import MissingFile
from modelhub.jobs import Progress, drain
from tests.tables import tiny_lora, write


def picture(path: Path, colour: str, text: str = "") -> Path:
    info = PngImagePlugin.PngInfo()
    if text:
        info.add_text("parameters", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 8), colour).save(path, pnginfo=info)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one of them silent, and what is none."""
    root = tmp_path / "outputs of webui"
    fields = "Steps: 20, Sampler: Euler a, Seed: 7, Size: 16x8"
    picture(root / "2023" / "a.png", "red", f"a red castle\n{fields}, Model hash: 0123456789, Model: old")
    picture(root / "2024" / "b.png", "blue", f"a blue lake\n{fields}")
    picture(root / "c.png", "green")
    picture(root / ".thumbnails" / "d.png", "white")
    (root / "broken.png").write_bytes(b"no picture")
    return root


def indexed(folder: Path, catalog: Catalog) -> Indexed:
    return drain(index(folder, catalog))


def test_a_folder_is_taken_in_once(catalog: Catalog, folder: Path) -> None:
    first = indexed(folder, catalog)

    assert (first.added, first.silent, first.known, first.unreadable) == (3, 1, 0, [folder / "broken.png"])
    (folder / "broken.png").unlink()
    again = indexed(folder, catalog)
    assert (again.added, again.moved, again.known) == (0, 0, 3)


def test_pictures_are_found_by_words_model_day_and_stars(catalog: Catalog, folder: Path) -> None:
    os.utime(folder / "2023" / "a.png", (1_700_000_000, 1_700_000_000))
    indexed(folder, catalog)
    (castle,) = catalog.pictures.list(PictureQuery("castle"))

    catalog.pictures.rate(castle.id, 4)

    assert (castle.path, castle.width, castle.height) == (folder / "2023" / "a.png", 16, 8)
    assert [one.path.name for one in catalog.pictures.list()][-1] == "a.png"
    for query in ({"rating": 4}, {"until": "2023-11-14"}, {"since": "2023-11-14", "until": "2023-11-14"}):
        assert [one.id for one in catalog.pictures.list(PictureQuery(**query))] == [castle.id]  # type: ignore[arg-type]
    assert catalog.pictures.list(PictureQuery(rating=5)) == ()
    assert len(catalog.pictures.list(PictureQuery(since="2024-01-01"))) == 2


def test_a_moved_picture_keeps_its_stars_and_a_copy_is_another_one(catalog: Catalog, folder: Path) -> None:
    indexed(folder, catalog)
    (castle,) = catalog.pictures.list(PictureQuery("castle"))
    catalog.pictures.rate(castle.id, 5)
    castle.path.rename(folder / "moved.png")

    result = indexed(folder, catalog)

    assert (result.added, result.moved) == (0, 1)
    (moved,) = catalog.pictures.list(PictureQuery("castle"))
    assert (moved.id, moved.path, moved.rating) == (castle.id, folder / "moved.png", 5)
    (folder / "copy.png").write_bytes(moved.path.read_bytes())
    assert indexed(folder, catalog).added == 1


def test_a_model_that_comes_later_has_its_pictures(catalog: Catalog, folder: Path, tmp_path: Path) -> None:
    model = catalog.add(write(tmp_path / "kip.safetensors", tiny_lora()))
    digest = catalog.sha256(model)
    picture(folder / "d.png", "black", f"x\nSteps: 1, Seed: 2, Size: 8x8, Model hash: {digest[:10]}, Model: kip")

    indexed(folder, catalog)

    (found,) = catalog.pictures.list(PictureQuery(model=model.id))
    assert found.path == folder / "d.png"
    assert catalog.pictures.uses(model.id).pictures == 1
    assert catalog.pictures.named(found.id) == (("model", "kip", digest[:10]),)


def test_a_stop_keeps_what_was_found(catalog: Catalog, folder: Path) -> None:
    job = index(folder, catalog)
    for event in job:
        if isinstance(event, Progress) and event.done == 2:
            break
    job.close()  # type: ignore[attr-defined]

    assert [one.path.name for one in catalog.pictures.list()] == ["c.png"]
    assert indexed(folder, catalog).added == 2


def test_a_folder_that_is_none_is_named(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no such folder"):
        indexed(tmp_path / "none", catalog)


def test_a_picture_knows_what_it_was_drawn_from(catalog: Catalog, folder: Path) -> None:
    use = ControlUse(ref="x", image="c" * 64)
    init = Init(image="a" * 64, mask=Mask(image="b" * 64))
    inputs = tuple(inputs_of(GenerationRequest(prompt="", model="m", init=init, controls=(use, use))))
    run = catalog.begin_run("generate", {})

    number = catalog.pictures.record(
        run, folder / "e.png", sha256="e" * 64, width=8, height=8, infotext="x", inputs=inputs
    )

    assert catalog.pictures.inputs(number) == (
        ("control", "c" * 64), ("control 2", "c" * 64), ("init", "a" * 64), ("mask", "b" * 64),
    )  # fmt: skip
    assert [one.id for one in catalog.pictures.drawn_from("a" * 64)] == [number]
