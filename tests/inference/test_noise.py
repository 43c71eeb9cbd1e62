import itertools

import numpy as np
import pytest
import torch

from inference.mixing import slerp
from inference.noise import NOISE_SOURCES, ImageNoise, Mixed, _philox, image_noise
from inference.request import GenerationRequest, Variation
from modelhub.errors import BadValue
from modelhub.families import family

CPU = torch.device("cpu")
SHAPE = (4, 8, 8)


def first(source: str, seed: int, count: int) -> list[float]:
    noise: list[float] = ImageNoise([seed], (count,), source, CPU).draw()[0].tolist()
    return noise


@pytest.mark.parametrize(
    ("source", "expected"),
    [("NV", [-0.92466, -0.42534, -2.64385, 0.14519]), ("CPU", [1.5410, -0.2934, -2.1788, 0.5684])],
)
def test_seed_0_draws_what_webui_draws(source: str, expected: list[float]) -> None:
    assert first(source, 0, 4) == pytest.approx(expected, abs=6e-5)


def test_cpu_noise_is_that_of_torch() -> None:
    noise = ImageNoise([7], SHAPE, "CPU", CPU)
    generator = torch.Generator().manual_seed(7)

    for _ in range(3):
        assert torch.equal(noise.draw()[0], torch.randn(SHAPE, generator=generator))


def test_philox_gives_the_known_answer_that_its_authors_publish() -> None:
    """Random123's kat_vectors: philox4x32, 10 rounds, counter and key 0."""
    zeros = [int(word[0]) for word in _philox(0, 1, (0, 0))]
    assert zeros == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize("source", NOISE_SOURCES)
def test_a_batch_draws_what_its_images_draw_alone(source: str) -> None:
    seeds = [3, 2**32 - 1, 4]
    batch = ImageNoise(seeds, SHAPE, source, CPU)
    singles = [ImageNoise([seed], SHAPE, source, CPU) for seed in seeds]

    for _ in range(3):
        assert torch.equal(batch.draw(), torch.cat([single.draw() for single in singles]))


@pytest.mark.parametrize("source", NOISE_SOURCES)
def test_noise_is_standard_normal_and_new_at_every_draw(source: str) -> None:
    noise = ImageNoise([1], (4, 64, 64), source, CPU)

    one, two = noise.draw(), noise.draw()

    assert one.dtype == torch.float32
    for drawn in (one, two):
        assert abs(drawn.mean().item()) < 0.03
        assert abs(drawn.std().item() - 1) < 0.03
    assert abs(np.corrcoef(one.flatten(), two.flatten())[0, 1]) < 0.03


@pytest.mark.parametrize("source", NOISE_SOURCES)
def test_each_seed_has_its_own_noise(source: str) -> None:
    assert not np.allclose(first(source, 1, 16), first(source, 2, 16))


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadValue, match=r"'TPU' is no source of noise .*NV"):
        ImageNoise([0], SHAPE, "TPU", CPU)


@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1])
def test_a_brownian_path_is_that_of_torchsde(seed: int) -> None:
    torchsde = pytest.importorskip("torchsde")
    levels = [14.6146, 7.3, 3.67, 1.0, 0.5, 0.0292]
    theirs = torchsde.BrownianTree(0.0292, torch.zeros(SHAPE), 14.6146, entropy=seed)
    ours = ImageNoise([seed], SHAPE, "CPU", CPU).over([*levels, 0.0])

    for sigma, following in itertools.pairwise(levels):
        expected = -theirs(following, sigma) / (sigma - following) ** 0.5
        torch.testing.assert_close(ours.between(sigma, following)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("source", NOISE_SOURCES)
def test_a_batch_goes_the_brownian_paths_of_its_images(source: str) -> None:
    levels = [14.0, 3.0, 0.5, 0.0]
    batch = ImageNoise([3, 4], SHAPE, source, CPU).over(levels)
    singles = [ImageNoise([seed], SHAPE, source, CPU).over(levels) for seed in (3, 4)]

    for sigma, following in itertools.pairwise(levels[:-1]):
        ways = [single.between(sigma, following) for single in singles]
        assert torch.equal(batch.between(sigma, following), torch.cat(ways))


def test_a_brownian_way_is_the_sum_of_its_parts_whatever_was_asked_before() -> None:
    one, other = (ImageNoise([1], SHAPE, "NV", CPU).over([10.0, 0.1]) for _ in range(2))

    whole = one.between(10.0, 0.1) * 9.9**0.5
    parts = other.between(10.0, 4.0) * 6**0.5 + other.between(4.0, 0.1) * 3.9**0.5

    torch.testing.assert_close(whole, parts, rtol=1e-5, atol=1e-5)
    assert abs(one.between(10.0, 0.1).std().item() - 1) < 0.2


# Second seeds, other sizes, ENSD


def normal(seed: int, shape: tuple[int, ...] = SHAPE) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_slerp_goes_the_arc_between_two_noises_column_by_column(strength: float) -> None:
    one, other = normal(1).double(), normal(2).double()

    mixed = slerp(one, other, strength)

    for channel, column in itertools.product(range(4), range(8)):
        a, b = one[channel, :, column].numpy(), other[channel, :, column].numpy()
        angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        expected = (np.sin((1 - strength) * angle) * a + np.sin(strength * angle) * b) / np.sin(angle)
        np.testing.assert_allclose(mixed[channel, :, column].numpy(), expected, rtol=1e-6, atol=1e-9)


def test_noises_of_one_direction_are_mixed_in_a_straight_line_with_webuis_shares() -> None:
    one = normal(1)

    torch.testing.assert_close(slerp(one, one * 3, 0.25), one * 0.25 + one * 3 * 0.75)


def test_a_second_seed_is_mixed_into_the_first_noise_alone() -> None:
    noise = ImageNoise([7], SHAPE, "CPU", CPU, mixed=Mixed([9], 0.3))
    main = torch.Generator().manual_seed(7)

    torch.testing.assert_close(noise.draw()[0], slerp(torch.randn(SHAPE, generator=main), normal(9), 0.3))
    assert torch.equal(noise.draw()[0], torch.randn(SHAPE, generator=main))


def test_ensd_moves_the_seed_of_all_noise_but_the_first() -> None:
    noise, moved = ImageNoise([7], SHAPE, "CPU", CPU, delta=31337), torch.Generator().manual_seed(7 + 31337)

    assert torch.equal(noise.draw()[0], normal(7))
    for _ in range(2):
        assert torch.equal(noise.draw()[0], torch.randn(SHAPE, generator=moved))


def test_brownian_paths_do_not_hear_of_ensd_as_in_webui() -> None:
    moved, plain = (ImageNoise([7], SHAPE, "CPU", CPU, delta=delta).over([10.0, 0.1]) for delta in (31337, 0))

    assert torch.equal(moved.between(10.0, 1.0), plain.between(10.0, 1.0))


@pytest.mark.parametrize(
    ("kept", "there", "taken"),
    [
        ((4, 4, 8), (slice(2, 6), slice(0, 8)), (slice(0, 4), slice(0, 8))),
        ((4, 8, 5), (slice(0, 8), slice(1, 6)), (slice(0, 8), slice(0, 5))),
        ((4, 12, 9), (slice(0, 8), slice(0, 7)), (slice(2, 10), slice(1, 8))),  # an odd excess loses one more column
    ],
)
def test_another_sizes_noise_goes_into_the_middle(
    kept: tuple[int, ...], there: tuple[slice, slice], taken: tuple[slice, slice]
) -> None:
    expected = normal(7)
    expected[:, there[0], there[1]] = normal(7, kept)[:, taken[0], taken[1]]

    assert torch.equal(ImageNoise([7], SHAPE, "CPU", CPU, kept=kept).draw()[0], expected)


@pytest.mark.parametrize("source", NOISE_SOURCES)
def test_a_batch_is_its_single_images_with_all_of_these_at_once(source: str) -> None:
    said = {"variation": Variation(seed=20, strength=0.4), "seed_resize": (48, 96), "ensd": 5, "noise": source}
    request = GenerationRequest(prompt="", model="x", seed=3, batch=3, **said)

    def drawn(request: GenerationRequest) -> torch.Tensor:
        noise = image_noise(request, request.seeds, family("sd1").latent, (64, 64), CPU)
        return torch.stack([noise.draw(), noise.draw()], dim=1)

    assert len({seed.variation for seed in request.seeds}) == 3
    assert torch.equal(drawn(request), torch.cat([drawn(request.for_image(seed)) for seed in request.seeds]))
