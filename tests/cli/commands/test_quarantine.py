"""A pickle from a hub is registered and shown, kept from every tool that would load it, and usable once converted."""

from pathlib import Path

import pytest
import torch

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tables
from tests.cli.conftest import Run
from tests.servers.civitai import Civitai


@pytest.fixture
def ref(hub: Civitai, tmp_path: Path) -> str:
    """Of a pulled LoRA that is a pickle."""
    path = tmp_path / "kip.pt"
    torch.save({name: torch.zeros(shape) for name, shape in tables.tiny_lora().items()}, path)
    model = hub.model(name="Kip the robot")
    file = hub.file(path.read_bytes(), name="kip.pt", metadata={"format": "PickleTensor"})
    hub.version(model, files=[file], trainedWords=["kip"])
    return f"civitai:{model['id']}"


def test_a_pickle_is_put_under_quarantine_and_said_to_be(run: Run, ref: str, workspace: Workspace) -> None:
    ran = run("pull", ref, "--tag", "robot")
    assert ran.code == 0, ran.err
    assert "quarantine" in ran.err
    assert (workspace.quarantine / "lora" / "kip.pt").is_file()
    assert not list(workspace.models.rglob("kip*"))
    shown = run("show", ref)
    assert "under quarantine" in shown.out
    assert "modelhub convert 1" in shown.out


@pytest.mark.parametrize("how", [["--links", "symbolic"], ["--yaml"]])
def test_no_other_tool_is_shown_it(run: Run, ref: str, tmp_path: Path, how: list[str]) -> None:
    run("pull", ref)
    ran = run("export", "comfyui", tmp_path / "tool", *how)
    assert "quarantine" in ran.err
    assert not list((tmp_path / "tool").rglob("*.pt"))
    yaml = tmp_path / "tool" / "extra_model_paths.yaml"
    assert not yaml.exists() or "quarantine" not in yaml.read_text()


def test_converted_it_takes_the_name_and_the_words(run: Run, ref: str, workspace: Workspace) -> None:
    run("pull", ref, "--tag", "robot")
    ran = run("convert", "1")
    assert ran.code == 0, ran.err
    with Catalog.open(workspace) as catalog:
        usable = catalog.resolve(ref)
        assert (usable.name, usable.tags, usable.trigger_words) == ("kip", ("robot",), ("kip",))
        assert usable.path == workspace.models / "lora" / "kip.safetensors"
        assert catalog.artifact(1).name == "kip-pickle"


def test_once_converted_it_is_not_fetched_again(run: Run, ref: str, hub: Civitai, workspace: Workspace) -> None:
    run("pull", ref)
    run("convert", "1")
    run("rm", "-y", "1")
    before = len(hub.storage.requests)
    ran = run("pull", ref)
    assert ran.code == 0, ran.err
    assert len(hub.storage.requests) == before


def test_a_scan_of_everything_finds_it_again(run: Run, ref: str, workspace: Workspace) -> None:
    run("pull", ref)
    workspace.catalog.unlink()
    run("init")
    run("scan")
    assert "under quarantine" in run("show", ref).out
