"""Renaming, tagging, removing, and taking digests."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog, trashing
from modelhub.errors import BadValue, NameTaken
from modelhub.workspace import Workspace
from tests import tables


def lora(path: Path, fill: int = 0) -> Path:
    return tables.write(path, tables.tiny_lora(), fill=fill)


def test_a_rename_moves_no_file_and_frees_the_old_name(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    assert catalog.rename(1, "robot").name == "robot"
    assert path.exists()
    assert catalog.add(lora(tmp_path / "2" / "kip.safetensors", 1)).name == "kip"


def test_a_rename_to_itself_is_no_conflict(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"))
    assert catalog.rename(1, "kip").name == "kip"


def test_a_rename_refuses_names_that_are_taken_or_misread(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"))
    catalog.add(lora(tmp_path / "other.safetensors", 1))
    with pytest.raises(NameTaken, match="artifact 1"):
        catalog.rename(2, "kip")
    with pytest.raises(BadValue):
        catalog.rename(2, "deadbeef")
    assert catalog.artifact(2).name == "other"


def test_tags_are_added_to_those_it_has(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"), tags=["b"])
    assert catalog.tag(1, "a", "b").tags == ("a", "b")


def test_removing_forgets_what_lies_outside(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    removal = catalog.remove(1)
    assert (removal.forgotten, removal.trashed) == ((path,), ())
    assert path.exists()


def test_removing_trashes_what_lies_inside(catalog: Catalog, workspace: Workspace) -> None:
    path = lora(workspace.models / "lora" / "kip.safetensors")
    catalog.add(path)
    assert catalog.removal(1).trashed == (path,)
    assert path.exists()
    catalog.remove(1)
    assert not path.exists()
    assert (workspace.trash / "1-kip.safetensors").exists()


def test_two_files_of_one_name_both_fit_into_the_trash(catalog: Catalog, workspace: Workspace) -> None:
    for folder in ("a", "b"):
        catalog.add(lora(workspace.models / folder / "kip.safetensors"))
    catalog.remove(1)
    assert len(list(workspace.trash.iterdir())) == 2


def test_a_file_that_cannot_be_trashed_leaves_all_as_it_was(
    catalog: Catalog, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [lora(workspace.models / folder / "kip.safetensors") for folder in ("a", "b")]
    for path in paths:
        catalog.add(path)
    move = trashing.move

    def stubborn(path: Path, target: Path) -> None:
        if path == paths[1]:
            raise PermissionError(path)
        move(path, target)

    monkeypatch.setattr(trashing, "move", stubborn)
    with pytest.raises(PermissionError):
        catalog.remove(1)
    assert catalog.last_run("trash") is None
    assert all(path.exists() for path in paths)
    assert [at.path for at in catalog.artifact(1).locations] == paths


def test_an_id_is_never_given_again(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    catalog.remove(1)
    again = catalog.add(path)
    assert (again.id, again.name) == (2, "kip")


def test_what_was_removed_keeps_its_name_in_history(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"))
    run = catalog.begin_run("generate", {}, [("lora", 1)])
    catalog.remove(1)
    assert catalog.run(run).inputs == (("lora", 1),)
    assert catalog.names([1, 5]) == {1: "kip"}


def test_the_digest_is_computed_when_first_asked_for_and_kept(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    artifact = catalog.add(path)
    digest = catalog.sha256(artifact)
    path.unlink()
    assert catalog.sha256(artifact) == digest == catalog.artifact(1).digests["sha256"]
