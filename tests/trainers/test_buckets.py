"""Buckets follow kohya's rules, and a shuffled epoch is the epoch."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.errors import BadValue
from trainers.buckets import Step, bucket_sizes, default_step, place, steps

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


def epoch(number: int = 0, *, seed: int = 1, batch: int = 2, accumulate: int = 1) -> list[Step]:
    return steps(BUCKETS, batch, accumulate=accumulate, seed=seed, epoch=number)


@pytest.mark.parametrize(("batch", "accumulate"), [(1, 1), (2, 1), (4, 1), (16, 1), (2, 3)])
def test_an_epoch_sees_every_sample_once(batch: int, accumulate: int) -> None:
    for number in range(5):
        found = epoch(number, batch=batch, accumulate=accumulate)
        assert sorted(index for step in found for members in step for index in members) == list(range(9))


def test_a_batch_is_of_one_bucket_and_no_longer_than_was_asked() -> None:
    for members in (members for step in epoch(batch=2, accumulate=2) for members in step):
        assert len({BUCKETS[index] for index in members}) == 1
        assert 1 <= len(members) <= 2


@pytest.mark.parametrize(("batch", "accumulate"), [(2, 1), (4, 1), (2, 2)])
def test_what_is_left_over_of_several_buckets_shares_steps(batch: int, accumulate: int) -> None:
    """Nine pictures: every step is full but one, whose gradients are those of the one picture that is left."""
    sizes = Counter(sum(map(len, step)) for step in epoch(batch=batch, accumulate=accumulate))

    assert sizes == {batch * accumulate: 9 // (batch * accumulate), 1: 1}


def test_the_order_hangs_on_seed_and_epoch_alone() -> None:
    assert epoch() == epoch()
    assert epoch() != epoch(1)
    assert epoch() != epoch(seed=2)
    assert epoch(2) != epoch(0, seed=12)


def test_samples_of_a_bucket_meet_others_from_epoch_to_epoch() -> None:
    epochs = (steps([(64, 64)] * 4, 2, accumulate=1, seed=0, epoch=number) for number in range(9))
    partners = {frozenset(members) for found in epochs for step in found for members in step}

    assert len(partners) > 2
