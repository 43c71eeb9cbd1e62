"""`modelhub convert`, as a person types it."""

import json
from pathlib import Path

import pytest
import torch

from cli.app import main
from modelhub.catalog import Catalog
from tests import tiny


def convert(*arguments: object) -> int:
    return main(["convert", *map(str, arguments)])


@pytest.fixture
def old(catalog: Catalog, tmp_path: Path) -> Path:
    path = tmp_path / "old.ckpt"
    torch.save(
        {"state_dict": {"w": torch.ones(4), "model_ema.w": torch.ones(4)}, "optimizer": {"x": {1: torch.ones(1)}}}, path
    )
    catalog.add(path, name="dream")
    return path


def test_a_dry_run_only_tells(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("dream", "--dry-run", "--drop-ema") == 0
    told = capsys.readouterr().out
    assert f"would write {old.with_suffix('.safetensors')} (1 tensors, 16 B)" in told
    assert "left out: model_ema.w, optimizer" in told
    assert not old.with_suffix(".safetensors").exists()


def test_a_model_is_converted_and_what_was_left_out_is_told(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("dream", "--fp16") == 0
    told = capsys.readouterr().out
    assert "dream-safetensors" in told
    assert "left out: optimizer" in told
    assert old.exists()
    assert convert("dream", "-q", "--fp16") == 0
    assert capsys.readouterr().out == "2\n"


def test_several_go_on_past_one_that_cannot(old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "page.ckpt").write_bytes(b"<html></html>")
    assert convert("--json", "dream", tmp_path / "page.ckpt") == 5
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert [one["artifact"]["name"] for one in document["converted"]] == ["dream-safetensors"]
    assert [one["code"] for one in document["failed"]] == ["unsafe-file"]
    assert "page.ckpt" in said.err


def test_one_that_cannot_ends_as_its_error_says(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("nope") == 3
    assert convert(old, old.with_name("b.ckpt"), "--out", "one.safetensors") == 2
    assert "--out FOLDER" in capsys.readouterr().err


def test_what_loading_would_run_is_told_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": {"w": torch.ones(1)}, "callbacks": Evil()}, tmp_path / "evil.ckpt")
    assert convert(tmp_path / "evil.ckpt", "--dry-run") == 0
    assert "would import posix.system" in capsys.readouterr().out


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch ran",)


@pytest.fixture
def checkpoint(catalog: Catalog, tmp_path: Path) -> Path:
    path = tiny.write_checkpoint(tmp_path / "new.safetensors")
    catalog.say(catalog.add(path, name="new").id, {"family": "sd1"})
    return path


def test_a_dry_run_tells_the_folder_that_would_be_written(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("new", "--to", "folder", "--fp16", "--dry-run") == 0
    assert f"would write {checkpoint.with_name('new-fp16')} (" in capsys.readouterr().out
    assert not checkpoint.with_name("new-fp16").exists()


def test_a_model_goes_into_a_folder_and_back_by_its_new_name(checkpoint: Path, tmp_path: Path) -> None:
    assert convert("new", "--to", "folder") == 0
    assert (tmp_path / "new" / "model_index.json").is_file()
    assert convert("new-folder", "--to", "single", "--out", tmp_path / "back.safetensors") == 0
    assert convert(checkpoint, "--to", "folder", "--out", "a.safetensors") == 2


def test_a_safetensors_file_is_shortened_beside_itself(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("new", "--fp16", "--prune") == 0
    assert "new-pruned-fp16" in capsys.readouterr().out
    assert checkpoint.with_name("new-pruned-fp16.safetensors").stat().st_size < checkpoint.stat().st_size


def test_nothing_to_change_and_two_precisions_are_said(
    checkpoint: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert("new") == 2
    assert "there is nothing to change" in capsys.readouterr().err
    assert convert("new", "--fp16", "--fp32") == 2
    assert "one precision" in capsys.readouterr().err
    assert convert("dream", "--bf16") == 2
    assert "no safetensors file yet" in capsys.readouterr().err
