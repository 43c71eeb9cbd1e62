"""A memory that is too small: batches are halved, the VAE decodes in parts, and the error says what would fit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inference.decoding import decoded
from inference.engine import Engine
from inference.generate import generate
from inference.memory import largest_size
from inference.picture import Picture
from inference.plan import LoadPlan, ModelPlan, resolve
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.errors import OutOfResources
from modelhub.jobs import Done, Notice
from modelhub.workspace import Workspace
from tests import tiny


class SmallEngine(Engine):
    """One whose memory holds so many images at a time."""

    def __init__(self, images: int, *, room: int | None = None) -> None:
        super().__init__("cpu")
        self._images = images
        self._room = room

    @property
    def room(self) -> int:
        return super().room if self._room is None else self._room

    def decode(self, plan: ModelPlan, latents: Tensor) -> Tensor:
        if len(latents) > self._images:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().decode(plan, latents)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("shelf")
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        yield catalog


def request(**said: Any) -> GenerationRequest:
    fields = {"prompt": "a cat", "model": "tiny", "steps": 1, "seed": 5, "width": 64, "height": 64, **said}
    return GenerationRequest.model_validate(fields)


def draw(asked: GenerationRequest, shelf: Catalog, engine: Engine, out: Path) -> tuple[list[str], list[Picture]]:
    """What was told, and the pictures."""
    *events, last = list(generate(asked, catalog=shelf, engine=engine, out=out))
    assert isinstance(last, Done)
    return [event.message for event in events if isinstance(event, Notice)], list(last.result)


def test_a_batch_that_does_not_fit_is_drawn_in_halves_to_the_same_pictures(shelf: Catalog, tmp_path: Path) -> None:
    _, wanted = draw(request(batch=3), shelf, Engine("cpu"), tmp_path)

    told, pictures = draw(request(batch=3), shelf, SmallEngine(1), tmp_path)

    assert [one.seed for one in pictures] == [5, 6, 7]
    for one, other in zip(pictures, wanted, strict=True):
        ours, theirs = (torch.frombuffer(bytearray(each.image.tobytes()), dtype=torch.uint8) for each in (one, other))
        assert (ours.int() - theirs.int()).abs().max() <= 1
    assert told == [
        "the memory does not hold 3 images at a time: going on with 2",
        "the memory does not hold 2 images at a time: going on with 1",
    ]


def test_where_one_image_does_not_fit_the_error_says_what_would(shelf: Catalog, tmp_path: Path) -> None:
    needs = 5_000_000
    with pytest.raises(OutOfResources, match="one image needs about") as refused:
        draw(request(width=512, height=256), shelf, SmallEngine(0, room=needs), tmp_path)

    assert refused.value.mend
    width, _, height = refused.value.mend.rpartition(" ")[2].partition("x")
    assert int(width) == 2 * int(height)
    assert 64 <= int(height) < 256
    run = shelf.last_run("generate")
    assert run
    assert run.state == "failed"


def test_the_largest_size_fits_and_keeps_the_shape(shelf: Catalog) -> None:
    plan: LoadPlan = resolve(request(width=1024, height=512), shelf)

    assert largest_size(plan, lambda _: 4, 10**12) == (960, 448)
    assert largest_size(plan, lambda _: 4, 0) is None


def test_what_may_not_fit_is_told_before(shelf: Catalog, tmp_path: Path) -> None:
    told, _ = draw(request(), shelf, SmallEngine(1, room=1000), tmp_path)
    assert told[0].startswith("this needs about ")
    assert "0 MB are there" in told[0]


class Decoder(nn.Module):
    """A VAE whose memory holds so many images, and so many once it works in tiles."""

    def __init__(self, images: int, tiled: int) -> None:
        super().__init__()
        self._holds = {False: images, True: tiled}
        self.tiling = False
        self.asked: list[tuple[int, bool]] = []

    def enable_tiling(self) -> None:
        self.tiling = True

    def disable_tiling(self) -> None:
        self.tiling = False

    def decode(self, latents: Tensor, *, return_dict: bool) -> tuple[Tensor]:
        self.asked.append((len(latents), self.tiling))
        if len(latents) > self._holds[self.tiling]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return (latents * 2,)


@pytest.mark.parametrize(
    ("images", "tiled", "asked"),
    [
        (2, 0, [(2, False)]),
        (1, 0, [(2, False), (1, False), (1, False)]),
        (0, 1, [(2, False), (1, False), (1, True), (1, True)]),
    ],
)
def test_decoding_tries_all_at_once_then_one_by_one_then_tiles(
    images: int, tiled: int, asked: list[tuple[int, bool]]
) -> None:
    vae, latents = Decoder(images, tiled), torch.randn(2, 4, 8, 8)

    assert torch.equal(decoded(vae, latents), latents * 2)
    assert vae.asked == asked
    assert not vae.tiling


def test_decoding_that_fits_in_no_way_says_so_and_leaves_the_vae_as_it_was() -> None:
    vae = Decoder(0, 0)
    with pytest.raises(torch.OutOfMemoryError):
        decoded(vae, torch.randn(1, 4, 8, 8))
    assert not vae.tiling
