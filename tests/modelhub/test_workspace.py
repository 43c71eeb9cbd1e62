"""Where things lie, and that files appear whole or not at all."""

import errno
from pathlib import Path

import pytest

from modelhub.errors import NoWorkspace, OutOfResources
from modelhub.workspace import Workspace, disk_error, find_workspace, publish


def test_a_given_home_decides(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").touch()
    assert find_workspace(tmp_path, home=tmp_path / "other").root == tmp_path / "other"


@pytest.mark.parametrize("mark", ["catalog.db", "modelhub.toml", "models.toml"])
def test_the_nearest_folder_with_a_mark_is_the_workspace(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_workspace(below, home=None, fallback=tmp_path / "other").root == tmp_path


def test_without_a_mark_the_fallback_serves_and_then_the_users_own(tmp_path: Path) -> None:
    assert find_workspace(tmp_path, home=None, fallback=tmp_path / "mine").root == tmp_path / "mine"
    assert find_workspace(tmp_path, home=None).root == tmp_path / "xdg" / "modelhub"


def test_a_home_is_made_absolute_and_plain(tmp_path: Path) -> None:
    assert find_workspace(tmp_path, home=tmp_path / "a" / ".." / "b").root == tmp_path / "b"


def test_a_workspace_owns_what_lies_in_its_own_folders(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    assert workspace.owns(workspace.models / "lora" / "kip.safetensors")
    assert not workspace.owns(tmp_path / "kip.safetensors")
    assert not workspace.owns(workspace.models / ".." / ".." / "kip.safetensors")
    assert not workspace.owns(workspace.root / "somebodys-project" / "kip.safetensors")


def test_a_link_to_elsewhere_is_not_owned(tmp_path: Path) -> None:
    outside = tmp_path / "kip.safetensors"
    outside.touch()
    link = tmp_path / "ws" / "models" / "link.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    assert not Workspace(tmp_path / "ws").owns(link)


def test_no_catalog_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NoWorkspace) as caught:
        Workspace(tmp_path).require_catalog()
    assert caught.value.mend == "modelhub init"


def test_a_published_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with publish(path) as part:
        part.write_text("all of it")
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_failure_leaves_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write_half() -> None:
        with publish(path) as part:
            part.write_text("half")
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        write_half()
    assert path.read_text() == "old"
    assert len(list(tmp_path.glob("*file*"))) == 1


def test_a_file_is_not_replaced_when_that_is_not_wanted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(FileExistsError), publish(path, replace=False) as part:
        part.write_text("new")
    assert path.read_text() == "old"


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    with pytest.raises(OutOfResources, match="file"), publish(path):
        raise OSError(errno.ENOSPC, "no space left on device")
    assert list(path.parent.iterdir()) == []


def test_another_disk_error_stays_itself(tmp_path: Path) -> None:
    error = PermissionError(errno.EACCES, "denied")
    assert disk_error(error, tmp_path) is error


def test_a_published_file_may_have_as_long_a_name_as_a_disk_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".txt")

    with publish(path) as part:
        part.write_text("whole")

    assert path.read_text() == "whole"
