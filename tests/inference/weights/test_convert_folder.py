"""One network's folder in pickles becomes such a folder in safetensors, whole or not at all."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from inference.weights.convert_folder import convert_folder, pickles_in, plan_folder_conversion
from modelhub.errors import BrokenFile, Conflict, UnsafeFile
from modelhub.headers import read_table
from modelhub.jobs import drain

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.ones(3, dtype=torch.float16)}
SHARDS = ("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin")
INDEX = "pytorch_model.bin.index.json"


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    folder = tmp_path / "net"
    folder.mkdir()
    torch.save(WEIGHTS, folder / "pytorch_model.bin")
    for name in ("config.json", "vocab.txt", "README.md"):
        (folder / name).write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def sharded(pickled: Path) -> Path:
    """The same, a tensor a file, as transformers lists them."""
    (pickled / "pytorch_model.bin").unlink()
    for name, (tensor, value) in zip(SHARDS, WEIGHTS.items(), strict=True):
        torch.save({tensor: value}, pickled / name)
    listed = dict(zip(WEIGHTS, SHARDS, strict=True))
    (pickled / INDEX).write_text(json.dumps({"metadata": {"total_size": 30}, "weight_map": listed}), encoding="utf-8")
    return pickled


def convert(pickled: Path, target: Path) -> None:
    drain(convert_folder(plan_folder_conversion(pickled), target))


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_all_that_belongs_to_the_network_comes_along(pickled: Path, tmp_path: Path) -> None:
    convert(pickled, tmp_path / "made")

    assert names(tmp_path / "made") == ["config.json", "model.safetensors", "vocab.txt"]
    found = {name: entry.shape for name, entry in read_table(tmp_path / "made").tensors.items()}
    assert found == {name: tuple(tensor.shape) for name, tensor in WEIGHTS.items()}


def test_the_same_again_compares_and_another_result_is_a_conflict(pickled: Path, tmp_path: Path) -> None:
    convert(pickled, tmp_path / "made")
    convert(pickled, tmp_path / "made")
    torch.save({**WEIGHTS, "b.bias": torch.zeros(3)}, pickled / "pytorch_model.bin")

    with pytest.raises(Conflict, match="stands there already"):
        convert(pickled, tmp_path / "made")


def test_a_stop_leaves_nothing(pickled: Path, tmp_path: Path) -> None:
    job = convert_folder(plan_folder_conversion(pickled), tmp_path / "made")
    next(iter(job))
    job.close()  # type: ignore[attr-defined]

    assert names(tmp_path) == ["net"]


def test_what_a_killed_one_left_is_swept(pickled: Path, tmp_path: Path) -> None:
    (tmp_path / ".made.4321.part").mkdir()
    (tmp_path / ".made.4321.part" / "model.safetensors").write_bytes(b"half")

    convert(pickled, tmp_path / "made")
    assert names(tmp_path) == ["made", "net"]


def test_safetensors_are_not_converted(pickled: Path) -> None:
    assert pickles_in(pickled) == (pickled / "pytorch_model.bin",)
    (pickled / "model.safetensors").touch()

    assert pickles_in(pickled) == ()


class TestShards:
    """Pickles that hold one network together become as many safetensors, and the list of them."""

    def test_they_stay_shards_under_the_names_that_transformers_reads(self, sharded: Path, tmp_path: Path) -> None:
        convert(sharded, tmp_path / "made")

        made = [one.replace("pytorch_model", "model").replace(".bin", ".safetensors") for one in SHARDS]
        index = "model.safetensors.index.json"
        assert names(tmp_path / "made") == sorted(["config.json", "vocab.txt", index, *made])
        listed = json.loads((tmp_path / "made" / index).read_text(encoding="utf-8"))
        assert listed == {"metadata": {"total_size": 30}, "weight_map": dict(zip(WEIGHTS, made, strict=True))}
        found = {name: value for file in made for name, value in load_file(tmp_path / "made" / file).items()}
        assert all(torch.equal(found[name], value) for name, value in WEIGHTS.items())

    def test_the_result_is_one_conversion_with_what_all_of_them_held(self, sharded: Path, tmp_path: Path) -> None:
        torch.save({"b.bias": WEIGHTS["b.bias"], "odd": torch.ones(2, dtype=torch.complex128)}, sharded / SHARDS[1])
        plan = plan_folder_conversion(sharded)

        done = drain(convert_folder(plan, tmp_path / "made"))
        assert (done.tensors, done.dropped, done.written) == (2, ("odd",), True)
        assert (done.source, done.target) == (sharded, tmp_path / "made")
        assert (plan.size, sorted(plan.tensors)) == (30, sorted(WEIGHTS))

    def test_the_same_again_compares_and_another_list_is_a_conflict(self, sharded: Path, tmp_path: Path) -> None:
        convert(sharded, tmp_path / "made")
        convert(sharded, tmp_path / "made")
        index = tmp_path / "made" / "model.safetensors.index.json"
        index.write_text('{"weight_map": {"a.weight": "other.safetensors"}}', encoding="utf-8")

        with pytest.raises(Conflict, match="other shards"):
            convert(sharded, tmp_path / "made")

    def test_without_a_list_their_own_names_tell_what_belongs_together(self, sharded: Path, tmp_path: Path) -> None:
        (sharded / INDEX).unlink()
        convert(sharded, tmp_path / "made")

        assert set(read_table(tmp_path / "made").tensors) == set(WEIGHTS)

    def test_half_precision_keeps_its_own_list(self, sharded: Path, tmp_path: Path) -> None:
        for name in SHARDS:
            (sharded / name).rename(sharded / name.replace("_model", "_model.fp16"))
        listed = (sharded / INDEX).read_text(encoding="utf-8").replace("_model", "_model.fp16")
        (sharded / INDEX).unlink()
        (sharded / "pytorch_model.bin.index.fp16.json").write_text(listed, encoding="utf-8")

        convert(sharded, tmp_path / "made")
        assert "model.safetensors.index.fp16.json" in names(tmp_path / "made")
        assert set(read_table(tmp_path / "made").tensors) == set(WEIGHTS)

    def test_a_stop_between_two_leaves_nothing(self, sharded: Path, tmp_path: Path) -> None:
        job = convert_folder(plan_folder_conversion(sharded), tmp_path / "made")
        for _ in job:
            if list(tmp_path.glob(".made.*.part/*.safetensors")):
                break
        job.close()  # type: ignore[attr-defined]

        assert names(tmp_path) == ["net"]

    def test_one_that_is_missing_is_told_before_anything_is_written(self, sharded: Path, tmp_path: Path) -> None:
        (sharded / SHARDS[1]).unlink()

        with pytest.raises(BrokenFile, match=r"its shard .* is missing"):
            plan_folder_conversion(sharded)

    def test_a_list_that_leads_out_of_the_folder_is_not_followed(self, sharded: Path, tmp_path: Path) -> None:
        torch.save(WEIGHTS, tmp_path / "other.bin")
        text = (sharded / INDEX).read_text(encoding="utf-8").replace(SHARDS[1], "../other.bin")
        (sharded / INDEX).write_text(text, encoding="utf-8")

        with pytest.raises(BrokenFile, match="is missing"):
            plan_folder_conversion(sharded)

    def test_one_that_would_run_something_is_refused(self, sharded: Path) -> None:
        (sharded / SHARDS[1]).write_bytes(b"cos\nsystem\n(S'echo hello'\ntR.")

        with pytest.raises((UnsafeFile, BrokenFile)):
            plan_folder_conversion(sharded)
