"""What `modelhub train` tells of a base and of a recipe without training."""

from pathlib import Path

from tests.cli.conftest import Run
from tests.trainers.pictures import write_set


def test_the_blocks_of_a_checkpoint_are_listed_with_what_can_learn_in_them(base: int, run: Run) -> None:
    found = run("train", "blocks", "tiny", "--json").json

    known = {one["name"]: (one["transformers"], one["between"]) for one in found}
    assert list(known) == ["IN00", "IN01", "IN02", "IN03", "M00", "OUT00", "OUT01", "OUT02", "OUT03"]
    assert known["IN01"] == (12, 3)
    assert known["IN02"] == (0, 1)
    assert run("train", "blocks", "tiny").out.splitlines()[2].split() == ["IN01", "12", "3"]


def test_a_block_that_the_base_lacks_is_refused_with_near_ones_and_the_command_that_lists_them(
    base: int, run: Run, tmp_path: Path
) -> None:
    named = run("train", "lora", "--base", "tiny", "--images", tmp_path, "--set", "options.block_ranks.OUT11=4")

    assert named.code == 2
    assert "tiny has no block OUT11; there is OUT01, OUT" in named.err
    assert "try: modelhub train blocks tiny" in named.err


def test_a_dry_run_says_what_would_be_in_the_way(base: int, run: Run, tmp_path: Path) -> None:
    dry = ("train", "full", "--base", "tiny", "--images", write_set(tmp_path / "set"), "--dry-run", "--device", "cpu")

    taken, free = run(*dry, "--name", "tiny"), run(*dry, "--name", "kip", "--json").json

    assert taken.code == 0
    assert "the name 'tiny' is taken by catalog ID 1" in taken.err
    assert free["obstacles"] == []
    assert any("little to tell" in one for one in free["notices"])
