"""A safetensors file in another precision, or without what drawing does not need."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from inference.weights.convert import Conversion
from inference.weights.reduce import plan_reduced
from inference.weights.rewrite import rewrite
from inference.weights.rows import Precision
from modelhub.errors import BadValue, BrokenFile, Conflict, Incompatible
from modelhub.headers import read_table
from modelhub.jobs import drain

UNET = "model.diffusion_model.out.2.weight"
VAE = "first_stage_model.decoder.conv_in.weight"
TEXT = "cond_stage_model.transformer.text_model.final_layer_norm.weight"


def weights(dtype: torch.dtype = torch.float32, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(3, 5, generator=generator).to(dtype) for name in (UNET, VAE, TEXT)}


def written(path: Path, tensors: Mapping[str, Tensor], **metadata: str) -> Path:
    save_file(dict(tensors), path, metadata or None)
    return path


def reduced(
    path: Path, *, precision: Precision | None = None, keep_ema: bool = True, prune: bool = False
) -> Conversion:  # fmt: skip
    plan = plan_reduced(path, precision=precision, keep_ema=keep_ema, prune=prune)
    done = drain(rewrite(plan, path.with_name("reduced.safetensors")))
    assert sum(row.size for row in plan.tensors) <= done.size
    return done


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [(Precision.F16, torch.float16), (Precision.BF16, torch.bfloat16), (Precision.F32, torch.float32)],
)
@pytest.mark.parametrize("was", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_every_number_is_the_nearest_one(
    tmp_path: Path, precision: Precision, dtype: torch.dtype, was: torch.dtype
) -> None:
    tensors = {**weights(was), "position_ids": torch.arange(5)}
    if was == dtype:
        return

    held = load_file(reduced(written(tmp_path / "model.safetensors", tensors), precision=precision).target)

    assert held.keys() == tensors.keys()
    assert all(torch.equal(held[name], tensors[name].to(dtype)) for name in (UNET, VAE, TEXT))
    assert held["position_ids"].dtype == torch.int64


def test_what_float16_cannot_hold_keeps_its_type_and_is_told(tmp_path: Path) -> None:
    tensors = {**weights(), VAE: torch.full((2, 2), 1e6)}

    done = reduced(written(tmp_path / "model.safetensors", tensors), precision=Precision.F16)

    held = load_file(done.target)
    assert (done.too_large, held[VAE].dtype, held[UNET].dtype) == ((VAE,), torch.float32, torch.float16)
    assert torch.equal(held[VAE], tensors[VAE])


def test_eight_bits_are_multiplied_by_their_scale_and_leave_no_trace(tmp_path: Path) -> None:
    eight = weights()[UNET].to(torch.float8_e4m3fn)
    beside = {UNET.replace(".weight", ".scale_weight"): torch.tensor(0.5), "scaled_fp8": torch.zeros(0)}
    path = written(tmp_path / "model.safetensors", {**weights(torch.float16), UNET: eight, **beside})

    done = reduced(path, precision=Precision.F16)

    assert torch.equal(load_file(done.target)[UNET], (eight.float() * 0.5).half())
    assert set(load_file(done.target)) == {UNET, VAE, TEXT}
    assert set(done.dropped) == set(beside)


def test_without_a_wish_for_precision_eight_bits_keep_their_scale(tmp_path: Path) -> None:
    scale = UNET.replace(".weight", ".scale_weight")
    eight = {**weights(torch.float8_e4m3fn), scale: torch.tensor(0.5), "scaled_fp8": torch.zeros(0)}

    held = load_file(
        reduced(written(tmp_path / "model.safetensors", {**eight, "betas": torch.ones(2)}), prune=True).target
    )

    assert held.keys() == eight.keys()
    assert held[UNET].dtype == torch.float8_e4m3fn


def test_averages_are_left_out_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "model.safetensors", {**weights(), "model_ema.x": torch.ones(1), "betas": torch.ones(1)})

    done = reduced(path, keep_ema=False)

    assert (done.dropped, set(load_file(done.target))) == (("model_ema.x",), {UNET, VAE, TEXT, "betas"})


def test_pruning_keeps_what_drawing_needs_and_the_markers(tmp_path: Path) -> None:
    markers = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    useless = {"model_ema.x": torch.ones(1), "alphas_cumprod": torch.ones(1), "first_stage_model.loss.x": torch.ones(1)}
    path = written(tmp_path / "model.safetensors", {**weights(), **markers, **useless, "optimizer.x": torch.ones(1)})

    done = reduced(path, prune=True)

    assert load_file(done.target).keys() == {*weights(), *markers}
    assert set(done.dropped) == {*useless, "optimizer.x"}


def test_the_header_goes_along_without_what_was_said_of_the_old_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.safetensors", weights(), ss_tag="x", sshs_model_hash="ab", **{"modelspec.title": "A"})

    assert read_table(reduced(path, precision=Precision.F16).target).metadata == {
        "format": "pt",
        "modelspec.title": "A",
        "ss_tag": "x",
    }


def test_the_same_bytes_come_of_the_same_file(tmp_path: Path) -> None:
    path = written(tmp_path / "model.safetensors", weights(), a="1", b="2")
    first = reduced(path, precision=Precision.F16)
    content = first.target.read_bytes()
    assert reduced(path, precision=Precision.F16).written is False

    first.target.unlink()
    assert reduced(path, precision=Precision.F16).target.read_bytes() == content


def test_another_file_in_its_place_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "model.safetensors", weights())
    other = written(tmp_path / "reduced.safetensors", weights(torch.float16, seed=1))
    content = other.read_bytes()

    with pytest.raises(Conflict, match="stands there already"):
        reduced(path, precision=Precision.F16)
    assert other.read_bytes() == content


def test_nothing_to_change_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "model.safetensors", weights(torch.float16))
    with pytest.raises(BadValue, match="no numbers but F16 ones"):
        reduced(path, precision=Precision.F16)
    with pytest.raises(BadValue, match="nothing more than is needed"):
        reduced(path, prune=True)
    with pytest.raises(BadValue, match="nothing more than is needed"):
        reduced(path, keep_ema=False)


def test_only_checkpoints_are_pruned_and_not_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="no checkpoint"):
        reduced(written(tmp_path / "lora.safetensors", {"lora_unet_x.alpha": torch.ones(1)}), prune=True)
    with pytest.raises(BadValue, match="nothing left"):
        reduced(written(tmp_path / "ema.safetensors", {"model_ema.x": torch.ones(1)}), keep_ema=False)


def test_packed_weights_are_not_taken_for_numbers(tmp_path: Path) -> None:
    packed = {"a.weight": torch.ones(2, 2, dtype=torch.uint8), "a.weight.absmax": torch.ones(1)}

    with pytest.raises(Incompatible, match=r"a\.weight of .* is packed"):
        reduced(written(tmp_path / "model.safetensors", packed), precision=Precision.F16)


def test_what_changes_while_it_is_read_is_not_published(tmp_path: Path) -> None:
    path = written(tmp_path / "model.safetensors", weights())
    target = tmp_path / "reduced.safetensors"
    job = rewrite(plan_reduced(path, precision=Precision.BF16, keep_ema=True, prune=False), target)
    for _ in range(3):
        next(job)
    with path.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\1\2\3\4")

    with pytest.raises(BrokenFile, match="did not read back"):
        drain(job)
    assert [one.name for one in tmp_path.iterdir()] == ["model.safetensors"]
