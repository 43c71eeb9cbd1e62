"""`modelhub generate` with models whose parts lie in several files, or in a folder: the picture is the same."""

from pathlib import Path

import pytest
from PIL import Image

from inference.weights.export import checkpoint_tensors
from inference.weights.hints import write_hints
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.kinds import Facts, Kind
from tests import tiny_families
from tests.cli.conftest import Run

QUICK = ("--steps", 2, "--seed", 5, "--size", "64x64", "--device", "cpu")


@pytest.fixture
def shelf(catalog: Catalog, tmp_path: Path) -> Catalog:
    """The same model as a checkpoint, as a folder, and as four files."""
    models = tiny_families.sdxl_models()
    header = {"modelhub.family": "sdxl", **write_hints(tiny_families.HINTS)}
    catalog.add(tiny_families.write_sdxl(tmp_path / "whole.safetensors"))
    folder = tiny_families.write_folder(tmp_path / "folder", models)
    catalog.add(folder, facts=Facts(kind=Kind.CHECKPOINT, family="sdxl"))
    tensors = checkpoint_tensors(**models, family="sdxl")
    parts = {"unet": "model.", "vae": "first_stage_model.", "clip-l": "conditioner.embedders.0.transformer.",
             "clip-g": "conditioner.embedders.1.model."}  # fmt: skip
    for name, prefix in parts.items():
        held = {key.removeprefix(prefix): one for key, one in tensors.items() if key.startswith(prefix)}
        save_tensors(tmp_path / f"{name}.safetensors", held, header)
        catalog.add(tmp_path / f"{name}.safetensors")
    return catalog


def drawn(run: Run, *arguments: object) -> bytes:
    ran = run("generate", "a cat", "--quiet", *arguments, *QUICK)
    assert ran.code == 0, ran.err
    with Image.open(ran.out.strip()) as picture:
        return picture.tobytes()


def test_four_files_and_a_folder_draw_what_the_checkpoint_draws(run: Run, shelf: Catalog) -> None:
    whole = drawn(run, "-m", "whole")

    assert drawn(run, "-m", "folder") == whole
    encoders = ("--text-encoder", "clip-g", "--text-encoder", "clip-l")
    assert drawn(run, "-m", "unet", "--vae", "vae", *encoders) == whole


def test_a_unet_in_place_of_the_checkpoints_is_written_down(run: Run, shelf: Catalog) -> None:
    ran = run("generate", "a cat", "-m", "whole", "--unet", "unet", "--text-encoder", "clip-g", "--json", *QUICK)

    request = ran.json[0]["request"]
    sha256 = {name: shelf.sha256(shelf.resolve(name)) for name in ("whole", "unet", "clip-g")}
    assert (request["model"], request["unet"]) == (sha256["whole"], sha256["unet"])
    assert request["text_encoders"] == [sha256["clip-g"]]
    used = shelf.last_run("generate")
    assert used is not None
    assert {role for role, _ in used.inputs} == {"model", "unet", "text_encoder"}


def test_a_bare_unet_names_the_flag_of_what_is_missing(run: Run, shelf: Catalog) -> None:
    ran = run("generate", "a cat", "-m", "unet", *QUICK)

    assert ran.code != 0
    assert "unet holds no VAE" in ran.err
    assert "--vae REF" in ran.err
