"""Pictures from pictures, the whole way: real files, a real catalog, tiny weights."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from inference.engine import Engine
from inference.generate import render
from inference.over.masks import blurred, region
from inference.picture import Picture
from inference.plan import resolve
from inference.request import GenerationRequest
from inference.weights.export import checkpoint_tensors
from inference.weights.hints import write_hints
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible, MissingFile
from modelhub.workspace import Workspace
from tests import tiny

Pixels = NDArray[np.int16]
HEADER = {"modelhub.family": "sd1", "modelhub.kind": "checkpoint", **write_hints(tiny.HINTS)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures to draw over, 64 x 64 but for `wide`, and a mask."""
    folder = tmp_path_factory.mktemp("studio")
    noise = np.random.default_rng(0)
    for name, size in {"old": (64, 64), "wide": (150, 100)}.items():
        Image.fromarray(noise.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(folder / f"{name}.png")
    mask = Image.new("L", (64, 64))
    ImageDraw.Draw(mask).rectangle((24, 16, 39, 31), fill=255)
    mask.save(folder / "mask.png")
    Image.new("L", (64, 64)).save(folder / "empty.png")
    glass = Image.open(folder / "old.png").convert("RGBA")
    glass.paste((0, 0, 0, 0), (24, 16, 40, 32))
    glass.save(folder / "glass.png")
    return folder


@pytest.fixture(scope="module")
def shelf(folder: Path) -> Iterator[Catalog]:
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        for name, channels in {"inpainting": 9, "edits": 8, "depth": 5}.items():
            tensors = checkpoint_tensors(**tiny.models(in_channels=channels))
            save_tensors(folder / f"{name}.safetensors", tensors, HEADER)
            catalog.add(folder / f"{name}.safetensors")
        yield catalog


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


class Studio:
    """Draws, with little to say."""

    def __init__(self, shelf: Catalog, engine: Engine, folder: Path) -> None:
        self._shelf, self._engine, self.folder = shelf, engine, folder

    def request(self, picture: str | None = "old", mask: str | None = None, **fields: object) -> GenerationRequest:
        """`init_...` and `mask_...` are fields of those."""
        said: dict[str, object] = {"prompt": "a cat", "model": "tiny", "steps": 2, "seed": 1, "sampler": "Euler a"}
        init: dict[str, object] = {"image": str(self.folder / f"{picture}.png")}
        masked: dict[str, object] = {"image": None if mask == "alpha" else str(self.folder / f"{mask}.png")}
        for name, value in fields.items():
            head, _, tail = name.partition("_")
            {"init": init, "mask": masked}.get(head, said)[tail if head in ("init", "mask") else name] = value
        if picture:
            said["init"] = {**init, "mask": masked} if mask else init
        return GenerationRequest.model_validate(said)

    def draw(self, picture: str | None = "old", mask: str | None = None, **fields: object) -> list[Pixels]:
        plan = resolve(self.request(picture, mask, **fields), self._shelf)
        events = render(plan, self._engine)
        return [np.asarray(event.image, np.int16) for event in events if isinstance(event, Picture)]

    def one(self, picture: str | None = "old", mask: str | None = None, **fields: object) -> Pixels:
        return self.draw(picture, mask, **fields)[0]

    def pixels(self, name: str) -> Pixels:
        return np.asarray(Image.open(self.folder / f"{name}.png").convert("RGB"), np.int16)


@pytest.fixture(scope="module")
def studio(shelf: Catalog, engine: Engine, folder: Path) -> Studio:
    return Studio(shelf, engine, folder)


OUTSIDE = (
    np.asarray(blurred(Image.fromarray(np.pad(np.full((16, 16), 255, np.uint8), ((16, 32), (24, 24)))), 4, 4)) == 0
)
"""What the blurred mask leaves black."""


# The whole picture


@pytest.mark.parametrize(
    "change",
    [
        {"init_denoise": 0.3}, {"init_noise_multiplier": 0.5}, {"init_extra_noise": 0.4},
        {"init_exact_steps": True, "steps": 3}, {"init_colour_correction": True},
        {"picture": "wide"}, {"seed": 2}, {"prompt": "a dog"},
    ],
    ids=str,
)  # fmt: skip
def test_each_field_has_a_part_in_the_pixels(studio: Studio, change: dict[str, object]) -> None:
    base, changed = studio.one(), studio.one(**change)

    assert base.shape != changed.shape or (base != changed).any()


@pytest.mark.parametrize("resize", ["stretch", "crop", "fill", "latent"])
def test_another_size_is_reached_in_each_way(studio: Studio, resize: str) -> None:
    assert studio.one("wide", init_resize=resize, width=64, height=72).shape == (72, 64, 3)


def test_the_ways_to_another_size_differ(studio: Studio) -> None:
    drawn = [
        studio.one("wide", init_resize=one, width=64, height=72).tobytes()
        for one in ("stretch", "crop", "fill", "latent")
    ]

    assert len(set(drawn)) == 4


def test_an_upscaler_enlarges_it(studio: Studio) -> None:
    lanczos, nearest = (studio.one(init_upscaler=one, width=128, height=128) for one in (None, "Nearest"))

    assert (lanczos != nearest).any()


def test_without_a_size_it_is_the_pictures_own_down_to_multiples_of_8(studio: Studio) -> None:
    assert studio.one("wide").shape == (96, 144, 3)


def test_what_is_transparent_stands_on_the_background(studio: Studio) -> None:
    assert (studio.one("glass") != studio.one("glass", init_background="#000000")).any()


def test_a_prompts_schedule_counts_the_calls_from_the_first_that_is_made(studio: Studio) -> None:
    """As in webui: of 8 steps 5 are taken, so what comes after the fifth is never said."""
    plain = studio.one(steps=8, init_denoise=0.5)

    assert (studio.one(steps=8, init_denoise=0.5, prompt="[a cat:a dog:4]") == plain).all()
    assert (studio.one(steps=8, init_denoise=0.5, prompt="[a cat:a dog:3]") != plain).any()


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M SDE", "DDIM"])
@pytest.mark.parametrize("mask", [None, "mask"])
def test_a_batch_draws_what_its_images_draw_alone(studio: Studio, sampler: str, mask: str | None) -> None:
    fields = {"sampler": sampler, **({"mask_content": "latent noise"} if mask else {})}

    batch = studio.draw("old", mask, batch=2, **fields)
    singles = [studio.one("old", mask, seed=seed, **fields) for seed in (1, 2)]

    for ours, alone in zip(batch, singles, strict=True):
        assert np.abs(ours - alone).max() <= 1
    assert (batch[0] != batch[1]).any()


# A part of it


@pytest.mark.parametrize(
    ("sampler", "content"),
    [
        ("Euler a", "original"), ("Euler a", "fill"), ("Euler a", "latent noise"), ("Euler a", "latent nothing"),
        ("DPM++ 2M", "original"), ("DDIM", "fill"), ("DDIM CFG++", "original"), ("UniPC", "latent noise"),
        ("LCM", "original"),
    ],
)  # fmt: skip
def test_outside_the_blurred_mask_every_bit_stays(studio: Studio, sampler: str, content: str) -> None:
    drawn = studio.one("old", "mask", sampler=sampler, mask_content=content)

    assert (drawn[OUTSIDE] == studio.pixels("old")[OUTSIDE]).all()
    assert (drawn[20:28, 28:36] != studio.pixels("old")[20:28, 28:36]).any()


@pytest.mark.parametrize(("model", "sampler"), [("tiny", "Euler a"), ("inpainting", "Euler a"), ("tiny", "DDIM")])
def test_only_the_masked_part_is_drawn_and_pasted_back_to_the_bit(studio: Studio, model: str, sampler: str) -> None:
    drawn = studio.one("wide", "mask", model=model, sampler=sampler, mask_only_masked=True, mask_padding=4)

    mask = blurred(Image.open(studio.folder / "mask.png").resize((150, 100), Image.Resampling.LANCZOS), 4, 4)
    outside = np.asarray(mask) == 0
    assert drawn.shape == (100, 150, 3)
    assert region(mask, 4, (64, 64)) != (0, 0, 150, 100)
    assert (drawn[outside] == studio.pixels("wide")[outside]).all()
    assert (drawn[~outside] != studio.pixels("wide")[~outside]).any()


def test_an_empty_mask_of_a_part_is_as_good_as_none(studio: Studio) -> None:
    assert (studio.one("old", "empty", mask_only_masked=True) == studio.one("old")).all()


def test_an_inverted_mask_draws_the_rest(studio: Studio) -> None:
    drawn = studio.one("old", "mask", mask_invert=True, mask_blur_x=0, mask_blur_y=0)

    assert (drawn[16:32, 24:40] == studio.pixels("old")[16:32, 24:40]).all()
    assert (drawn[:16] != studio.pixels("old")[:16]).any()


def test_a_transparent_part_may_be_the_mask(studio: Studio) -> None:
    drawn = studio.one("glass", "alpha", mask_blur_x=0, mask_blur_y=0)

    around = np.ones((64, 64), bool)
    around[16:32, 24:40] = False
    assert (drawn[around] == studio.pixels("old")[around]).all()


@pytest.mark.parametrize(
    "change",
    [
        {"mask_content": "fill"}, {"mask_content": "latent noise"}, {"mask_content": "latent nothing"},
        {"mask_blur_x": 1}, {"mask_blur_y": 9}, {"mask_round": False}, {"mask_only_masked": True}, {"mask_soft": {}},
        {"mask_invert": True},
    ],
    ids=str,
)  # fmt: skip
def test_each_field_of_a_mask_has_a_part_in_the_pixels(studio: Studio, change: dict[str, object]) -> None:
    assert studio.one("old", "mask").tobytes() != studio.one("old", "mask", **change).tobytes()


@pytest.mark.parametrize("sampler", ["Euler a", "DDIM"])
def test_soft_inpainting_keeps_what_is_not_masked_and_draws_what_is(studio: Studio, sampler: str) -> None:
    fields = {"sampler": sampler, "steps": 8, "mask_soft": {}}

    nothing = studio.one("old", "empty", **fields)
    part = studio.one("wide", "mask", mask_only_masked=True, mask_padding=4, **fields)

    assert (nothing == studio.pixels("old")).all()
    assert (part[85:] == studio.pixels("wide")[85:]).all()
    assert (part[30:45, 65:85] != studio.pixels("wide")[30:45, 65:85]).any()


# Models with more channels


def test_an_inpainting_model_draws_from_nothing_too(studio: Studio) -> None:
    assert studio.one(None, model="inpainting").shape == (64, 64, 3)


def test_what_is_hidden_from_an_inpainting_model_has_a_part_in_the_pixels(studio: Studio) -> None:
    shown = studio.one("old", "mask", model="inpainting", mask_conditioning=0.0)

    assert (studio.one("old", "mask", model="inpainting") != shown).any()


def test_an_inpainting_model_leaves_the_rest_alone(studio: Studio) -> None:
    drawn = studio.one("old", "mask", model="inpainting")

    assert (drawn[OUTSIDE] == studio.pixels("old")[OUTSIDE]).all()


def test_a_picture_is_changed_by_instruction(studio: Studio) -> None:
    weak, strong = (studio.one(model="edits", image_cfg=one, init_denoise=1.0) for one in (1.2, 3.0))

    assert (weak != strong).any()


def test_an_instructed_batch_draws_what_its_images_draw_alone(studio: Studio) -> None:
    batch = studio.draw(model="edits", batch=2, negative_prompt="bad, " * 40)
    singles = [studio.one(model="edits", seed=seed, negative_prompt="bad, " * 40) for seed in (1, 2)]

    for ours, alone in zip(batch, singles, strict=True):
        assert np.abs(ours - alone).max() <= 1


def test_at_a_picture_scale_of_1_prompts_may_be_joined(studio: Studio) -> None:
    assert studio.one(model="edits", image_cfg=1.0, prompt="a cat AND a dog").shape == (64, 64, 3)


# Beyond its edges


@pytest.mark.parametrize("method", ["mk2", "poor"])
@pytest.mark.parametrize("model", ["tiny", "inpainting"])
def test_a_picture_grows_and_its_middle_stays(studio: Studio, method: str, model: str) -> None:
    sides = {"left": 64, "down": 64, "blur": 1, "method": method}

    drawn = studio.one(model=model, init_outpaint=sides)

    assert drawn.shape == (128, 128, 3)
    assert (drawn[:50, 78:] == studio.pixels("old")[:50, 14:]).all()
    assert drawn[100:, :30].std() > 1


def test_each_image_of_a_batch_grows_on_its_own(studio: Studio) -> None:
    sides = {"left": 64, "up": 64, "blur": 1}

    batch = studio.draw(init_outpaint=sides, batch=2)
    singles = [studio.one(init_outpaint=sides, seed=seed) for seed in (1, 2)]

    for ours, alone in zip(batch, singles, strict=True):
        assert np.abs(ours - alone).max() <= 6  # the second side's noise has the first one's last bits in it
    assert (batch[0] != batch[1]).any()


# What cannot be


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"picture": None, "model": "edits"}, "edits changes pictures by instruction, so it needs one"),
        ({"model": "edits", "prompt": "a AND b"}, "AND has no meaning there"),
        ({"mask": "alpha"}, "no transparent part that could be its mask"),
        ({"init_outpaint": {}}, "grows at no side"),
        ({"init_upscaler": "Latent"}, "Latent enlarges latents, not pictures"),
        ({"mask": "mask", "init_outpaint": {"left": 64}}, "has its mask beyond its edges"),
    ],
)
def test_what_makes_no_picture_is_refused(studio: Studio, wrong: dict[str, object], words: str) -> None:
    with pytest.raises(BadValue, match=words) as refused:
        studio.draw(**wrong)  # type: ignore[arg-type]

    assert refused.value.mend


def test_a_model_with_channels_for_something_else_is_refused(studio: Studio) -> None:
    with pytest.raises(Incompatible, match="takes 5 channels: what the 1 beside the latents are for is not known"):
        studio.draw(model="depth")


def test_a_picture_that_is_not_there_is_named(studio: Studio) -> None:
    with pytest.raises(MissingFile, match=r"gone\.png"):
        studio.draw("gone")


def test_a_picture_too_small_to_draw_over_is_refused(studio: Studio) -> None:
    Image.new("RGB", (40, 40)).save(studio.folder / "small.png")

    with pytest.raises(BadValue, match="40 x 40 px"):
        studio.draw("small")
