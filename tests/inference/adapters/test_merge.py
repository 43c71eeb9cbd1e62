"""What an adapter does to live weights, computed by hand and by the others' code, and that it comes out again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from peft import LoraConfig
from torch import Tensor, nn

from inference.adapters.blocks import factors_of
from inference.adapters.merge import Factors, Merged, deltas, module_of, read_factors
from inference.adapters.targets import Target, kohya_name
from inference.plan import AdapterPlan, plan_adapter
from inference.weights.load import load_part
from inference.weights.parts import Part
from inference.weights.save import save_tensors
from modelhub.errors import Incompatible
from tests import tiny

ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0"
LINEAR = Target("unet", f"{ATTENTION}.attn2.to_k")
POINTWISE = Target("unet", "down_blocks.0.attentions.0.proj_in")
CONV = Target("unet", "down_blocks.0.resnets.0.conv1")
TEXT = Target("text_encoder", "text_model.encoder.layers.1.mlp.fc1")
TARGETS = [LINEAR, POINTWISE, CONV, TEXT]

Models = Mapping[str, nn.Module]


@pytest.fixture
def live(parts: Mapping[str, Part]) -> Models:
    """Models of our own to change."""
    return {
        role: load_part(parts[role], device=torch.device("cpu"), dtype=torch.float32)
        for role in ("unet", "text_encoder")
    }


class Live:
    """Both models with what is merged into them."""

    def __init__(self, models: Models) -> None:
        self._merged = [Merged(role, module) for role, module in models.items()]
        self._read: dict[Path, Factors] = {}

    def switch(self, *adapters: AdapterPlan) -> None:
        for one in adapters:
            self._read.setdefault(one.path, read_factors(one, torch.device("cpu")))
        for merged in self._merged:
            merged.switch([(one, self._read[one.path]) for one in adapters])

    def restore(self) -> None:
        for merged in self._merged:
            merged.restore()


def state(models: Models) -> dict[str, Tensor]:
    return {
        f"{role}.{name}": one.clone() for role, module in models.items() for name, one in module.state_dict().items()
    }


def adapter(
    parts: Mapping[str, Part], path: Path, targets: Sequence[Target] = TARGETS, *, alpha: float | None = 1.0,
    rank: int = 2, seed: int = 0, unet: float = 1.0, text_encoder: float = 1.0,
) -> AdapterPlan:  # fmt: skip
    shapes = {kohya_name(target): parts[target.role].modules[target.module] for target in targets}
    save_tensors(path, tiny.lora_tensors(shapes, rank=rank, seed=seed, alpha=alpha), {})
    return plan_adapter(path, parts, name=path.stem, unet=unet, text_encoder=text_encoder)


def by_hand(weight: Tensor, target: Target, *, rank: int = 2, seed: int = 0, scale: float = 1.0) -> Tensor:
    """W + scale * up @ down, spelled out in float64 for every output, input and place of the kernel."""
    name = kohya_name(target)
    shapes = {kohya_name(one): tuple(weight.shape) if one == target else SHAPES[one] for one in TARGETS}
    factors = tiny.lora_tensors(shapes, rank=rank, seed=seed)
    up, down = factors[f"{name}.lora_up.weight"].double(), factors[f"{name}.lora_down.weight"].double()
    change = torch.einsum("or,ri...->oi...", up.flatten(1), down)
    return (weight.double() + scale * change).float()


SHAPES = {LINEAR: (8, 16), POINTWISE: (8, 8, 1, 1), CONV: (8, 8, 3, 3), TEXT: (32, 16)}


@pytest.mark.parametrize(("alpha", "scale"), [(1.0, 0.5), (2.0, 1.0), (8.0, 4.0), (None, 1.0)])
def test_each_weight_gets_alpha_over_rank_times_up_times_down(
    live: Models, parts: Mapping[str, Part], tmp_path: Path, alpha: float | None, scale: float
) -> None:
    """Linear, pointwise, 3x3 and text encoder layers; without an alpha the scale is 1."""
    before = {target: module_of(live, target).weight.clone() for target in TARGETS}

    Live(live).switch(adapter(parts, tmp_path / "a.safetensors", alpha=alpha))

    for target in TARGETS:
        assert SHAPES[target] == before[target].shape
        expected = by_hand(before[target], target, scale=scale)
        torch.testing.assert_close(module_of(live, target).weight, expected, rtol=1e-5, atol=1e-5)


def test_nothing_else_changes(live: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    before = state(live)

    Live(live).switch(adapter(parts, tmp_path / "a.safetensors"))

    changed = {name for name, one in state(live).items() if not torch.equal(one, before[name])}
    assert len(changed) == len(TARGETS)
    assert all(name.endswith(".weight") for name in changed)


def test_taking_adapters_out_gives_the_base_back_to_the_bit(
    live: Models, parts: Mapping[str, Part], tmp_path: Path
) -> None:
    before = state(live)
    adapters = [adapter(parts, tmp_path / f"{seed}.safetensors", seed=seed, alpha=1e4) for seed in range(3)]

    changed = Live(live)
    changed.switch(*adapters)
    changed.restore()

    assert all(torch.equal(one, before[name]) for name, one in state(live).items())


def test_an_adapter_that_breaks_half_way_leaves_the_base_as_it_was(
    live: Models, parts: Mapping[str, Part], tmp_path: Path
) -> None:
    before = state(live)
    plan = adapter(parts, tmp_path / "a.safetensors")
    factors = read_factors(plan, torch.device("cpu")).tensors
    lost = Factors({name: one for name, one in factors.items() if kohya_name(CONV) not in name})

    with pytest.raises(KeyError):
        Merged("unet", live["unet"]).switch([(plan, lost)])

    assert all(torch.equal(one, before[name]) for name, one in state(live).items())


def test_a_change_touches_only_what_it_changes(live: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    both = adapter(parts, tmp_path / "both.safetensors", [LINEAR, CONV, TEXT])
    one = adapter(parts, tmp_path / "one.safetensors", [CONV], seed=1)
    now = Live(live)
    now.switch(both)
    before = versions(live)

    now.switch(both)
    assert versions(live) == before
    now.switch(both, one)
    assert {name for name, version in versions(live).items() if version != before[name]} == {CONV}

    now.switch(one)
    fresh = {"unet": load_part(parts["unet"], device=torch.device("cpu"), dtype=torch.float32)}
    assert torch.equal(module_of(live, LINEAR).weight, module_of(fresh, LINEAR).weight)
    Live(fresh).switch(one)
    assert torch.equal(module_of(live, CONV).weight, module_of(fresh, CONV).weight)


def versions(live: Models) -> dict[Target, tuple[int, int]]:
    """Tells whether a weight was replaced, or written to."""
    weights = {target: module_of(live, target).weight.data for target in TARGETS}
    return {target: (weight.data_ptr(), int(weight.sum() * 1e6)) for target, weight in weights.items()}


def test_the_way_to_a_strength_does_not_show(live: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    """However often strengths change: each is merged into the base, never taken from the last."""
    path = tmp_path / "a.safetensors"
    now, straight = Live(live), adapter(parts, path, unet=0.3)
    now.switch(straight)
    expected = state(live)

    for strength in (1.0, -3.0, 1e4, 0.0):
        now.switch(replace(straight, unet=strength))
    now.switch(straight)

    assert all(torch.equal(one, expected[name]) for name, one in state(live).items())


def test_some_ranks_are_the_first_ones(live: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    plan = replace(adapter(parts, tmp_path / "a.safetensors", rank=4, alpha=4.0), rank=3)
    before = module_of(live, CONV).weight.clone()
    factors = tiny.lora_tensors({kohya_name(one): SHAPES[one] for one in TARGETS}, rank=4)
    up, down = (factors[f"{kohya_name(CONV)}.lora_{one}.weight"] for one in ("up", "down"))

    Live(live).switch(plan)

    expected = before + (up.flatten(1)[:, :3] @ down.flatten(1)[:3]).reshape(before.shape)
    torch.testing.assert_close(module_of(live, CONV).weight, expected)


def test_blocks_and_parts_have_strengths_of_their_own(live: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    numbers = [0.5] + [0.0] * 16
    plan = adapter(parts, tmp_path / "a.safetensors", alpha=2.0, text_encoder=0.4)
    before = {target: module_of(live, target).weight.clone() for target in TARGETS}

    Live(live).switch(replace(plan, factors=factors_of(numbers, parts)))

    assert torch.equal(module_of(live, LINEAR).weight, before[LINEAR])
    expected = by_hand(before[TEXT], TEXT, scale=0.2)
    torch.testing.assert_close(module_of(live, TEXT).weight, expected, rtol=1e-5, atol=1e-5)


def test_two_adapters_add_up_in_their_order(live: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    before = module_of(live, CONV).weight.clone()
    one = adapter(parts, tmp_path / "one.safetensors", seed=1, unet=0.5)
    two = adapter(parts, tmp_path / "two.safetensors", seed=2, unet=-2.0)

    Live(live).switch(one, two)

    after_one = by_hand(before, CONV, seed=1, scale=0.25)
    expected = by_hand(after_one, CONV, seed=2, scale=-1.0)
    torch.testing.assert_close(module_of(live, CONV).weight, expected, rtol=1e-5, atol=1e-5)


def test_weight_zero_touches_nothing(live: Models, parts: Mapping[str, Part], tmp_path: Path) -> None:
    pointers = {name: one.data_ptr() for module in live.values() for name, one in module.named_parameters()}

    Live(live).switch(adapter(parts, tmp_path / "a.safetensors", unet=0.0, text_encoder=0.0))

    assert {name: one.data_ptr() for module in live.values() for name, one in module.named_parameters()} == pointers


@pytest.mark.parametrize(("unet", "text_encoder"), [(0.5, 0.0), (0.0, 0.5), (0.3, 0.9)])
def test_unet_and_text_encoder_have_weights_of_their_own(
    live: Models, parts: Mapping[str, Part], tmp_path: Path, unet: float, text_encoder: float
) -> None:
    before = {target: module_of(live, target).weight.clone() for target in (LINEAR, TEXT)}

    Live(live).switch(adapter(parts, tmp_path / "a.safetensors", alpha=2.0, unet=unet, text_encoder=text_encoder))

    for target, strength in ((LINEAR, unet), (TEXT, text_encoder)):
        expected = by_hand(before[target], target, scale=strength)
        torch.testing.assert_close(module_of(live, target).weight, expected, rtol=1e-5, atol=1e-5)


def test_half_precision_weights_are_added_to_in_float32(parts: Mapping[str, Part], tmp_path: Path) -> None:
    half = {
        role: load_part(parts[role], device=torch.device("cpu"), dtype=torch.float16)
        for role in ("unet", "text_encoder")
    }
    before = module_of(half, LINEAR).weight.clone()

    Live(half).switch(adapter(parts, tmp_path / "a.safetensors", alpha=2.0))

    weight = module_of(half, LINEAR).weight
    assert weight.dtype == torch.float16
    assert torch.equal(weight, by_hand(before.float(), LINEAR).half())


# Others' code as the judge


@pytest.fixture
def pipeline(live: Models) -> StableDiffusionPipeline:
    """diffusers' pipeline over the same weights; no tokenizer, no VAE: LoRAs need neither."""
    return StableDiffusionPipeline(
        unet=live["unet"],
        text_encoder=live["text_encoder"],
        vae=None,
        tokenizer=None,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def test_a_kohya_file_has_the_same_deltas_in_diffusers(
    pipeline: StableDiffusionPipeline, live: Models, parts: Mapping[str, Part], tmp_path: Path
) -> None:
    plan = adapter(parts, tmp_path / "ours.safetensors", alpha=3.0, rank=4)
    before = state(live)
    Live(live).switch(plan)
    ours = state(live)
    for role, module in live.items():
        module.load_state_dict(
            {name.removeprefix(f"{role}."): one for name, one in before.items() if name.startswith(role)}
        )

    pipeline.load_lora_weights(str(plan.path))
    pipeline.fuse_lora()
    pipeline.unload_lora_weights()

    for target in TARGETS:
        torch.testing.assert_close(
            module_of(live, target).weight,
            ours[f"{target.role}.{_live_name(live, target)}.weight"],
            rtol=1e-5,
            atol=1e-5,
        )
    changed = {name for name, one in state(live).items() if not torch.equal(one, before[name])}
    assert len(changed) == len(TARGETS)


def test_a_lora_that_peft_made_and_diffusers_saved_has_the_same_deltas_here(
    pipeline: StableDiffusionPipeline, live: Models, parts: Mapping[str, Part], tmp_path: Path
) -> None:
    unet_config = LoraConfig(r=4, lora_alpha=6, target_modules=["to_k", "conv1"], alpha_pattern={"conv1": 3},
                             init_lora_weights=False)  # fmt: skip
    text_config = LoraConfig(r=2, lora_alpha=8, target_modules=["q_proj"], init_lora_weights=False)
    before = state(live)
    pipeline.unet.add_adapter(unet_config)
    pipeline.text_encoder.add_adapter(text_config)
    _save(pipeline, unet_config, text_config, tmp_path)
    pipeline.set_adapters("default")
    pipeline.fuse_lora()
    pipeline.unload_lora_weights()
    theirs = state(live)

    plan = plan_adapter(tmp_path / "peft.safetensors", parts, name="peft")
    found = dict(deltas(plan))

    changed = {name for name, one in theirs.items() if not torch.equal(one, before[name])}
    assert {f"{target.role}.{_live_name(live, target)}.weight" for target in found} == changed
    for target, delta in found.items():
        name = f"{target.role}.{_live_name(live, target)}.weight"
        torch.testing.assert_close(delta.reshape(before[name].shape), theirs[name] - before[name], rtol=1e-4, atol=1e-5)


def _save(pipeline: StableDiffusionPipeline, unet: LoraConfig, text_encoder: LoraConfig, folder: Path) -> None:
    from peft import get_peft_model_state_dict

    pipeline.save_lora_weights(
        folder,
        unet_lora_layers=get_peft_model_state_dict(pipeline.unet, adapter_name="default"),
        text_encoder_lora_layers=get_peft_model_state_dict(pipeline.text_encoder, adapter_name="default"),
        unet_lora_adapter_metadata=unet.to_dict(),
        text_encoder_lora_adapter_metadata=text_encoder.to_dict(),
        weight_name="peft.safetensors",
    )


def _live_name(live: Models, target: Target) -> str:
    wanted = module_of(live, target)
    return next(name for name, module in live[target.role].named_modules() if module is wanted)


def test_a_lora_for_another_base_is_refused_before_a_weight_changes(parts: Mapping[str, Part], tmp_path: Path) -> None:
    save_tensors(tmp_path / "a.safetensors", tiny.lora_tensors({kohya_name(LINEAR): (320, 768)}), {})

    with pytest.raises(Incompatible, match=r"attn2.to_k is 320x768, the base model's 8x16"):
        plan_adapter(tmp_path / "a.safetensors", parts, name="a")
