"""`modelhub upscale`, as a person types it."""

from pathlib import Path

import pytest
from PIL import Image

from modelhub.catalog import Catalog
from tests.cli.conftest import Run
from tests.upscalers import compact, write_ncnn


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "pictures" / "cat.png"
    path.parent.mkdir()
    Image.new("RGB", (24, 16), "red").save(path)
    return path


def test_an_upscaler_of_ncnns_is_converted_and_enlarges_a_folder(
    run: Run, catalog: Catalog, picture: Path, tmp_path: Path
) -> None:
    write_ncnn(tmp_path / "sharp.param", compact(scale=2).state_dict())
    assert run("convert", tmp_path / "sharp.param", "--quiet").code == 0
    ran = run("upscale", picture.parent, "--model", "sharp", "--out", tmp_path / "out", "--json")
    (made,) = ran.json
    assert made["path"] == str(tmp_path / "out" / "cat.png")
    assert made["postprocessing"] == "Postprocess upscale by: 2, Postprocess upscaler: sharp"
    assert Image.open(made["path"]).size == (48, 32)


def test_without_a_word_it_is_lanczos_and_twice_as_large(run: Run, catalog: Catalog, picture: Path) -> None:
    path = Path(run("upscale", picture, "--quiet").out.strip())
    assert Image.open(path).size == (48, 32)
    assert path.parent.parent == catalog.workspace.outputs


def test_a_size_is_covered_and_cropped(run: Run, catalog: Catalog, picture: Path) -> None:
    ran = run("upscale", picture, "-m", "nearest", "--size", "64x64", "--crop", "--json")
    assert (ran.json[0]["width"], ran.json[0]["height"]) == (64, 64)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--scale", "2", "--size", "64x64"), "--scale and --size"),
        (("--crop",), "--size"),
        (("--scale", "99"), "--scale 99"),
        (("--model", "nope"), "None, Lanczos, Nearest"),
        (("--faces", "any"), "no face restorer"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    arguments: tuple[str, ...], told: str, run: Run, catalog: Catalog, picture: Path
) -> None:
    ran = run("upscale", picture, *arguments)
    assert ran.code in (2, 3)
    assert told in ran.err
