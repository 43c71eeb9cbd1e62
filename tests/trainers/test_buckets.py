"""Buckets follow kohya's rules, and a shuffled epoch is the epoch."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.errors import BadValue
from trainers.buckets import batches, bucket_sizes, default_step, place

RESOLUTIONS = [(64, 8), (128, 16), (512, 64), (768, 64), (1024, 32), (200, 24)]

KOHYA_512 = [
    (256, 832), (256, 896), (256, 960), (256, 1024), (320, 704), (320, 768), (384, 640), (448, 576), (512, 512),
    (576, 448), (640, 384), (704, 320), (768, 320), (832, 256), (896, 256), (960, 256), (1024, 256),
]  # fmt: skip
"""What `make_bucket_resolutions((512, 512), 256, 1024, 64)` of sd-scripts' library/model_util.py gives."""


def test_the_buckets_of_512_are_kohyas() -> None:
    assert bucket_sizes(512, 64) == KOHYA_512


@pytest.mark.parametrize(("resolution", "step"), RESOLUTIONS)
def test_buckets_hold_at_most_the_area_in_whole_steps_between_half_and_twice(resolution: int, step: int) -> None:
    for size in bucket_sizes(resolution, step):
        assert size[0] * size[1] <= resolution**2
        assert all(side % step == 0 and resolution // 2 <= side <= 2 * resolution for side in size)


@pytest.mark.parametrize(("resolution", "step"), RESOLUTIONS)
def test_buckets_come_upright_and_lying_and_with_the_square(resolution: int, step: int) -> None:
    sizes = bucket_sizes(resolution, step)

    assert {(height, width) for width, height in sizes} == set(sizes)
    assert (resolution // step * step,) * 2 in sizes


def test_a_step_larger_than_the_resolution_is_refused() -> None:
    with pytest.raises(BadValue, match="steps of 128 pixels are too coarse for a resolution of 64"):
        bucket_sizes(64, 128)


@pytest.mark.parametrize(("resolution", "step"), [(64, 8), (128, 16), (512, 64), (1024, 64)])
def test_the_usual_step_is_64_pixels_and_an_eighth_for_small_models(resolution: int, step: int) -> None:
    assert default_step(resolution) == step


SIDES = st.integers(1, 3000)


@given(size=st.tuples(SIDES, SIDES))
def test_a_placement_covers_its_bucket_touches_it_and_is_centred(size: tuple[int, int]) -> None:
    sizes = bucket_sizes(512, 64)
    placement = place(size, sizes)

    assert placement.bucket in sizes
    margins = [scaled - side for scaled, side in zip(placement.scaled, placement.bucket, strict=True)]
    assert min(margins) == 0
    assert placement.crop == (margins[0] // 2, margins[1] // 2)


@given(size=st.tuples(SIDES, SIDES))
def test_an_image_goes_to_the_bucket_of_nearest_aspect(size: tuple[int, int]) -> None:
    def distance(bucket: tuple[int, int]) -> float:
        return abs(bucket[0] / bucket[1] - size[0] / size[1])

    sizes = bucket_sizes(512, 64)

    assert distance(place(size, sizes).bucket) == min(map(distance, sizes))


def test_an_image_keeps_its_aspect_ratio() -> None:
    placement = place((1000, 500), [(64, 64)])

    assert (placement.scaled, placement.crop) == ((128, 64), (32, 0))


BUCKETS = [(64, 64)] * 5 + [(32, 128)] * 3 + [(128, 32)]


def test_an_epoch_sees_every_sample_once() -> None:
    for epoch in range(5):
        found = [index for batch in batches(BUCKETS, 2, seed=1, epoch=epoch) for index in batch]
        assert sorted(found) == list(range(9))


def test_a_batch_is_of_one_bucket() -> None:
    for batch in batches(BUCKETS, 2, seed=1, epoch=0):
        assert len({BUCKETS[index] for index in batch}) == 1


def test_the_tail_of_a_bucket_is_a_short_batch() -> None:
    lengths = Counter(len(batch) for batch in batches(BUCKETS, 2, seed=1, epoch=0))

    assert lengths == {2: 3, 1: 3}


def test_the_order_hangs_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        return batches(BUCKETS, 2, seed=seed, epoch=epoch)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert order(1, 2) != order(12, 0)


def test_samples_of_a_bucket_meet_others_from_epoch_to_epoch() -> None:
    partners = {frozenset(batch) for epoch in range(9) for batch in batches([(64, 64)] * 4, 2, seed=0, epoch=epoch)}

    assert len(partners) > 2
