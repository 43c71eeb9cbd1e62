"""Pictures come to the size that was asked for, as webui comes to it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.upscalers.enlarge import enlarge, pixels_of, to_picture
from inference.upscalers.nets import Nets
from inference.upscalers.plan import UpscalerPlan
from modelhub.errors import OutOfResources
from tests.upscalers import FakeEngine, FakeNet, FakeNets, compact, doubling, write_upscaler

LANCZOS, NEAREST, NONE = (UpscalerPlan(name) for name in ("Lanczos", "Nearest", "None"))
MODEL = UpscalerPlan("x2", Path("x2.safetensors"))
_L = Image.Resampling.LANCZOS


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def engine(call: Callable[[Tensor], Tensor] = doubling) -> FakeEngine:
    return FakeEngine(FakeNets(FakeNet(call)))


class Counted:
    """Doubles, and keeps the sizes that it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def __call__(self, pixels: Tensor) -> Tensor:
        self.seen.append((pixels.shape[-1], pixels.shape[-2]))
        return doubling(pixels)


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.mode == other.mode and one.tobytes() == other.tobytes()


@pytest.mark.parametrize("plan", [LANCZOS, NONE])
def test_lanczos_is_pillows(plan: UpscalerPlan) -> None:
    image = picture(24, 16)
    assert same(enlarge(image, (48, 32), plan, engine()), image.resize((48, 32), _L))


def test_nearest_keeps_every_pixel() -> None:
    image = picture(24, 16)
    assert same(enlarge(image, (48, 32), NEAREST, engine()), image.resize((48, 32), Image.Resampling.NEAREST))


def test_what_becomes_smaller_asks_no_model() -> None:
    count = Counted()
    image = picture(24, 16)
    assert same(enlarge(image, (12, 8), MODEL, engine(count)), image.resize((12, 8), _L))
    assert count.seen == []


def test_a_model_is_asked_until_the_size_is_reached_and_lanczos_does_the_rest() -> None:
    count = Counted()
    image = picture(16, 8)
    found = enlarge(image, (48, 24), MODEL, engine(count))
    assert count.seen == [(16, 8), (32, 16)]
    assert same(found, image.resize((64, 32), Image.Resampling.NEAREST).resize((48, 24), _L))


def test_it_is_asked_three_times_at_most() -> None:
    count = Counted()
    assert enlarge(picture(8, 8), (128, 128), MODEL, engine(count)).size == (128, 128)
    assert count.seen == [(8, 8), (16, 16), (32, 32)]


def test_a_model_that_enlarges_nothing_is_asked_once() -> None:
    calls = []
    enlarge(picture(16, 16), (32, 32), MODEL, engine(lambda pixels: calls.append(1) or pixels))  # type: ignore[func-returns-value]
    assert len(calls) == 1


def test_between_model_and_size_stands_a_multiple_of_eight() -> None:
    image = picture(25, 25)
    by_way_of = image.resize((50, 50), Image.Resampling.NEAREST).resize((48, 48), _L).resize((50, 50), _L)
    assert same(enlarge(image, (50, 50), MODEL, engine()), by_way_of)


def test_transparency_is_kept() -> None:
    image = picture(16, 16, "RGBA")
    found = enlarge(image, (32, 32), MODEL, engine())
    assert same(found.getchannel("A"), image.getchannel("A").resize((32, 32), _L))


@pytest.mark.parametrize("mode", ["P", "LA", "CMYK", "1"])
def test_any_mode_is_taken(mode: str) -> None:
    image = picture(16, 16, "RGB").convert(mode) if mode != "LA" else picture(16, 16, "LA")
    assert enlarge(image, (32, 32), MODEL, engine()).mode in ("RGB", "RGBA", "L")


def test_large_pictures_go_through_in_tiles() -> None:
    count = Counted()
    enlarge(picture(400, 100), (800, 200), MODEL, engine(count))
    assert count.seen == [(192, 100)] * 3


def test_where_memory_is_short_tiles_become_smaller() -> None:
    count = Counted()

    def short(pixels: Tensor) -> Tensor:
        if pixels.shape[-1] > 100:
            raise torch.OutOfMemoryError("the GPU is full")
        return count(pixels)

    image = picture(200, 16)
    found = enlarge(image, (400, 32), MODEL, engine(short))
    assert max(count.seen) == (96, 16)
    whole = image.resize((400, 32), Image.Resampling.NEAREST)
    assert np.abs(np.asarray(found, int) - np.asarray(whole, int)).max() <= 1


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_where_the_least_tile_is_too_much_it_says_so(error: Exception) -> None:
    def full(_: Tensor) -> Tensor:
        raise error

    with pytest.raises(OutOfResources, match="24 px at a time"):
        enlarge(picture(16, 16), (32, 32), MODEL, engine(full))


def test_another_error_is_not_taken_for_want_of_memory() -> None:
    def wrong(_: Tensor) -> Tensor:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        enlarge(picture(16, 16), (32, 32), MODEL, engine(wrong))


def test_pixels_come_back_as_they_went() -> None:
    image = picture(7, 5)
    assert same(to_picture(pixels_of(image, torch.device("cpu"))), image)


def test_tiles_of_a_real_network_are_the_whole_picture(tmp_path: Path) -> None:
    nets = Nets(torch.device("cpu"))
    plan = UpscalerPlan("c", write_upscaler(tmp_path / "c.safetensors", compact(layers=2)))
    image = picture(200, 24)
    net = nets.load(tmp_path / "c.safetensors")
    whole = to_picture(net(pixels_of(image, nets.device)).clone())
    found = enlarge(image, (400, 48), plan, FakeEngine(nets))  # type: ignore[arg-type]
    difference = np.abs(np.asarray(found, int) - np.asarray(whole, int))
    assert difference.max() <= 2  # where one tile's edge shows faintly through the other
    assert difference.mean() < 0.01
