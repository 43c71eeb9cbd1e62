"""A run's folder keeps what a resumed training needs, and refuses what it must not go on with."""

from pathlib import Path

import pytest
import torch

from modelhub.errors import BrokenFile, Incompatible, OutOfResources
from tests.trainers.test_recipe import recipe
from trainers.running.runs import RunFolder

STATE = {"step": 3, "smoothed": 0.5, "module": {}, "optimizer": {}}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "0001-kip")
    made.begin(recipe(), [])
    made.save_state(STATE, recipe=recipe(), dataset="d")
    return made


def test_a_state_comes_back(folder: RunFolder) -> None:
    state = folder.load_state(recipe=recipe(), dataset="d")

    assert state is not None
    assert STATE.items() <= state.items()


def test_the_recipe_comes_back(folder: RunFolder) -> None:
    assert folder.read_recipe() == recipe()


def test_before_the_first_state_there_is_none(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).load_state(recipe=recipe(), dataset="d") is None


def test_another_recipe_is_refused_by_name(folder: RunFolder) -> None:
    with pytest.raises(Incompatible, match=r"recipe\.toml was changed since the run began"):
        folder.load_state(recipe=recipe(learning_rate=1e-3), dataset="d")


def test_another_dataset_is_refused(folder: RunFolder) -> None:
    with pytest.raises(Incompatible, match="images or captions were changed") as caught:
        folder.load_state(recipe=recipe(), dataset="other")

    assert caught.value.mend


@pytest.mark.parametrize("content", [b"", b"garbage", "half"])
def test_a_broken_state_is_named(folder: RunFolder, content: bytes | str) -> None:
    whole = folder.state.read_bytes()
    folder.state.write_bytes(content if isinstance(content, bytes) else whole[: len(whole) // 2])

    with pytest.raises(BrokenFile, match=r"state\.pt: cannot be read"):
        folder.load_state(recipe=recipe(), dataset="d")


def test_a_full_disk_keeps_the_last_whole_state(small_disk: Path) -> None:
    folder = RunFolder(small_disk)
    folder.save_state(STATE, recipe=recipe(), dataset="d")

    with pytest.raises(OutOfResources, match="the disk is full") as caught:
        folder.save_state({**STATE, "module": {"up": torch.zeros(10_000)}}, recipe=recipe(), dataset="d")

    assert str(small_disk) in str(caught.value.mend)
    assert [path.name for path in small_disk.iterdir()] == ["state.pt"]
    assert folder.load_state(recipe=recipe(), dataset="d") is not None


def test_a_state_by_a_newer_version_is_refused(folder: RunFolder) -> None:
    newer = {**torch.load(folder.state), "schema": 99}
    torch.save(newer, folder.state)

    with pytest.raises(BrokenFile, match="newer ModelHub"):
        folder.load_state(recipe=recipe(), dataset="d")


def test_losses_after_a_step_are_forgotten(folder: RunFolder) -> None:
    for step in (1, 2, 3):
        folder.note_loss(step, 0.5, 1e-3)

    folder.forget_losses_after(2)

    lines = folder.losses.read_text().splitlines()
    assert lines[-1] == '{"step": 2, "loss": 0.5, "learning_rate": 0.001}'
    assert len(lines) == 2


def test_there_may_be_no_losses_to_forget(tmp_path: Path) -> None:
    RunFolder(tmp_path).forget_losses_after(0)

    assert not RunFolder(tmp_path).losses.exists()


def test_copies_are_known_with_all_their_files_by_their_steps(folder: RunFolder) -> None:
    name = "kip-step00000007"
    files = [folder.copy(name, 20), folder.copy(name, 100), folder.copy("kip", 30)]
    beside = folder.path / f"{name}-step00000020.diffusers.safetensors"
    for path in (*files, beside, folder.path / f"{name}-step00000040-words.safetensors"):
        path.touch()

    assert folder.copies(name) == {20: files[0], 100: files[1]}
    assert folder.copied(name)[20] == [beside, files[0]]
    assert list(folder.copied(name)) == [20, 40, 100]
    assert folder.copies("kip") == {30: files[2]}


def test_the_pictures_that_a_run_began_with_are_kept(tmp_path: Path) -> None:
    made = RunFolder(tmp_path / "0001-kip")
    assert made.read_pictures() == []

    made.begin(recipe(), [{"sha256": "ab", "repeats": 1.0}])

    assert made.read_pictures() == [{"sha256": "ab", "repeats": 1.0}]
