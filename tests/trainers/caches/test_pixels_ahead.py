"""Pixels for the VAE, cut by threads: in turn, and each picture opened no more often than need be."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.trainers.pictures import picture, write_picture
from trainers.caches.cutting import cut
from trainers.caches.pixels import pixels_ahead
from trainers.dataset import Sample
from trainers.framing.buckets import Placement
from trainers.framing.views import View
from trainers.recipe import SubsetOptions

WIDE, TALL = Placement((64, 32), (64, 64), (0, 16)), Placement((32, 64), (64, 64), (16, 0))


def sample(path: Path) -> Sample:
    return Sample(path, "", (96, 96), path.stem, "x", SubsetOptions(images=path.parent))


def samples(folder: Path, count: int) -> list[Sample]:
    return [sample(write_picture(folder / f"{index}.png", (96, 96), shade=index)) for index in range(count)]


def test_pixels_come_in_turn_as_they_are_cut_one_by_one(tmp_path: Path) -> None:
    count = 6 * (os.cpu_count() or 1)
    views = [View(index, place, mirrored) for place in (WIDE, TALL) for index in range(count)
             for mirrored in (False, True)]  # fmt: skip

    found = list(pixels_ahead(samples(tmp_path, count), views))

    assert len(found) == len(views)
    for view, pixels in zip(views, found, strict=True):
        expected = cut(picture((96, 96), view.sample), view.placement, view.mirrored)
        assert np.array_equal(pixels.permute(1, 2, 0).numpy(), np.asarray(expected))


def test_a_picture_that_is_gone_is_told_when_its_turn_comes(tmp_path: Path) -> None:
    shown = samples(tmp_path, 2)
    shown[1].path.unlink()
    coming = pixels_ahead(shown, [View(0, WIDE), View(1, WIDE)])

    next(coming)
    with pytest.raises(FileNotFoundError):
        next(coming)


def test_only_a_few_are_begun_before_they_are_asked_for(tmp_path: Path) -> None:
    """What is far ahead may still change: it was not opened."""
    count = 10 * (os.cpu_count() or 1)
    shown = samples(tmp_path, count)
    coming = pixels_ahead(shown, [View(index, WIDE) for index in range(count)])

    next(coming)
    picture((96, 96), 255).save(shown[-1].path)

    *_, last = coming
    assert int(last[2].min()) == 255
    assert next(coming, None) is None
