"""Masks are kept by all that decides them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from modelhub.jobs import Progress
from trainers.caches import Counts, MaskCache
from trainers.dataset import Sample
from trainers.dataset.nouns import Mask
from trainers.framing.buckets import Placement
from trainers.framing.views import View
from trainers.recipe import SubsetOptions

WHOLE = Placement((64, 64), (64, 64), (0, 0))
PLAIN = Sample(Path("a.png"), "", (64, 64), "a", "x", SubsetOptions(images=Path("x")))
MASKED = replace(PLAIN, mask=Mask(Path("m.png"), "m"))
VIEWS = [View(0, WHOLE), View(0, WHOLE, mirrored=True)]


@pytest.fixture
def masked(tmp_path: Path) -> Sample:
    """Its left half is learned."""
    mask = Image.new("L", WHOLE.bucket)
    mask.paste(255, (0, 0, 32, 64))
    mask.save(tmp_path / "mask.png")
    return replace(PLAIN, mask=Mask(tmp_path / "mask.png", "m"))


def cache(folder: Path, downscale: int = 8) -> MaskCache:
    return MaskCache(folder / "masks", downscale)


def filled(masks: MaskCache, *samples: Sample) -> dict[View, Tensor]:
    job = masks.fill(samples, VIEWS)
    try:
        while True:
            assert isinstance(next(job), Progress)
    except StopIteration as end:
        found: dict[View, Tensor] = end.value
        return found


def test_a_mask_is_at_the_size_of_latents_from_0_to_1(tmp_path: Path, masked: Sample) -> None:
    found = filled(cache(tmp_path), masked)

    plain, mirrored = (found[view] for view in VIEWS)
    assert (plain.shape, plain.dtype) == ((1, 8, 8), torch.float32)
    assert plain[0, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert torch.equal(mirrored, plain.flip(-1))


def test_a_picture_without_a_mask_has_none(tmp_path: Path) -> None:
    assert filled(cache(tmp_path), PLAIN) == {}


def test_a_second_filling_opens_nothing(tmp_path: Path, masked: Sample) -> None:
    first, second = cache(tmp_path), cache(tmp_path)
    renamed = replace(masked, path=Path("renamed.png"), mask=Mask(Path("gone.png"), "m"))

    made, found = filled(first, masked), filled(second, renamed)

    assert (first.counts, second.counts) == (Counts(misses=2), Counts(hits=2))
    assert all(torch.equal(made[view], found[view]) for view in VIEWS)


def test_the_key_names_all_that_decides_a_mask(tmp_path: Path) -> None:
    one = cache(tmp_path)
    keys = {
        one.key(MASKED, VIEWS[0]),
        one.key(MASKED, VIEWS[1]),
        one.key(MASKED, View(0, replace(WHOLE, bucket=(32, 64)))),
        one.key(MASKED, View(0, replace(WHOLE, scaled=(80, 64), crop=(3, 0)))),
        one.key(replace(MASKED, mask=Mask(Path("m.png"), "edited")), VIEWS[0]),
        one.key(replace(MASKED, mask=Mask(Path("m.png"), "m", alpha=True)), VIEWS[0]),
        one.key(replace(MASKED, size=(128, 128)), VIEWS[0]),
        cache(tmp_path, 4).key(MASKED, VIEWS[0]),
    }

    assert len(keys) == 8
