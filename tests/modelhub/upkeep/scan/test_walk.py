"""A walk finds every model once, by the path without links, and survives whatever stands in its way."""

import os
from pathlib import Path

import pytest

from modelhub.errors import Interrupted
from modelhub.jobs import Cancel, drain
from modelhub.upkeep.scan.walk import Seen, Walked, walk


def put(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def walked(*roots: Path, avoid: tuple[Path, ...] = ()) -> Walked:
    return drain(walk([str(root) for root in roots], avoid=avoid))


def names(*roots: Path, avoid: tuple[Path, ...] = ()) -> list[str]:
    return sorted(os.path.relpath(path, roots[0]) for path in walked(*roots, avoid=avoid).rows)


def test_weights_are_found_at_any_depth_and_others_are_not(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b/c.ckpt", "b/d/e.GGUF", "b/模型.pt", "note.txt", "README.md", "picture.png"):
        put(tmp_path / name)
    assert names(tmp_path) == ["a.safetensors", "b/c.ckpt", "b/d/e.GGUF", "b/模型.pt"]


@pytest.mark.parametrize(
    "name",
    [".a.safetensors", ".hidden/a.safetensors", "a.safetensors.part", ".a.safetensors.x.part", "trash/a.safetensors"],
)
def test_hidden_half_written_and_avoided_files_are_passed_over(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert names(tmp_path, avoid=(tmp_path / "trash",)) == []


def test_a_file_that_a_downloader_still_writes_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "a.safetensors")
    put(tmp_path / "a.safetensors.aria2")
    put(tmp_path / "b.safetensors")
    assert names(tmp_path) == ["b.safetensors"]


def test_what_is_told_of_a_file_is_what_its_file_system_says(tmp_path: Path) -> None:
    file = put(tmp_path / "a.safetensors", b"abc")
    there = file.stat()
    seen = Seen(*walked(tmp_path).rows[str(file)])
    assert seen == Seen(str(file), 3, there.st_mtime_ns, f"{there.st_dev}:{there.st_ino}")


def test_notes_beside_a_file_are_told_with_a_stamp(tmp_path: Path) -> None:
    file = put(tmp_path / "a.safetensors")
    put(tmp_path / "a.json", b"{}")
    put(tmp_path / "other.json", b"{}")
    one = Seen(*walked(tmp_path).rows[str(file)])
    put(tmp_path / "a.json", b"{ }")
    two = Seen(*walked(tmp_path).rows[str(file)])
    assert one.siblings == two.siblings == ("a.json",)
    assert "" != one.sidecars != two.sidecars != ""


def test_a_model_folder_is_one_model(tmp_path: Path) -> None:
    put(tmp_path / "sd" / "model_index.json", b'{"unet": ["diffusers", "UNet2DConditionModel"]}')
    put(tmp_path / "sd" / "unet" / "config.json", b"{}")
    put(tmp_path / "sd" / "unet" / "diffusion_pytorch_model.safetensors", b"12345678")
    assert names(tmp_path) == ["sd"]
    assert Seen(*walked(tmp_path).rows[str(tmp_path / "sd")]).size == 57


def test_overlapping_roots_give_each_file_once(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b" / "c.safetensors")
    assert names(tmp_path, tmp_path / "a", tmp_path / "a" / "b") == ["a/b/c.safetensors"]


def test_a_linked_folder_is_looked_through_once_by_its_real_path(tmp_path: Path) -> None:
    put(tmp_path / "z" / "c.safetensors")
    (tmp_path / "a").symlink_to(tmp_path / "z", target_is_directory=True)
    assert names(tmp_path) == ["z/c.safetensors"]


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "far" / "c.safetensors")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "near").symlink_to(tmp_path / "far", target_is_directory=True)
    assert names(tmp_path / "root") == ["near/c.safetensors"]


def test_a_root_that_is_a_link_comes_after_the_real_one(tmp_path: Path) -> None:
    put(tmp_path / "real" / "c.safetensors")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert [*walked(tmp_path / "link", tmp_path / "real").rows] == [str(tmp_path / "real" / "c.safetensors")]


def test_loops_end(tmp_path: Path) -> None:
    put(tmp_path / "a" / "c.safetensors")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self").symlink_to("self")
    assert names(tmp_path) == ["a/c.safetensors"]


def test_links_to_nothing_pipes_and_folders_with_a_models_name_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.safetensors")
    put(tmp_path / "folder.safetensors" / "in.safetensors")
    assert names(tmp_path) == ["folder.safetensors/in.safetensors"]


def test_a_folder_that_is_gone_is_reported_and_the_rest_is_found(tmp_path: Path) -> None:
    put(tmp_path / "a" / "c.safetensors")
    found = walked(tmp_path / "none", tmp_path / "a")
    assert [one.path for one in found.unreachable] == [tmp_path / "none"]
    assert len(found.rows) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_folder_is_reported(tmp_path: Path) -> None:
    put(tmp_path / "shut" / "c.safetensors")
    (tmp_path / "shut").chmod(0)
    assert [one.path for one in walked(tmp_path).unreachable] == [tmp_path / "shut"]
    (tmp_path / "shut").chmod(0o755)


def test_empty_roots_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    assert walked(tmp_path / "empty").empty == []
    assert walked(tmp_path / "empty" / "deeper").empty == [tmp_path / "empty" / "deeper"]


def test_a_walk_can_be_cancelled(tmp_path: Path) -> None:
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        drain(walk([str(tmp_path)], cancel=cancel))
