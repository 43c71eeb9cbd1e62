"""Each algorithm against its formula, spelled out number by number, and against peft's own layers."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from torch import Tensor, nn

from inference.adapters.algorithms import applied
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
from inference.adapters.merge import Merged, module_of, read_factors
from inference.adapters.targets import Target
from inference.plan import plan_adapter
from inference.weights.load import load_part
from inference.weights.parts import Part
from inference.weights.save import save_tensors

LINEAR, CONV = (8, 6), (8, 6, 3, 3)
SHAPES = {"linear": LINEAR, "3x3": CONV}
HALF = Scale(rank=2, alpha=1.0)


def tensors_of(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(len(shapes))
    return {name: torch.randn(shape, generator=generator) * 0.4 for name, shape in shapes.items()}


def weight_of(shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


def changed(layer: Layer, weight: Tensor, tensors: Mapping[str, Tensor], strength: float = 1.0) -> Tensor:
    return applied(layer, weight.clone(), tensors, strength)


def each(weight: Tensor) -> Iterator[tuple[int, ...]]:
    return product(*map(range, weight.shape))


def by_numbers(weight: Tensor, number: Callable[..., float]) -> Tensor:
    """The weight that has `number(row, column, *kernel)` in each place."""
    result = torch.empty_like(weight, dtype=torch.float64)
    for at in each(weight):
        result[at] = number(*at)
    return result.float()


def near(ours: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_a_scale_of_its_own_comes_before_alpha() -> None:
    tensors = {**tensors_of(down=(2, 6), up=(8, 2)), "alpha": torch.tensor(8.0), "scale": torch.tensor(0.25)}
    weight = weight_of(LINEAR)

    for scale, factor in ((Scale(2, "alpha"), 4.0), (Scale(2, "alpha", "scale"), 0.25), (Scale(2, 0.0), 1.0)):
        near(changed(LowRank("down", "up", scale), weight, tensors), weight + factor * tensors["up"] @ tensors["down"])


def test_tucker_factors_meet_in_the_kernel() -> None:
    tensors = tensors_of(down=(2, 6, 1, 1), up=(8, 2, 1, 1), mid=(2, 2, 3, 3))
    up, down, mid = (tensors[name].double() for name in ("up", "down", "mid"))
    weight = weight_of(CONV)

    def number(o: int, i: int, y: int, x: int) -> float:
        total = sum(up[o, m, 0, 0] * mid[m, n, y, x] * down[n, i, 0, 0] for m in range(2) for n in range(2))
        return float(weight[o, i, y, x] + 0.5 * total)

    near(changed(LowRank("down", "up", HALF, "mid"), weight, tensors), by_numbers(weight, number))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_hadamard_multiplies_two_products(shape: tuple[int, ...]) -> None:
    columns = weight_of(shape)[0].numel()
    tensors = tensors_of(a=(8, 2), b=(2, columns), c=(8, 2), d=(2, columns))
    weight = weight_of(shape)
    a, b, c, d = (tensors[name].double() for name in "abcd")

    def number(o: int, *at: int) -> float:
        column = int(torch.arange(columns).reshape(shape[1:])[at])
        first, second = (sum(x[o, r] * y[r, column] for r in range(2)) for x, y in ((a, b), (c, d)))
        return float(weight[(o, *at)] + 0.5 * first * second)

    near(changed(Hadamard("a", "b", "c", "d", HALF), weight, tensors), by_numbers(weight, number))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_kronecker_puts_the_second_factor_into_each_number_of_the_first(shape: tuple[int, ...]) -> None:
    tensors = tensors_of(first=(2, 3), second=(4, 2, *shape[2:]))
    first, second = tensors["first"].double(), tensors["second"].double()
    weight = weight_of(shape)

    def number(o: int, i: int, *kernel: int) -> float:
        return float(weight[(o, i, *kernel)] + first[o // 4, i // 2] * second[(o % 4, i % 2, *kernel)])

    whole = Kronecker("first", None, None, "second", None, None, None, Scale())
    near(changed(whole, weight, tensors), by_numbers(weight, number))


def test_kronecker_factors_may_be_products() -> None:
    tensors = tensors_of(a=(2, 2), b=(2, 3), c=(4, 2), d=(2, 2 * 9))
    whole = {"first": tensors["a"] @ tensors["b"], "second": (tensors["c"] @ tensors["d"]).reshape(4, 2, 3, 3) / 2}
    weight = weight_of(CONV)

    ours = changed(Kronecker(None, "a", "b", None, "c", "d", None, HALF), weight, tensors)

    near(ours, changed(Kronecker("first", None, None, "second", None, None, None, Scale()), weight, whole))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("by_row", [True, False])
def test_dora_gives_each_row_or_column_the_norm_that_was_learned(shape: tuple[int, ...], by_row: bool) -> None:
    """And at half the strength it is half way there: not the norm of half the change."""
    length = shape[0] if by_row else shape[1]
    tensors = tensors_of(down=(2, *shape[1:]), up=(8, 2), magnitude=(length,))
    weight, inner = weight_of(shape), LowRank("down", "up", HALF)
    layer = Decomposed(inner, "magnitude", by_row)

    whole = changed(layer, weight, tensors)

    side = whole if by_row else whole.transpose(0, 1)
    near(side.flatten(1).norm(dim=1), tensors["magnitude"].abs())
    direction = changed(inner, weight, tensors)
    same = direction if by_row else direction.transpose(0, 1)
    cosine = nn.functional.cosine_similarity(side.flatten(1), same.flatten(1))
    near(cosine, tensors["magnitude"].sign())
    near(changed(layer, weight, tensors, 0.5), (weight + whole) / 2)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_glora_goes_through_the_weight_and_beside_it(shape: tuple[int, ...]) -> None:
    tensors = tensors_of(a1=(6, 2), a2=(2, 6), b1=(8, 2), b2=(2, *shape[1:]))
    weight = weight_of(shape)
    through = torch.einsum("oi...,ij->oj...", weight, tensors["a1"] @ tensors["a2"])
    expected = weight + 0.5 * (through + (tensors["b1"] @ tensors["b2"].flatten(1)).reshape(shape))

    near(changed(General("a1", "a2", "b1", "b2", None, HALF, False), weight, tensors), expected)
    near(changed(General("a2", "a1", "b2", "b1", None, HALF, True), weight, tensors), expected)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_oft_turns_blocks_of_rows_and_keeps_what_lies_between_them(shape: tuple[int, ...]) -> None:
    """A rotation keeps the products of the rows with one another."""
    tensors = tensors_of(blocks=(2, 4, 4))
    weight = weight_of(shape)

    turned = changed(Orthogonal("blocks", False, None, None), weight, tensors)

    for block in (slice(0, 4), slice(4, 8)):
        before, after = weight[block].flatten(1), turned[block].flatten(1)
        near(after.T @ after, before.T @ before)
    assert not torch.allclose(turned, weight, atol=0.1)
    near(changed(Orthogonal("blocks", False, None, None), weight, tensors, 0.5), (weight + turned) / 2)


def test_oft_turns_by_cayleys_transform_of_a_generator_of_bounded_norm() -> None:
    tensors = {**tensors_of(blocks=(2, 4, 4)), "alpha": torch.tensor(0.02)}
    weight = weight_of(LINEAR)
    generator = tensors["blocks"] - tensors["blocks"].mT
    generator *= 0.02 * 8 / generator.norm()
    eye = torch.eye(4)
    rotations = [(eye + one) @ torch.linalg.inv(eye - one) for one in generator]
    expected = torch.cat([rotations[0].T @ weight[:4], rotations[1].T @ weight[4:]])

    near(changed(Orthogonal("blocks", False, "alpha", None), weight, tensors), expected)
    turned = {"blocks": torch.stack(rotations)}
    near(changed(Orthogonal("blocks", True, None, None), weight, turned), expected)


def test_the_butterflies_of_boft_mix_all_rows() -> None:
    tensors = tensors_of(blocks=(3, 4, 2, 2))
    weight = weight_of(LINEAR)
    layer = Orthogonal("blocks", False, None, None)

    turned = changed(layer, weight, tensors)

    near(turned.T @ turned, weight.T @ weight)
    only_first = torch.zeros(LINEAR).index_fill_(0, torch.tensor([0]), 1.0)
    assert (changed(layer, only_first, tensors).abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_ia3_multiplies_rows_or_columns(shape: tuple[int, ...]) -> None:
    weight, kernel = weight_of(shape), (1,) * len(shape[2:])
    for on_input, length in ((0, 8), (1, 6)):
        tensors = {**tensors_of(w=(length,)), "on_input": torch.tensor(on_input)}
        factors = tensors["w"].reshape((1, 6, *kernel) if on_input else (8, 1, *kernel))
        near(changed(Rescaled("w", "on_input"), weight, tensors, 0.5), weight * (1 + 0.5 * factors))


def test_differences_are_added_and_whole_weights_replace() -> None:
    tensors, weight = tensors_of(w=LINEAR), weight_of(LINEAR)

    near(changed(Whole("w"), weight, tensors, 0.5), weight + tensors["w"] / 2)
    near(changed(Replaced("w"), weight, tensors), tensors["w"])


def test_channels_that_only_inpainting_models_have_are_left_alone() -> None:
    tensors, weight = tensors_of(down=(2, 4, 3, 3), up=(8, 2, 1, 1)), weight_of((8, 9, 3, 3))

    ours = changed(LowRank("down", "up", Scale()), weight, tensors)

    assert torch.equal(ours[:, 4:], weight[:, 4:])
    near(ours[:, :4] - weight[:, :4], (tensors["up"].flatten(1) @ tensors["down"].flatten(1)).reshape(8, 4, 3, 3))


EVERY = {
    "lora": (LowRank("a", "b", HALF), tensors_of(a=(2, 6), b=(8, 2))),
    "oft": (Orthogonal("a", False, None, None), tensors_of(a=(2, 4, 4))),
    "boft": (Orthogonal("a", False, None, "b"), tensors_of(a=(2, 4, 2, 2), b=(8, 1))),
    "ia3": (Rescaled("a", "b"), {"a": torch.ones(8), "b": torch.tensor(0)}),
    "glora": (General("a", "b", "c", "d", None, HALF, False), tensors_of(a=(6, 2), b=(2, 6), c=(8, 2), d=(2, 6))),
    "set": (Replaced("a"), tensors_of(a=LINEAR)),
}


@pytest.mark.parametrize(("layer", "tensors"), EVERY.values(), ids=EVERY)
def test_no_strength_is_no_change(layer: Layer, tensors: dict[str, Tensor]) -> None:
    near(changed(layer, weight_of(LINEAR), tensors, 0.0), weight_of(LINEAR))


# peft as the judge

TO_K = Target("unet", "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k")
CONV1 = Target("unet", "down_blocks.0.resnets.0.conv1")
CONFIGS: dict[str, tuple[Callable[..., Any], dict[str, Any], list[Target]]] = {
    "dora": (peft.LoraConfig, {"use_dora": True, "init_lora_weights": False}, [TO_K, CONV1]),
    "loha": (peft.LoHaConfig, {"init_weights": False}, [TO_K]),
    "loha with cores": (peft.LoHaConfig, {"init_weights": False, "use_effective_conv2d": True}, [CONV1]),
    "lokr": (peft.LoKrConfig, {"init_weights": False, "alpha": 2}, [TO_K, CONV1]),
    "lokr, both factors split": (
        peft.LoKrConfig,
        {"init_weights": False, "alpha": 2, "r": 1, "decompose_both": True, "decompose_factor": 4},
        [TO_K],
    ),
}


@pytest.mark.parametrize(("config", "options", "targets"), CONFIGS.values(), ids=CONFIGS)
def test_what_peft_made_is_merged_as_peft_merges_it(
    parts: Mapping[str, Part],
    tmp_path: Path,
    config: Callable[..., Any],
    options: dict[str, Any],
    targets: list[Target],
) -> None:
    torch.manual_seed(3)
    live = {"unet": load_part(parts["unet"], device=torch.device("cpu"), dtype=torch.float32)}
    theirs = load_part(parts["unet"], device=torch.device("cpu"), dtype=torch.float32)
    names = [target.module for target in targets]
    chosen = config(**{"r": 2, "target_modules": names, **options})
    model = peft.get_peft_model(theirs, chosen)
    for name, parameter in model.named_parameters():
        if "magnitude" in name:  # begins as the norm that is there
            parameter.data *= 1.5
    saved = {name: one.contiguous() for name, one in peft.get_peft_model_state_dict(model).items()}
    alpha = torch.tensor(float(getattr(chosen, "lora_alpha", None) or chosen.alpha))  # peft keeps it in another file
    beside = {f"base_model.model.{name}.alpha": alpha for name in names}
    save_tensors(tmp_path / "peft.safetensors", {**saved, **beside}, {})
    plan = plan_adapter(tmp_path / "peft.safetensors", parts, name="peft")

    Merged("unet", live["unet"]).switch([(plan, read_factors(plan, torch.device("cpu")))])

    merged = {"unet": model.merge_and_unload()}
    for target in targets:
        near(module_of(live, target).weight, module_of(merged, target).weight)
