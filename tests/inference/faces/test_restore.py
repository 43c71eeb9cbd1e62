"""Faces are drawn again, and only faces."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.faces.align import TEMPLATE
from inference.faces.detect import Face
from inference.faces.plan import FacesPlan
from inference.faces.restore import FaceRestorer, restoring
from modelhub.errors import OutOfResources
from tests.detectors import write_detector
from tests.upscalers import FakeEngine, FakeNet, FakeNets


class Finds:
    """A detector that finds what it was told."""

    def __init__(self, *landmarks: np.ndarray) -> None:
        self._faces = [Face((0, 0, 1, 1), 1.0, one) for one in landmarks]

    def faces(self, pixels: np.ndarray) -> list[Face]:
        return self._faces


def at(left: float, top: float, scale: float = 0.25) -> np.ndarray:
    return TEMPLATE * scale + np.array([left, top])


def red(pixels: Tensor) -> Tensor:
    return torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand_as(pixels)


def restorer(
    *faces: np.ndarray, call: Callable[[Tensor], Tensor] = red, visibility: float = 1.0
) -> Callable[[Image.Image], Image.Image]:
    plan = FacesPlan("g", "gfpgan", Path("g"), "0" * 64, 1, Path("d"), visibility)
    return FaceRestorer(plan, FakeEngine(FakeNets(FakeNet(call, 1))), detector=Finds(*faces)).restored


GREY = Image.new("RGB", (400, 200), (100, 100, 100))


def test_every_face_is_drawn_again() -> None:
    found = restorer(at(20, 20), at(220, 20))(GREY)
    assert [found.getpixel(place) for place in ((84, 84), (284, 84), (200, 190))] == [
        (255, 0, 0), (255, 0, 0), (100, 100, 100),
    ]  # fmt: skip


def test_visibility_lets_the_old_face_through() -> None:
    assert restorer(at(20, 20), visibility=0.5)(GREY).getpixel((84, 84)) == (177, 50, 50)


def test_the_network_sees_a_straightened_face() -> None:
    seen: list[tuple[int, ...]] = []
    restorer(at(20, 20), call=lambda pixels: seen.append(tuple(pixels.shape)) or pixels)(GREY)  # type: ignore[func-returns-value]
    assert seen == [(1, 3, 512, 512)]


def test_a_picture_without_faces_stays_what_it_is() -> None:
    assert restorer()(GREY) is GREY


def test_tiny_faces_are_left_alone() -> None:
    assert restorer(at(20, 20, scale=0.03))(GREY) is GREY


def test_transparency_stays() -> None:
    image = GREY.convert("RGBA")
    image.putalpha(77)
    found = restorer(at(20, 20))(image)
    assert (found.mode, found.getchannel("A").getextrema()) == ("RGBA", (77, 77))


def test_a_full_memory_is_told() -> None:
    def full(_: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("full")

    with pytest.raises(OutOfResources):
        restorer(at(20, 20), call=full)(GREY)


def test_without_a_plan_nothing_happens() -> None:
    assert restoring(None, FakeEngine(FakeNets()))(GREY) is GREY


def test_what_the_detector_sees_is_what_is_drawn_again(tmp_path: Path) -> None:
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[60:64, 60:64] = 255
    plan = FacesPlan("g", None, Path("g"), "", 1, write_detector(tmp_path / "d.onnx"), 1.0)
    found = restoring(plan, FakeEngine(FakeNets(FakeNet(red, 1))))(Image.fromarray(pixels))
    assert found.getpixel((62, 62)) == (255, 0, 0)
    assert found.getpixel((2, 2)) == (0, 0, 0)
