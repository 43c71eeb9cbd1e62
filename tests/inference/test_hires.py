"""Second passes and refiners, with real files and tiny weights."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from inference.engine import Engine
from inference.generate import Picture, render
from inference.hires import enlarged
from inference.images.png import to_image
from inference.plan import LoadPlan, resolve
from inference.plan.hires import LATENT_MODES
from inference.request import GenerationRequest, Hires, Init, LoraUse, Refiner
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible, UnknownRef
from modelhub.jobs import Progress
from modelhub.workspace import Workspace
from tests import tiny, tiny_families

KIP = {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k": (8, 16)}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("further")
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(tiny.write_checkpoint(folder / "other.safetensors", seed=1))
        catalog.add(tiny.write_lora(folder / "kip.safetensors", KIP, alpha=8.0))
        catalog.add(tiny_families.write_sdxl(folder / "large.safetensors"))
        catalog.add(tiny_families.write_refiner(folder / "finish.safetensors"))
        yield catalog


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def planned(shelf: Catalog, **fields: object) -> LoadPlan:
    defaults = {
        "prompt": "a cat", "model": "tiny", "steps": 3, "seed": 1, "sampler": "Euler a", "width": 64, "height": 64,
    }  # fmt: skip
    return resolve(GenerationRequest.model_validate({**defaults, **fields}), shelf)


def draw(shelf: Catalog, engine: Engine, **fields: object) -> list[NDArray[np.int16]]:
    events = render(planned(shelf, **fields), engine)
    return [np.asarray(event.image, dtype=np.int16) for event in events if isinstance(event, Picture)]


def furthest(ones: Sequence[NDArray[np.int16]], others: Sequence[NDArray[np.int16]]) -> int:
    return max(int(abs(one - other).max()) for one, other in zip(ones, others, strict=True))


# What is enlarged


@pytest.mark.parametrize("upscaler", LATENT_MODES)
def test_latents_are_interpolated_as_their_mode_says(shelf: Catalog, engine: Engine, upscaler: str) -> None:
    plan = planned(shelf, hires=Hires(upscaler=upscaler, scale=1.5))
    latents = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    mode, antialias = LATENT_MODES[upscaler]

    canvas = enlarged(plan, latents, engine)

    assert canvas.size == (96, 96)
    assert canvas.latents is not None
    assert torch.equal(canvas.latents, F.interpolate(latents, size=(12, 12), mode=mode, antialias=antialias))


def test_what_hangs_over_is_cut_off_at_both_ends(shelf: Catalog, engine: Engine) -> None:
    """128 x 128 from 64 x 128: brought to 128 x 256, 16 rows of latents too many."""
    plan = planned(shelf, height=128, hires=Hires(width=128, height=128, upscaler="Latent (nearest)"))
    latents = torch.arange(16.0).view(1, 1, 16, 1).expand(1, 4, 16, 8)

    canvas = enlarged(plan, latents, engine)

    assert canvas.size == (128, 128)
    assert canvas.latents is not None
    assert canvas.latents.shape == (1, 4, 16, 16)
    assert canvas.latents[0, 0, :, 0].tolist() == [one // 2 for one in range(8, 24)]


def test_an_upscaler_enlarges_the_picture_and_it_is_encoded_again(shelf: Catalog, engine: Engine) -> None:
    plan = planned(shelf, hires=Hires(upscaler="Nearest", scale=2))
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    picture = to_image(engine.decode(plan.base, latents)[0])
    grown = torch.from_numpy(np.asarray(picture).repeat(2, 0).repeat(2, 1)).permute(2, 0, 1)[None] / 127.5 - 1

    canvas = enlarged(plan, latents, engine)

    assert canvas.latents is not None
    assert torch.allclose(canvas.latents, engine.encode(plan.base, grown), atol=1e-5)


# What is drawn over it


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ SDE", "DDIM"])
def test_a_second_pass_draws_what_drawing_over_the_enlarged_picture_draws(
    shelf: Catalog, engine: Engine, tmp_path: Path, sampler: str
) -> None:
    (first,) = draw(shelf, engine, sampler=sampler)
    Image.fromarray(first.astype(np.uint8)).resize((128, 128), Image.Resampling.NEAREST).save(tmp_path / "first.png")
    over = Init(image=str(tmp_path / "first.png"), denoise=0.6, exact_steps=True)

    (both,) = draw(shelf, engine, sampler=sampler, hires=Hires(upscaler="Nearest", denoise=0.6))
    (by_hand,) = draw(shelf, engine, sampler=sampler, init=over, width=128, height=128)

    assert furthest([both], [by_hand]) <= 1


def test_a_second_pass_takes_exactly_its_steps(shelf: Catalog, engine: Engine) -> None:
    plan = planned(shelf, hires=Hires(steps=2, denoise=0.3, sampler="Heun"))

    told = [(event.task, event.total) for event in render(plan, engine) if isinstance(event, Progress)]

    assert list(dict.fromkeys(told)) == [("images 1-1 of 1", 3), ("images 1-1 of 1, second pass", 2)]


def test_a_second_pass_that_may_change_nothing_keeps_the_enlarged_picture(shelf: Catalog, engine: Engine) -> None:
    kept = draw(shelf, engine, hires=Hires(denoise=0, upscaler="Latent (bicubic)"))

    assert kept[0].shape == (128, 128, 3)
    others = {"steps": 1, "sampler": "DDIM", "prompt": "a dog"}
    assert furthest(draw(shelf, engine, hires=Hires(denoise=0, upscaler="Latent (bicubic)", **others)), kept) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a dog"}, {"negative_prompt": "bad"}, {"steps": 2}, {"cfg": 2.0}, {"sampler": "DPM++ 2M"},
        {"schedule": "Karras"}, {"model": "other"}, {"denoise": 0.4}, {"upscaler": "Latent (nearest)"},
        {"prompt": "a cat <lora:kip>"}, {"scale": 1.5}, {"width": 72}, {"upscaler": "Lanczos"},
    ],
    ids=str,
)  # fmt: skip
def test_everything_that_is_said_of_a_second_pass_has_a_part_in_it(
    shelf: Catalog, engine: Engine, change: dict[str, object]
) -> None:
    (base,), (changed,) = draw(shelf, engine, hires=Hires()), draw(shelf, engine, hires=Hires(**change))

    assert base.shape != changed.shape or (base != changed).any()


def test_the_first_pass_is_drawn_without_what_only_the_second_one_has(shelf: Catalog, engine: Engine) -> None:
    """What the second pass may not change shows what the first one drew; batch after batch."""
    alone = draw(shelf, engine, count=2, hires=Hires(denoise=0))
    second = Hires(denoise=0, prompt="a dog <lora:kip>", model=None)

    assert furthest(draw(shelf, engine, count=2, hires=second), alone) == 0


def test_a_batch_draws_what_its_images_draw_alone_in_both_passes(shelf: Catalog, engine: Engine) -> None:
    hires = Hires(model="other", prompt="a dog <lora:kip:0.5>", upscaler="Lanczos")
    batch = draw(shelf, engine, batch=2, hires=hires)

    assert furthest(batch, [draw(shelf, engine, seed=seed, hires=hires)[0] for seed in (1, 2)]) <= 1


def test_a_prompt_goes_on_counting_in_the_second_pass(shelf: Catalog, engine: Engine) -> None:
    cat, dog = (draw(shelf, engine, prompt=one, hires=Hires()) for one in ("a cat", "a dog"))
    both = draw(shelf, engine, prompt="a cat", hires=Hires(prompt="a dog"))

    assert furthest(draw(shelf, engine, prompt="a [cat:dog:1.0]", hires=Hires()), both) == 0
    assert furthest(draw(shelf, engine, prompt="a [cat:dog:2.0]", hires=Hires()), cat) == 0
    assert furthest(both, dog) > 0


# What a plan makes of it


def test_a_plan_with_further_passes_is_the_same_when_it_is_resolved_again(shelf: Catalog) -> None:
    hires = Hires(model="other", prompt="a <lora:kip> dog # c", sampler="DPM++ 2M Exponential", upscaler="lanczos")
    plan = planned(shelf, hires=hires, refiner=Refiner(model="other"), prompt="b <lora:kip:0.3>")

    assert resolve(GenerationRequest.from_json(plan.request.to_json()), shelf) == plan
    assert plan.hires is not None
    assert plan.refiner is not None
    assert (plan.hires.model.name, plan.refiner.model.name) == ("other", "other")
    assert [one.unet for one in plan.base.adapters] == [0.3]
    assert [one.unet for one in plan.hires.adapters] == [1.0]
    assert plan.used == (("model", 1), ("lora", 3), ("hires", 2), ("lora", 3), ("refiner", 2), ("lora", 3))
    assert plan.request.hires is not None
    assert (plan.request.hires.sampler, plan.request.hires.schedule) == ("DPM++ 2M", "Exponential")
    assert plan.request.hires.upscaler == "Lanczos"


@pytest.mark.parametrize(
    ("first", "second", "schedule"),
    [
        (("DPM++ 2M", "Automatic"), {"sampler": "Euler"}, ("Euler", "Uniform")),
        (("DPM++ 2M Exponential", "Automatic"), {"sampler": "Euler"}, ("Euler", "Exponential")),
        (("Euler", "Karras"), {"sampler": "DDIM"}, ("DDIM", "Automatic")),
        (("Euler", "Karras"), {"schedule": "Uniform"}, ("Euler", "Uniform")),
        (("Euler", "Karras"), {"sampler": "DPM++ 2M SGM Uniform"}, ("DPM++ 2M", "SGM Uniform")),
        (("Euler", "Karras"), {"sampler": "Euler"}, (None, None)),
    ],
)
def test_a_schedule_that_was_chosen_holds_for_both_passes(
    shelf: Catalog, first: tuple[str, str], second: dict[str, str], schedule: tuple[str | None, str | None]
) -> None:
    plan = planned(shelf, sampler=first[0], schedule=first[1], hires=Hires(**second))

    assert plan.request.hires is not None
    assert (plan.request.hires.sampler, plan.request.hires.schedule) == schedule


def test_passes_that_exclude_one_another_are_refused(shelf: Catalog) -> None:
    with pytest.raises(BadValue, match="not a picture that is drawn over"):
        planned(shelf, hires=Hires(), init=Init(image="old.png"))
    with pytest.raises(UnknownRef, match="Lanczos"):
        planned(shelf, hires=Hires(upscaler="Latent (cubic)"))
    with pytest.raises(BadValue, match="a second pass of 32x32 px is too small"):
        planned(shelf, hires=Hires(width=32, height=32))


# Who draws the last noise levels


def test_a_refiner_that_is_the_model_itself_changes_nothing(shelf: Catalog, engine: Engine) -> None:
    plain = draw(shelf, engine, prompt="[cat|dog]", loras=[LoraUse(ref="kip")], steps=5)
    refiner = Refiner(model="tiny", switch_at=0.4)

    assert (
        furthest(draw(shelf, engine, prompt="[cat|dog]", loras=[LoraUse(ref="kip")], steps=5, refiner=refiner), plain)
        == 0
    )


def test_a_refiner_ends_every_batch_and_no_batch_begins_with_it(shelf: Catalog, engine: Engine) -> None:
    refiner = Refiner(model="other", switch_at=0.5)
    in_turn = draw(shelf, engine, count=2, steps=4, refiner=refiner)

    assert furthest(in_turn, [draw(shelf, engine, seed=seed, steps=4, refiner=refiner)[0] for seed in (1, 2)]) == 0
    assert furthest(in_turn, draw(shelf, engine, count=2, steps=4)) > 0
    assert furthest(in_turn, draw(shelf, engine, count=2, steps=4, model="other")) > 0
    after_the_end = Refiner(model="other", switch_at=0.9999)
    assert furthest(draw(shelf, engine, steps=4, refiner=after_the_end), draw(shelf, engine, steps=4)) == 0


def test_of_two_passes_the_refiner_ends_those_that_it_is_told_to(shelf: Catalog, engine: Engine) -> None:
    def drawn(in_hires: str, denoise: float) -> list[NDArray[np.int16]]:
        refiner = Refiner(model="other", switch_at=0.4, in_hires=in_hires)  # type: ignore[arg-type]
        return draw(shelf, engine, steps=4, hires=Hires(denoise=denoise), refiner=refiner)

    first_alone = draw(shelf, engine, steps=4, hires=Hires(denoise=0))
    assert furthest(drawn("second pass", 0), first_alone) == 0
    assert furthest(drawn("first pass", 0), first_alone) > 0
    pictures = [drawn(one, 0.7)[0].tobytes() for one in ("second pass", "first pass", "both passes")]
    assert len(set(pictures)) == 3


def test_sdxl_is_ended_by_its_refiner_without_the_loras_of_the_base(shelf: Catalog, engine: Engine) -> None:
    plan = planned(shelf, model="large", refiner=Refiner(model="finish", switch_at=0.5))
    assert plan.refiner is not None
    assert plan.refiner.family.name == "sdxl-refiner"

    refined = draw(shelf, engine, model="large", refiner=Refiner(model="finish", switch_at=0.5))

    assert np.isfinite(refined[0]).all()
    assert furthest(refined, draw(shelf, engine, model="large")) > 0


def test_a_refiner_of_other_latents_is_refused(shelf: Catalog) -> None:
    with pytest.raises(Incompatible, match="finish is sdxl-refiner and cannot go on from what tiny"):
        planned(shelf, refiner=Refiner(model="finish"))


def test_a_second_checkpoint_of_other_latents_gets_the_picture_by_way_of_pixels(shelf: Catalog, engine: Engine) -> None:
    (picture,) = draw(shelf, engine, prompt="a cat <lora:kip>", hires=Hires(model="large", upscaler="Latent"))

    assert picture.shape == (128, 128, 3)
    assert np.isfinite(picture).all()


# Patterns


def test_a_pattern_goes_on_at_its_other_edge_and_the_next_picture_is_none(shelf: Catalog, engine: Engine) -> None:
    """In a picture that wraps, what lies across an edge differs no more than what lies side by side."""
    before = draw(shelf, engine)
    (pattern,) = draw(shelf, engine, tiling=True)

    assert furthest(draw(shelf, engine), before) == 0
    inner, edge = abs(np.diff(pattern, axis=1)).mean(), abs(pattern[:, 0] - pattern[:, -1]).mean()
    plain_inner, plain_edge = abs(np.diff(before[0], axis=1)).mean(), abs(before[0][:, 0] - before[0][:, -1]).mean()
    assert edge / inner < 1.5
    assert edge / inner < plain_edge / plain_inner
