"""A conversion takes the owner's words along, and can be begun again at any point."""

import json
import os
from pathlib import Path

import pytest
import torch

from inference.conversion import Converted, Precision, Wish, convert_model, plan_model
from inference.weights.convert import convert
from modelhub.catalog import Catalog
from modelhub.errors import UnknownRef
from modelhub.jobs import drain
from modelhub.kinds import Artifact, Kind
from modelhub.workspace import Workspace
from tests import tiny


def checkpoint(path: Path, fill: float = 1.0) -> Path:
    torch.save({"state_dict": {"a.weight": torch.full((4, 4), fill)}}, path)
    return path


def converted(ref: object, catalog: Catalog, **wish: object) -> Converted:
    return drain(convert_model(plan_model(str(ref), Wish(**wish), catalog=catalog), catalog=catalog))  # type: ignore[arg-type]


@pytest.fixture
def original(catalog: Catalog, tmp_path: Path) -> Artifact:
    artifact = catalog.add(checkpoint(tmp_path / "old.ckpt"), name="dream", tags=["style", "good"])
    catalog.set_note(artifact.id, "from a friend")
    return catalog.say(artifact.id, {"family": "sd1"})


def test_the_result_lies_beside_the_original_and_has_its_words(catalog: Catalog, original: Artifact) -> None:
    result = converted("dream", catalog).artifact
    assert (result.name, result.path) == ("dream-safetensors", original.path.with_suffix(".safetensors"))
    assert (set(result.tags), result.note, result.facts.family) == ({"style", "good"}, "from a friend", "sd1")
    assert catalog.artifact(original.id).path.is_file()
    assert (result.facts.format or "safetensors").startswith("safetensors")


def test_doing_it_again_changes_nothing(catalog: Catalog, original: Artifact) -> None:
    first = converted(original.id, catalog)
    catalog.rename(first.artifact.id, "mine")
    again = converted(original.id, catalog)
    assert (again.artifact.id, again.artifact.name) == (first.artifact.id, "mine")
    assert (first.conversion.written, again.conversion.written, catalog.count()) == (True, False, 2)


def test_a_result_that_was_written_and_not_yet_registered_is_taken_up(catalog: Catalog, original: Artifact) -> None:
    planned = plan_model("dream", Wish(), catalog=catalog)
    drain(convert(planned.plan, planned.target))
    assert catalog.count() == 1
    assert converted("dream", catalog).artifact.name == "dream-safetensors"


def test_a_file_that_the_catalog_does_not_hold_is_converted_too(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(tiny.write_lora(tmp_path / "other" / "old.safetensors", {}), facts=None)
    result = converted(checkpoint(tmp_path / "old.ckpt"), catalog)
    assert (result.artifact.path, result.artifact.tags) == (tmp_path / "old.safetensors", ())


def test_the_same_bytes_twice_are_one_model_that_keeps_its_name(catalog: Catalog, original: Artifact) -> None:
    first = converted("dream", catalog).artifact
    second = converted(checkpoint(original.path.with_name("copy.pt")), catalog).artifact
    assert (second.id, second.name) == (first.id, first.name)


def test_out_is_a_file_or_a_folder(catalog: Catalog, original: Artifact, tmp_path: Path) -> None:
    assert converted("dream", catalog, out=tmp_path / "new").conversion.target == tmp_path / "new" / "old.safetensors"
    named = converted("dream", catalog, out=tmp_path / "x.safetensors", precision=Precision.F16)
    assert named.conversion.target == tmp_path / "x.safetensors"


def test_where_nothing_may_be_written_the_workspace_takes_it(
    catalog: Catalog, original: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    target = plan_model("dream", Wish(), catalog=catalog).target
    assert target == catalog.workspace.models / Kind.UNKNOWN / "old.safetensors"


def test_a_pickle_with_a_safetensors_name_gets_another(catalog: Catalog, tmp_path: Path) -> None:
    liar = checkpoint(tmp_path / "liar.safetensors")
    assert plan_model(str(liar), Wish(), catalog=catalog).target.name == "liar-converted.safetensors"


def test_what_is_neither_known_nor_there_is_unknown(catalog: Catalog) -> None:
    with pytest.raises(UnknownRef):
        plan_model("nope", Wish(), catalog=catalog)


def test_out_of_quarantine_it_takes_the_name_and_what_the_hub_said(catalog: Catalog, workspace: Workspace) -> None:
    (workspace.quarantine / "unknown").mkdir(parents=True)
    held = catalog.add(checkpoint(workspace.quarantine / "unknown" / "dream.ckpt"))
    note = {"schema": 1, "ref": "civitai:1@2+3", "said": {"name": "Dream", "trained_words": ["dream"]}}
    held.path.with_name("dream.modelhub.json").write_text(json.dumps(note))
    result = converted("dream", catalog).artifact
    assert (result.name, result.trigger_words) == ("dream", ("dream",))
    assert result.path == workspace.models / "unknown" / "dream.safetensors"
    assert [one.ref for one in catalog.sources.of(result.id)] == ["civitai:1@2+3"]
    assert catalog.artifact(held.id).name == "dream-pickle"


def test_a_generic_name_gives_way_to_its_folders(catalog: Catalog, workspace: Workspace) -> None:
    source = workspace.quarantine / "vae" / "old-vae" / "diffusion_pytorch_model.bin"
    source.parent.mkdir(parents=True)
    assert converted(checkpoint(source), catalog).artifact.path.name == "old-vae.safetensors"
