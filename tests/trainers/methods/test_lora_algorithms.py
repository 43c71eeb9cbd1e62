"""Every algorithm learns, and what it trains is what inference merges."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inference.adapters.algorithms import applied
from inference.adapters.merge import read_factors
from inference.adapters.targets import Target
from inference.plan import plan_adapter
from inference.weights.single_file import Part, checkpoint_parts
from modelhub.errors import BrokenFile
from modelhub.families import family
from modelhub.headers import read_table
from tests.tiny_families import write_family
from tests.trainers.methods.loras import answers, learnt, loaded, merged, planned, recipe, saved
from trainers.methods._lora.dropouts import leave_out, put_back
from trainers.methods._lora.joint import Joint
from trainers.methods._lora.places import Place
from trainers.methods._lora.sizes import split
from trainers.methods.lora import _factors, prepare

ALGORITHMS: Mapping[str, Mapping[str, Any]] = {
    "lora": {},
    "locon": {"conv_rank": 3, "conv_alpha": 2},
    "stabilised": {"rank_stabilized": True},
    "dora": {"dora": True, "conv_rank": 3},
    "loha": {"algorithm": "loha", "conv_rank": 3},
    "loha dora": {"algorithm": "loha", "conv_rank": 3, "dora": True},
    "lokr": {"algorithm": "lokr", "rank": 1, "conv_rank": 1},
    "lokr whole": {"algorithm": "lokr", "rank": 64, "conv_rank": 64, "factor": 2},
    "lokr dora": {"algorithm": "lokr", "rank": 1, "conv_rank": 1, "dora": True},
    "oft": {"algorithm": "oft", "conv_rank": 4},
    "oft held": {"algorithm": "oft", "constraint": 1e-2},
    "blocks": {"block_ranks": {"IN01": 2, "M00": 0}, "block_alphas": {"IN01": 1}},
}
DROPS: Mapping[str, float] = {"dropout": 0.5, "rank_dropout": 0.5, "module_dropout": 0.5}


def others(folder: Path, name: str) -> Mapping[str, Part]:
    """The parts of another family's tiny checkpoint."""
    path = write_family(folder / f"{name}.safetensors", name)
    return checkpoint_parts(path, read_table(path), family(name))


def close(now: tuple[Tensor, ...], then: tuple[Tensor, ...], tolerance: float) -> bool:
    return all(torch.allclose(one, other, rtol=0, atol=tolerance) for one, other in zip(now, then, strict=True))


@pytest.mark.parametrize("name", ["locon", "dora", "loha", "lokr", "lokr whole", "oft held"])
def test_new_factors_of_any_algorithm_change_nothing(parts: Mapping[str, Part], name: str) -> None:
    models = loaded(parts)
    before = answers(models)

    prepare(models, planned(parts), recipe(**ALGORITHMS[name]))

    assert close(answers(models), before, 1e-5)


@pytest.mark.parametrize(
    ("name", "family_name"),
    [*((name, "sd1") for name in ALGORITHMS), ("locon", "sd2"), ("locon", "sdxl"), ("dora", "sdxl")],
)
def test_what_trained_is_what_the_file_merges(
    parts: Mapping[str, Part], name: str, family_name: str, tmp_path: Path
) -> None:  # fmt: skip
    base = parts if family_name == "sd1" else others(tmp_path, family_name)
    models = loaded(base)
    before = answers(models)
    lora = learnt(prepare(models, planned(base), recipe(precision="fp32", **ALGORITHMS[name])), 0.05)
    during = answers(models)
    lora.detach()

    path = saved(lora, tmp_path / "kip.safetensors")

    assert close(answers(merged(models, base, path)), during, 2e-5)
    assert not any(torch.allclose(one, other, atol=1e-3) for one, other in zip(during, before, strict=True))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_weight_changes_by_the_very_delta(parts: Mapping[str, Part], name: str, tmp_path: Path) -> None:
    lora = learnt(prepare(loaded(parts), planned(parts), recipe(precision="fp32", **ALGORITHMS[name])), 0.05)
    adapter = plan_adapter(saved(lora, tmp_path / "kip.safetensors"), parts, name="kip")
    tensors = read_factors(adapter, torch.device("cpu")).tensors

    for place, joint in lora._joints.items():
        weight = joint.layer.weight
        delta = joint.factors.delta(weight)
        changed = applied(adapter.layers[place.target], weight.clone(), tensors, 1.0)
        torch.testing.assert_close(changed, weight + delta, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "precision"),
    [(name, "fp16") for name in ("stabilised", "blocks", "dora", "loha", "lokr", "oft")] + [("dora", "bf16")],
)
def test_a_written_file_passes_the_check_in_every_precision(
    parts: Mapping[str, Part], name: str, precision: str, tmp_path: Path
) -> None:
    lora = learnt(prepare(loaded(parts), planned(parts), recipe(precision=precision, **ALGORITHMS[name])))

    lora.check(lora.exports(["kohya"])[0], saved(lora, tmp_path / "kip.safetensors"))


@pytest.mark.parametrize("name", ["locon", "dora", "loha", "lokr", "oft held"])
def test_a_file_of_a_step_earlier_fails_the_check(parts: Mapping[str, Part], name: str, tmp_path: Path) -> None:
    lora = learnt(prepare(loaded(parts), planned(parts), recipe(**ALGORITHMS[name])))
    path = saved(lora, tmp_path / "kip.safetensors")

    learnt(lora, seed=2)

    with pytest.raises(BrokenFile, match="reads back other than it was trained"):
        lora.check(lora.exports(["kohya"])[0], path)


@pytest.mark.parametrize("name", ["locon", "dora", "loha", "lokr", "lokr whole", "oft held"])
def test_every_algorithm_gets_nearer_to_what_it_is_shown(parts: Mapping[str, Part], name: str) -> None:
    models = loaded(parts)
    wanted = answers(models)[0] + 0.1
    lora = prepare(models, planned(parts), recipe(text=0, **ALGORITHMS[name]))
    optimizer = torch.optim.Adam(lora.module.parameters(), lr=1e-3)
    losses = []
    for step in range(3):
        lora.begin_step(step)
        loss = (answers(models)[0] - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lora.after_step(step + 1)
        losses.append(loss.item())

    assert losses[-1] < 0.95 * losses[0]


def layers(generator: torch.Generator) -> dict[str, tuple[nn.Linear | nn.Conv2d, Tensor]]:
    """Of every sort that learns, with something to answer to."""
    made: dict[str, tuple[nn.Linear | nn.Conv2d, Tensor]] = {
        "linear": (nn.Linear(8, 12), torch.randn(2, 5, 8, generator=generator)),
        "1x1": (nn.Conv2d(8, 12, 1), torch.randn(2, 8, 4, 4, generator=generator)),
        "3x3": (nn.Conv2d(8, 12, 3, stride=2, padding=1), torch.randn(2, 8, 6, 6, generator=generator)),
    }
    return {name: (layer.requires_grad_(False), x) for name, (layer, x) in made.items()}


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "blocks"])
@pytest.mark.parametrize("kind", ["linear", "1x1", "3x3"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_layer_answers_as_one_with_the_delta_in_its_weight(name: str, kind: str, dtype: torch.dtype) -> None:
    """In every sort of layer, and beside a base of another precision than the factors."""
    generator = torch.Generator().manual_seed(0)
    layer, x = layers(generator)[kind]
    layer, x = layer.to(dtype), x.to(dtype)
    wanted = recipe(**ALGORITHMS[name]).options
    rank = wanted.rank if kind != "3x3" else max(wanted.conv_rank, 1)
    place = Place(Target("unet", "x"), "lora_unet_x", tuple(layer.weight.shape), rank, 2.0)
    factors = _factors(place, layer.weight, 0, wanted)
    with torch.no_grad():
        for parameter in factors.parameters():
            parameter += torch.randn(parameter.shape, generator=generator) * 0.1
    joint = Joint(layer, factors)
    delta = factors.delta(layer.weight)

    joint.join()
    answer = layer(x)
    joint.leave()
    layer.weight.data += delta

    torch.testing.assert_close(answer, layer(x), rtol=1e-5, atol=1e-6)


def test_a_half_precise_base_loses_no_small_delta(parts: Mapping[str, Part]) -> None:
    models = {role: module.to(torch.bfloat16) for role, module in loaded(parts).items()}
    lora = prepare(models, planned(parts), recipe(algorithm="loha", text=0))
    layer = models["unet"].get_submodule("mid_block.attentions.0.proj_in")
    joint = next(one for one in lora._joints.values() if one.layer is layer)
    with torch.no_grad():
        lora.module["lora_unet_mid_block_attentions_0_proj_in"].w2_a += 1e-5
    x = torch.ones(1, 16, 4, 4, dtype=torch.bfloat16)
    small = torch.nn.functional.conv2d(x, joint.factors.delta(layer.weight).bfloat16())

    answer = joint.factors.answer(x, torch.zeros_like(layer.weight), None, joint._apply)

    assert answer.any()
    torch.testing.assert_close(answer, small)


@pytest.mark.parametrize(
    ("name", "entries"),
    [*(("lora", {entry: 0.5}) for entry in DROPS), *((name, DROPS) for name in ("dora", "loha", "lokr", "oft"))],
)
def test_what_a_step_leaves_out_depends_on_the_step_alone(
    parts: Mapping[str, Part], name: str, entries: Mapping[str, float]
) -> None:  # fmt: skip
    models = loaded(parts)
    lora = learnt(prepare(models, planned(parts), recipe(text=0, **ALGORITHMS[name], **entries)))
    whole = answers(models)[0]

    def at(step: int) -> Tensor:
        lora.begin_step(step)
        twice = answers(models)[0], answers(models)[0]
        assert torch.equal(*twice)
        lora.after_step(step)
        return twice[0]

    first, second = at(7), at(8)

    assert torch.equal(at(7), first)
    assert not torch.equal(first, second)
    assert not torch.equal(first, whole)
    assert torch.equal(answers(models)[0], whole)


@pytest.mark.parametrize("entry", ["dropout", "rank_dropout"])
def test_what_is_left_out_is_made_up_for_on_the_mean(parts: Mapping[str, Part], entry: str) -> None:
    models = loaded(parts)
    lora = learnt(prepare(models, planned(parts), recipe(text=0, **{entry: 0.25})))
    joint = next(iter(lora._joints.values()))
    weight = joint.layer.weight
    x = torch.eye(weight.shape[1])[:, :, None, None]
    mean = torch.zeros(())
    for step in range(400):
        leave_out([joint], lora._options, 0, step)
        mean = mean + joint.factors.answer(x, torch.zeros_like(weight), None, joint._apply).detach() / 400
    put_back([joint])

    trained = joint.factors.delta(weight).flatten(1)
    assert (mean.flatten(1).T - trained).norm() < 0.1 * trained.norm()


@pytest.mark.parametrize("name", ["lora", "dora", "locon", "loha", "lokr", "lokr whole"])
def test_a_norm_that_is_too_large_is_brought_to_the_limit(parts: Mapping[str, Part], name: str) -> None:
    lora = learnt(prepare(loaded(parts), planned(parts), recipe(max_norm=0.05, **ALGORITHMS[name])))
    added = [getattr(joint.factors, "inner", joint.factors) for joint in lora._joints.values()]
    before = [one.delta(joint.layer.weight) for one, joint in zip(added, lora._joints.values(), strict=True)]

    lora.after_step(1)

    for one, joint, old in zip(added, lora._joints.values(), before, strict=True):
        wanted = old * min(1.0, 0.05 / old.norm().item())
        torch.testing.assert_close(one.delta(joint.layer.weight), wanted, rtol=1e-4, atol=1e-7)


def test_lora_plus_has_the_upper_factors_learn_faster(parts: Mapping[str, Part]) -> None:
    lora = prepare(loaded(parts), planned(parts), recipe(text=1e-4, plus_ratio=16, dora=True))

    groups = {group.name: group for group in lora.groups()}

    rates = {name: group.learning_rate for name, group in groups.items()}
    assert rates == {"unet": 5e-4, "unet up": 8e-3, "text_encoder": 1e-4, "text_encoder up": 1.6e-3}
    assert len(groups["unet up"].parameters) * 2 == len(groups["unet"].parameters)


def test_a_block_with_a_pace_of_its_own_is_a_group_of_its_own(parts: Mapping[str, Part]) -> None:
    lora = prepare(loaded(parts), planned(parts), recipe(text=0, block_rates={"IN01": 0.5}))

    assert {group.name: group.learning_rate for group in lora.groups()} == {"unet": 5e-4, "unet IN01": 2.5e-4}


def test_at_rest_the_base_answers_as_ever(parts: Mapping[str, Part]) -> None:
    models = loaded(parts)
    before = answers(models)
    lora = learnt(prepare(models, planned(parts), recipe()))
    during = answers(models)

    with lora.at_rest():
        at_rest = answers(models)

    assert all(torch.equal(one, other) for one, other in zip(at_rest, before, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(answers(models), during, strict=True))


@pytest.mark.parametrize(
    ("size", "factor", "factors"), [(320, -1, (16, 20)), (320, 8, (8, 40)), (77, 8, (7, 11)), (13, -1, (1, 13))]
)
def test_a_size_is_split_as_evenly_as_allowed(size: int, factor: int, factors: tuple[int, int]) -> None:
    assert split(size, factor) == factors
