"""LoRA files in their dialects: which module gets which factors, and what is refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference.adapters.layers import (
    Decomposed,
    General,
    Hadamard,
    Kronecker,
    Layer,
    LowRank,
    Orthogonal,
    Replaced,
    Rescaled,
    Scale,
    Whole,
)
from inference.adapters.lora import parse_lora
from inference.adapters.targets import Target, kohya_name
from inference.plan import plan_adapter
from inference.weights.parts import Part
from inference.weights.save import save_tensors
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


def read(path: Path, parts: Mapping[str, Part]) -> Mapping[Target, Layer]:
    return parse_lora(path, read_table(path), parts).layers


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

    assert read(path, parts) == {UNET_TARGET: LowRank(down, up, Scale(rank=2))}


def test_old_processors_hang_the_first_output_layer_on_to_out(parts: Mapping[str, Part], tmp_path: Path) -> None:
    name = f"unet.{TO_OUT.removesuffix('.to_out.0')}.processor.to_out_lora"
    path = write(tmp_path / "x.safetensors", {f"{name}.down.weight": DOWN, f"{name}.up.weight": UP})

    assert list(read(path, parts)) == [OUT_TARGET]


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

    assert list(read(path, parts)) == [TEXT_TARGET]


def test_kohya_names_are_those_that_are_read(parts: Mapping[str, Part], tmp_path: Path) -> None:
    """Of every module of the base: no two share a name."""
    targets = [Target(role, module) for role in ("unet", "text_encoder") for module in parts[role].modules]
    shapes = {kohya_name(one): parts[one.role].modules[one.module] for one in targets}
    matrices = {name: shape for name, shape in shapes.items() if len(shape) > 1}
    path = write(tmp_path / "x.safetensors", tiny.lora_tensors(matrices))

    layers = read(path, parts)

    assert len(shapes) == len(targets)
    assert {kohya_name(target) for target in layers} == set(matrices)
    assert layers[UNET_TARGET] == low_rank(f"lora_unet_{underscored(TO_Q)}", alpha=True)


def low_rank(name: str, *, alpha: bool = False, rank: int = 2) -> LowRank:
    scale = Scale(rank, f"{name}.alpha" if alpha else None)
    return LowRank(f"{name}.lora_down.weight", f"{name}.lora_up.weight", scale)


def alpha_of(tmp_path: Path, parts: Mapping[str, Part], header: object, *, rank: int = 2) -> str | float | None:
    down, up = DIALECTS["peft"]
    tensors = {down: torch.randn(rank, 8), up: torch.randn(8, rank)}
    path = write(tmp_path / "x.safetensors", tensors, lora_adapter_metadata=json.dumps(header))
    layer = read(path, parts)[UNET_TARGET]
    assert isinstance(layer, LowRank)
    return layer.scale.alpha


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

    assert read(path, parts) == {UNET_TARGET: low_rank(name, alpha=True)}


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


def test_a_lora_of_which_the_base_has_nothing_is_refused(parts: Mapping[str, Part], tmp_path: Path) -> None:
    name = "lora_unet_down_blocks_3_attentions_0_proj_in"

    assert refused(tmp_path, parts, tiny.lora_tensors({name: (8, 8)})) == (
        f"kip.safetensors changes {name}, and nothing else that the base model has"
    )


@pytest.mark.parametrize(
    ("key", "model"),
    [
        ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", "FLUX"),
        ("double_blocks.0.processor.qkv_lora1.down.weight", "FLUX"),
        ("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", "FLUX"),
        ("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight", "Stable Diffusion 3"),
    ],
)
def test_loras_of_other_models_are_recognised_by_their_names(
    parts: Mapping[str, Part], tmp_path: Path, key: str, model: str
) -> None:
    up = next(key.replace(one, other) for one, other in {**OTHER, "lora1.down": "lora1.up"}.items() if one in key)
    tensors = {
        key: DOWN,
        up: UP,
        key.replace("_0", "_1").replace(".0", ".1"): DOWN,
        up.replace("_0", "_1").replace(".0", ".1"): UP,
    }

    message = refused(tmp_path, parts, tensors)

    assert message.startswith("kip.safetensors changes 2 modules")
    assert message.endswith(f"of which the base model has none: it is made for {model}")


def test_what_the_base_lacks_is_left_out_and_told(parts: Mapping[str, Part], tmp_path: Path) -> None:
    """A second text encoder, and an embedding that OneTrainer bundles."""
    ours, theirs = f"lora_unet_{underscored(TO_Q)}", f"lora_te2_{underscored(Q_PROJ)}"
    tensors = tiny.lora_tensors({ours: (8, 8), theirs: (16, 16)})
    path = write(tmp_path / "kip.safetensors", {**tensors, "bundle_emb.kip.clip_l": torch.ones(1, 16)})

    plan = plan_adapter(path, parts, name="kip")

    assert list(plan.layers) == [UNET_TARGET]
    assert set(plan.skipped) == {theirs, "bundle_emb.kip"}
    assert plan.notice == "kip: bundle_emb.kip and 1 more modules have no place in the base model and are left out"


# Algorithms

NAME = f"lora_unet_{underscored(TO_Q)}"
ALPHA = {"alpha": ()}
PAIR = {"lora_down.weight": (2, 8), "lora_up.weight": (8, 2), **ALPHA}
HADA = {"hada_w1_a": (8, 2), "hada_w1_b": (2, 8), "hada_w2_a": (8, 2), "hada_w2_b": (2, 8), **ALPHA}
GLORA = {"a1.weight": (8, 2), "a2.weight": (2, 8), "b1.weight": (8, 2), "b2.weight": (2, 8), **ALPHA}
OLD_GLORA = {"a1.weight": (2, 8), "a2.weight": (8, 2), "b1.weight": (2, 8), "b2.weight": (8, 2), **ALPHA}


def named(*endings: str | None) -> list[str | None]:
    return [ending and f"{NAME}.{ending}" for ending in endings]


LOKR = named("lokr_w1", None, None, "lokr_w2", None, None, None)
HALF_LOKR = named("lokr_w1", None, None, None, "lokr_w2_a", "lokr_w2_b", None)
SPLIT_LOKR = named(None, "lokr_w1_a", "lokr_w1_b", None, "lokr_w2_a", "lokr_w2_b", None)
ALGORITHMS: dict[str, tuple[dict[str, tuple[int, ...]], Layer]] = {
    "lora": (PAIR, low_rank(NAME, alpha=True)),
    "scale": ({**PAIR, "scale": ()}, replace(low_rank(NAME), scale=Scale(2, f"{NAME}.alpha", f"{NAME}.scale"))),
    "dora by row": ({**PAIR, "dora_scale": (8, 1)}, Decomposed(low_rank(NAME, alpha=True), f"{NAME}.dora_scale", True)),
    "dora by column": (
        {**PAIR, "dora_scale": (1, 8)},
        Decomposed(low_rank(NAME, alpha=True), f"{NAME}.dora_scale", False),
    ),
    "loha": (HADA, Hadamard(*(f"{NAME}.{one}" for one in list(HADA)[:4]), Scale(2, f"{NAME}.alpha"))),
    "lokr": ({"lokr_w1": (2, 2), "lokr_w2": (4, 4), **ALPHA}, Kronecker(*LOKR, Scale())),
    "half lokr": (
        {"lokr_w1": (2, 2), "lokr_w2_a": (4, 2), "lokr_w2_b": (2, 4), **ALPHA},
        Kronecker(*HALF_LOKR, Scale(2, f"{NAME}.alpha")),
    ),
    "split lokr": (
        {"lokr_w1_a": (2, 1), "lokr_w1_b": (1, 2), "lokr_w2_a": (4, 1), "lokr_w2_b": (1, 4), **ALPHA},
        Kronecker(*SPLIT_LOKR, Scale(1, f"{NAME}.alpha")),
    ),
    "glora": (GLORA, General(*(f"{NAME}.{one}" for one in list(GLORA)[:4]), None, Scale(2, f"{NAME}.alpha"), False)),
    "old glora": (
        OLD_GLORA,
        General(*(f"{NAME}.{one}" for one in list(GLORA)[:4]), None, Scale(2, f"{NAME}.alpha"), True),
    ),
    "oft": ({"oft_blocks": (2, 4, 4), **ALPHA}, Orthogonal(f"{NAME}.oft_blocks", False, f"{NAME}.alpha", None)),
    "old oft": ({"oft_diag": (2, 4, 4)}, Orthogonal(f"{NAME}.oft_diag", True, None, None)),
    "boft": (
        {"oft_blocks": (2, 2, 4, 4), "rescale": (8, 1)},
        Orthogonal(f"{NAME}.oft_blocks", False, None, f"{NAME}.rescale"),
    ),
    "ia3": ({"weight": (8,), "on_input": ()}, Rescaled(f"{NAME}.weight", f"{NAME}.on_input")),
    "full": ({"diff": (8, 8)}, Whole(f"{NAME}.diff")),
    "set": ({"set_weight": (8, 8)}, Replaced(f"{NAME}.set_weight")),
}


@pytest.mark.parametrize(("shapes", "layer"), ALGORITHMS.values(), ids=ALGORITHMS)
def test_every_algorithm_is_known_by_its_tensors(
    parts: Mapping[str, Part], tmp_path: Path, shapes: dict[str, tuple[int, ...]], layer: Layer
) -> None:
    tensors = {f"{NAME}.{ending}": torch.ones(shape) for ending, shape in shapes.items()}

    plan = plan_adapter(write(tmp_path / "x.safetensors", tensors), parts, name="x")

    assert plan.layers == {UNET_TARGET: layer}
    unread = {f"{NAME}.alpha"} if shapes is ALGORITHMS["lokr"][0] else set()
    assert set(plan.tensor_names()) == tensors.keys() - unread


@pytest.mark.parametrize(("shapes", "layer"), ALGORITHMS.values(), ids=ALGORITHMS)
def test_every_algorithm_is_checked_against_the_weight(
    parts: Mapping[str, Part], tmp_path: Path, shapes: dict[str, tuple[int, ...]], layer: Layer
) -> None:
    larger = {
        ending: tuple(12 if side == 8 else 6 if side == 4 else side for side in shapes[ending]) for ending in shapes
    }
    tensors = {f"{NAME}.{ending}": torch.ones(shape) for ending, shape in larger.items()}

    assert "does not fit" in refused(tmp_path, parts, tensors)


def test_norms_and_biases_are_parameters_of_their_own(parts: Mapping[str, Part], tmp_path: Path) -> None:
    norm, conv = "down_blocks.0.resnets.0.norm1", "conv_out"
    tensors = {f"lora_unet_{underscored(norm)}.{one}": torch.ones(8) for one in ("w_norm", "b_norm")}
    path = write(tmp_path / "x.safetensors", {**tensors, f"diffusion_model.{conv}.diff_b": torch.ones(4)})

    assert set(read(path, parts)) == {
        Target("unet", norm),
        Target("unet", norm, "bias"),
        Target("unet", conv, "bias"),
    }


def test_a_bias_that_the_base_lacks_is_refused(parts: Mapping[str, Part], tmp_path: Path) -> None:
    assert refused(tmp_path, parts, {f"{NAME}.diff_b": torch.ones(8)}) == (
        f"kip.safetensors changes the bias of {TO_Q}, where the base has none"
    )


def test_a_module_in_two_spellings_is_refused(parts: Mapping[str, Part], tmp_path: Path) -> None:
    tensors = tiny.lora_tensors({NAME: (8, 8), f"unet.{TO_Q}": (8, 8)})

    assert refused(tmp_path, parts, tensors) == f"kip.safetensors changes {TO_Q} twice, once as unet.{TO_Q}"


@pytest.mark.parametrize("key", ["ia3_l", "oft_R.weight", "boft_R", "lora_embedding_A", "weight"])
def test_an_unknown_algorithm_is_refused_by_its_tensor(parts: Mapping[str, Part], tmp_path: Path, key: str) -> None:
    message = refused(tmp_path, parts, {**tiny.lora_tensors({NAME: (8, 8)}), f"{NAME}.{key}": torch.ones(2, 2)})

    assert message.startswith(f"kip.safetensors holds {NAME}.{key}")
    assert message.endswith("of no LoRA algorithm that is known")


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
