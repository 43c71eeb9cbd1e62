"""A request against a catalog: what is filled in, and what is refused before a weight is read."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.plan import LoadPlan, default_model, resolve
from inference.request import SEEDS, GenerationRequest, ImageSeed, LoraUse
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.digests import file_digests
from modelhub.errors import BadValue, Incompatible, UnknownRef
from modelhub.kinds import Facts, Kind
from modelhub.workspace import Workspace
from tests import tiny

TO_K = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
FC1 = "lora_te_text_model_encoder_layers_0_mlp_fc1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def shelf(folder: Path) -> Iterator[Catalog]:
    """A catalog that holds one of each."""
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(tiny.write_vae(folder / "soft.safetensors", seed=1))
        catalog.add(tiny.write_lora(folder / "kip.safetensors", {TO_K: (8, 16), FC1: (32, 16)}))
        catalog.add(tiny.write_lora(folder / "wide.safetensors", {TO_K: (8, 32)}))
        catalog.add(tiny.write_lora(folder / "other.safetensors", {TO_K: (8, 16)}, seed=2),
                    facts=Facts(kind=Kind.LORA, family="sdxl"))  # fmt: skip
        catalog.add(
            tiny.write_lora(folder / "odd.safetensors", {"lora_unet_down_blocks_0_resnets_0_time_emb_proj": (9, 9)})
        )
        yield catalog


def request(**fields: object) -> GenerationRequest:
    return GenerationRequest.model_validate({"prompt": "a cat", "model": "tiny", **fields})


def sha256(path: Path) -> str:
    return file_digests(path)["sha256"]


def test_references_become_digests(shelf: Catalog, folder: Path) -> None:
    plan = resolve(request(vae="soft", loras=[LoraUse(ref="kip", unet=0.8)]), shelf)

    assert plan.request.model == plan.base.model.sha256 == sha256(folder / "tiny.safetensors")
    assert plan.request.vae == sha256(folder / "soft.safetensors")
    assert plan.request.loras == (LoraUse(ref=sha256(folder / "kip.safetensors"), unet=0.8),)
    assert plan.base.vae is not None
    assert (plan.base.model.name, plan.base.vae.name) == ("tiny", "soft.safetensors")


def test_a_plan_is_the_same_when_its_request_is_resolved_again(shelf: Catalog) -> None:
    plan = resolve(request(vae="soft", loras=[LoraUse(ref="kip")]), shelf)

    assert resolve(plan.request, shelf) == plan
    assert resolve(GenerationRequest.from_json(plan.request.to_json()), shelf) == plan


def test_a_lora_without_a_strength_gets_the_one_that_the_catalog_prefers(shelf: Catalog) -> None:
    def strengths(text: str) -> tuple[float, float, bool]:
        (use,) = resolve(request(loras=[LoraUse.parse(text)]), shelf).request.loras
        return use.unet, use.text_encoder, use.preferred

    assert strengths("kip") == (1.0, 1.0, False)
    shelf.set_weight(shelf.resolve("kip").id, 0.7)
    assert strengths("kip") == (0.7, 0.7, False)
    assert strengths("kip=1,0.5") == (1.0, 0.5, False)
    assert shelf.set_weight(shelf.resolve("kip").id, None).weight is None


def test_loras_in_the_prompt_become_digests_and_come_before_the_flags(shelf: Catalog, folder: Path) -> None:
    asked = request(prompt="a <lora:kip:0.5> b <lora:3> # c", negative_prompt="d # e", loras=[LoraUse(ref="3", unet=0)])

    plan = resolve(asked, shelf)

    kip = sha256(folder / "kip.safetensors")
    assert plan.request.prompt == f"a <lora:{kip}:0.5> b <lora:{kip}> "
    assert plan.request.negative_prompt == "d "
    assert [(one.name, one.text_encoder, one.unet) for one in plan.base.adapters] == [
        ("kip", 0.5, 0.5),
        ("kip", 1.0, 1.0),
        ("kip", 1.0, 0.0),
    ]
    assert resolve(plan.request, shelf) == plan


def test_a_lora_in_the_prompt_that_nobody_knows_is_refused_with_the_nearest(shelf: Catalog) -> None:
    with pytest.raises(UnknownRef, match="kop"):
        resolve(request(prompt="<lora:kop>"), shelf)


@pytest.mark.parametrize("name", ["./kip.safetensors", "kip.safetensors"])
def test_a_path_in_the_prompt_is_sent_to_the_command_line(shelf: Catalog, name: str) -> None:
    with pytest.raises(BadValue, match="as the catalog knows them") as refused:
        resolve(request(prompt=f"<lora:{name}:0.5>"), shelf)

    assert refused.value.mend == f"modelhub generate ... --lora {name}=0.5,0.5"


def test_everything_that_has_a_part_in_the_pixels_is_written_down(shelf: Catalog) -> None:
    plan = resolve(request(vae="soft", loras=[LoraUse(ref="kip"), LoraUse(ref="3")]), shelf)

    assert plan.used == (("model", 1), ("vae", 2), ("lora", 3), ("lora", 3))


def test_a_vae_takes_the_place_of_the_checkpoints_own(shelf: Catalog, folder: Path) -> None:
    own, other = resolve(request(), shelf), resolve(request(vae="soft"), shelf)

    assert own.base.parts["vae"].path == folder / "tiny.safetensors"
    assert other.base.parts["vae"].path == folder / "soft.safetensors"
    assert (other.base.parts["unet"], other.base.parts["text_encoder"]) == (
        own.base.parts["unet"],
        own.base.parts["text_encoder"],
    )


@pytest.mark.parametrize(("said", "fits"), [("sd2", True), ("sdxl", False), ("", True)])
def test_a_vae_fits_every_family_that_shares_it(shelf: Catalog, said: str, fits: bool) -> None:
    shelf.say(shelf.resolve("soft").id, {"family": said or None})
    if fits:
        assert resolve(request(vae="soft"), shelf).base.vae
    else:
        with pytest.raises(Incompatible, match="soft is made for sdxl, tiny is sd1"):
            resolve(request(vae="soft"), shelf)


def test_the_vae_of_another_checkpoint_may_be_taken(shelf: Catalog) -> None:
    assert resolve(request(vae="tiny"), shelf).base.parts == resolve(request(), shelf).base.parts


@pytest.mark.parametrize(
    ("asked", "given"),
    [({}, (64, 64)), ({"width": 128}, (128, 64)), ({"height": 96}, (64, 96)), ({"width": 72, "height": 80}, (72, 80))],
)
def test_a_size_left_open_is_the_one_the_model_was_trained_at(
    shelf: Catalog, asked: dict[str, int], given: tuple[int, int]
) -> None:
    assert resolve(request(**asked), shelf).size == given


def test_a_random_seed_is_settled_once(shelf: Catalog) -> None:
    seeds = {resolve(request(seed=-1), shelf).request.seed for _ in range(3)}

    assert len(seeds) == 3
    assert all(0 <= seed < SEEDS for seed in seeds)
    assert resolve(request(seed=5), shelf).request.seed == 5


def test_images_count_their_seeds_up_and_around(shelf: Catalog) -> None:
    assert resolve(request(seed=SEEDS - 2, count=4), shelf).seeds == [
        ImageSeed(number) for number in (SEEDS - 2, SEEDS - 1, 0, 1)
    ]


def test_sampler_and_schedule_get_their_full_names(shelf: Catalog) -> None:
    plan = resolve(request(sampler="k_dpmpp_2m"), shelf)

    assert (plan.request.sampler, plan.request.schedule) == ("DPM++ 2M", "Karras")


def test_an_unknown_model_is_refused_with_the_nearest(shelf: Catalog) -> None:
    with pytest.raises(UnknownRef, match=r"'tine'; did you mean tiny\?"):
        resolve(request(model="tine"), shelf)


@pytest.mark.parametrize("fields", [{"vae": "nope"}, {"loras": [LoraUse(ref="nope")]}])
def test_unknown_parts_are_refused(shelf: Catalog, fields: dict[str, object]) -> None:
    with pytest.raises(UnknownRef, match="nope"):
        resolve(request(**fields), shelf)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "kip"}, "kip.* is a lora, not a checkpoint"),
        ({"vae": "kip"}, "kip.* is a lora, not a checkpoint or vae"),
        ({"loras": [LoraUse(ref="tiny")]}, "tiny.* is a checkpoint, not a lora"),
    ],
)
def test_a_model_of_another_kind_is_refused(shelf: Catalog, fields: dict[str, object], message: str) -> None:
    with pytest.raises(Incompatible, match=message):
        resolve(request(**fields), shelf)


def refused(shelf: Catalog, lora: str) -> Incompatible:
    with pytest.raises(Incompatible) as caught:
        resolve(request(loras=[LoraUse(ref=lora)]), shelf)
    return caught.value


def test_a_lora_of_another_family_is_refused_naming_both(shelf: Catalog) -> None:
    error = refused(shelf, "other")

    assert error.message == "other is made for sdxl, tiny is sd1"
    assert error.mend == "modelhub ls --family sd1 --kind lora"


def test_a_lora_for_text_encodings_of_another_width_is_refused_naming_both(shelf: Catalog) -> None:
    error = refused(shelf, "wide")

    assert error.message == (
        "wide was trained on text encodings 32 wide, tiny has 16: it belongs to another base model"
    )
    assert error.mend == "modelhub ls --kind checkpoint"


def test_a_lora_whose_layers_do_not_fit_is_refused_naming_the_module(shelf: Catalog) -> None:
    assert "its down_blocks.0.resnets.0.time_emb_proj is 9x9, the base model's 8x32" in refused(shelf, "odd").message


def test_skipping_more_layers_than_there_are_is_refused(shelf: Catalog) -> None:
    assert resolve(request(clip_skip=2), shelf).request.clip_skip == 2
    with pytest.raises(BadValue, match=r"clip skip 3 .*tiny: it has 2 layers"):
        resolve(request(clip_skip=3), shelf)


def test_an_unknown_sampler_is_refused(shelf: Catalog) -> None:
    with pytest.raises(BadValue, match="is no sampler"):
        resolve(request(sampler="Euler z"), shelf)


def test_a_checkpoint_of_unknown_family_is_refused(shelf: Catalog, folder: Path) -> None:
    path = folder / "strange.safetensors"
    save_tensors(path, tiny.lora_tensors({"x": (2, 2)}), {})
    shelf.add(path, facts=Facts(kind=Kind.CHECKPOINT))

    with pytest.raises(BadValue, match="family of strange is not known"):
        resolve(request(model="strange"), shelf)


def test_a_v_prediction_checkpoint_is_planned_as_one(shelf: Catalog, folder: Path) -> None:
    path = tiny.write_checkpoint(folder / "velocity.safetensors", **{"modelhub.prediction_type": "v"})
    facts = Facts(kind=Kind.CHECKPOINT, family="sd1", prediction_type="v", context_width=16)
    shelf.add(path, facts=facts)

    assert resolve(request(model="velocity"), shelf).base.prediction == "v"
    assert resolve(request(), shelf).base.prediction == "epsilon"


def test_the_plan_names_only_tensors_that_merging_reads(shelf: Catalog) -> None:
    plan: LoadPlan = resolve(request(loras=[LoraUse(ref="kip")]), shelf)

    expected = {f"{name}.{part}" for name in (TO_K, FC1) for part in ("lora_down.weight", "lora_up.weight", "alpha")}
    assert set(plan.base.adapters[0].tensor_names()) == expected


def test_planning_imports_no_torch() -> None:
    heavy = ("torch", "diffusers", "transformers", "numpy")
    code = f"import sys, inference.plan, inference.infotext; print([one for one in {heavy} if one in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


def held(catalog: Catalog, path: Path, **facts: Any) -> None:
    catalog.add(path, facts=Facts(**{"kind": Kind.CHECKPOINT, "family": "sd1", **facts}))


@pytest.mark.parametrize(
    ("format", "message", "mend"),
    [
        ("pickle/ldm", "liar is a pickle: it is only read after it was converted", "modelhub convert 1"),
        (
            "gguf/native",
            "liar is a GGUF file: generating with one is not possible yet",
            "modelhub ls --kind checkpoint",
        ),
        ("diffusers/diffusers", "liar is a diffusers folder", "modelhub ls --kind checkpoint"),
    ],
)
def test_weights_in_another_container_are_refused_unread(
    catalog: Catalog, tmp_path: Path, format: str, message: str, mend: str
) -> None:
    held(catalog, tiny.write_checkpoint(tmp_path / "liar.safetensors"), format=format)
    with pytest.raises(Incompatible, match=message) as caught:
        resolve(request(model="liar"), catalog)
    assert caught.value.mend == mend


def test_a_real_pickle_is_refused_whatever_part_it_is_for(catalog: Catalog, tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": torch.ones(1)}}, tmp_path / "old.ckpt")
    held(catalog, tmp_path / "old.ckpt")
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"))
    torch.save({"b": torch.ones(1)}, tmp_path / "soft.pt")
    held(catalog, tmp_path / "soft.pt", kind=Kind.VAE)
    for fields in ({"model": "old"}, {"model": "tiny", "vae": "soft"}):
        with pytest.raises(Incompatible, match="is a pickle"):
            resolve(request(**fields), catalog)


def test_a_family_that_cannot_be_drawn_with_yet_is_named(catalog: Catalog, tmp_path: Path) -> None:
    held(catalog, tiny.write_checkpoint(tmp_path / "big.safetensors"), family="qwen-image", format="safetensors/native")
    with pytest.raises(Incompatible, match=r"generating with Qwen-Image is not possible yet"):
        resolve(request(model="big"), catalog)


def test_without_a_word_the_only_checkpoint_draws_and_of_several_the_last_that_drew(tmp_path: Path) -> None:
    with Catalog.create(Workspace(tmp_path)) as catalog:
        with pytest.raises(BadValue, match="holds no checkpoint"):
            default_model(catalog)
        only = catalog.add(tiny.write_checkpoint(tmp_path / "one.safetensors")).id
        assert default_model(catalog) == str(only)

        other = catalog.add(tiny.write_checkpoint(tmp_path / "two.safetensors", seed=5)).id
        with pytest.raises(BadValue, match=r"which model shall draw\? There are two \(2\), one \(1\)"):
            default_model(catalog)
        catalog.begin_run("generate", {}, [("model", other)])
        assert default_model(catalog) == str(other)
