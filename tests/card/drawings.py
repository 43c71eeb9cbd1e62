"""Every kind of picture is drawn on a card: the processor's to the pixel in full precision, much like it in half."""

import os
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cli.app import main
from inference.engine import Engine
from modelhub.workspace import Workspace
from tests.card.pretended import card
from tests.inference.drawings import KINDS, QUICK
from tests.inference.everything import ALGORITHMS, write_everything

EVERYTHING = "MODELHUB_EVERYTHING" in os.environ
"""Otherwise some, which go by ways of their own."""
HALVES = ["txt2img", "SDXL", "hypernetwork", "img2img", "inpainting checkpoint", "ControlNet", "second pass by a model"]
SOME = [
    *HALVES, "texts", "variation", "noise of a card", "Brownian noise", "DDIM", "embedding", "latent resize",
    "inpainted alone", "inpainted softly", "pix2pix", "refiner in both passes", "SD upscale", "pattern",
    "lora", "dora", "lokr", "oft",
]  # fmt: skip
NEARLY = {"embedding": 256, "txt2img": 64, "img2img": 64}
"""Kind -> how far half precision may be off, of 255; tiny nets' mean encodings are so near to 0 that emphasis, which
divides by them, and colours that are corrected make much of a last bit."""


@pytest.fixture(scope="module", autouse=True)
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = Workspace(tmp_path_factory.mktemp("everything"))
    write_everything(workspace)
    return workspace.root


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], np.ndarray]:
    """What the processor draws, once."""
    return cache(lambda kind: drawn(kind, "cpu", tmp_path_factory.mktemp("processor")))


@pytest.fixture(autouse=True)
def _at_home(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELHUB_HOME", str(root))
    monkeypatch.chdir(root)


def drawn(kind: str, device: str, out: Path) -> np.ndarray:
    """The last picture, [H, W, 3]."""
    said = f"generate {QUICK} {KINDS[kind]} --device {device} --out {shlex.quote(str(out))}"
    assert main(shlex.split(said)) == 0
    with Image.open(max(out.iterdir())) as picture:
        return np.asarray(picture, int)


@pytest.mark.parametrize("kind", KINDS if EVERYTHING else SOME)
def test_a_card_draws_what_the_processor_draws(
    kind: str, processor: Callable[[str], np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "dtype", lambda self, role: torch.float32)
    with card():
        found = drawn(kind, "cuda", tmp_path)

    assert np.array_equal(found, processor(kind))


@pytest.mark.parametrize("kind", [one for one in KINDS if one not in ALGORITHMS] if EVERYTHING else HALVES)
def test_half_precision_draws_nearly_the_same(
    kind: str, processor: Callable[[str], np.ndarray], tmp_path: Path
) -> None:
    with card():
        found = drawn(kind, "cuda", tmp_path)

    assert np.abs(found - processor(kind)).max() <= NEARLY.get(kind, 24)


def test_a_card_enlarges_as_the_processor_does(tmp_path: Path) -> None:
    def enlarged(device: str) -> bytes:
        assert main(shlex.split(f"upscale old.png -m sharp --out {tmp_path / device} --device {device} -q")) == 0
        with Image.open(tmp_path / device / "old.png") as picture:
            return picture.tobytes()

    with card():
        found = enlarged("cuda")

    assert found == enlarged("cpu")
