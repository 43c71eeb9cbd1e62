"""Faces are straightened and put back where they were."""

import numpy as np
import pytest

from inference.faces.align import SIDE, TEMPLATE, cut_out, put_back, similarity


def moved(turn: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    """The template's landmarks in a picture where the face is turned (radians), smaller, and elsewhere."""
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (TEMPLATE @ spin.T) * scale + np.array(shift)


def smooth(height: int = 300, width: int = 400) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(rows / 23 + one) * np.cos(columns / 31 - one) for one in range(3)]
    return np.stack(waves, -1).astype(np.uint8)


@pytest.mark.parametrize("turn", [0.0, 0.4, -2.0, np.pi])
def test_the_landmarks_come_to_the_template(turn: float) -> None:
    landmarks = moved(turn, 0.3, (40.0, 25.0))
    way = similarity(landmarks)
    assert np.allclose(landmarks @ way[:, :2].T + way[:, 2], TEMPLATE, atol=1e-6)


def test_noisy_landmarks_are_met_as_well_as_can_be() -> None:
    noisy = moved(0.2, 0.5, (9.0, 9.0)) + np.random.default_rng(0).normal(0, 2, (5, 2))
    way = similarity(noisy)

    def miss(one: np.ndarray) -> float:
        return float(np.square(noisy @ one[:, :2].T + one[:, 2] - TEMPLATE).sum())

    spin = way[:, :2]
    assert np.isclose(spin[0, 0], spin[1, 1])
    assert np.isclose(spin[0, 1], -spin[1, 0])
    for nudge in np.random.default_rng(1).normal(0, 0.01, (20, 4)):
        turned = np.array(
            [[spin[0, 0] + nudge[0], spin[0, 1] - nudge[1]], [spin[1, 0] + nudge[1], spin[1, 1] + nudge[0]]]
        )
        assert miss(np.column_stack([turned, way[:, 2] + nudge[2:]])) > miss(way)


def test_a_mirrored_face_is_turned_never_flipped() -> None:
    way = similarity(moved(0.0, 1.0, (0.0, 0.0)) * [-1, 1])
    assert np.linalg.det(way[:, :2]) > 0


def test_what_is_put_back_unchanged_changes_next_to_nothing() -> None:
    pixels = smooth()
    way = similarity(moved(0.3, 0.4, (180.0, 20.0)))
    found = put_back(cut_out(pixels, way), pixels, way)
    assert np.abs(found.astype(int) - pixels).max() <= 2


def test_another_face_fills_its_middle_and_nothing_outside() -> None:
    pixels = np.zeros((300, 400, 3), np.uint8)
    way = similarity(moved(0.0, 0.25, (100.0, 50.0)))
    found = put_back(np.full((SIDE, SIDE, 3), 200, np.uint8), pixels, way)
    assert (found[90:140, 140:190] == 200).all()
    inside = np.zeros((300, 400), bool)
    inside[49:179, 99:229] = True
    assert not found[~inside].any()


def test_a_face_at_the_pictures_edge_is_put_back_as_far_as_it_goes() -> None:
    pixels = smooth()
    way = similarity(moved(0.0, 0.4, (-90.0, -60.0)))
    assert put_back(np.zeros((SIDE, SIDE, 3), np.uint8), pixels, way).shape == pixels.shape


def test_beyond_the_picture_a_face_is_grey() -> None:
    way = similarity(moved(0.0, 0.4, (-90.0, -60.0)))
    assert tuple(cut_out(smooth(), way)[0, 0]) == (135, 133, 132)
