import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
from diffusers import AutoencoderKL

from benchmarks.activations import alive
from inference.memory import Estimate, estimate
from inference.plan import LoadPlan, resolve
from inference.request import GenerationRequest, Hires, LoraUse
from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tables, tiny

TO_K = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("shelf")
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(tiny.write_lora(folder / "kip.safetensors", {TO_K: (8, 16)}))
        catalog.add(tables.write(folder / "real.safetensors", tables.ldm_checkpoint()))
        yield catalog


def planned(shelf: Catalog, **said: object) -> LoadPlan:
    return resolve(GenerationRequest.model_validate({"prompt": "a cat", "model": "tiny", **said}), shelf)


def needs(plan: LoadPlan, itemsize: int = 2) -> Estimate:
    return estimate(plan, lambda _: itemsize)


def test_weights_are_counted_in_the_type_that_they_are_loaded_in(shelf: Catalog) -> None:
    plan = planned(shelf)
    numbers = sum(math.prod(shape) for part in plan.base.parts.values() for shape in part.shapes.values())

    assert needs(plan, 2).models == 2 * numbers
    assert needs(plan, 4).models == 4 * numbers


def test_a_real_sd15_in_half_precision_needs_what_everybody_reports(shelf: Catalog) -> None:
    """About 2 GB of weights, and 2.4 to 3 GB in all for one picture of 512x512."""
    found = needs(planned(shelf, model="real", width=512, height=512))

    assert 0.9e8 < found.denoising < 4e8
    assert found.models + found.denoising < 3.2e9


def test_drawing_grows_with_pixels_rows_and_parts_of_the_prompt(shelf: Catalog) -> None:
    one = needs(planned(shelf, width=64, height=64))

    assert needs(planned(shelf, width=128, height=64)).denoising == pytest.approx(2 * one.denoising, rel=1e-3)
    assert needs(planned(shelf, width=64, height=64, batch=3)).decoding == pytest.approx(3 * one.decoding, rel=1e-3)
    both = needs(planned(shelf, width=64, height=64, prompt="a cat AND a dog"))
    assert both.denoising == pytest.approx(1.5 * one.denoising, rel=1e-3)


def test_a_second_pass_and_what_adapters_replace_are_reckoned_with(shelf: Catalog) -> None:
    plain = needs(planned(shelf, width=64, height=64))

    hires = needs(planned(shelf, width=64, height=64, hires=Hires(scale=2.0)))
    assert hires.denoising == pytest.approx(4 * plain.denoising, rel=1e-3)
    assert hires.models == plain.models
    with_lora = needs(planned(shelf, width=64, height=64, loras=(LoraUse(ref="kip"),)))
    assert with_lora.models == plain.models + 4 * 8 * 16


def test_it_is_told_in_words() -> None:
    found = Estimate(models=2_000_000_000, denoising=300_000_000, decoding=1_000_000_000)
    assert str(found) == "about 3.0 GB (models 2.0 GB, drawing 1.0 GB)"
    assert str(replace(found, models=0, decoding=5_000_000, denoising=1)) == "about 5 MB (models 0 MB, drawing 5 MB)"


def test_the_count_of_living_numbers_is_right_for_a_chain_that_can_be_counted_by_hand() -> None:
    """x -> 2x -> 4x: three tensors of 100 numbers, of which the first two are alive while the second is made."""
    from torch import nn, ones

    class Chain(nn.Module):
        def forward(self) -> None:
            x = ones(100, device="meta")
            x = x * 2
            x * 2

    assert alive(Chain, lambda module: module()) == 200


def test_a_vaes_numbers_grow_with_its_pixels() -> None:
    import torch

    sizes = {"block_out_channels": (32, 64), "norm_num_groups": 8, "latent_channels": 4}
    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2}

    def count(side: int) -> int:
        return alive(lambda: AutoencoderKL(**sizes, **blocks), lambda vae: vae.decode(torch.empty(1, 4, side, side)))  # type: ignore[operator]

    assert count(32) == pytest.approx(4 * count(16), rel=0.02)
