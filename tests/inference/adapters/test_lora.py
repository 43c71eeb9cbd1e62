"""LoRA files in their dialects: which module gets which factors, and what is refused."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference.adapters.lora import Target, kohya_name, parse_lora
from inference.plan import plan_adapter
from inference.weights.save import save_tensors
from inference.weights.single_file import Part
from modelhub.errors import Incompatible
from modelhub.headers import read_table
from tests import tiny

TO_Q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
TO_OUT = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0"
Q_PROJ = "text_model.encoder.layers.0.self_attn.q_proj"
UNET_TARGET, OUT_TARGET, TEXT_TARGET = Target("unet", TO_Q), Target("unet", TO_OUT), Target("text_encoder", Q_PROJ)
DOWN, UP = torch.randn(2, 8), torch.randn(8, 2)
TEXT_DOWN, TEXT_UP = torch.randn(2, 16), torch.randn(16, 2)


def underscored(name: str) -> str:
    return name.replace(".", "_")


def write(path: Path, tensors: Mapping[str, Tensor], **metadata: str) -> Path:
    save_tensors(path, tensors, metadata)
    return path


DIALECTS = {
    "kohya": (f"lora_unet_{underscored(TO_Q)}.lora_down.weight", f"lora_unet_{underscored(TO_Q)}.lora_up.weight"),
    "peft": (f"unet.{TO_Q}.lora_A.weight", f"unet.{TO_Q}.lora_B.weight"),
    "raw peft": (f"base_model.model.{TO_Q}.lora_A.weight", f"base_model.model.{TO_Q}.lora_B.weight"),
    "old diffusers": (f"unet.{TO_Q}.lora.down.weight", f"unet.{TO_Q}.lora.up.weight"),
    "old processors": (
        f"unet.{TO_Q.replace('to_q', 'processor.to_q')}_lora.down.weight",
        f"unet.{TO_Q.replace('to_q', 'processor.to_q')}_lora.up.weight",
    ),
}


@pytest.mark.parametrize(("down", "up"), DIALECTS.values(), ids=DIALECTS)
def test_every_dialect_names_the_unets_module(parts: Mapping[str, Part], tmp_path: Path, down: str, up: str) -> None:
    path = write(tmp_path / "x.safetensors", {down: DOWN, up: UP})

    layers = parse_lora(path, read_table(path), parts)

    assert list(layers) == [UNET_TARGET]
    assert (layers[UNET_TARGET].down, layers[UNET_TARGET].up, layers[UNET_TARGET].rank) == (down, up, 2)


def test_old_processors_hang_the_first_output_layer_on_to_out(parts: Mapping[str, Part], tmp_path: Path) -> None:
    name = f"unet.{TO_OUT.removesuffix('.to_out.0')}.processor.to_out_lora"
    path = write(tmp_path / "x.safetensors", {f"{name}.down.weight": DOWN, f"{name}.up.weight": UP})

    assert list(parse_lora(path, read_table(path), parts)) == [OUT_TARGET]


TEXT_NAMES = {
    "kohya": f"lora_te_{underscored(Q_PROJ)}.lora_down.weight",
    "kohya as transformers 5.6 says it": f"lora_te_{underscored(Q_PROJ.removeprefix('text_model.'))}.lora_down.weight",
    "kohya's first of two": f"lora_te1_{underscored(Q_PROJ)}.lora_down.weight",
    "peft": f"text_encoder.{Q_PROJ}.lora_A.weight",
    "peft as transformers 5.6 says it": f"text_encoder.{Q_PROJ.removeprefix('text_model.')}.lora_A.weight",
    "old diffusers": f"text_encoder.{Q_PROJ}.lora_linear_layer.down.weight",
}
OTHER = {"lora_down": "lora_up", "lora_A": "lora_B", "lora_linear_layer.down": "lora_linear_layer.up"}


@pytest.mark.parametrize("down", TEXT_NAMES.values(), ids=TEXT_NAMES)
def test_every_dialect_names_the_text_encoders_module(parts: Mapping[str, Part], tmp_path: Path, down: str) -> None:
    up = next(down.replace(one, other) for one, other in OTHER.items() if one in down)
    path = write(tmp_path / "x.safetensors", {down: TEXT_DOWN, up: TEXT_UP})

    assert list(parse_lora(path, read_table(path), parts)) == [TEXT_TARGET]


def test_kohya_names_are_those_that_are_read(parts: Mapping[str, Part], tmp_path: Path) -> None:
    """Of every module of the base: no two share a name."""
    targets = [Target(role, module) for role in ("unet", "text_encoder") for module in parts[role].modules]
    shapes = {kohya_name(one): parts[one.role].modules[one.module] for one in targets}
    matrices = {name: shape for name, shape in shapes.items() if len(shape) > 1}
    path = write(tmp_path / "x.safetensors", tiny.lora_tensors(matrices))

    layers = parse_lora(path, read_table(path), parts)

    assert len(shapes) == len(targets)
    assert {kohya_name(target) for target in layers} == set(matrices)
    assert layers[UNET_TARGET].down == f"lora_unet_{underscored(TO_Q)}.lora_down.weight"


def alpha_of(tmp_path: Path, parts: Mapping[str, Part], header: object, *, rank: int = 2) -> str | float | None:
    down, up = DIALECTS["peft"]
    tensors = {down: torch.randn(rank, 8), up: torch.randn(8, rank)}
    path = write(tmp_path / "x.safetensors", tensors, lora_adapter_metadata=json.dumps(header))
    return parse_lora(path, read_table(path), parts)[UNET_TARGET].alpha


@pytest.mark.parametrize(
    ("header", "alpha"),
    [
        ({"unet.lora_alpha": 8}, 8.0),
        ({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_q": 3}}, 3.0),
        ({"unet.lora_alpha": 8, "unet.alpha_pattern": {TO_Q: 3}}, 3.0),
        ({"unet.lora_alpha": 8, "unet.alpha_pattern": {"o_q": 3}}, 8.0),
        ({"text_encoder.lora_alpha": 8}, None),
        ({"unet.lora_alpha": 8, "unet.use_rslora": True}, 16.0),
        ({"unet.lora_alpha": "x"}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_pefts_alpha_is_read_from_the_header(
    parts: Mapping[str, Part], tmp_path: Path, header: object, alpha: float | None
) -> None:
    assert alpha_of(tmp_path, parts, header, rank=4) == alpha


def test_alphas_in_the_file_come_before_those_of_the_header(parts: Mapping[str, Part], tmp_path: Path) -> None:
    name = f"lora_unet_{underscored(TO_Q)}"
    tensors = tiny.lora_tensors({name: (8, 8)}, alpha=1.0)
    path = write(tmp_path / "x.safetensors", tensors, lora_adapter_metadata='{"unet.lora_alpha": 8}')

    assert parse_lora(path, read_table(path), parts)[UNET_TARGET].alpha == f"{name}.alpha"


def refused(tmp_path: Path, parts: Mapping[str, Part], tensors: Mapping[str, Tensor]) -> str:
    path = write(tmp_path / "kip.safetensors", tensors)
    with pytest.raises(Incompatible) as caught:
        plan_adapter(path, parts, name="kip")
    return caught.value.message


def test_a_lora_for_real_stable_diffusion_is_refused_naming_module_and_width(
    parts: Mapping[str, Part], tmp_path: Path
) -> None:
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"

    message = refused(tmp_path, parts, tiny.lora_tensors({name: (320, 768)}))

    assert message == (
        "kip.safetensors does not fit: its down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k is 320x768, "
        "the base model's 8x16"
    )


def test_a_module_that_the_base_lacks_is_named(parts: Mapping[str, Part], tmp_path: Path) -> None:
    name = "lora_unet_down_blocks_3_attentions_0_proj_in"

    message = refused(tmp_path, parts, tiny.lora_tensors({name: (8, 8)}))

    assert message == f"kip.safetensors changes {name}, which the base model does not have"


@pytest.mark.parametrize(
    "key", ["hada_w1_a", "lokr_w1", "oft_blocks", "dora_scale", "lora_magnitude_vector", "diff", "lora_mid.weight"]
)
def test_another_algorithm_is_refused_by_its_tensor(parts: Mapping[str, Part], tmp_path: Path, key: str) -> None:
    name = f"lora_unet_{underscored(TO_Q)}"

    message = refused(tmp_path, parts, {**tiny.lora_tensors({name: (8, 8)}), f"{name}.{key}": torch.ones(2, 2)})

    assert message == f"kip.safetensors holds {name}.{key}, which is of no LoRA algorithm that can be applied yet"


@pytest.mark.parametrize(("role", "suffix"), [("up", "lora_up.weight"), ("down", "lora_down.weight")])
def test_a_missing_factor_is_named(parts: Mapping[str, Part], tmp_path: Path, role: str, suffix: str) -> None:
    name = f"lora_unet_{underscored(TO_Q)}"
    tensors = tiny.lora_tensors({name: (8, 8)})
    del tensors[f"{name}.{suffix}"]

    assert refused(tmp_path, parts, tensors) == f"kip.safetensors lacks the {role} factor of {name}"


def test_factors_of_two_ranks_do_not_fit(parts: Mapping[str, Part], tmp_path: Path) -> None:
    tensors = {f"unet.{TO_Q}.lora_A.weight": torch.ones(2, 8), f"unet.{TO_Q}.lora_B.weight": torch.ones(8, 3)}

    assert "does not fit" in refused(tmp_path, parts, tensors)


def test_a_file_without_layers_is_no_lora(parts: Mapping[str, Part], tmp_path: Path) -> None:
    assert refused(tmp_path, parts, {}) == "kip.safetensors holds no LoRA layers"
