"""LoRA on a base: nothing at first, all of it afterwards, and a file that everybody reads alike."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

from inference.adapters.merge import deltas
from inference.adapters.targets import Target
from inference.plan import plan_adapter
from inference.weights.load import read_tensors
from inference.weights.save import save_tensors
from inference.weights.single_file import TEXT_ENCODER, UNET, Part
from modelhub.errors import BrokenFile
from tests.trainers.methods.loras import Models, answers, learnt, loaded, planned, recipe, saved
from trainers.methods.lora import prepare


@pytest.fixture
def models(parts: Mapping[str, Part]) -> Models:
    return loaded(parts)


def test_new_factors_change_nothing(models: Models, parts: Mapping[str, Part]) -> None:
    before = answers(models)

    prepare(models, planned(parts), recipe())

    assert all(torch.equal(now, then) for now, then in zip(answers(models), before, strict=True))


def test_learnt_factors_change_both_parts(models: Models, parts: Mapping[str, Part]) -> None:
    before = answers(models)

    learnt(prepare(models, planned(parts), recipe()))

    assert not any(torch.allclose(now, then, atol=1e-3) for now, then in zip(answers(models), before, strict=True))


def test_detached_factors_leave_the_base_as_it_was(models: Models, parts: Mapping[str, Part]) -> None:
    before = answers(models)
    weights = {role: {name: one.clone() for name, one in models[role].state_dict().items()} for role in models}

    learnt(prepare(models, planned(parts), recipe())).detach()

    assert all(torch.equal(now, then) for now, then in zip(answers(models), before, strict=True))
    for role, state in weights.items():
        assert all(torch.equal(models[role].state_dict()[name], one) for name, one in state.items())


def test_only_factors_get_gradients(models: Models, parts: Mapping[str, Part]) -> None:
    lora = prepare(models, planned(parts), recipe())

    sum(answer.square().mean() for answer in answers(models)).backward()

    assert all(parameter.grad is None for module in models.values() for parameter in module.parameters())
    ups = [name for name, parameter in lora.module.named_parameters() if name.endswith(".up") and parameter.grad.any()]
    assert len(ups) == len(lora.module)


def test_the_factors_begin_as_kohyas_and_follow_the_seed(models: Models, parts: Mapping[str, Part]) -> None:
    first, same, other = (prepare(models, planned(parts), recipe(seed=seed)).module.state_dict() for seed in (0, 0, 1))

    for name, factor in first.items():
        assert torch.equal(factor, same[name])
        if name.endswith(".up"):
            assert not factor.any()
        else:
            bound = factor.shape[1] ** -0.5
            assert bound / 2 < factor.abs().max() <= bound
            assert not torch.equal(factor, other[name])


def test_the_groups_hold_every_factor_once_each_part_at_its_rate(models: Models, parts: Mapping[str, Part]) -> None:
    lora = prepare(models, planned(parts), recipe(text=3e-5))

    groups = lora.groups()

    assert [(group.name, group.learning_rate) for group in groups] == [("unet", 5e-4), ("text_encoder", 3e-5)]
    held = [id(parameter) for group in groups for parameter in group.parameters]
    assert sorted(held) == sorted(id(parameter) for parameter in lora.module.parameters())


def test_at_rate_0_the_text_encoder_is_left_alone(models: Models, parts: Mapping[str, Part]) -> None:
    lora = prepare(models, planned(parts), recipe(text=0))

    assert not lora.trains_text_encoder
    assert [group.name for group in lora.groups()] == ["unet"]
    assert all(name.startswith("lora_unet_") for name in lora.tensors())


def test_the_keys_are_kohyas_with_text_model_whatever_transformers_says(
    models: Models, parts: Mapping[str, Part]
) -> None:
    tensors = prepare(models, planned(parts), recipe(rank=4, alpha=3.0)).tensors()

    names = {name.partition(".")[0] for name in tensors}
    assert "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k" in names
    assert "lora_te_text_model_encoder_layers_0_self_attn_q_proj" in names
    assert set(tensors) == {
        f"{name}{end}" for name in names for end in (".lora_down.weight", ".lora_up.weight", ".alpha")
    }
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert {tensor.item() for name, tensor in tensors.items() if name.endswith(".alpha")} == {3.0}


def test_factors_of_a_convolution_are_written_as_convolutions(models: Models, parts: Mapping[str, Part]) -> None:
    tensors = prepare(models, planned(parts), recipe(rank=4)).tensors()
    name = "lora_unet_down_blocks_0_attentions_0_proj_in"

    assert tensors[f"{name}.lora_down.weight"].shape == (4, 8, 1, 1)
    assert tensors[f"{name}.lora_up.weight"].shape == (8, 4, 1, 1)


@pytest.mark.parametrize("alpha", [3.0, None])
def test_merging_the_file_draws_what_the_factors_drew(
    models: Models, parts: Mapping[str, Part], tmp_path: Path, alpha: float | None
) -> None:
    lora = learnt(prepare(models, planned(parts), recipe(alpha=alpha)))
    during = answers(models)
    path = saved(lora, tmp_path / "kip.safetensors")
    lora.detach()

    for target, delta in deltas(plan_adapter(path, parts, name="kip")):
        name = target.module
        module = models[target.role]
        if target.role == TEXT_ENCODER and not hasattr(module, "text_model"):
            name = name.removeprefix("text_model.")
        weight = module.get_submodule(name).weight
        weight.data = weight.data + delta.reshape(weight.shape)

    for now, then in zip(answers(models), during, strict=True):
        torch.testing.assert_close(now, then, rtol=0, atol=5e-3)


def test_a_file_as_it_was_written_passes_the_check(models: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    lora = learnt(prepare(models, planned(parts), recipe()))

    lora.check(lora.exports(["kohya"])[0], saved(lora, tmp_path / "kip.safetensors"))


@pytest.mark.parametrize("factor", ["lora_up.weight", "lora_down.weight", "alpha"])
@pytest.mark.parametrize(
    "module", ["lora_unet_mid_block_attentions_0_proj_out", "lora_te_text_model_encoder_layers_1_mlp_fc2"]
)
def test_a_file_with_one_other_tensor_fails_the_check(
    models: Models, parts: Mapping[str, Part], tmp_path: Path, module: str, factor: str
) -> None:
    lora = learnt(prepare(models, planned(parts), recipe()))
    tensors = lora.tensors()
    changed = tensors[f"{module}.{factor}"].clone()
    changed.view(-1)[0] += 0.25
    save_tensors(tmp_path / "kip.safetensors", {**tensors, f"{module}.{factor}": changed}, {})

    with pytest.raises(BrokenFile, match="reads back other than it was trained"):
        lora.check(lora.exports(["kohya"])[0], tmp_path / "kip.safetensors")


def test_a_file_that_lacks_a_layer_fails_the_check(models: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    lora = learnt(prepare(models, planned(parts), recipe()))
    tensors = {name: one for name, one in lora.tensors().items() if "layers_1_mlp_fc2" not in name}
    save_tensors(tmp_path / "kip.safetensors", tensors, {})

    with pytest.raises(BrokenFile, match=rf"{len(lora.module) - 1} of {len(lora.module)} trained layers"):
        lora.check(lora.exports(["kohya"])[0], tmp_path / "kip.safetensors")


@pytest.mark.filterwarnings("ignore")
def test_diffusers_reads_the_very_deltas(models: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    """The oracle: another reader, with the same layers and the same numbers."""
    lora = learnt(prepare(models, planned(parts), recipe(rank=4, alpha=3.0)))
    path = saved(lora, tmp_path / "kip.safetensors")
    lora.detach()
    pipeline = StableDiffusionPipeline(
        models["vae"], models[TEXT_ENCODER], None, models[UNET], DDIMScheduler(), None, None,
        requires_safety_checker=False,
    )  # fmt: skip

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.load_lora_weights(str(path))

    theirs = {
        (role, name): layer.get_delta_weight(layer.active_adapters[0]).detach().flatten(1)
        for role, module in ((UNET, pipeline.unet), (TEXT_ENCODER, pipeline.text_encoder))
        for name, layer in module.named_modules()
        if hasattr(layer, "get_delta_weight")
    }
    ours = {_live(target, pipeline): delta for target, delta in deltas(plan_adapter(path, parts, name="kip"))}
    assert theirs.keys() == ours.keys()
    for key, delta in ours.items():
        torch.testing.assert_close(theirs[key], delta, rtol=1e-4, atol=1e-6)


def _live(target: Target, pipeline: StableDiffusionPipeline) -> tuple[str, str]:
    """A target under the name that the installed transformers gives it."""
    if target.role == TEXT_ENCODER and not hasattr(pipeline.text_encoder, "text_model"):
        return target.role, target.module.removeprefix("text_model.")
    return target.role, target.module


def test_the_file_holds_what_the_factors_hold(models: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    lora = learnt(prepare(models, planned(parts), recipe(rank=4, alpha=3.0)))
    path = saved(lora, tmp_path / "kip.safetensors")
    name = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"

    stored = read_tensors(path, [f"{name}.lora_up.weight"], device=torch.device("cpu"))

    factors = lora.module.get_submodule(name)
    assert torch.equal(stored[f"{name}.lora_up.weight"], factors.get_parameter("up").detach().half())
