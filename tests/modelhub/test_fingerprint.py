"""Size, time, inode and sample tell files apart without reading them through."""

import os
from pathlib import Path

import pytest

from modelhub.errors import MissingFile
from modelhub.fingerprint import fingerprint, sample

ENDS = 1 << 17


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def model_folder(path: Path, *, fill: bytes = b"x") -> Path:
    write(path / "config.json", b"{}")
    write(path / "diffusion_pytorch_model.safetensors", fill * 100)
    return path


def test_two_names_of_one_file_have_one_key(tmp_path: Path) -> None:
    file = write(tmp_path / "a", b"abc")
    os.link(file, tmp_path / "hard")
    (tmp_path / "soft").symlink_to(file)
    assert fingerprint(file) == fingerprint(tmp_path / "hard") == fingerprint(tmp_path / "soft")
    assert fingerprint(file).file_key != fingerprint(write(tmp_path / "b", b"abc")).file_key


def test_a_folder_is_as_large_as_its_files_and_as_new_as_the_newest(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "vae")
    os.utime(folder / "config.json", ns=(5, 7_000_000_000_000))
    os.utime(folder / "diffusion_pytorch_model.safetensors", ns=(5, 9_000_000_000_000))
    there = fingerprint(folder)
    assert (there.size, there.mtime_ns) == (102, 9_000_000_000_000)


@pytest.mark.parametrize("look", [fingerprint, sample])
def test_what_is_not_there_is_named(tmp_path: Path, look: object) -> None:
    assert callable(look)
    with pytest.raises(MissingFile, match="none"):
        look(tmp_path / "none")


@pytest.mark.parametrize("size", [0, 1, ENDS, ENDS + 1, 2 * ENDS, 2 * ENDS + 1, 5 * ENDS])
def test_a_sample_depends_on_content_not_on_name(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    assert sample(write(tmp_path / "a", content)) == sample(write(tmp_path / "b", content))


@pytest.mark.parametrize("at", [0, ENDS - 1, ENDS + 5, -1])
def test_a_changed_byte_at_either_end_changes_the_sample(tmp_path: Path, at: int) -> None:
    content = bytearray(os.urandom(2 * ENDS))
    before = sample(write(tmp_path / "a", bytes(content)))
    content[at] ^= 1
    assert sample(write(tmp_path / "a", bytes(content))) != before


def test_size_counts_even_where_the_ends_are_alike(tmp_path: Path) -> None:
    assert sample(write(tmp_path / "a", bytes(4 * ENDS))) != sample(write(tmp_path / "b", bytes(5 * ENDS)))


def test_a_folders_sample_follows_its_files_and_their_names(tmp_path: Path) -> None:
    one, same = model_folder(tmp_path / "1" / "vae"), model_folder(tmp_path / "2" / "vae")
    other = model_folder(tmp_path / "3" / "vae", fill=b"y")
    assert sample(one) == sample(same) != sample(other)
    (same / "diffusion_pytorch_model.safetensors").rename(same / "diffusion_pytorch_model.fp16.safetensors")
    assert sample(one) != sample(same)
