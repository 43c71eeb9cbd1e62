"""What is written: names that other tools read, headers that they understand, and files to go on from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from packaging.version import Version
from torch import Tensor

from inference.plan import plan_adapter
from inference.weights.save import save_tensors
from inference.weights.single_file import Part, checkpoint_parts
from modelhub.errors import BadValue, BrokenFile
from modelhub.families import family
from modelhub.headers import read_table
from modelhub.identify import identify
from modelhub.kinds import Kind
from tests.tiny_families import write_sdxl
from tests.trainers.methods.loras import Models, answers, learnt, loaded, planned, recipe, saved
from trainers.methods.lora import Lora, prepare
from trainers.recipe import parse_recipe


@pytest.fixture(scope="module")
def sdxl_parts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Part]:
    path = write_sdxl(tmp_path_factory.mktemp("models") / "xl.safetensors")
    return checkpoint_parts(path, read_table(path), family("sdxl"))


@pytest.fixture(params=["sd1", "sdxl"])
def base(request: pytest.FixtureRequest) -> Mapping[str, Part]:
    found: Mapping[str, Part] = request.getfixturevalue("parts" if request.param == "sd1" else "sdxl_parts")
    return found


def pipeline(models: Models) -> Any:
    """diffusers' own, of the very modules."""
    unet, vae, small = models["unet"], models["vae"], models["text_encoder"]
    if "text_encoder_2" in models:
        return StableDiffusionXLPipeline(vae, small, models["text_encoder_2"], None, None, unet, DDIMScheduler())
    return StableDiffusionPipeline(
        vae, small, None, unet, DDIMScheduler(), None, None, requires_safety_checker=False
    )  # fmt: skip


def largest(now: tuple[Tensor, ...], then: tuple[Tensor, ...]) -> float:
    return max((one - other).abs().max().item() for one, other in zip(now, then, strict=True))


@pytest.mark.skipif(
    Version(diffusers.__version__) < Version("0.42"), reason="older ones take another alpha for some of several ranks"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("sd1", {"alpha": 1.0, "conv_rank": 2, "conv_alpha": 2.0}),
        ("sd1", {"dora": True, "conv_rank": 2}),
        ("sdxl", {"rank_stabilized": True, "block_ranks": {"IN01": 6, "OUT01": 2, "OUT02": 2}}),
        ("sdxl", {"dora": True, "conv_rank": 2}),
    ],
)
def test_diffusers_draws_with_its_file_what_trained(
    parts: Mapping[str, Part], sdxl_parts: Mapping[str, Part], name: str, entries: Mapping[str, Any], tmp_path: Path
) -> None:
    base = parts if name == "sd1" else sdxl_parts
    lora = learnt(prepare(models := loaded(base), planned(base), recipe(precision="fp32", **entries)), 0.05)
    before, during = answers(loaded(base)), answers(models)
    path = saved(lora, tmp_path / "kip.safetensors", "diffusers")

    theirs = pipeline(loaded(base))
    theirs.load_lora_weights(str(path))

    now = answers({role: getattr(theirs, role) for role in base})
    assert largest(now, during) < 1e-4
    assert min((one - other).abs().max().item() for one, other in zip(during, before, strict=True)) > 1e-2


@pytest.mark.filterwarnings("ignore")
def test_diffusers_draws_with_kohyas_file_of_sdxl_what_trained(sdxl_parts: Mapping[str, Part], tmp_path: Path) -> None:
    models = loaded(sdxl_parts)
    lora = learnt(prepare(models, planned(sdxl_parts), recipe(precision="fp32", conv_rank=4, conv_alpha=3.0)), 0.05)
    during = answers(models)
    path = saved(lora, tmp_path / "kip.safetensors")

    theirs = pipeline(loaded(sdxl_parts))
    theirs.load_lora_weights(str(path))

    assert largest(answers({role: getattr(theirs, role) for role in sdxl_parts}), during) < 1e-4


@pytest.mark.parametrize("entries", [{"dora": True, "conv_rank": 2}])
def test_diffusers_file_passes_the_check_too(
    base: Mapping[str, Part], entries: Mapping[str, Any], tmp_path: Path
) -> None:
    lora = learnt(prepare(loaded(base), planned(base), recipe(alpha=3.0, **entries)))
    _, export = lora.exports(["kohya", "diffusers"])

    lora.check(export, saved(lora, tmp_path / "kip.safetensors", export.format))


def test_a_file_without_its_text_encoder_fails_the_check(base: Mapping[str, Part], tmp_path: Path) -> None:
    lora = learnt(prepare(loaded(base), planned(base), recipe()))
    kept = {name: one for name, one in lora.tensors("diffusers").items() if name.startswith("unet.")}
    save_tensors(tmp_path / "kip.safetensors", kept, {})

    with pytest.raises(BrokenFile, match="trained layers can be read back"):
        lora.check(lora.exports(["diffusers"])[0], tmp_path / "kip.safetensors")


def test_the_first_format_comes_first_and_kohyas_file_where_none_is_for_a_lora(parts: Mapping[str, Part]) -> None:
    lora = prepare(loaded(parts), planned(parts), recipe())

    assert [one.format for one in lora.exports(["diffusers", "kohya"])] == ["diffusers", "kohya"]
    assert [(one.format, one.kind) for one in lora.exports(["a1111"])] == [("kohya", Kind.LORA)]


def test_sdxls_file_has_stabilitys_names(sdxl_parts: Mapping[str, Part]) -> None:
    names = {name.partition(".")[0] for name in prepare(loaded(sdxl_parts), planned(sdxl_parts), recipe()).tensors()}

    assert "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q" in names
    assert "lora_te1_text_model_encoder_layers_0_self_attn_q_proj" in names
    assert "lora_te2_text_model_encoder_layers_0_self_attn_q_proj" in names


@pytest.mark.parametrize(
    ("entries", "module", "told"),
    [
        ({"conv_rank": 2, "plus_ratio": 16}, "networks.lora",
         {"conv_dim": "2", "conv_alpha": "1", "loraplus_lr_ratio": "16.0"}),
        ({"dora": True}, "lycoris.kohya", {"algo": "lora", "dora_wd": "True"}),
        ({"algorithm": "loha", "rank_dropout": 0.1}, "lycoris.kohya", {"algo": "loha", "rank_dropout": "0.1"}),
        ({"algorithm": "lokr", "factor": 4}, "lycoris.kohya", {"algo": "lokr", "factor": "4"}),
        ({"algorithm": "oft", "constraint": 0.01}, "lycoris.kohya", {"algo": "diag-oft", "constraint": "0.01"}),
    ],
)  # fmt: skip
def test_the_header_says_what_kohyas_and_lycoris_would(
    parts: Mapping[str, Part], entries: Mapping[str, Any], module: str, told: Mapping[str, str]
) -> None:
    header = prepare(loaded(parts), planned(parts), recipe(**entries)).exports(["kohya"])[0].metadata

    assert header["ss_network_module"] == module
    assert (header["ss_network_dim"], header["ss_network_alpha"]) == ("4", "3")
    assert json.loads(header["ss_network_args"]) == told


@pytest.mark.parametrize(
    ("entries", "algorithm"),
    [({}, "lora"), ({"dora": True}, "dora"), ({"algorithm": "loha"}, "loha"), ({"algorithm": "lokr"}, "lokr"),
     ({"algorithm": "oft"}, "oft")],
)  # fmt: skip
def test_the_file_is_identified_as_what_it_is(
    parts: Mapping[str, Part], entries: Mapping[str, Any], algorithm: str, tmp_path: Path
) -> None:
    lora = prepare(loaded(parts), planned(parts), recipe(**entries))
    export = lora.exports(["kohya"])[0]
    save_tensors(path := tmp_path / "kip.safetensors", export.tensors, export.metadata)

    facts = identify(read_table(path), name=path.name)

    assert (facts.kind, facts.algorithm) == (Kind.LORA, algorithm)


def test_an_alpha_that_half_precision_rounds_is_kept_in_full(parts: Mapping[str, Part]) -> None:
    tensors = prepare(loaded(parts), planned(parts), recipe(rank=3, alpha=1.0, rank_stabilized=True)).tensors()

    alphas = [one for name, one in tensors.items() if name.endswith(".alpha")]
    assert {one.item() for one in alphas} == {torch.tensor(3**0.5).item()}


@pytest.mark.parametrize(
    "entries", [{"algorithm": "loha"}, {"algorithm": "oft", "plus_ratio": 2}, {"algorithm": "oft", "max_norm": 1}]
)
def test_what_does_not_go_together_is_refused(entries: Mapping[str, Any]) -> None:
    fields: dict[str, Any] = {"base": "x", "name": "kip", "dataset": {"images": "x"}, "options": entries}

    with pytest.raises(BadValue, match=r"diffusers reads no loha|plus_ratio|max_norm"):
        parse_recipe({**fields, "export": {"formats": ["kohya", "diffusers"]}}, "here")


def going_on(parts: Mapping[str, Part], path: Path, **entries: Any) -> Lora:
    plan = planned(parts)
    start = plan_adapter(path, parts, name="old")
    return prepare(
        loaded(parts), type(plan)(plan.family, "epsilon", 64, parts, plan.model, adapters=(start,)), recipe(**entries)
    )


@pytest.mark.parametrize(
    "entries", [{}, {"dora": True}, {"algorithm": "loha"}, {"algorithm": "lokr", "rank": 1}, {"algorithm": "oft"}]
)
def test_training_goes_on_where_a_file_stands(
    parts: Mapping[str, Part], entries: Mapping[str, Any], tmp_path: Path
) -> None:
    first = learnt(prepare(loaded(parts), planned(parts), recipe(**entries)))
    path = saved(first, tmp_path / "old.safetensors")

    second = going_on(parts, path, **entries)

    now, then = second.tensors(), first.tensors()
    assert all(torch.equal(now[name], then[name]) for name in then)


def test_training_goes_on_from_diffusers_file(parts: Mapping[str, Part], tmp_path: Path) -> None:
    first = learnt(prepare(loaded(parts), planned(parts), recipe(alpha=4.0, precision="fp32")))
    path = saved(first, tmp_path / "old.safetensors", "diffusers")

    second = going_on(parts, path, alpha=4.0)

    for one, other in zip(first.module.parameters(), second.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_new_words_are_learned_and_written_beside(parts: Mapping[str, Part], tmp_path: Path) -> None:
    lora = prepare(loaded(parts), planned(parts), recipe(pivotal={"token": "mira", "vectors": 2}))

    groups = {group.name: group for group in lora.groups()}
    file, words = lora.exports(["kohya"])

    assert groups["words"].learning_rate == 5e-3
    assert [one.shape for one in lora.words["text_encoder"].values()] == [(2, 16)]
    assert (file.kind, words.kind) == (Kind.LORA, Kind.EMBEDDING)
    assert not any("words" in name for name in file.tensors)
    save_tensors(path := tmp_path / "mira.safetensors", words.tensors, {})
    lora.check(words, path)
