"""Parts from files of their own: any layout, any prefix, eight bits, old names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from inference.weights.export import checkpoint_tensors
from inference.weights.load import build, load_part
from inference.weights.parts import TEXT_ROLES, Weights
from inference.weights.save import save_tensors
from inference.weights.single_file import checkpoint_parts, part_in, text_width
from inference.weights.text_encoder import canonical
from modelhub.errors import BrokenFile
from modelhub.families import family
from modelhub.headers import TensorEntry, TensorTable, read_table
from tests import tiny, tiny_families
from tests.architectures import UNETS

CPU = torch.device("cpu")
SD1, SDXL = family("sd1"), family("sdxl")
FP8 = [torch.float8_e4m3fn, torch.float8_e5m2]


def weights(path: Path, tensors: Mapping[str, Tensor]) -> Weights:
    save_tensors(path, tensors, tiny.write_hints(tiny.HINTS))
    return Weights(path, read_table(path))


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}


def above(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: one for name, one in tensors.items()}


def assert_is(module: nn.Module, original: nn.Module) -> None:
    state, theirs = module.state_dict(), original.state_dict()
    assert state.keys() == theirs.keys()
    assert all(torch.equal(state[name], one) for name, one in theirs.items())


def loaded(weights: Weights, of: Any, role: str) -> nn.Module:
    return load_part(part_in(weights, of, role), device=CPU, dtype=torch.float32)


@pytest.mark.parametrize("prefix", ["", "diffusion_model.", "model.diffusion_model.", "unet."])
@pytest.mark.parametrize("layout", ["ldm", "diffusers"])
def test_a_unet_is_found_under_any_prefix_and_in_either_layout(tmp_path: Path, prefix: str, layout: str) -> None:
    models = tiny_families.sdxl_models()
    ldm = below("model.diffusion_model.", checkpoint_tensors(**models, family="sdxl"))
    state = ldm if layout == "ldm" else models["unet"].state_dict()

    assert_is(loaded(weights(tmp_path / "unet.safetensors", above(prefix, state)), SDXL, "unet"), models["unet"])


@pytest.mark.parametrize(
    "name", [one for one in UNETS if one.startswith(("sd1", "sd2", "sdxl")) and "unclip" not in one]
)
def test_the_sizes_of_a_real_unet_are_read_from_diffusers_names_too(name: str) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**UNETS[name][1])
    shapes = {key: tuple(one.shape) for key, one in unet.state_dict().items()}
    table = TensorTable({key: TensorEntry("F16", shape, (0, 0)) for key, shape in shapes.items()}, {})

    part = part_in(Weights(Path("unet.safetensors"), table), family(name.partition(" ")[0]), "unet")

    assert {key: tuple(one.shape) for key, one in build(part).state_dict().items()} == shapes


def test_what_stands_beside_a_bare_unet_is_none_of_it(tmp_path: Path) -> None:
    models = tiny_families.sdxl_models()
    one = torch.ones(1)
    junk = {"v_pred": one, "model_ema.decay": one, "scaled_fp8": one, "alphas_cumprod": one, "vae.quant_conv.bias": one}

    part = part_in(weights(tmp_path / "unet.safetensors", models["unet"].state_dict() | junk), SDXL, "unet")

    assert part.keys.keys() == models["unet"].state_dict().keys()


@pytest.mark.parametrize("prefix", ["", "text_model.", "cond_stage_model.transformer.text_model.", "text_encoder."])
def test_a_clip_of_transformers_names_is_found_under_any_prefix(tmp_path: Path, prefix: str) -> None:
    encoder = tiny.models()["text_encoder"]
    state = {canonical(name).removeprefix("text_model."): one for name, one in encoder.state_dict().items()}
    vision = {"vision_model.embeddings.position_embedding.weight": torch.ones(2, 2), "logit_scale": torch.ones(())}

    found = weights(tmp_path / "clip.safetensors", above(prefix, state) | vision)

    assert text_width(found) == 16
    assert_is(loaded(found, SD1, "text_encoder"), encoder)


@pytest.mark.parametrize("prefix", ["", "model.", "conditioner.embedders.1.model."])
def test_a_clip_of_openclips_names_is_found_under_any_prefix(tmp_path: Path, prefix: str) -> None:
    models = tiny_families.sdxl_models()
    tensors = below("conditioner.embedders.1.model.", checkpoint_tensors(**models, family="sdxl"))

    found = weights(tmp_path / "clip_g.safetensors", above(prefix, tensors))

    assert_is(loaded(found, SDXL, "text_encoder_2"), models["text_encoder_2"])


def test_a_projecting_clip_of_transformers_names_keeps_its_projection(tmp_path: Path) -> None:
    encoder = tiny_families.sdxl_models()["text_encoder_2"]
    state = {canonical(name): one for name, one in encoder.state_dict().items()}

    assert_is(loaded(weights(tmp_path / "clip_g.safetensors", state), SDXL, "text_encoder_2"), encoder)


def test_a_vae_with_the_names_that_diffusers_once_gave_its_attention_loads(tmp_path: Path) -> None:
    vae = tiny.models()["vae"]
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    state = dict(vae.state_dict())
    for new, name in old.items():
        state = {key.replace(f"attentions.0.{new}.", f"attentions.0.{name}."): one for key, one in state.items()}

    assert "decoder.mid_block.attentions.0.proj_attn.bias" in state
    assert_is(loaded(weights(tmp_path / "vae.safetensors", state), SD1, "vae"), vae)


@pytest.mark.parametrize("dtype", FP8)
def test_plain_eight_bits_are_widened_as_they_are_loaded(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {name: one.to(dtype) for name, one in checkpoint_tensors(**tiny.models()).items()}

    module = loaded(weights(tmp_path / "fp8.safetensors", tensors), SD1, "unet")

    weight = module.get_parameter("conv_in.weight")
    assert weight.dtype == torch.float32
    assert torch.equal(weight, tensors["model.diffusion_model.input_blocks.0.0.weight"].float())


@pytest.mark.parametrize("ending", ["scale_weight", "weight_scale"])
def test_scaled_eight_bits_are_multiplied_by_their_scale(tmp_path: Path, ending: str) -> None:
    tensors = checkpoint_tensors(**tiny_families.sdxl_models(), family="sdxl")
    plain = loaded(weights(tmp_path / "plain.safetensors", tensors), SDXL, "unet")
    for name in [one for one in tensors if one.endswith("to_q.weight")]:
        scale = tensors[name].abs().amax() / 448
        tensors[name] = (tensors[name] / scale).to(torch.float8_e4m3fn)
        tensors[f"{name.removesuffix('weight')}{ending}"] = scale
        tensors[f"{name.removesuffix('weight')}scale_input"] = torch.ones(())

    module = loaded(weights(tmp_path / "scaled.safetensors", tensors), SDXL, "unet")

    name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    torch.testing.assert_close(module.get_parameter(name), plain.get_parameter(name), rtol=0.07, atol=0.002)


def test_bfloat16_stays_mapped_where_it_is_wanted(tmp_path: Path) -> None:
    tensors = {name: one.bfloat16() for name, one in checkpoint_tensors(**tiny.models()).items()}
    part = part_in(weights(tmp_path / "bf16.safetensors", tensors), SD1, "unet")

    module = load_part(part, device=CPU, dtype=torch.bfloat16)

    name = "model.diffusion_model.input_blocks.0.0.weight"
    assert torch.equal(module.get_parameter("conv_in.weight"), tensors[name])


@pytest.mark.parametrize(("role", "what"), [("unet", "UNet"), ("vae", "VAE"), ("text_encoder", "text encoder")])
def test_a_file_without_the_part_says_so(tmp_path: Path, role: str, what: str) -> None:
    with pytest.raises(BrokenFile, match=f"it holds no {what} in any layout that we know"):
        part_in(weights(tmp_path / "odd.safetensors", {"x.weight": torch.ones(2)}), SD1, role)


@pytest.mark.parametrize(
    "shapes",
    [
        {"input_blocks.0.0.weight": ()},
        {"input_blocks.0.0.weight": (8, 4, 3, 3), "middle_block.0.out_layers.3.weight": (8,)},
        {"conv_in.weight": (8,), "label_emb.0.0.weight": (3,)},
        {"conv_in.weight": (8, 4, 3, 3), "down_blocks.0.resnets.0.conv2.weight": (0,)},
    ],
)
def test_shapes_that_make_no_unet_are_refused_when_it_is_built(shapes: dict[str, tuple[int, ...]]) -> None:
    table = TensorTable({name: TensorEntry("F16", shape, (0, 0)) for name, shape in shapes.items()}, {})

    part = part_in(Weights(Path("odd.safetensors"), table), SDXL, "unet")

    with pytest.raises(BrokenFile, match=r"odd\.safetensors"):
        load_part(part, device=CPU, dtype=torch.float32)


@pytest.mark.parametrize(
    "names", [("token_embedding.weight", "text_projection"), ("embeddings.token_embedding.weight",)]
)
def test_shapes_that_make_no_text_encoder_are_none(names: tuple[str, ...]) -> None:
    table = TensorTable({name: TensorEntry("F16", (3,), (0, 0)) for name in names}, {})

    with pytest.raises(BrokenFile, match="it holds no second text encoder"):
        part_in(Weights(Path("odd.safetensors"), table), SDXL, "text_encoder_2")


def test_a_whole_pipeline_in_one_file_of_diffusers_names_is_a_checkpoint(tmp_path: Path) -> None:
    models = tiny_families.sdxl_models()
    tensors: dict[str, Tensor] = {}
    for role, model in models.items():
        named = {canonical(name) if role in TEXT_ROLES else name: one for name, one in model.state_dict().items()}
        tensors |= above(f"{role}.", named)
    path = tmp_path / "pipeline.safetensors"

    save_tensors(path, tensors, tiny.write_hints(tiny_families.HINTS))

    parts = checkpoint_parts(path, read_table(path), SDXL)
    for role, part in parts.items():
        assert_is(load_part(part, device=CPU, dtype=torch.float32), models[role])
