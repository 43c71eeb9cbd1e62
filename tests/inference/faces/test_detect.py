"""CenterFace's maps become faces."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.faces.detect import Detector, decoded
from modelhub.errors import BrokenFile
from tests.detectors import FACE, MARKS, write_detector


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return Detector(write_detector(tmp_path_factory.mktemp("detector") / "tiny.onnx"))


def bright(width: int, height: int, *places: tuple[int, int], value: int = 255) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    for left, top in places:
        pixels[top : top + 4, left : left + 4] = value
    return pixels


def test_a_place_on_the_maps_becomes_a_box_and_five_points() -> None:
    maps = [np.zeros((1, channels, 3, 5), np.float32) for channels in (1, 2, 2, 10)]
    maps[0][0, 0, 1, 2] = 0.9
    maps[1][0, :, 1, 2] = np.log([10, 5])  # 40 px high, 20 wide
    maps[2][0, :, 1, 2] = (0.25, -0.5)  # down, left
    maps[3][0, :, 1, 2] = np.arange(10) / 10
    (face,) = decoded(*maps)
    middle = ((2 - 0.5 + 0.5) * 4, (1 + 0.25 + 0.5) * 4)
    assert face.box == pytest.approx((middle[0] - 10, middle[1] - 20, middle[0] + 10, middle[1] + 20))
    assert face.landmarks[0] == pytest.approx((face.box[0] + 0.1 * 20, face.box[1]), abs=1e-5)
    assert face.landmarks[4] == pytest.approx((face.box[0] + 0.9 * 20, face.box[1] + 0.8 * 40), abs=1e-5)


def test_a_face_is_found_where_it_is(detector: Detector) -> None:
    (face,) = detector.faces(bright(128, 96, (60, 40)))
    assert face.box == pytest.approx((62 - FACE / 2, 42 - FACE / 2, 62 + FACE / 2, 42 + FACE / 2), abs=1e-3)
    assert face.landmarks[1] == pytest.approx((face.box[0] + MARKS[1][0] * FACE, face.box[1] + MARKS[1][1] * FACE))
    assert face.eye_distance == pytest.approx(0.4 * FACE)


def test_of_two_that_overlap_the_surer_one_is_kept(detector: Detector) -> None:
    pixels = bright(256, 128, (60, 60), (200, 60)) + bright(256, 128, (72, 60), value=200)
    faces = detector.faces(pixels)
    assert sorted(round(face.box[0] + FACE / 2) for face in faces) == [62, 202]


def test_sides_that_are_no_multiple_of_32_are_measured_right(detector: Detector) -> None:
    large = np.asarray(Image.fromarray(bright(128, 96, (60, 40))).resize((118, 90), Image.Resampling.BILINEAR))
    (face,) = detector.faces(np.ascontiguousarray(large))
    assert (face.box[0] + face.box[2]) / 2 == pytest.approx(62 / 128 * 118, abs=2)


def test_a_very_large_picture_is_looked_at_smaller(detector: Detector) -> None:
    pixels = np.zeros((200, 2560, 3), np.uint8)
    pixels[96:104, 1600:1608] = 255
    (face,) = detector.faces(pixels)
    assert face.box[2] - face.box[0] == pytest.approx(2 * FACE, rel=0.02)


def test_a_picture_without_faces_has_none(detector: Detector) -> None:
    assert detector.faces(bright(64, 64)) == []


def test_a_file_that_is_no_detector_is_broken(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing of the sort")
    with pytest.raises(BrokenFile):
        Detector(tmp_path / "x.onnx")
