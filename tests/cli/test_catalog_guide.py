"""docs/catalog.md is run, line by line, on a small webui folder; what it prints is what the page shows."""

import hashlib
import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from modelhub import starter
from tests import tables
from tests.cli.conftest import Run
from tests.cli.guides import assert_named_commands_exist, assert_shown, commands_of

GUIDE = Path(__file__).parents[2] / "docs" / "catalog.md"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with a webui folder in it."""
    monkeypatch.delenv("MODELHUB_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    models = tmp_path / "webui" / "models"
    base = models / "Stable-diffusion" / "dreamshaper-8.safetensors"
    base.parent.mkdir(parents=True)
    shutil.copy(Path(starter.__file__).parent / "starter.safetensors", base)
    header = {
        "ss_sd_model_name": base.name,
        "ss_new_sd_model_hash": hashlib.sha256(base.read_bytes()).hexdigest(),
        "ss_network_dim": "4",
        "ss_network_alpha": "4.0",
        "ss_steps": "1200",
        "ss_num_train_images": "240",
        "ss_dataset_dirs": json.dumps({"10_kip robot": {"n_repeats": 10, "img_count": 24}}),
        "ss_tag_frequency": json.dumps({"10_kip robot": {"kip robot": 24, "standing": 11}}),
    }
    kip = tables.write(models / "Lora" / "kip.safetensors", tables.tiny_lora(), header)
    shutil.copy(kip, kip.with_name("kip_copy.safetensors"))
    kip.with_suffix(".json").write_text(json.dumps({"activation text": "kip robot, red scarf"}))
    tables.write(models / "Lora" / "style" / "ink.safetensors", tables.tiny_lora(width=2048))
    tables.write(models / "VAE" / "soft.safetensors", tables.ldm_vae(width=1))
    embedding = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.ones(2, 768)}, "name": "bad-hands"}
    (tmp_path / "webui" / "embeddings").mkdir()
    torch.save(embedding, tmp_path / "webui" / "embeddings" / "bad-hands.pt")
    return tmp_path


def test_every_command_of_the_guide_prints_what_the_guide_shows(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in (home / "webui").rglob("*.safetensors")}
    for line, shown in commands_of(GUIDE.read_text(encoding="utf-8")):
        words = shlex.split(line.replace("~", str(home)))
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
        elif words[0] == "modelhub":
            ran = run(*words[1:])
            assert ran.code == 0, f"{line}: {ran.err}"
            assert_shown(line, ran.out.replace(str(home), "~"), shown)
        else:
            subprocess.run(words, check=True)
    kept = {path.read_bytes() for path in (home / "webui").rglob("*.safetensors")}
    assert set(before.values()) <= kept


def test_every_command_named_in_the_text_exists_with_its_options(run: Run) -> None:
    assert_named_commands_exist(GUIDE.read_text(encoding="utf-8"), run)
