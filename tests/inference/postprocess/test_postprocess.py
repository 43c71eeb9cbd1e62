"""Pictures are enlarged, their faces drawn again, and what was done is written into them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from inference.faces.plan import FacesPlan
from inference.images.texts import read_texts
from inference.postprocess.plan import PostPlan, Size
from inference.postprocess.work import Processed, postprocess
from inference.upscalers.plan import UpscalerPlan
from modelhub.catalog import Catalog
from modelhub.errors import BrokenFile, ModelHubError
from modelhub.jobs import Done, Notice, drain
from tests import tables, tables_upscalers
from tests.detectors import write_detector
from tests.upscalers import FakeEngine, FakeNet, FakeNets

MODEL = UpscalerPlan("R-ESRGAN 4x+, mine", Path("x.safetensors"), "0" * 64)
NEAREST, NONE = UpscalerPlan("Nearest"), UpscalerPlan("None")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A red one, with the words that drew it."""
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat\nSteps: 20")
    info.add_text("comment", "not of ours")
    path = tmp_path / "in" / "00001-7.png"
    path.parent.mkdir()
    Image.new("RGB", (32, 16), "red").save(path, pnginfo=info)
    return path


def done(
    pictures: Sequence[Path], plan: PostPlan, catalog: Catalog, *, engine: Any = None
) -> tuple[Processed, ...]:  # fmt: skip
    out = catalog.workspace.root / "out"
    return drain(postprocess(pictures, plan, catalog=catalog, engine=engine or FakeEngine(FakeNets()), out=out))


def test_the_result_keeps_its_name_and_says_what_was_done(picture: Path, catalog: Catalog) -> None:
    (made,) = done([picture], PostPlan(Size(2.0), MODEL), catalog)
    assert (made.path.name, made.width, made.height) == ("00001-7.png", 64, 32)
    assert dict(read_texts(made.path)) == {
        "parameters": "a cat\nSteps: 20",
        "postprocessing": 'Postprocess upscale by: 2, Postprocess upscaler: "R-ESRGAN 4x+, mine"',
    }


def test_nothing_is_overwritten(picture: Path, catalog: Catalog) -> None:
    plan = PostPlan(Size(2.0), NEAREST)
    names = [done([picture], plan, catalog)[0].path.name for _ in range(3)]
    assert names == ["00001-7.png", "00001-7-2.png", "00001-7-3.png"]
    assert Image.open(picture).size == (32, 16)


@pytest.mark.parametrize(
    ("size", "found", "told"),
    [
        (Size(1.5), (48, 24), "Postprocess upscale by: 1.5"),
        (Size(box=(96, 96)), (192, 96), "Postprocess upscale to: 96x96"),
        (Size(box=(96, 96), crop=True), (96, 96), "Postprocess upscale to: 96x96, Postprocess crop to: 96x96"),
    ],
)
def test_sizes_are_webuis(size: Size, found: tuple[int, int], told: str, picture: Path, catalog: Catalog) -> None:
    (made,) = done([picture], PostPlan(size, NEAREST), catalog)
    assert (made.width, made.height) == found
    assert made.postprocessing == f"{told}, Postprocess upscaler: Nearest"


def test_what_is_cropped_is_the_middle(tmp_path: Path, catalog: Catalog) -> None:
    columns = np.repeat(np.arange(32, dtype=np.uint8)[None, :, None] * 8, 16, axis=0).repeat(3, axis=2)
    Image.fromarray(columns).save(tmp_path / "x.png")
    (made,) = done([tmp_path / "x.png"], PostPlan(Size(box=(32, 32), crop=True), NEAREST), catalog)
    row = np.asarray(Image.open(made.path))[0, :, 0]
    assert (row[0], row[-1]) == (8 * 8, 23 * 8)


def test_a_second_upscaler_is_blended_in(picture: Path, catalog: Catalog) -> None:
    white = FakeEngine(FakeNets(FakeNet(lambda pixels: pixels.new_ones(1, 3, 32, 64))))
    plan = PostPlan(Size(2.0), NEAREST, second=MODEL, second_visibility=0.25)
    (made,) = done([picture], plan, catalog, engine=white)
    assert Image.open(made.path).getpixel((5, 5)) == (255, 63, 63)
    assert made.postprocessing.endswith('Postprocess upscaler: Nearest, Postprocess upscaler 2: "R-ESRGAN 4x+, mine"')


def test_a_second_one_that_is_invisible_is_not_asked(picture: Path, catalog: Catalog) -> None:
    (made,) = done([picture], PostPlan(Size(2.0), NEAREST, second=MODEL, second_visibility=0.0), catalog)
    assert "upscaler 2" not in made.postprocessing


def test_faces_are_drawn_again_without_enlarging_too(tmp_path: Path, catalog: Catalog) -> None:
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[60:64, 60:64] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    held = catalog.add(tables.write(tmp_path / "g.safetensors", tables_upscalers.gfpgan()))
    faces = FacesPlan("mine", "gfpgan", held.path, "", held.id, write_detector(tmp_path / "d.onnx"), 0.8)
    blue = FakeEngine(FakeNets(FakeNet(lambda one: one * 0 + one.new_tensor([0, 0, 1]).view(1, 3, 1, 1))))
    (made,) = done([tmp_path / "x.png"], PostPlan(Size(), NONE, faces=faces), catalog, engine=blue)
    assert made.postprocessing == "GFPGAN visibility: 0.8"
    assert (made.width, made.height) == (128, 128)
    assert Image.open(made.path).getpixel((62, 75))[2] == 204


def test_the_run_and_its_pictures_are_in_the_catalog(picture: Path, catalog: Catalog) -> None:
    (made,) = done([picture], PostPlan(Size(2.0), NEAREST), catalog)
    recorded = catalog.pictures.at(made.path)
    assert recorded
    assert recorded.infotext == f"a cat\nSteps: 20\n{made.postprocessing}"
    run = catalog.last_run("upscale")
    assert run
    assert (run.state, run.payload["pictures"]) == ("done", [str(picture)])


def test_a_broken_picture_among_others_is_told_and_left_out(picture: Path, catalog: Catalog) -> None:
    broken = picture.with_name("broken.png")
    broken.write_bytes(b"no picture")
    out = catalog.workspace.root / "out"
    plan, engine = PostPlan(Size(2.0), NEAREST), FakeEngine(FakeNets())
    events = list(postprocess([broken, picture], plan, catalog=catalog, engine=engine, out=out))
    assert next(one.message for one in events if isinstance(one, Notice)).startswith("left out")
    assert isinstance(events[-1], Done)
    assert len(events[-1].result) == 1
    with pytest.raises(BrokenFile):
        done([broken], plan, catalog)


def test_what_fails_is_recorded_as_failed(picture: Path, catalog: Catalog) -> None:
    def fail(_: object) -> Any:
        raise ModelHubError("no")

    with pytest.raises(ModelHubError):
        done([picture], PostPlan(Size(2.0), MODEL), catalog, engine=FakeEngine(FakeNets(FakeNet(fail))))
    run = catalog.last_run("upscale")
    assert run
    assert (run.state, run.error) == ("failed", "no")


def test_a_stop_keeps_what_was_finished(picture: Path, catalog: Catalog) -> None:
    other = picture.with_name("later.png")
    Image.new("RGB", (16, 16)).save(other)
    out = catalog.workspace.root / "out"
    engine = FakeEngine(FakeNets())
    job = postprocess([picture, other], PostPlan(Size(2.0), MODEL), catalog=catalog, engine=engine, out=out)
    next(job)
    next(job)  # the second picture's first tile
    job.close()  # type: ignore[attr-defined]
    assert [one.name for one in out.iterdir()] == ["00001-7.png"]
    run = catalog.last_run("upscale")
    assert run
    assert run.state == "interrupted"


def test_a_photograph_is_turned_upright(tmp_path: Path, catalog: Catalog) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: a quarter turn
    Image.new("RGB", (32, 16)).save(tmp_path / "x.jpg", exif=exif)
    (made,) = done([tmp_path / "x.jpg"], PostPlan(Size(2.0), NEAREST), catalog)
    assert (made.path.name, made.width, made.height) == ("x.png", 32, 64)
