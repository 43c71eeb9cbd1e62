"""A latent is encoded once, and never met again by what would have made another one."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from modelhub.errors import BrokenFile
from modelhub.jobs import Progress
from tests.trainers.pictures import picture, write_picture, write_set
from trainers.buckets import Placement, place
from trainers.caches import CachedLatents, LatentCache, cut
from trainers.dataset import Sample, read_dataset
from trainers.recipe import SubsetOptions
from trainers.views import View

SQUARE = [(64, 64)]


class FakeVae(nn.Module):
    """Answers with each cell's mean colour; counts what it was asked."""

    def __init__(self, answer: float = 1.0) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))
        self.seen: list[Tensor] = []

    def encode(self, pixels: Tensor, return_dict: bool) -> tuple[SimpleNamespace]:
        self.seen.append(pixels)
        mean = nn.functional.avg_pool2d(pixels, 8) * self.answer
        return (SimpleNamespace(mean=mean, std=mean.abs()),)


def placed(samples: list[Sample], sizes: list[tuple[int, int]] = SQUARE) -> list[Placement]:
    return [place(sample.size, sizes) for sample in samples]


def filled(
    folder: Path, samples: list[Sample], *, vae: FakeVae, digest: str = "v", flip: bool = False
) -> dict[tuple[int, bool], CachedLatents]:
    places = enumerate(placed(samples))
    views = [View(index, one, mirrored) for index, one in places for mirrored in ((False, True) if flip else (False,))]
    job = LatentCache(folder, vae, digest).fill(samples, views)
    try:
        while True:
            assert isinstance(next(job), Progress)
    except StopIteration as end:
        return {(view.sample, view.mirrored): one for view, one in end.value.items()}


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    return read_dataset(write_set(tmp_path / "pictures"))


def test_a_second_filling_encodes_nothing_and_gives_the_same(tmp_path: Path, samples: list[Sample]) -> None:
    first, second = FakeVae(), FakeVae()

    encoded = filled(tmp_path / "cache", samples, vae=first)
    stored = filled(tmp_path / "cache", samples, vae=second)

    assert (len(first.seen), len(second.seen)) == (3, 0)
    assert encoded.keys() == stored.keys() == {(0, False), (1, False), (2, False)}
    for key, latents in encoded.items():
        assert torch.equal(latents.mean, stored[key].mean)
        assert torch.equal(latents.deviation, stored[key].deviation)


def test_pixels_are_given_to_the_vae_between_minus_one_and_one(tmp_path: Path, samples: list[Sample]) -> None:
    vae = FakeVae()
    filled(tmp_path / "cache", samples[:1], vae=vae)

    (seen,) = vae.seen
    assert seen.shape == (1, 3, 64, 64)
    assert (seen.min().item(), seen[0, 0].max().item(), seen[0, 2].max().item()) == (-1, 1, -1)


def test_flipping_keeps_the_mirror_image_of_each(tmp_path: Path, samples: list[Sample]) -> None:
    found = filled(tmp_path / "cache", samples, vae=FakeVae(), flip=True)

    assert len(found) == 6
    assert torch.allclose(found[0, True].mean, found[0, False].mean.flip(-1), atol=1e-6)
    assert not torch.equal(found[0, True].mean, found[0, False].mean)


def test_the_key_names_all_that_decides_a_latent(samples: list[Sample]) -> None:
    sample, placement = samples[0], placed(samples)[0]
    cache = LatentCache(Path(), FakeVae(), "v")

    keys = {
        cache.key(sample, placement, False),
        cache.key(sample, placement, True),
        cache.key(samples[1], placement, False),
        cache.key(sample, replace(placement, bucket=(32, 64)), False),
        cache.key(sample, replace(placement, scaled=(65, 64)), False),
        cache.key(sample, replace(placement, crop=(1, 0)), False),
        LatentCache(Path(), FakeVae(), "other").key(sample, placement, False),
    }

    assert len(keys) == 7


def test_the_key_does_not_care_where_an_image_lies_or_what_it_is_called(samples: list[Sample]) -> None:
    cache, placement = LatentCache(Path(), FakeVae(), "v"), placed(samples)[0]
    other = SubsetOptions(images=Path("x"), repeats=9)
    moved = replace(samples[0], path=Path("/elsewhere.png"), caption="other", folder="x", subset=other)

    assert cache.key(moved, placement, False) == cache.key(samples[0], placement, False)


def test_an_edited_image_is_encoded_again(tmp_path: Path) -> None:
    vae = FakeVae()
    for shade in (0, 255):
        write_picture(tmp_path / "pictures" / "a.png", shade=shade)
        found = filled(tmp_path / "cache", read_dataset(tmp_path / "pictures"), vae=vae)
        assert found[0, False].mean[2].mean().item() == pytest.approx(shade / 127.5 - 1)
    assert len(vae.seen) == 2


def test_another_vae_encodes_anew(tmp_path: Path, samples: list[Sample]) -> None:
    filled(tmp_path / "cache", samples, vae=FakeVae())
    other = FakeVae(2.0)

    found = filled(tmp_path / "cache", samples, vae=other, digest="other")

    assert len(other.seen) == 3
    assert found[0, False].mean.min().item() < -1


def test_an_image_of_which_the_vae_makes_nan_is_named_and_not_kept(tmp_path: Path, samples: list[Sample]) -> None:
    with pytest.raises(BrokenFile, match=r"0\.png: the VAE makes NaN of it"):
        filled(tmp_path / "cache", samples, vae=FakeVae(float("nan")))

    assert not list((tmp_path / "cache").glob("*"))


def test_a_sample_is_drawn_around_the_mean_by_the_generator() -> None:
    latents = CachedLatents(torch.full((4, 8, 8), 3.0), torch.full((4, 8, 8), 0.5))

    def draw(seed: int) -> Tensor:
        return latents.sample(torch.Generator().manual_seed(seed))

    expected = 3 + 0.5 * torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(7))
    assert torch.equal(draw(7), expected)
    assert not torch.equal(draw(7), draw(8))


def test_a_cut_is_the_centre_at_the_buckets_size() -> None:
    image = picture((128, 64))

    assert cut(image, place(image.size, SQUARE), False).tobytes() == image.crop((32, 0, 96, 64)).tobytes()


def test_a_mirrored_cut_is_the_mirror_image_of_the_cut() -> None:
    image = picture((100, 64))
    placement = place(image.size, SQUARE)

    mirrored = cut(image, placement, True).transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    assert mirrored.tobytes() == cut(image, placement, False).tobytes()


def test_shrinking_takes_the_mean_of_an_area() -> None:
    image = Image.new("RGB", (128, 128))
    image.paste((200, 100, 0), (0, 0, 1, 1))

    assert cut(image, place(image.size, SQUARE), False).getpixel((0, 0)) == (50, 25, 0)
