"""Nets before keys and values: next to nothing at first, then all that was learned, in files that webui reads."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from inference.adapters.hypernetwork import parse_hypernetwork
from inference.adapters.nets import Attending
from inference.plan import HypernetworkPlan, ModelPlan, NamedModel
from inference.weights.pickles import save_pickle
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import BrokenFile, Incompatible
from modelhub.families import family
from modelhub.headers import read_table
from modelhub.kinds import Kind
from tests import tiny
from trainers.methods import Export
from trainers.methods.hypernetwork import Hypernetwork, prepare
from trainers.recipe import DatasetOptions, ExportOptions, HypernetworkOptions, Recipe

PLAN = ModelPlan(family("sd1"), "epsilon", 64, {}, NamedModel("tiny", "a" * 64))


def recipe(precision: Any = "fp32", seed: int = 0, **options: Any) -> Recipe:
    return Recipe(
        method="hypernetwork", base="x", name="kip", dataset=DatasetOptions(images=Path("x")), steps=10, seed=seed,
        options=HypernetworkOptions(**options), export=ExportOptions(precision=precision),
    )  # fmt: skip


@pytest.fixture
def unet() -> nn.Module:
    return tiny.models()["unet"]


def begun(unet: nn.Module, **options: Any) -> Hypernetwork:
    return prepare({"unet": unet}, PLAN, recipe(**options))


def answer(unet: nn.Module) -> Tensor:
    chance = torch.Generator().manual_seed(1)
    x, text = torch.randn(2, 4, 8, 8, generator=chance), torch.randn(2, 77, tiny.WIDTH, generator=chance)
    found: Tensor = unet(x, torch.tensor([500]), text, return_dict=False)[0]
    return found


def taught(trainee: Hypernetwork) -> Hypernetwork:
    with torch.no_grad():
        for number, parameter in enumerate(trainee.module.parameters()):
            parameter += torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)) * 0.3
    return trainee


def written(trainee: Hypernetwork, folder: Path) -> list[tuple[Export, Path]]:
    plain, pickled = trainee.exports(("kohya",))
    assert pickled.pickled is not None
    save_tensors(folder / "kip.safetensors", plain.tensors, {"modelhub.family": "sd1", **plain.metadata})
    save_pickle(folder / "kip.pt", pickled.pickled)
    return [(plain, folder / "kip.safetensors"), (pickled, folder / "kip.pt")]


def planned(path: Path) -> HypernetworkPlan:
    return HypernetworkPlan("kip", "", path, 1.0, parse_hypernetwork(path, read_table(path)))


def test_it_begins_near_nothing_and_by_its_seed(unet: nn.Module) -> None:
    plain = answer(unet)

    first = begun(unet)
    near = answer(unet)
    first.detach()
    other = begun(unet, seed=1)

    assert not torch.equal(near, plain)
    torch.testing.assert_close(near, plain, rtol=0, atol=0.01)
    assert not torch.equal(next(first.module.parameters()), next(other.module.parameters()))


def test_every_width_of_attention_has_a_net_for_keys_and_one_for_values_and_all_learn(unet: nn.Module) -> None:
    trainee = begun(unet)

    answer(unet).square().mean().backward()

    assert set(trainee.module) == {"8", str(tiny.WIDTH)}
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in trainee.module.parameters())
    assert all(parameter.grad is None for parameter in unet.parameters())
    (group,) = trainee.groups()
    assert group.learning_rate == 1e-5


def test_at_rest_and_let_go_the_base_answers_to_the_bit(unet: nn.Module) -> None:
    plain = answer(unet)
    trainee = taught(begun(unet))
    learned = answer(unet)

    with trainee.at_rest():
        assert torch.equal(answer(unet), plain)
    assert torch.equal(answer(unet), learned)
    trainee.detach()

    assert torch.equal(answer(unet), plain)
    assert not torch.allclose(learned, plain, atol=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "relu", "layer_norm": True},
        {"activation": "swish", "structure": (1, 2, 2, 1), "dropout": 0.3},
        {"activation": "leakyrelu", "layer_norm": True, "dropout": 0.5},
    ],
)
def test_the_file_at_work_gives_what_was_trained(unet: nn.Module, tmp_path: Path, options: dict[str, Any]) -> None:
    trainee = taught(begun(unet, **options))
    during = answer(unet)
    files = written(trainee, tmp_path)
    for export, path in files:
        trainee.check(export, path)
    trainee.detach()

    Attending(unet).switch((planned(files[0][1]),))

    torch.testing.assert_close(answer(unet), during, rtol=1e-5, atol=1e-5)


def test_the_pickle_is_what_webui_builds_its_nets_from(unet: nn.Module, tmp_path: Path) -> None:
    trainee = begun(unet, activation="relu", layer_norm=True, dropout=0.25)

    content = torch.load(written(trainee, tmp_path)[1][1], weights_only=True)

    told = {name: one for name, one in content.items() if isinstance(name, str)}
    assert told == {
        "step": 10,
        "name": "kip",
        "layer_structure": [1.0, 2.0, 1.0],
        "activation_func": "relu",
        "is_layer_norm": True,
        "weight_initialization": "Normal",
        "use_dropout": True,
        "dropout_structure": [0.0, 0.25, 0.0],
        "last_layer_dropout": False,
        "activate_output": False,
        "sd_checkpoint": "a" * 10,
        "sd_checkpoint_name": "tiny",
    }
    # linear 0, relu 1, norm 2, dropout 3, linear 4, norm 5
    names = {f"linear.{place}.{tensor}" for place in (0, 2, 4, 5) for tensor in ("weight", "bias")}
    assert [set(content[width][half]) for width in (8, tiny.WIDTH) for half in (0, 1)] == [names] * 4


def test_what_it_writes_is_as_precise_as_the_recipe_says(unet: nn.Module, tmp_path: Path) -> None:
    trainee = taught(begun(unet, precision="fp16"))

    for export, path in written(trainee, tmp_path):
        assert {one.dtype for one in read_table(path).tensors.values()} == {"F16"}
        trainee.check(export, path)


def test_files_of_an_earlier_step_fail_the_check(unet: nn.Module, tmp_path: Path) -> None:
    trainee = begun(unet)
    files = written(trainee, tmp_path)
    taught(trainee)

    for export, path in files:
        with pytest.raises(BrokenFile, match="its nets read back other than they were trained"):
            trainee.check(export, path)


def test_dropout_depends_on_seed_and_step_alone_and_ends_with_the_step(unet: nn.Module) -> None:
    trainee = taught(begun(unet, dropout=0.5))
    whole = answer(unet)

    def at(step: int) -> Tensor:
        trainee.begin_step(step)
        return answer(unet)

    first, second, again = at(0), at(1), at(0)
    trainee.after_step(1)

    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(answer(unet), whole)


def test_the_catalog_knows_what_it_is(unet: nn.Module, tmp_path: Path, catalog: Catalog) -> None:
    (_, path), _ = written(begun(unet), tmp_path)

    facts = catalog.add(path).facts

    assert (facts.kind, facts.family) == (Kind.HYPERNETWORK, "sd1")


def test_an_activation_that_torch_has_not_is_refused(unet: nn.Module) -> None:
    with pytest.raises(Incompatible, match="the activation 'wiggle' cannot be applied"):
        begun(unet, activation="wiggle")


@pytest.mark.parametrize("structure", [(1.0,), (1.0, 2.0), (2.0, 1.0), (1.0, 0.0, 1.0)])
def test_a_structure_that_does_not_give_what_it_takes_is_refused(structure: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="a structure begins and ends with 1"):
        HypernetworkOptions(structure=structure)
