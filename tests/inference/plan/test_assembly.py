"""A model brought together from files and folders; what does not fit is refused."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference.plan.models import find_models, plan_model
from inference.plan.nouns import ModelPlan
from inference.request import GenerationRequest
from inference.weights.export import checkpoint_tensors
from inference.weights.hints import write_hints
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible
from modelhub.kinds import Facts, Kind
from modelhub.workspace import Workspace
from tests import tiny, tiny_families


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assembly")


def write(path: Path, tensors: Mapping[str, Tensor], **metadata: str) -> Path:
    save_tensors(path, tensors, {**write_hints(tiny.HINTS), **metadata})
    return path


def without(tensors: Mapping[str, Tensor], *prefixes: str) -> dict[str, Tensor]:
    return {name: one for name, one in tensors.items() if not name.startswith(prefixes)}


@pytest.fixture(scope="module")
def shelf(folder: Path) -> Iterator[Catalog]:
    """Checkpoints of each family, and what may take the place of their parts."""
    first = tiny_families.sdxl_models()
    second = tiny_families.sdxl_models(seed=1)
    whole = checkpoint_tensors(**first, family="sdxl")
    with Catalog.create(Workspace(folder)) as catalog:
        for name in tiny_families.MODELS:
            catalog.add(tiny_families.write_family(folder / f"{name}.safetensors", name))
        catalog.add(tiny.write_checkpoint(folder / "sd1.safetensors"))
        catalog.add(tiny.write_vae(folder / "soft.safetensors", seed=3))
        sdxl = {"modelhub.family": "sdxl"}
        bare = without(whole, "first_stage_model.", "conditioner.")
        catalog.add(write(folder / "only-unet.safetensors", bare, **sdxl))
        catalog.add(write(folder / "no-vae.safetensors", without(whole, "first_stage_model."), **sdxl))
        catalog.add(write(folder / "clip-l.safetensors", second["text_encoder"].state_dict()))
        catalog.add(write(folder / "clip-g.safetensors", second["text_encoder_2"].state_dict()))
        catalog.add(write(folder / "other-unet.safetensors", second["unet"].state_dict(), **sdxl))
        catalog.add(write(folder / "vae-of-xl.safetensors", second["vae"].state_dict(), **sdxl))
        yield catalog


def planned(catalog: Catalog, model: str, **fields: object) -> ModelPlan:
    request = GenerationRequest.model_validate({"prompt": "", "model": model, **fields})
    return plan_model(find_models(request, catalog), catalog, clip_skip=request.clip_skip)


def places(plan: ModelPlan) -> dict[str, str]:
    return {role: part.path.stem for role, part in plan.parts.items()}


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("sd2", ["unet", "vae", "text_encoder"]),
        ("sdxl", ["unet", "vae", "text_encoder", "text_encoder_2"]),
        ("sdxl-refiner", ["unet", "vae", "text_encoder_2"]),
    ],
)
def test_every_family_has_its_parts(shelf: Catalog, name: str, roles: list[str]) -> None:
    plan = planned(shelf, name)

    assert list(plan.parts) == roles
    assert plan.family.name == name


def test_parts_of_their_own_take_the_place_of_the_checkpoints(shelf: Catalog) -> None:
    plan = planned(shelf, "sdxl", unet="other-unet", vae="vae-of-xl", text_encoders=["clip-l"])

    assert places(plan) == {
        "unet": "other-unet", "vae": "vae-of-xl", "text_encoder": "clip-l", "text_encoder_2": "sdxl",
    }  # fmt: skip


@pytest.mark.parametrize("order", [["clip-l", "clip-g"], ["clip-g", "clip-l"]])
def test_a_bare_unet_draws_with_text_encoders_in_any_order(shelf: Catalog, order: list[str]) -> None:
    plan = planned(shelf, "only-unet", vae="vae-of-xl", text_encoders=order)

    assert places(plan) == {
        "unet": "only-unet", "vae": "vae-of-xl", "text_encoder": "clip-l", "text_encoder_2": "clip-g",
    }  # fmt: skip
    assert plan.parts["text_encoder_2"].component == "transformers.CLIPTextModelWithProjection"


def test_the_text_encoders_of_another_checkpoint_come_both(shelf: Catalog, folder: Path) -> None:
    plan = planned(shelf, "only-unet", vae="sdxl", text_encoders=["sdxl"])

    assert places(plan) == {"unet": "only-unet", "vae": "sdxl", "text_encoder": "sdxl", "text_encoder_2": "sdxl"}


@pytest.mark.parametrize(
    ("model", "fields", "what", "flag"),
    [
        ("no-vae", {}, "no-vae holds no VAE", "--vae REF"),
        ("only-unet", {"vae": "vae-of-xl"}, "only-unet holds no text encoder", "--text-encoder REF"),
        (
            "only-unet",
            {"vae": "vae-of-xl", "text_encoders": ["clip-l"]},
            "only-unet holds no second text encoder",
            "--text-encoder REF",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_flag_that_gives_it(
    shelf: Catalog, model: str, fields: dict[str, object], what: str, flag: str
) -> None:
    with pytest.raises(Incompatible, match=what) as caught:
        planned(shelf, model, **fields)

    assert caught.value.mend == f"modelhub generate ... {flag}"


def test_parts_of_another_family_are_refused(shelf: Catalog) -> None:
    with pytest.raises(Incompatible, match="other-unet is made for sdxl, sd1 is sd1"):
        planned(shelf, "sd1", unet="other-unet")
    with pytest.raises(Incompatible, match="soft is made for sd1, sdxl is sdxl"):
        planned(shelf, "sdxl", vae="soft")


def test_text_encoders_of_another_width_are_refused(shelf: Catalog) -> None:
    with pytest.raises(Incompatible, match=r"make encodings 8 wide, its UNet reads 16: they belong to different"):
        planned(shelf, "sd1", text_encoders=["clip-l"])


def test_sd2_shares_the_vae_of_sd1(shelf: Catalog) -> None:
    assert places(planned(shelf, "sd2", vae="soft"))["vae"] == "soft"


def test_a_folder_draws_as_a_file_does(shelf: Catalog, folder: Path) -> None:
    path = tiny_families.write_folder(folder / "folders" / "xl", tiny_families.sdxl_models())
    shelf.add(path, facts=Facts(kind=Kind.CHECKPOINT, family="sdxl"))

    plan = planned(shelf, "xl")

    assert places(plan) == {role: role for role in ("unet", "vae", "text_encoder", "text_encoder_2")}
    assert plan.parts["unet"].path.parent == path


@pytest.mark.parametrize(
    ("header", "facts", "resolution"),
    [
        ({}, {}, 512),
        ({}, {"prediction_type": "v"}, 768),
        ({}, {"resolution": (640, 640)}, 640),
        ({}, {"resolution": (640, 512)}, 512),
        (write_hints(tiny_families.HINTS), {"resolution": (640, 640)}, 64),
    ],
)
def test_the_resolution_is_the_files_word_or_the_familys(
    catalog: Catalog, tmp_path: Path, header: dict[str, str], facts: dict[str, object], resolution: int
) -> None:
    models = tiny_families.sd2_models(attention_head_dim=1, norm_num_groups=8)
    save_tensors(tmp_path / "two.safetensors", checkpoint_tensors(**models, family="sd2"), header)
    known = {"kind": Kind.CHECKPOINT, "family": "sd2", **facts}
    catalog.add(tmp_path / "two.safetensors", facts=Facts(**known))  # type: ignore[arg-type]

    assert planned(catalog, "two").resolution == resolution


@pytest.mark.parametrize("variant", ["unclip-l", "unclip-h"])
def test_a_checkpoint_that_is_told_by_a_picture_what_to_draw_is_refused(
    catalog: Catalog, tmp_path: Path, variant: str
) -> None:
    path = tiny_families.write_sd2(tmp_path / "unclip.safetensors")
    catalog.add(path, facts=Facts(kind=Kind.CHECKPOINT, family="sd2", variant=variant))

    with pytest.raises(Incompatible, match="unclip is told by a picture what to draw"):
        planned(catalog, "unclip")


def test_packed_weights_are_refused_unread(catalog: Catalog, tmp_path: Path) -> None:
    path = tiny_families.write_sdxl(tmp_path / "packed.safetensors")
    catalog.add(path, facts=Facts(kind=Kind.CHECKPOINT, family="sdxl", precision="bnb-nf4"))

    with pytest.raises(Incompatible, match=r"the weights of packed are packed \(bnb-nf4\)"):
        planned(catalog, "packed")


def test_clip_skip_is_counted_in_the_shorter_text_encoder(shelf: Catalog) -> None:
    assert planned(shelf, "sdxl", clip_skip=3)
    with pytest.raises(BadValue, match="clip skip 4 passes over the whole text encoder of sdxl: it has 3 layers"):
        planned(shelf, "sdxl", clip_skip=4)


def test_a_pooled_text_of_another_width_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    tensors = checkpoint_tensors(**tiny_families.sdxl_models(), family="sdxl")
    name = "conditioner.embedders.1.model.text_projection"
    tensors[name] = torch.cat([tensors[name], tensors[name]], dim=1)
    save_tensors(tmp_path / "odd.safetensors", tensors, {**write_hints(tiny_families.HINTS), "modelhub.family": "sdxl"})
    catalog.add(tmp_path / "odd.safetensors")

    with pytest.raises(Incompatible, match="makes 32 numbers of a whole text"):
        planned(catalog, "odd")
