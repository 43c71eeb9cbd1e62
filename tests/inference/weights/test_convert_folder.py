"""One network's folder in pickles becomes such a folder in safetensors, whole or not at all."""

from pathlib import Path

import pytest
import torch

from inference.weights.convert import plan_conversion
from inference.weights.convert_folder import convert_folder, pickle_in
from modelhub.errors import Conflict
from modelhub.headers import read_table
from modelhub.jobs import drain

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.ones(3, dtype=torch.float16)}


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    folder = tmp_path / "net"
    folder.mkdir()
    torch.save(WEIGHTS, folder / "pytorch_model.bin")
    for name in ("config.json", "vocab.txt", "README.md"):
        (folder / name).write_text("{}", encoding="utf-8")
    return folder


def convert(pickled: Path, target: Path) -> None:
    drain(convert_folder(plan_conversion(pickled / "pytorch_model.bin"), target))


def test_all_that_belongs_to_the_network_comes_along(pickled: Path, tmp_path: Path) -> None:
    convert(pickled, tmp_path / "made")

    assert sorted(one.name for one in (tmp_path / "made").iterdir()) == [
        "config.json",
        "model.safetensors",
        "vocab.txt",
    ]
    found = {name: entry.shape for name, entry in read_table(tmp_path / "made").tensors.items()}
    assert found == {name: tuple(tensor.shape) for name, tensor in WEIGHTS.items()}


def test_the_same_again_compares_and_another_result_is_a_conflict(pickled: Path, tmp_path: Path) -> None:
    convert(pickled, tmp_path / "made")
    convert(pickled, tmp_path / "made")
    torch.save({**WEIGHTS, "b.bias": torch.zeros(3)}, pickled / "pytorch_model.bin")

    with pytest.raises(Conflict, match="stands there already"):
        convert(pickled, tmp_path / "made")


def test_a_stop_leaves_nothing(pickled: Path, tmp_path: Path) -> None:
    job = convert_folder(plan_conversion(pickled / "pytorch_model.bin"), tmp_path / "made")
    next(iter(job))
    job.close()

    assert [one.name for one in tmp_path.iterdir()] == ["net"]


@pytest.mark.parametrize("beside", ["model.safetensors", "pytorch_model-00001-of-00002.bin"])
def test_safetensors_and_shards_are_not_converted(pickled: Path, beside: str) -> None:
    assert pickle_in(pickled) == pickled / "pytorch_model.bin"
    (pickled / beside).touch()
    if "of" in beside:
        (pickled / "pytorch_model.bin").unlink()

    assert pickle_in(pickled) is None
