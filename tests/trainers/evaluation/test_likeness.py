"""Pictures that look alike score high, and drift is told in what another seed changes."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from trainers.evaluation.features import LookAndEdges
from trainers.evaluation.likeness import Set, drift

SEES = LookAndEdges()


def disc(colour: str, at: tuple[int, int] = (32, 32), *, paper: str = "white", side: int = 64) -> Image.Image:
    image = Image.new("RGB", (side, side), paper)
    ImageDraw.Draw(image).ellipse((at[0] - 14, at[1] - 14, at[0] + 14, at[1] + 14), colour)
    return image


def bars(colour: str, *, upright: bool) -> Image.Image:
    image = Image.new("RGB", (64, 64), "white")
    for start in range(0, 64, 16):
        ImageDraw.Draw(image).rectangle((start, 0, start + 7, 63) if upright else (0, start, 63, start + 7), colour)
    return image


def cosine(one: Image.Image, other: Image.Image) -> float:
    first, second = SEES.of([one, other])
    return float(first @ second)


def test_vectors_have_length_one_and_a_picture_is_like_itself() -> None:
    vectors = SEES.of([disc("red"), bars("blue", upright=True)])

    assert np.linalg.norm(vectors, axis=-1) == pytest.approx([1.0, 1.0], abs=1e-5)
    assert cosine(disc("red"), disc("red")) == pytest.approx(1.0, abs=1e-5)


def test_colour_counts_and_so_does_form() -> None:
    assert cosine(disc("red"), disc("orange")) > cosine(disc("red"), disc("red", paper="navy"))
    assert cosine(bars("red", upright=True), bars("red", upright=False)) < 0.75
    assert cosine(disc("red"), disc("red", (34, 31))) > 0.9


def test_the_size_of_a_picture_does_not_count() -> None:
    large = disc("red").resize((256, 256), Image.Resampling.NEAREST)

    assert cosine(disc("red"), large) == pytest.approx(1.0, abs=1e-3)


def test_an_empty_picture_has_colours_and_no_edges() -> None:
    assert np.isfinite(SEES.of([Image.new("RGB", (64, 64), "white")])).all()


def test_likeness_is_to_the_nearest_of_a_set() -> None:
    known = Set([disc("red"), disc("red", (30, 34)), disc("red", (33, 30)), bars("blue", upright=True)], SEES)
    alike, strange = known.likeness([disc("red", (31, 32)), bars("green", upright=False)])

    assert alike > 0.9 > strange


def test_drift_is_in_what_another_seed_changes() -> None:
    base, other = [disc("red")], [disc("blue", (20, 44))]

    assert drift(base, base, other) == 0.0
    assert drift(other, base, other) == pytest.approx(1.0)
    assert 0 < drift([disc("#f00808")], base, other) < 0.2
