"""A latent is encoded once, and never met again by what would have made another one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.weights.save import save_tensors
from modelhub.errors import BrokenFile
from modelhub.jobs import Progress
from tests.trainers.pictures import Size, picture, write_picture, write_set
from tests.trainers.vaes import FakeVae
from trainers.caches import CachedLatents, Counts, LatentCache
from trainers.dataset import Sample, open_image
from trainers.framing.buckets import Placement
from trainers.framing.views import View
from trainers.recipe import AugmentOptions, SubsetOptions

WHOLE = Placement((64, 64), (64, 64), (0, 0))


def sample(path: Path, *, digest: str = "a", size: Size = (64, 64), **augment: object) -> Sample:
    subset = SubsetOptions(images=path.parent, augment=AugmentOptions.model_validate(augment))
    return Sample(path, "", size, digest, "x", subset)


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    write_set(tmp_path / "pictures")
    return [sample(tmp_path / "pictures" / f"{index}.png", digest=str(index)) for index in range(3)]


def views(samples: Sequence[Sample], *, flip: bool = False) -> list[View]:
    mirrored = (False, True) if flip else (False,)
    return [View(index, WHOLE, one) for index in range(len(samples)) for one in mirrored]


def filled(cache: LatentCache, samples: Sequence[Sample], wanted: Sequence[View]) -> dict[View, CachedLatents]:
    job = cache.fill(samples, wanted)
    try:
        while True:
            assert isinstance(next(job), Progress)
    except StopIteration as end:
        found: dict[View, CachedLatents] = end.value
        return found


def test_a_second_filling_encodes_nothing_and_gives_the_same(tmp_path: Path, samples: list[Sample]) -> None:
    first, second = FakeVae(), FakeVae()
    caches = [LatentCache(tmp_path / "cache", vae, "v") for vae in (first, second)]

    encoded, stored = (filled(cache, samples, views(samples)) for cache in caches)

    assert (len(first.seen), len(second.seen)) == (3, 0)
    assert [cache.counts for cache in caches] == [Counts(misses=3), Counts(hits=3)]
    assert encoded.keys() == stored.keys() == set(views(samples))
    for view, latents in encoded.items():
        assert torch.equal(latents.mean, stored[view].mean)
        assert torch.equal(latents.deviation, stored[view].deviation)


def test_pixels_are_given_to_the_vae_between_minus_one_and_one(tmp_path: Path, samples: list[Sample]) -> None:
    vae = FakeVae()
    filled(LatentCache(tmp_path / "cache", vae, "v"), samples[:1], views(samples[:1]))

    (seen,) = vae.seen
    assert seen.shape == (1, 3, 64, 64)
    assert (seen.min().item(), seen[0, 0].max().item(), seen[0, 2].max().item()) == (-1, 1, -1)


def test_flipping_keeps_the_mirror_image_of_each(tmp_path: Path, samples: list[Sample]) -> None:
    found = filled(LatentCache(tmp_path / "cache", FakeVae(), "v"), samples, views(samples, flip=True))

    plain, mirrored = found[View(0, WHOLE)].mean, found[View(0, WHOLE, True)].mean
    assert len(found) == 6
    assert torch.allclose(mirrored, plain.flip(-1), atol=1e-6)
    assert not torch.equal(mirrored, plain)


def test_the_key_names_all_that_decides_a_latent(samples: list[Sample]) -> None:
    cache, one, view = LatentCache(Path(), FakeVae(), "v"), samples[0], View(0, WHOLE)
    coloured = sample(one.path, digest=one.sha256, color=True)

    keys = {
        cache.key(one, view),
        cache.key(samples[1], view),
        cache.key(one, View(0, WHOLE, mirrored=True)),
        cache.key(one, View(0, replace(WHOLE, bucket=(32, 64)))),
        cache.key(one, View(0, replace(WHOLE, scaled=(65, 64)))),
        cache.key(one, View(0, replace(WHOLE, crop=(1, 0)))),
        *(cache.key(coloured, View(0, WHOLE, variation=number)) for number in range(9)),
        LatentCache(Path(), FakeVae(), "other").key(one, view),
    }

    assert len(keys) > 8


def test_the_key_does_not_care_where_an_image_lies_or_what_it_is_called(samples: list[Sample]) -> None:
    cache, view = LatentCache(Path(), FakeVae(), "v"), View(0, WHOLE)
    other = SubsetOptions(images=Path("x"), repeats=9)
    moved = replace(samples[0], path=Path("/elsewhere.png"), caption="other", folder="x", subset=other)

    assert cache.key(moved, View(7, WHOLE)) == cache.key(samples[0], view)


def test_pictures_of_equal_content_are_encoded_once(tmp_path: Path, samples: list[Sample]) -> None:
    twice = [samples[0], replace(samples[0], path=samples[1].path)]
    vae = FakeVae()

    found = filled(LatentCache(tmp_path / "cache", vae, "v"), twice, views(twice))

    assert len(vae.seen) == 1
    assert found[View(0, WHOLE)] is found[View(1, WHOLE)]


def test_another_vae_encodes_anew(tmp_path: Path, samples: list[Sample]) -> None:
    filled(LatentCache(tmp_path / "cache", FakeVae(), "v"), samples, views(samples))
    other = FakeVae(2.0)

    found = filled(LatentCache(tmp_path / "cache", other, "other"), samples, views(samples))

    assert len(other.seen) == 3
    assert found[View(0, WHOLE)].mean.min().item() < -1


@pytest.mark.parametrize("spoilt", ["cut off", "another key", "nan"])
def test_a_file_that_does_not_hold_what_it_says_is_made_anew(
    tmp_path: Path, samples: list[Sample], spoilt: str
) -> None:
    filled(LatentCache(tmp_path / "cache", FakeVae(), "v"), samples, views(samples))
    path, other, _ = sorted((tmp_path / "cache").iterdir())
    if spoilt == "cut off":
        path.write_bytes(path.read_bytes()[:200])
    elif spoilt == "another key":
        path.write_bytes(other.read_bytes())
    else:
        nothing = torch.full((3, 8, 8), torch.nan)
        save_tensors(path, {"mean": nothing, "deviation": nothing}, {"key": path.stem})
    cache = LatentCache(tmp_path / "cache", FakeVae(), "v")

    found = filled(cache, samples, views(samples))

    assert cache.counts == Counts(hits=2, misses=1, rejects=1)
    assert cache.counts.told("latents") == "latents: 2 from the cache, 1 computed (1 of them damaged on disk)"
    assert all(one.mean.isfinite().all() for one in found.values())
    assert len({one.mean.sum().item() for one in found.values()}) == 3


def test_an_image_of_which_the_vae_makes_nan_is_named_and_not_kept(tmp_path: Path, samples: list[Sample]) -> None:
    with pytest.raises(BrokenFile, match=r"0\.png: the VAE makes NaN of it"):
        filled(LatentCache(tmp_path / "cache", FakeVae(float("nan")), "v"), samples, views(samples))

    assert not list((tmp_path / "cache").glob("*"))


def test_pictures_of_one_size_are_encoded_together(tmp_path: Path, samples: list[Sample]) -> None:
    wide = replace(WHOLE, bucket=(128, 64), scaled=(128, 128))
    vae = FakeVae()
    cache = LatentCache(tmp_path / "together", vae, "v", at_once=2 * 64 * 64)

    together = filled(cache, samples, [*views(samples), View(0, wide)])

    assert sorted(len(one) for one in vae.seen) == [1, 1, 2]
    alone = filled(LatentCache(tmp_path / "alone", FakeVae(), "v"), samples, [*views(samples), View(0, wide)])
    assert all(torch.allclose(alone[view].mean, one.mean, atol=1e-6) for view, one in together.items())


def test_where_the_memory_is_full_fewer_are_shown_at_once(tmp_path: Path, samples: list[Sample]) -> None:
    vae = FakeVae(room=1)

    filled(LatentCache(tmp_path / "cache", vae, "v", at_once=3 * 64 * 64), samples, views(samples))

    assert [len(one) for one in vae.seen] == [1, 1, 1]


def test_a_memory_too_small_for_one_picture_is_told(tmp_path: Path, samples: list[Sample]) -> None:
    with pytest.raises(torch.OutOfMemoryError):
        filled(LatentCache(tmp_path / "cache", FakeVae(room=0), "v"), samples, views(samples))


def test_a_coloured_copy_has_other_latents(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", shade=128)
    one = sample(path, color=True)
    wanted = [View(0, WHOLE, variation=number) for number in range(12)]

    found = filled(LatentCache(tmp_path / "cache", FakeVae(), "v"), [one], wanted)

    plain = filled(LatentCache(tmp_path / "cache", FakeVae(), "v"), [sample(path)], wanted[:1])[wanted[0]]
    same = [torch.equal(latents.mean, plain.mean) for latents in found.values()]
    assert 2 < sum(same) < 12


def test_a_sample_is_drawn_around_the_mean_by_the_generator() -> None:
    latents = CachedLatents(torch.full((4, 8, 8), 3.0), torch.full((4, 8, 8), 0.5))

    def draw(seed: int) -> Tensor:
        return latents.sample(torch.Generator().manual_seed(seed))

    expected = 3 + 0.5 * torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(7))
    assert torch.equal(draw(7), expected)
    assert not torch.equal(draw(7), draw(8))


def test_a_picture_turned_by_its_exif_is_encoded_upright(tmp_path: Path) -> None:
    image = picture((64, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.rotate(90).save(tmp_path / "turned.png", exif=exif)
    image.save(tmp_path / "plain.png")
    assert open_image(tmp_path / "turned.png").tobytes() == image.tobytes()
    both = [sample(tmp_path / f"{name}.png", digest=name) for name in ("turned", "plain")]

    found = filled(LatentCache(tmp_path / "cache", FakeVae(), "v"), both, views(both))

    assert torch.equal(found[View(0, WHOLE)].mean, found[View(1, WHOLE)].mean)
