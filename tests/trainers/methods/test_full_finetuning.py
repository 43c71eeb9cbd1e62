"""All weights: they learn in float32, are written as a checkpoint, and leave the base as it was."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from inference.plan import ModelPlan
from inference.weights.folder import model_weights
from inference.weights.load import load_part
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, UNET, VAE
from inference.weights.save import save_tensors
from inference.weights.single_file import part_in
from modelhub.catalog import Catalog
from modelhub.errors import BrokenFile
from modelhub.families import family
from modelhub.headers import read_table
from modelhub.kinds import Kind
from tests import tiny, tiny_families
from tests.trainers.bases import Models, loaded, planned
from trainers.methods import Export
from trainers.methods.full import Full, prepare
from trainers.recipe import DatasetOptions, ExportOptions, FullOptions, NoiseOptions, PriorOptions, Recipe


@pytest.fixture(scope="module", params=["sd1", "sd2", "sdxl"])
def of_family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelPlan:
    path = tmp_path_factory.mktemp("base") / f"{request.param}.safetensors"
    if request.param == "sd1":
        return planned(tiny.write_checkpoint(path))
    return planned(tiny_families.write_family(path, request.param), request.param)


@pytest.fixture
def base(checkpoint: Path) -> ModelPlan:
    return planned(checkpoint)


def recipe(*, text: float = 0.0, frozen: bool = False, precision: Any = "fp16", **options: Any) -> Recipe:
    return Recipe(
        method="full", base="x", name="kip", dataset=DatasetOptions(images=Path("x")), steps=10,
        text_encoder_learning_rate=text, options=FullOptions(**options), prior=PriorOptions(frozen=frozen),
        export=ExportOptions(precision=precision),
    )  # fmt: skip


def weights(models: Models) -> dict[tuple[str, str], Tensor]:
    """By role and name."""
    return {(role, name): one.clone() for role in models for name, one in models[role].state_dict().items()}


def same(models: Models, before: Mapping[tuple[str, str], Tensor]) -> set[str]:
    """Roles of which every weight is what it was."""
    changed = {role for (role, name), one in before.items() if not torch.equal(models[role].state_dict()[name], one)}
    return set(models) - changed


def taught(trainee: Full) -> None:
    with torch.no_grad():
        for number, parameter in enumerate(trainee.module.parameters()):
            parameter += torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)) * 0.05


def answer(models: Models) -> Tensor:
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    text = torch.randn(1, 77, tiny.WIDTH, generator=torch.Generator().manual_seed(1))
    dtype = models[UNET].conv_in.weight.dtype  # type: ignore[union-attr]
    found: Tensor = models[UNET](noise.to(dtype), torch.tensor([500]), text.to(dtype), return_dict=False)[0]
    return found


def written(trainee: Full, path: Path) -> tuple[Export, Path]:
    (export,) = trainee.exports(("kohya",))
    family_name = {"modelhub.family": trainee._plan.family.name, "modelhub.kind": export.kind.value}
    save_tensors(path, export.tensors, {**family_name, **export.metadata})
    return export, path


def test_before_the_first_step_it_answers_as_the_base_does(base: ModelPlan) -> None:
    models = loaded(base)
    before = answer(models)

    prepare(models, base, recipe())

    torch.testing.assert_close(answer(models), before, rtol=0, atol=1e-6)


def test_every_weight_of_the_unet_gets_a_gradient_and_those_of_others_none(base: ModelPlan) -> None:
    models = loaded(base)
    trainee = prepare(models, base, recipe())

    answer(models).square().mean().backward()

    (group,) = trainee.groups()
    assert len(group.parameters) == len(models[UNET].state_dict())
    assert all(one.grad is not None for one in group.parameters)
    assert not any(one.requires_grad for role in (VAE, TEXT_ENCODER) for one in models[role].parameters())
    assert not trainee.trains_text_encoder


def test_attention_alone_is_what_its_option_says(base: ModelPlan) -> None:
    models = loaded(base)

    (group,) = prepare(models, base, recipe(attention_only=True)).groups()

    names = [name for name, one in models[UNET].named_parameters() if one.requires_grad]
    assert len(names) == len(group.parameters)
    assert {name.split(".")[-3 if ".to_out." in name else -2] for name in names} == {"to_q", "to_k", "to_v", "to_out"}


def test_text_encoders_learn_at_their_rates(tmp_path: Path) -> None:
    plan = planned(tiny_families.write_sdxl(tmp_path / "xl.safetensors"), "sdxl")
    wanted = recipe(text=1e-6).model_copy(update={"second_text_encoder_learning_rate": 2e-6})

    groups = prepare(loaded(plan), plan, wanted).groups()

    assert [(one.name, one.learning_rate) for one in groups] == [
        (UNET, wanted.learning_rate), (TEXT_ENCODER, 1e-6), (TEXT_ENCODER_2, 2e-6),
    ]  # fmt: skip


def test_the_base_is_what_it_was_to_the_bit_once_it_is_let_go(base: ModelPlan) -> None:
    models = loaded(base)
    before, plain = weights(models), answer(models)
    trainee = prepare(models, base, recipe(text=1e-6))
    taught(trainee)
    assert same(models, before) == {VAE}

    trainee.detach()

    assert same(models, before) == set(models)
    assert torch.equal(answer(models), plain)
    assert not any(one.requires_grad for module in models.values() for one in module.parameters())


@pytest.mark.parametrize("frozen", [False, True])
def test_at_rest_the_base_answers_and_afterwards_what_was_learned(base: ModelPlan, frozen: bool) -> None:
    models = loaded(base)
    plain = answer(models)
    trainee = prepare(models, base, recipe(frozen=frozen))
    taught(trainee)
    learned = answer(models)

    with trainee.at_rest():
        assert torch.equal(answer(models), plain)

    assert torch.equal(answer(models), learned)
    assert not torch.allclose(learned, plain)
    assert all(one.requires_grad for one in models[UNET].parameters())


def test_a_half_precise_base_learns_in_float32_from_what_its_file_holds(base: ModelPlan) -> None:
    exact, models = loaded(base), loaded(base, torch.bfloat16)
    plain = answer(models)
    trainee = prepare(models, base, recipe(attention_only=True))

    answer(models).float().square().mean().backward()

    name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    ours = models[UNET].get_parameter(name)
    assert torch.equal(ours, exact[UNET].get_parameter(name))
    assert ours.grad is not None
    assert ours.grad.dtype == torch.float32
    torch.testing.assert_close(answer(models), plain, rtol=0.05, atol=0.05)
    trainee.detach()
    assert torch.equal(answer(models), plain)


def test_the_checkpoint_holds_what_was_learned_and_the_rest_of_the_base(of_family: ModelPlan, tmp_path: Path) -> None:
    models = loaded(of_family)
    before = weights(models)
    trainee = prepare(models, of_family, recipe(precision="fp32"))
    taught(trainee)

    export, path = written(trainee, tmp_path / "kip.safetensors")

    trainee.check(export, path)
    assert export.kind is Kind.CHECKPOINT
    again = loaded(planned(path, of_family.family.name))
    assert same(again, before) == set(models) - {UNET}
    assert same(again, weights(models)) == set(models)


def test_it_is_written_in_half_precision_under_the_names_of_its_base(base: ModelPlan, tmp_path: Path) -> None:
    export, _ = written(prepare(loaded(base), base, recipe()), tmp_path / "kip.safetensors")

    assert set(export.tensors) == set(read_table(base.parts[UNET].path).tensors)
    assert {one.dtype for one in export.tensors.values()} == {torch.float16}


def test_numbers_that_half_precision_cannot_hold_are_kept_wide(base: ModelPlan, tmp_path: Path) -> None:
    models = loaded(base)
    trainee = prepare(models, base, recipe())
    with torch.no_grad():
        models[UNET].get_parameter("conv_in.bias")[0] = 1e5

    export, path = written(trainee, tmp_path / "kip.safetensors")

    trainee.check(export, path)
    wide = {name for name, one in export.tensors.items() if one.dtype == torch.float32}
    assert wide == {"model.diffusion_model.input_blocks.0.0.bias"}


def test_a_unet_alone_is_read_as_one(base: ModelPlan, tmp_path: Path) -> None:
    models = loaded(base)
    trainee = prepare(models, base, recipe(keeps="unet", precision="fp32"))
    taught(trainee)

    export, path = written(trainee, tmp_path / "kip.safetensors")

    trainee.check(export, path)
    assert export.kind is Kind.UNET
    part = part_in(model_weights(path, UNET), family("sd1"), UNET)
    again = load_part(part, device=torch.device("cpu"), dtype=torch.float32).state_dict()
    assert all(torch.equal(again[name], one) for name, one in models[UNET].state_dict().items())


def test_files_of_an_earlier_step_fail_the_check(base: ModelPlan, tmp_path: Path) -> None:
    trainee = prepare(loaded(base), base, recipe())
    export, path = written(trainee, tmp_path / "kip.safetensors")
    taught(trainee)

    with pytest.raises(BrokenFile, match="of its unet reads back other than it was trained"):
        trainee.check(export, path)


@pytest.mark.parametrize(
    ("base_predicts", "recipe_says", "zero_snr", "markers"),
    [
        ("epsilon", None, False, set()),
        ("v", None, False, {"v_pred"}),
        ("epsilon", "v", False, {"v_pred"}),
        ("v", None, True, {"v_pred", "ztsnr"}),
    ],
)
def test_what_it_predicts_is_told_as_other_tools_ask(
    base: ModelPlan, base_predicts: str, recipe_says: Any, zero_snr: bool, markers: set[str]
) -> None:
    plan = replace(base, prediction=base_predicts)
    noise = NoiseOptions(zero_terminal_snr=zero_snr)
    wanted = recipe().model_copy(update={"prediction": recipe_says, "noise": noise})

    (export,) = prepare(loaded(plan), plan, wanted).exports(())

    assert {name for name, one in export.tensors.items() if not one.numel()} == markers


@pytest.mark.parametrize("keeps", ["checkpoint", "unet"])
def test_the_catalog_knows_what_it_is(base: ModelPlan, tmp_path: Path, catalog: Catalog, keeps: str) -> None:
    export, path = written(prepare(loaded(base), base, recipe(keeps=keeps)), tmp_path / "kip.safetensors")

    facts = catalog.add(path).facts

    assert (facts.kind, facts.family, facts.precision) == (export.kind, "sd1", "F16")


def test_its_learning_rates_are_its_own_unless_the_recipe_says_others() -> None:
    dataset = DatasetOptions(images=Path("x"))
    usual = Recipe(method="full", base="x", name="kip", dataset=dataset)
    said = Recipe(method="full", base="x", name="kip", dataset=dataset, learning_rate=1e-5)

    assert (usual.learning_rate, usual.text_encoder_learning_rate) == (5e-6, 0.0)
    assert (said.learning_rate, said.text_encoder_learning_rate) == (1e-5, 0.0)


def test_text_encoders_learn_nothing_that_a_unet_alone_would_not_keep() -> None:
    with pytest.raises(ValidationError, match="a UNet alone does not hold what text encoders learn"):
        recipe(keeps="unet", text=1e-6)
