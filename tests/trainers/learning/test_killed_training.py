"""A training that is killed again and again, and goes on each time, ends in what an uninterrupted one does."""

import random
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests.hands.killing import assert_whole, run_child
from tests.trainers.pictures import write_set
from trainers.recipe import DatasetOptions, LoraOptions, Recipe, write_recipe

STEPS = 12


def begun(home: Path, checkpoint: Path, images: Path) -> list[str]:
    """The command that trains in a new workspace."""
    with Catalog.create(Workspace(home)) as catalog:
        catalog.add(checkpoint, name="tiny")
    wanted = Recipe(
        base="tiny", name="kip", dataset=DatasetOptions(images=images), options=LoraOptions(rank=2, dropout=0.2),
        steps=STEPS, batch=2, learning_rate=1e-2, save={"every": 2}, compute={"ema": 0.9}, validation={"share": 0},
    )  # fmt: skip
    write_recipe(wanted, home / "wanted.toml")
    return ["--home", str(home), "train", "lora", "--recipe", str(home / "wanted.toml"), "--device", "cpu"]


def result(home: Path) -> dict[str, Tensor]:
    return load_file(home / "models" / "lora" / "kip.safetensors")


def has_taken(home: Path, steps: int) -> Callable[[], bool]:
    losses = home / "runs" / "0001-kip" / "losses.jsonl"
    return lambda: losses.is_file() and losses.read_bytes().count(b"\n") >= steps


def test_killed_at_random_steps_it_ends_in_the_very_tensors(checkpoint: Path, tmp_path: Path) -> None:
    images = write_set(tmp_path / "pictures", (64, 64), (64, 64), (64, 128))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run_child(begun(whole, checkpoint, images))[0]
    chance = random.Random(11)

    command = begun(killed, checkpoint, images)
    for least in (1, 4, 8):
        at = has_taken(killed, least + chance.randrange(3))
        assert not run_child(command, kill_after=chance.uniform(0, 0.05), kill_when=at)[0]
        assert_whole(killed)
        command = ["--home", str(killed), "train", "resume", "1", "--device", "cpu"]
    assert run_child(command)[0]

    ours, theirs = result(killed), result(whole)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(one, theirs[name]) for name, one in ours.items())
    told = [(killed / "runs" / "0001-kip" / "losses.jsonl"), (whole / "runs" / "0001-kip" / "losses.jsonl")]
    assert told[0].read_text() == told[1].read_text()
