import numpy as np
import pytest
import torch

from inference.noise import NOISE_SOURCES, ImageNoise, _philox
from modelhub.errors import BadValue

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
