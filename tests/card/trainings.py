"""Every kind of training runs on a card, and in full precision learns what it learns on the processor."""

import os
import shlex
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from cli.app import main
from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tiny, tiny_families
from tests.card.pretended import card
from tests.trainers.pictures import write_set

QUICK = "--steps 2 --batch 2 --held-out 0 -q"
LORA = "lora --base tiny --images kip --rank 2"
LORAS = {
    "plain": "--trigger kip --clip-skip 2",
    "LoCon with dropouts": "--set options.conv_rank=2 --set options.dropout=0.1 --set options.rank_dropout=0.2 "
    "--set options.module_dropout=0.1",
    "DoRA": "--set options.dora=true --set options.max_norm=0.5 --set options.plus_ratio=4",
    "LoHa": "--set options.algorithm=loha",
    "LoKr": "--set options.algorithm=lokr",
    "OFT": "--set options.algorithm=oft",
    "masks": "--set dataset.masks=masks --set loss.unmasked_probability=0.3",
    "pictures of the class": "--set dataset.regularisation=class --set prior.frozen=true",
    "drawn pictures of the class": "--set prior.draw=3 --set prior.caption=ramp",
    "previews": "--set preview.every=1 --set preview.prompts='[\"a ramp\"]' --set preview.sampling_steps=2",
    "memory spared": "--set compute.ema=0.9 --set compute.accumulate=2 --set compute.micro_batch=1 "
    "--set compute.checkpointing=true",
    "noise": "--set noise.offset=0.05 --set noise.adaptive_offset=0.1 --set noise.multires_iterations=3 "
    "--set noise.perturbation=0.1 --set noise.distribution=logit_normal",
    "huber": "--set loss.kind=huber --set loss.debiased=true --set loss.min_snr_gamma=0",
    "captions": "--set dataset.captions.shuffle=true --set dataset.captions.dropout=0.3 "
    "--set dataset.captions.weights=true",
    "views": "--set dataset.augment.flip=true --set dataset.augment.crop=random --set dataset.augment.color=true "
    "--set 'dataset.resolution=[64,96]'",
    "pivotal": "--pivotal kipkip",
    **{name: f"--set optimizer.name={name}" for name in ("Lion", "Prodigy", "Adafactor", "AdamWScheduleFree")},
}
KINDS = {
    **{name: f"{LORA} {said}" for name, said in LORAS.items()},
    "textual inversion": "textual-inversion --base tiny --images kip --set options.vectors=2",
    "full": "full --base tiny --images kip",
    "hypernetwork": "hypernetwork --base tiny --images kip",
    "Stable Diffusion 2": "lora --base second --images kip --rank 2",
    "SDXL": "lora --base wide --images kip --rank 2",
    "SDXL's words": "textual-inversion --base wide --images kip --set options.vectors=2",
}
"""What it is called -> what is typed behind `modelhub train`."""
EVERYTHING = "MODELHUB_EVERYTHING" in os.environ
SOME = ("LoCon with dropouts", "masks", "pictures of the class", "previews", "memory spared", "pivotal", "SDXL's words")
"""What is trained each time; all with MODELHUB_EVERYTHING=1."""
HALVES = (
    list(product([kind for kind in KINDS if kind != "full"], ["bf16", "fp16"]))
    if EVERYTHING
    else [("pivotal", "bf16"), ("SDXL", "fp16")]
)
"""But for weights that learn themselves: PyTorch casts those in half precision on its own devices only."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with bases, and beside it the pictures."""
    root = tmp_path_factory.mktemp("trainings")
    with Catalog.create(Workspace(root)) as catalog:
        catalog.add(tiny.write_checkpoint(root / "tiny.safetensors"))
        catalog.add(tiny_families.write_sd2(root / "second.safetensors"))
        catalog.add(tiny_families.write_sdxl(root / "wide.safetensors"))
    write_set(root / "class", *[(64, 64)] * 4)
    for path in write_set(root / "kip", *[(64, 64), (96, 64), (64, 96), (80, 64)] * 3).glob("*.png"):
        mask = Image.new("L", Image.open(path).size)
        mask.paste(255, (8, 8, 48, 48))
        (root / "masks").mkdir(exist_ok=True)
        mask.save(root / "masks" / path.name)
    return root


@pytest.fixture(autouse=True)
def _at_home(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELHUB_HOME", str(root))
    monkeypatch.chdir(root)


def trained(root: Path, kind: str, device: str, precision: str) -> Mapping[str, Tensor]:
    """The tensors of the file."""
    AcceleratorState._reset_state(reset_partial_state=True)  # it holds on to a process's first device
    name = f"{kind} {device} {precision}".replace(" ", "-").replace("'", "")
    said = f"train {KINDS[kind]} {QUICK} --name {name} --device {device} --set compute.precision={precision}"
    assert main(shlex.split(said)) == 0
    with Catalog.open(Workspace(root)) as catalog:
        return load_file(catalog.resolve(name).path)


@pytest.mark.parametrize("kind", KINDS if EVERYTHING else SOME)
def test_a_card_learns_what_the_processor_learns(root: Path, kind: str) -> None:
    expected = trained(root, kind, "cpu", "fp32")
    with card():
        found = trained(root, kind, "cuda", "fp32")

    for name, tensor in expected.items():
        assert torch.allclose(found[name].float(), tensor.float(), rtol=1e-3, atol=1e-5), name


@pytest.mark.parametrize(("kind", "precision"), HALVES)
def test_half_precision_learns(root: Path, kind: str, precision: str) -> None:
    with card():
        found = trained(root, kind, "cuda", precision)

    assert all(tensor.isfinite().all() for tensor in found.values())


def test_what_a_card_trained_it_draws_measures_and_goes_on_from(root: Path) -> None:
    said = f"{LORA} --steps 2 --save-every 1 --held-out 0.2 -q --device cuda"
    seen = "--strengths 1 --seeds 1 --steps 1 --copies 1 --device cuda -q"
    with card():
        AcceleratorState._reset_state(reset_partial_state=True)
        assert main(shlex.split(f"train {said} --name judged --set validation.pairs=1")) == 0
        with Catalog.open(Workspace(root)) as catalog:
            run = catalog.last_run("train")
        assert run is not None
        assert main(shlex.split(f"train evaluate {run.id} {seen}")) == 0
        assert main(shlex.split(f"train {said} --name further --set options.start=judged")) == 0
        assert main(shlex.split("train range --base tiny --images kip --steps 8 --device cuda -q")) == 0
