"""A run's state comes back whole, or is refused by what must not be gone on with."""

from pathlib import Path

import pytest
import torch

from modelhub.errors import BrokenFile, Incompatible, OutOfResources
from tests.trainers.test_recipe import recipe
from trainers.running.runs import RunFolder
from trainers.running.states import read_state, write_state

STATE = {"step": 3, "smoothed": 0.5, "module": {}, "optimizer": {}}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "0001-kip")
    made.begin(recipe(), [])
    write_state(made, STATE, recipe=recipe(), dataset="d")
    return made


def test_a_state_comes_back(folder: RunFolder) -> None:
    state = read_state(folder, recipe=recipe(), dataset="d")

    assert state is not None
    assert STATE.items() <= state.items()


def test_before_the_first_state_there_is_none(tmp_path: Path) -> None:
    assert read_state(RunFolder(tmp_path), recipe=recipe(), dataset="d") is None


def test_another_recipe_is_refused_by_name(folder: RunFolder) -> None:
    with pytest.raises(Incompatible, match=r"recipe\.toml was changed since the run began"):
        read_state(folder, recipe=recipe(learning_rate=1e-3), dataset="d")


def test_another_dataset_is_refused(folder: RunFolder) -> None:
    with pytest.raises(Incompatible, match="images or captions were changed") as caught:
        read_state(folder, recipe=recipe(), dataset="other")

    assert caught.value.mend


@pytest.mark.parametrize("content", [b"", b"garbage", "half"])
def test_a_broken_state_is_named(folder: RunFolder, content: bytes | str) -> None:
    whole = folder.state.read_bytes()
    folder.state.write_bytes(content if isinstance(content, bytes) else whole[: len(whole) // 2])

    with pytest.raises(BrokenFile, match=r"state\.pt: cannot be read"):
        read_state(folder, recipe=recipe(), dataset="d")


def test_a_full_disk_keeps_the_last_whole_state(small_disk: Path) -> None:
    folder = RunFolder(small_disk)
    write_state(folder, STATE, recipe=recipe(), dataset="d")

    with pytest.raises(OutOfResources, match="the disk is full") as caught:
        write_state(folder, {**STATE, "module": {"up": torch.zeros(10_000)}}, recipe=recipe(), dataset="d")

    assert str(small_disk) in str(caught.value.mend)
    assert [path.name for path in small_disk.iterdir()] == ["state.pt"]
    assert read_state(folder, recipe=recipe(), dataset="d") is not None


def test_a_state_by_a_newer_version_is_refused(folder: RunFolder) -> None:
    newer = {**torch.load(folder.state), "schema": 99}
    torch.save(newer, folder.state)

    with pytest.raises(BrokenFile, match="newer ModelHub"):
        read_state(folder, recipe=recipe(), dataset="d")
