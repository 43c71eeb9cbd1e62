"""A run's folder knows its recipe, its pictures, its losses and its copies."""

import json
from pathlib import Path

import pytest

from tests.trainers.test_recipe import recipe
from trainers.running.runs import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "0001-kip")
    made.begin(recipe(), [])
    return made


def test_the_recipe_comes_back(folder: RunFolder) -> None:
    assert folder.read_recipe() == recipe()


def test_losses_after_a_step_are_forgotten(folder: RunFolder) -> None:
    for step in (1, 2, 3):
        folder.note_loss(step, 0.5, 1e-3)

    folder.forget_after(2)

    lines = folder.losses.read_text().splitlines()
    assert lines[-1] == '{"step": 2, "loss": 0.5, "learning_rate": 0.001}'
    assert len(lines) == 2


def test_copies_and_previews_after_a_step_are_forgotten(tmp_path: Path) -> None:
    made = RunFolder(tmp_path)
    copies = [made.copy("my-step00000099", step) for step in (2, 3)]
    words = tmp_path / "my-step00000099-step00000003-words.safetensors"
    previews = [made.preview(step, 1) for step in (2, 3)]
    previews[0].parent.mkdir()
    for path in (*copies, words, *previews, made.plot):
        path.touch()

    made.forget_after(2)

    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {copies[0], previews[0], made.plot}


def test_a_look_that_is_taken_again_stands_in_place_of_the_first(tmp_path: Path) -> None:
    made = RunFolder(tmp_path)
    for step, loss in ((1, 0.5), (2, 0.4), (2, 0.3)):
        made.note_validation(step, loss)

    assert [json.loads(line)["loss"] for line in made.validation.read_text().splitlines()] == [0.5, 0.3]


def test_there_may_be_no_losses_to_forget(tmp_path: Path) -> None:
    RunFolder(tmp_path).forget_after(0)

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
