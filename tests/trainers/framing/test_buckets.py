"""Buckets follow kohya's rules, and a shuffled epoch is the epoch."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.errors import BadValue
from tests.trainers.pictures import Size
from trainers.framing.buckets import Placement, Step, bucket_sizes, default_step, place, steps

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


@pytest.mark.parametrize(
    ("size", "bucket", "scaled", "crop"),
    [
        ((512, 512), (512, 512), (512, 512), (0, 0)),  # in its bucket as it is
        ((1000, 1000), (512, 512), (512, 512), (0, 0)),
        ((1920, 1080), (640, 384), (683, 384), (21, 0)),  # 1.78 lies nearer to 640 / 384 than to 704 / 320
        ((1080, 1920), (384, 640), (384, 683), (0, 21)),
        ((600, 800), (448, 576), (448, 597), (0, 10)),
        ((4000, 500), (1024, 256), (2048, 256), (512, 0)),  # more extreme than any bucket
    ],
)
def test_images_are_placed_as_worked_out_by_hand(size: Size, bucket: Size, scaled: Size, crop: Size) -> None:
    assert place(size, KOHYA_512) == Placement(bucket, scaled, crop)


@pytest.mark.parametrize(
    ("size", "bucket", "scaled", "crop"),
    [
        ((300, 200), (256, 192), (300, 200), (22, 4)),  # small: whole steps are cut out of it as it is
        ((512, 512), (512, 512), (512, 512), (0, 0)),
        ((640, 400), (640, 384), (640, 400), (0, 8)),  # below the area, above the resolution
        # 612 x 428 would have the area; 576 / 384 (1.5) is nearer to 1.43 than 512 / 384 (1.33)
        ((1000, 700), (576, 384), (576, 403), (0, 9)),
        ((1920, 1080), (640, 384), (683, 384), (21, 0)),  # 640 / 384 both ways: then the height counts
        ((4000, 500), (1024, 128), (1024, 128), (0, 0)),  # wider than any bucket may be
        ((30, 200), (64, 192), (64, 427), (0, 117)),  # narrower than a step: there is no way but to enlarge it
    ],
)
def test_without_enlarging_images_are_placed_as_worked_out_by_hand(
    size: Size, bucket: Size, scaled: Size, crop: Size
) -> None:
    assert place(size, KOHYA_512, upscale=False, area=512 * 512) == Placement(bucket, scaled, crop)


@given(size=st.tuples(st.integers(64, 3000), st.integers(64, 3000)))
def test_without_enlarging_no_image_grows_and_none_is_cut_by_a_step_or_more(size: Size) -> None:
    placement = place(size, KOHYA_512, upscale=False, step=64, area=512 * 512)

    for before, scaled, side in zip(size, placement.scaled, placement.bucket, strict=True):
        assert side % 64 == 0
        assert side <= scaled < side + 64
        assert scaled <= before or min(size) / max(size) < 0.05


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ((256, 1024), KOHYA_512),
        ((300, 600), [(320, 576), (384, 576), (448, 576), (512, 512), (576, 320), (576, 384), (576, 448)]),
    ],
)
def test_the_sides_of_buckets_stay_within_their_bounds(sides: Size, expected: list[Size]) -> None:
    assert bucket_sizes(512, 64, sides) == expected


def test_bounds_without_a_whole_step_between_them_are_refused() -> None:
    with pytest.raises(BadValue, match="between 450 and 500 pixels there is no multiple of 64"):
        bucket_sizes(512, 64, (450, 500))


@given(
    buckets=st.lists(st.sampled_from([(64, 64), (32, 128), (128, 32), (96, 32)]), min_size=1, max_size=60),
    batch=st.integers(1, 9),
    accumulate=st.integers(1, 4),
    epoch=st.integers(0, 3),
)
def test_an_epoch_is_every_image_once_in_full_steps_of_whole_buckets(
    buckets: list[Size], batch: int, accumulate: int, epoch: int
) -> None:
    found = steps(buckets, batch, accumulate=accumulate, seed=5, epoch=epoch)

    assert sorted(index for step in found for members in step for index in members) == list(range(len(buckets)))
    counts = sorted((sum(map(len, step)) for step in found), reverse=True)
    whole, rest = divmod(len(buckets), batch * accumulate)
    assert counts == [batch * accumulate] * whole + [rest] * bool(rest)
    for members in (members for step in found for members in step):
        assert 1 <= len(members) <= batch
        assert len({buckets[index] for index in members}) == 1


def kohya_sizes(resolution: int, smallest: int, largest: int, step: int) -> list[Size]:
    """As training guides state the rule: the square, then every width with the tallest height, and its transpose."""
    square = int((resolution * resolution) ** 0.5) // step * step
    sizes = {(square, square)}
    for width in range(smallest, largest + 1, step):
        height = min(largest, int(resolution * resolution / width / step) * step)
        if height >= smallest:
            sizes.update({(width, height), (height, width)})
    return sorted(sizes)


@given(
    step=st.sampled_from([8, 16, 32, 64]), squares=st.integers(4, 24), below=st.integers(1, 4), above=st.integers(0, 9)
)
def test_bucket_sizes_are_those_of_kohyas_rule(step: int, squares: int, below: int, above: int) -> None:
    resolution, sides = squares * step, (below * step, (squares + above) * step)

    assert bucket_sizes(resolution, step, sides) == kohya_sizes(resolution, *sides, step)


@given(width=st.integers(1, 4000), height=st.integers(1, 4000))
def test_an_image_of_more_than_the_area_is_shrunk_as_kohya_shrinks_it(width: int, height: int) -> None:
    """https://github.com/kohya-ss/sd-scripts: `BucketManager.select_bucket`, without enlarging."""
    aspect, area, step = width / height, 512 * 512, 64
    if width * height <= area or not 0.1 < aspect < 10:
        return
    rounded = [int((area * aspect) ** 0.5 + 0.5) // step * step, int((area / aspect) ** 0.5 + 0.5) // step * step]
    by_width = (rounded[0], int(rounded[0] / aspect + 0.5) // step * step)
    by_height = (int(rounded[1] * aspect + 0.5) // step * step, rounded[1])
    nearer = abs(by_width[0] / by_width[1] - aspect) < abs(by_height[0] / by_height[1] - aspect)

    assert place((width, height), KOHYA_512, upscale=False, area=area).bucket == (by_width if nearer else by_height)


@pytest.mark.parametrize("size", [(300_000, 1), (1, 300_000), (262_144, 1), (1, 65_000), (100_000, 63)])
def test_a_thread_of_a_picture_has_no_more_pixels_than_others(size: Size) -> None:
    placement = place(size, KOHYA_512, upscale=False, area=512 * 512)

    assert placement.bucket[0] * placement.bucket[1] <= 512 * 512
    assert all(scaled >= side >= 64 for scaled, side in zip(placement.scaled, placement.bucket, strict=True))
