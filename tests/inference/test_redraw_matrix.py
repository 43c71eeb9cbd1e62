"""Whatever was drawn is drawn again from its own file, to the pixel: each kind of picture, by the command line."""

import hashlib
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cli.app import main
from modelhub.workspace import Workspace
from tests.inference.drawings import KINDS, QUICK
from tests.inference.everything import ALGORITHMS, write_everything

Draw = Callable[[str], Path]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = Workspace(tmp_path_factory.mktemp("everything"))
    write_everything(workspace)
    return workspace.root


@pytest.fixture(autouse=True)
def _at_home(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELHUB_HOME", str(root))
    monkeypatch.chdir(root)


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """The last picture of a command line, in a folder of its own; each is drawn once."""

    @cache
    def drawn(said: str) -> Path:
        out = tmp_path_factory.mktemp("drawn")
        assert main(["generate", "--device", "cpu", *shlex.split(said), "--out", str(out)]) == 0
        return max(out.iterdir())

    return drawn


def pixels(path: Path) -> str:
    """Their SHA-256, and the size."""
    with Image.open(path) as image:
        return f"{image.size} {hashlib.sha256(image.tobytes()).hexdigest()}"


def first(draw: Draw, kind: str) -> Path:
    return draw(f"{QUICK} {KINDS[kind]}")


def again(draw: Draw, path: Path) -> Path:
    return draw(f"--quiet --from {shlex.quote(str(path))}")


def text_alone(path: Path, to: Path) -> Path:
    """The picture without our request: it is left with what any tool reads."""
    texts = PngImagePlugin.PngInfo()
    with Image.open(path) as image:
        texts.add_text("parameters", image.info["parameters"])
        image.save(to, pnginfo=texts)
    return to


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_drawn_again_from_its_request(draw: Draw, kind: str) -> None:
    path = first(draw, kind)

    assert pixels(again(draw, path)) == pixels(path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ALGORITHMS])
def test_a_picture_is_drawn_again_from_its_text_alone(draw: Draw, kind: str, tmp_path: Path) -> None:
    path = first(draw, kind)

    assert pixels(again(draw, text_alone(path, tmp_path / "told.png"))) == pixels(path)


def test_what_is_said_of_each_kind_is_to_be_seen(draw: Draw) -> None:
    """Or the other tests would prove nothing of it."""
    alike: dict[str, list[str]] = {}
    for kind in KINDS:
        alike.setdefault(pixels(first(draw, kind)), []).append(kind)

    assert [kinds for kinds in alike.values() if len(kinds) > 1] == []


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_a_picture_in_a_format_that_loses_is_drawn_again_without_loss(draw: Draw, form: str) -> None:
    path = draw(f"{QUICK} {KINDS['img2img']} --format {form}")

    assert pixels(path) != pixels(first(draw, "img2img"))
    assert pixels(again(draw, path)) == pixels(first(draw, "img2img"))


def test_one_of_a_batch_is_drawn_again_alone(draw: Draw) -> None:
    """Its noise is the same; sums of a batch may end in another last bit."""
    path = draw(f"{QUICK} 'a cat' --batch 3")

    one, other = (np.asarray(Image.open(picture), int) for picture in (path, again(draw, path)))
    assert np.abs(one - other).max() <= 1
